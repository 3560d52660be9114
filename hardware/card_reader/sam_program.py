"""A reader with a SAM, whose vendor gives a program that reads an e-KTP's biodata: a PC/SC reader, and the program.

The program does the mutual authentication; no key of a SAM is ever in this one.
"""

from typing import Annotated, Literal

import msgspec

from hardware.card_reader.biodata import PARSERS
from hardware.card_reader.interface import Biodata, BiodataError, Card, ReadsBiodata
from hardware.card_reader.pcsc import PcscCardReader
from hardware.card_reader.program import CardProgram


class SamProgramReader(PcscCardReader, ReadsBiodata):
    """Tells cards as `PcscCardReader` does. The program is started for each card whose biodata is asked for; it finds
    the card on the reader by itself, prints its biodata and ends with 0, printing nothing for a card that has none."""

    class Options(PcscCardReader.Options, frozen=True, forbid_unknown_fields=True, kw_only=True):
        #: The program and its arguments; no shell reads them.
        command: Annotated[list[str], msgspec.Meta(min_length=1)]
        format: Literal["json", "csv"]
        timeout_s: Annotated[float, msgspec.Meta(gt=0, le=60)] = 10.0

    def __init__(self, name: str, options: Options) -> None:
        super().__init__(name, options)
        self._program = CardProgram(options.command, options.timeout_s)
        self._parse = PARSERS[options.format]

    def read_biodata(self, card: Card) -> Biodata | None:
        lying = self._insertion_of(card)
        if lying is None:
            raise BiodataError("BIODATA-CARD-GONE", "before it was read")
        output = self._program.run()
        if self._insertion_of(card) != lying:  # whose biodata it is, nobody can tell
            raise BiodataError("BIODATA-CARD-GONE", "while it was read")
        return self._parse(output)

    def _interrupt(self) -> None:
        self._program.kill()
        super()._interrupt()
