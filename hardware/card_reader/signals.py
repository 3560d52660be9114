"""Lamp and buzzer of readers that have them: how a resident is told, at the reader, that a card was read or not.

The commands are pseudo-APDUs that the reader answers itself (ACR122U and ACR1252U, Application Programming Interface).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from hardware.card_reader.iso7816 import torn


class Conversation(Protocol):
    """The connection through which a reader is reached, as `winscard.Connection` is."""

    transmit: Callable[[bytes], bytes]
    control: Callable[[bytes], bytes]


@dataclass(frozen=True)
class Signals:
    """The commands for a card that was read, and for one that was not. `accepted` is how the answer to each begins.
    `by_escape`: the reader takes them by SCardControl only, not among the APDUs."""

    good: tuple[bytes, ...]
    bad: tuple[bytes, ...]
    accepted: bytes
    by_escape: bool = False

    def give(self, good: bool, conversation: Conversation) -> bool:
        """Whether the reader took the commands. Raises CardError where the card left meanwhile."""
        send = conversation.control if self.by_escape else partial(_transmit, conversation)
        return all(send(command).startswith(self.accepted) for command in (self.good if good else self.bad))


def _transmit(conversation: Conversation, command: bytes) -> bytes:
    answer = conversation.transmit(command)
    if len(answer) < 2:  # the card was taken away, which says nothing about the reader
        raise torn("an answer without a status word")
    return answer


def _acr1252(lamp: int, buzzer_10ms: int) -> tuple[bytes, ...]:
    return bytes([0xE0, 0, 0, 0x29, 1, lamp]), bytes([0xE0, 0, 0, 0x28, 1, buzzer_10ms])


#: By the part of the reader's name by which it is known, in lower case.
SIGNALS = {
    # Green, or red, blinks for 100 ms with the buzzer, once or three times, and the lamps go on as before.
    "acr122": Signals(
        good=(bytes.fromhex("FF0040A00401010101"),), bad=(bytes.fromhex("FF0040500401010301"),), accepted=b"\x90"
    ),
    # The lamp, green or red, stays until the next card.
    "acr1252": Signals(good=_acr1252(2, 10), bad=_acr1252(1, 50), accepted=b"\xe1", by_escape=True),
}


def signals_of(reader: str) -> Signals | None:
    """What the reader named `reader` understands; None where it is not known to have lamp and buzzer."""
    return next((signals for model, signals in SIGNALS.items() if model in reader.lower()), None)
