"""Command APDUs: chaining, status words, and the errors of a conversation with a card."""

from collections.abc import Callable

#: Sends one APDU to the card and returns its whole answer, status word included. Raises CardError.
Transmit = Callable[[bytes], bytes]

#: An answer in more pieces than this is a card gone wrong: 16 pieces carry 4 kB, and no number needs more than one.
LONGEST_CHAIN = 16


class CardError(Exception):
    """A conversation with a card failed. `code` is for the technician; `again` says that a new connection may help.

    The text never holds what the card sent.
    """

    def __init__(self, code: str, detail: str = "", *, again: bool = False) -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.again = again


class CardRefused(CardError):
    """The card answered properly, with a status word other than 9000."""

    def __init__(self, status_word: int) -> None:
        super().__init__("CARD-REFUSED", f"status word {status_word:04X}")


def torn(detail: str) -> CardError:
    return CardError("CARD-TORN", detail, again=True)


def exchange(transmit: Transmit, apdu: bytes) -> bytes:
    """The data that the card answers to `apdu`, without its status word.

    Follows 61xx (GET RESPONSE) and 6Cxx (ask again with the right Le), which PC/SC leaves to its callers. Raises
    CardRefused for any other end than 9000, and CardError where the answer is not one.
    """
    data = b""
    command = apdu
    for _ in range(LONGEST_CHAIN):
        answer = transmit(command)
        if len(answer) < 2:
            raise torn("an answer without a status word")
        data += answer[:-2]
        status_word = int.from_bytes(answer[-2:], "big")
        match status_word >> 8:
            case 0x61:
                command = bytes([0x00, 0xC0, 0x00, 0x00, status_word & 0xFF])
            case 0x6C:
                command = command[:-1] + bytes([status_word & 0xFF])
            case _ if status_word == 0x9000:
                return data
            case sw1 if sw1 >> 4 in (0x6, 0x9):
                raise CardRefused(status_word)
            case _:  # ISO 7816-4, 5.6: no other status word exists
                raise torn("an answer that ends in no status word")
    raise torn("an answer without an end")
