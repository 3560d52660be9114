"""What the pages use, put together once."""

from dataclasses import dataclass
from typing import Self

from config.settings import Settings
from hardware.page_printer.interface import PagePrinter
from kiosk.clock import Clock
from kiosk.desk.sessions import Sessions
from kiosk.devices import Devices
from kiosk.office import Office
from kiosk.officers import Officers


@dataclass(frozen=True)
class Services:
    """`page_printer` is None in a hall without an office printer."""

    settings: Settings
    office: Office
    officers: Officers
    sessions: Sessions
    page_printer: PagePrinter | None

    @classmethod
    def open(cls, settings: Settings, page_printer: PagePrinter | None, clock: Clock | None = None) -> Self:
        """Everything on the settings' database, beside a kiosk that runs or not. Raises StoreError."""
        clock = clock or Clock()
        office = Office.open(settings, clock, Devices(), printer=None, post=lambda event: None)
        if page_printer is not None:
            page_printer.start(lambda event: None)
        return cls(settings, office, office.officers, Sessions(office.store, clock), page_printer)

    def close(self) -> None:
        if self.page_printer is not None:
            self.page_printer.stop()
        self.office.close()
