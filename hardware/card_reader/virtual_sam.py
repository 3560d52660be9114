"""The bench's reader that yields biodata: a virtual reader, and what its cards hold."""

from hardware.card_reader.interface import Biodata, BiodataError, Card, ReadsBiodata
from hardware.card_reader.virtual import VirtualCardReader


class VirtualSamReader(VirtualCardReader, ReadsBiodata):
    """`tap` lays a card with its biodata; with the code of a BiodataError in its place, reading it fails so."""

    virtual = True

    def __init__(self, name: str, options: VirtualCardReader.Options) -> None:
        super().__init__(name, options)
        self._biodata: Biodata | str | None = None  # of the card that lies there

    def tap(self, card: Card, biodata: Biodata | str | None = None) -> None:
        with self._world:
            self._biodata = biodata
            super().tap(card)

    def read_biodata(self, card: Card) -> Biodata | None:
        with self._world:
            if not self._plugged or self._lying != card:
                raise BiodataError("BIODATA-CARD-GONE")
            biodata = self._biodata
        if isinstance(biodata, str):
            raise BiodataError(biodata)
        return biodata
