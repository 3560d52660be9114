"""A scanner that types what it reads, as a keyboard does. A serial one is better: a wedge loses what it types too fast.

The scanner must be set up for the US keyboard layout and to end each code with Enter. It can type ASCII only.
"""

import msgspec

from hardware.code_scanner.interface import LONGEST_PAYLOAD
from hardware.code_scanner.listening import HALF_CODE, TOO_LONG, Listening, ListeningScanner
from hardware.keyboard_wedge import QUIET_GAP_S, Flaw, Kernel, Keyboard, Scan, ScanAssembly

OVERRUN = "SCANNER-OVERRUN"
LAYOUT = "SCANNER-LAYOUT"
_FLAWS = {Flaw.OVERRUN: OVERRUN, Flaw.STRANGE_KEY: LAYOUT, Flaw.TOO_LONG: TOO_LONG}


class EvdevScanner(ListeningScanner):
    """Reads codes from the keyboard `device`, which nothing else gets meanwhile.

    CodeUnreadable is SCANNER-TOO-LONG for more than LONGEST_PAYLOAD characters, SCANNER-HALF-CODE when silence comes
    before Enter, SCANNER-OVERRUN where the kernel lost some of its keys and SCANNER-LAYOUT for a key that is no
    character; the next code begins after the next Enter or silence. A code that began before the scanner listened is
    dropped whole. The states are those of `Keyboard`, with SCANNER before each code.
    """

    class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
        #: Its path below /dev/input; by-id/…-event-kbd stays the same whichever socket it is in.
        device: str

    def __init__(self, name: str, options: Options, kernel: Kernel | None = None) -> None:
        super().__init__(name)
        self.options = options
        self._keyboard = Keyboard(options.device, "SCANNER", kernel or Kernel())
        self._assembly = ScanAssembly(LONGEST_PAYLOAD)
        self._started_in: Listening | None = None

    def _open(self) -> None:
        self._assembly.forget()
        self._keyboard.open()

    def _serve(self) -> None:
        while not self._stopping.is_set():
            events = self._keyboard.read(QUIET_GAP_S if self._assembly.under_way else None)
            if not events and not self._stopping.is_set():
                self._tell_scan(self._assembly.fell_silent())
            for event in events:
                if not self._assembly.under_way:
                    self._started_in = self._listening
                self._tell_scan(self._assembly.take(event))

    def _close(self) -> None:
        self._keyboard.close()

    def _interrupt(self) -> None:
        super()._interrupt()
        self._keyboard.wake()

    def _tell_scan(self, scan: Scan | None) -> None:
        if scan is None:
            return
        if scan.flaw is not None:
            self._tell_unreadable(_FLAWS[scan.flaw], self._started_in)
        elif not scan.ended:
            self._tell_unreadable(HALF_CODE, self._started_in)
        else:
            self._tell_code(scan.text.encode("ascii"), self._started_in)
