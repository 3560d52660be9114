"""What a card reader promises.

A UID is a user name, never a proof: whoever acts on a card also asks for a PIN.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from hardware.device import Device


class CardKind(StrEnum):
    EKTP = "ektp"  # its ATR is one that e-KTPs are known to have
    OTHER = "other"  # its ATR is one that something else is known to have (a SIM)
    UNKNOWN = "unknown"  # not in any list: never called "not an e-KTP"


@dataclass(frozen=True)
class Card:
    """A card as the reader saw it. `uid` is the canonical byte order, 4 to 10 bytes, and stays out of every repr
    and so out of every log. `stable` is False where the card makes up a new number at each power-up."""

    uid: bytes = field(repr=False)
    kind: CardKind = CardKind.UNKNOWN
    stable: bool = True


@dataclass(frozen=True)
class CardPresented:
    reader: str
    card: Card


@dataclass(frozen=True)
class CardRemoved:
    reader: str


@dataclass(frozen=True)
class CardUnreadable:
    """A card is there and could not be read: try again. `code` is for the technician."""

    reader: str
    code: str


class CardReader(Device):
    """Posts `CardPresented`, `CardRemoved` and `CardUnreadable`. The same uid again within `SAME_VISIT_S` of its
    removal (a flickering antenna) is not announced twice: the `CardRemoved` of a card that was read waits that long
    for the card to come back, unless another card or the loss of the reader tells sooner. Every `CardPresented` and
    `CardUnreadable` is followed by one `CardRemoved`."""

    kind = "card_reader"


SAME_VISIT_S = 1.5
