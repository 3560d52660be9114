"""What a card reader promises.

A UID is a user name, never a proof: whoever acts on a card also asks for a PIN.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import ClassVar

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
    #: False for a reader that only guesses when a card was taken away: it is none for a cradle.
    sees_removal: ClassVar[bool] = True


SAME_VISIT_S = 1.5


@dataclass(frozen=True)
class Biodata:
    """What an e-KTP says of its holder. Personal data, all of it: nothing is in the repr, and so in no log."""

    nik: str = field(repr=False)  # 16 digits
    name: str = field(repr=False)
    birth_date: date = field(repr=False)
    birth_place: str = field(default="", repr=False)  # empty where the reader does not tell it


class BiodataError(Exception):
    """Biodata could not be read. `code` is for the technician and `detail` for the log; neither holds personal data.

    BIODATA-CARD-GONE       the card was taken away, or is not the one that lies there
    BIODATA-TIMEOUT         the reader's program did not end in time
    BIODATA-NO-PROGRAM      it could not be started
    BIODATA-PROGRAM-FAILED  it ended with an exit status other than 0
    BIODATA-TOO-LONG        it said far more than biodata is
    BIODATA-GARBLED         what it said is not biodata
    """

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code, self.detail = code, detail


class ReadsBiodata(ABC):
    """A capability beside that of `CardReader`, of readers with the SAM that an e-KTP's biodata needs."""

    @abstractmethod
    def read_biodata(self, card: Card) -> Biodata | None:
        """The biodata of `card`, which must lie on the reader still; None where the card has none to give.

        Blocks, for no longer than the driver's time-out: call it on a worker. Raises BiodataError.
        """
