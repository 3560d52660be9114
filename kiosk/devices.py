"""What the attendant knows of the hall's devices."""

from hardware.code_scanner.interface import CodeScanner, Photo
from hardware.device import Status, StatusChanged


class Devices:
    """The devices' last status, and whether a card lies on a reader. A kind that the
    hall does not have is simply never there."""

    def __init__(self, scanner: CodeScanner | None = None) -> None:
        self._scanner = scanner
        self._statuses: dict[str, Status] = {}
        self.card_present = False

    def note(self, change: StatusChanged) -> None:
        self._statuses[change.kind] = change.status

    def serving(self, kind: str) -> bool:
        return kind in self._statuses and self._statuses[kind].serving

    def code(self, kind: str) -> str:
        """The technician's code of the kind's trouble, empty where there is none."""
        status = self._statuses.get(kind)
        return status.code if status is not None else ""

    @property
    def can_photograph(self) -> bool:
        """Whether papers can be photographed now."""
        return self._scanner is not None and self._scanner.can_photograph and self.serving(CodeScanner.kind)

    def watch(self, on: bool) -> None:
        """Have the camera tell what it sees, where there is one."""
        if self._scanner is not None and self._scanner.can_photograph:
            self._scanner.watch(on)

    def take_photo(self) -> Photo:
        """Waits for it. Raises PhotoFailed; only where `can_photograph` was true once."""
        return self._scanner.take_photo()

    def listen_for_code(self, on: bool) -> None:
        if self._scanner is not None:
            self._scanner.listen(on)
