"""PC/SC by pyscard's low-level calls, with result codes turned into the project's errors.

Not pyscard's CardMonitor: its thread ends for good when pcscd goes, and it misses a card that was swapped while busy.
Imported in the device's own thread, because pyscard is no business of the kiosk's start.
"""

import math
from typing import NamedTuple, Self

from smartcard import scard

from hardware.card_reader.iso7816 import CardError, torn
from hardware.device import DeviceError, DeviceState

#: A pseudo reader whose state changes when a reader is plugged or unplugged.
PNP = "\\\\?PnP?\\Notification"
#: What a wait is told it knows. Without the bits for "in use", or every conversation would wake the watcher.
KNOWN = scard.SCARD_STATE_EMPTY | scard.SCARD_STATE_PRESENT | scard.SCARD_STATE_MUTE | 0xFFFF0000
GONE = scard.SCARD_STATE_UNKNOWN | scard.SCARD_STATE_UNAVAILABLE

#: pcscd's answer to a new context: what polkit says, or that there are 200 already.
SERVICE_REFUSED = frozenset({scard.SCARD_W_SECURITY_VIOLATION, scard.SCARD_E_NO_ACCESS, scard.SCARD_E_NO_MEMORY})
#: pcscd is not there, or is another one than the context was made with. A context once given is never refused, so the
#: first is what libpcsclite makes of a connection that was closed.
SERVICE_LOST = frozenset(
    {
        scard.SCARD_W_SECURITY_VIOLATION,
        scard.SCARD_F_COMM_ERROR,
        scard.SCARD_E_NO_SERVICE,
        scard.SCARD_E_SERVICE_STOPPED,
        scard.SCARD_E_INVALID_HANDLE,
    }
)
UNRECOGNISED = frozenset(
    {scard.SCARD_E_PROTO_MISMATCH, scard.SCARD_W_UNRESPONSIVE_CARD, scard.SCARD_W_UNSUPPORTED_CARD}
)
#: By which a driver hands a command to the reader: libccid, where its Info.plist allows it, and libacsccid.
ESCAPES = (scard.SCARD_CTL_CODE(1), scard.SCARD_CTL_CODE(3500))
PCI = {scard.SCARD_PROTOCOL_T0: scard.SCARD_PCI_T0, scard.SCARD_PROTOCOL_T1: scard.SCARD_PCI_T1}


class Insertion(NamedTuple):
    """A card in a reader. `counter` counts insertions and removals: it is how a swap between two looks is seen.
    `mute`: it did not answer to power with a usable ATR."""

    counter: int
    mute: bool


class Look(NamedTuple):
    """How a wait ended. `spurious`: pcscd ended it, and yet nothing differs."""

    insertion: Insertion | None
    spurious: bool


class Context:
    """A connection to pcscd. One thread at a time may use it, except for `cancel`. Raises DeviceError."""

    def __init__(self) -> None:
        result, self._handle = scard.SCardEstablishContext(scard.SCARD_SCOPE_SYSTEM)
        if result in SERVICE_REFUSED:
            raise DeviceError(DeviceState.FAULT, "CARD-SERVICE-REFUSED", _hex(result))
        _check_service(result)
        self._known: dict[str, int] = {}  # the state of each watched reader at the last wait

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.release()

    def readers(self) -> list[str]:
        # pyscard raises SystemError for a handle that is not valid, without having asked pcscd.
        _check_service(scard.SCardIsValidContext(self._handle))
        result, names = scard.SCardListReaders(self._handle, [])
        if result == scard.SCARD_E_NO_READERS_AVAILABLE:
            return []
        _check_service(result)
        return names

    def wait(self, reader: str | None, timeout_s: float) -> Look:
        """Wait until a card comes or goes in `reader`, or any reader does, since the last wait of this context."""
        known = {name: self._known.get(name, scard.SCARD_STATE_UNAWARE) for name in (reader, PNP) if name}
        result, states = scard.SCardGetStatusChange(self._handle, math.ceil(timeout_s * 1000), list(known.items()))
        if result == scard.SCARD_E_UNKNOWN_READER:
            raise _unplugged()
        if result in (scard.SCARD_E_TIMEOUT, scard.SCARD_E_CANCELLED):
            # From pcscd 2 on the number of plug events comes back here too, and is to be handed back.
            self._known.update((name, state & KNOWN) for name, state, _atr in states if name == PNP)
            return Look(_insertion(known.get(reader, 0)), spurious=False)
        _check_service(result)
        self._known = {name: state & KNOWN for name, state, _atr in states}
        if any(state & GONE for name, state, _atr in states if name != PNP):
            raise _unplugged()
        return Look(_insertion(self._known.get(reader, 0)), spurious=self._known == known)

    def connect(self, reader: str) -> "Connection":
        """Raises CardError."""
        result, handle, protocol = scard.SCardConnect(
            self._handle, reader, scard.SCARD_SHARE_SHARED, scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1
        )
        _check_card(result)
        return Connection(handle, protocol)

    def cancel(self) -> None:
        """End another thread's `wait`; lost if that wait has not begun."""
        scard.SCardCancel(self._handle)

    def release(self) -> None:
        scard.SCardReleaseContext(self._handle)


class Connection:
    """A conversation with one card. Never reconnected: that would succeed on another card."""

    def __init__(self, handle: int, protocol: int) -> None:
        self._handle = handle
        self._protocol = protocol

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        # The default, a reset, would disturb other programs that talk to the card.
        scard.SCardDisconnect(self._handle, scard.SCARD_LEAVE_CARD)

    def atr(self) -> bytes:
        result, _reader, _state, _protocol, atr = scard.SCardStatus(self._handle)
        _check_card(result)
        return bytes(atr)

    def transmit(self, apdu: bytes) -> bytes:
        """Blocks for as long as the card does; nothing ends it but the card going away."""
        result, answer = scard.SCardTransmit(self._handle, PCI[self._protocol], list(apdu))
        _check_card(result)
        return bytes(answer)

    def control(self, command: bytes) -> bytes:
        """The answer of the reader itself, or nothing where its driver passes no such command on."""
        for code in ESCAPES:
            result, answer = scard.SCardControl(self._handle, code, list(command))
            if result == scard.SCARD_S_SUCCESS:
                return bytes(answer)
        return b""


def _check_service(result: int) -> None:
    if result == scard.SCARD_S_SUCCESS:
        return
    if result in SERVICE_LOST:
        raise DeviceError(DeviceState.ABSENT, "CARD-SERVICE-DOWN", _hex(result))
    raise DeviceError(DeviceState.FAULT, "CARD-READER-SICK", _hex(result))


def _check_card(result: int) -> None:
    if result == scard.SCARD_S_SUCCESS:
        return
    if result == scard.SCARD_E_SHARING_VIOLATION:
        raise CardError("CARD-IN-USE", _hex(result), again=True)
    if result in UNRECOGNISED:
        raise CardError("CARD-UNRECOGNISED", _hex(result))
    raise torn(_hex(result))


def _insertion(state: int) -> Insertion | None:
    if not state & scard.SCARD_STATE_PRESENT:
        return None
    return Insertion(state >> 16 & 0xFFFF, mute=bool(state & scard.SCARD_STATE_MUTE))


def _unplugged() -> DeviceError:
    return DeviceError(DeviceState.ABSENT, "CARD-READER-ABSENT", "unplugged")


def _hex(result: int) -> str:
    return f"{result & 0xFFFFFFFF:08X}"
