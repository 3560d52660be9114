"""What is shown while nobody is here. Imported before the first frame, so it imports little."""

from config.settings import Settings
from config.translations import say
from hardware.card_reader.interface import CardReader
from hardware.printer.interface import Printer
from kiosk.devices import Devices
from kiosk.views import IdleView, NoticeView

#: The serial of the first scene, which is shown before there is an attendant: a touch on it waits for one.
FIRST_SERIAL = 1


def idle_view(settings: Settings, devices: Devices, ready: bool) -> IdleView:
    """The invitation in the two languages of the hall, and in plain words what does not work today."""
    notices = []
    if ready and settings.printer is not None and not devices.serving(Printer.kind):
        notices.append(say("id", "printer_away_today"))
    if ready and settings.card_reader is not None and not devices.serving(CardReader.kind):
        notices.append(say("id", "card_reader_away_today"))
    return IdleView(
        say("id", "touch_to_start"),
        say("jv", "touch_to_start"),
        village=f"Desa {settings.village.name}",
        notices=tuple(notices),
    )


def out_of_order_view(code: str) -> NoticeView:
    return NoticeView(say("id", "out_of_order"), say("id", "out_of_order_ask_desk"), tone="bad", code=code)
