"""What the attendant knows of the hall's devices."""

from hardware.code_scanner.interface import CodeScanner
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

    def listen_for_code(self, on: bool) -> None:
        if self._scanner is not None:
            self._scanner.listen(on)
