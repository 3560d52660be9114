"""Ten thousand visits leave nothing behind: neither of the visitors nor of the kiosk's own work."""

from collections import deque

from support.kiosk import NIKS, Hall
from support.soak import short_and_long, soak

from hardware.speaker.interface import Speaker
from kiosk.demo.village import DEMO_PIN
from kiosk.intents import HelpAsked, LanguageChosen, ListenAsked, StillHere, TextSizeToggled

pytest_plugins = ["support.kiosk"]

MOST_BYTES = 3 << 20
MOST_BYTES_OF_FEW = 6 << 20  # SQLite's and SQLAlchemy's caches fill


def by_card_read_out(hall: Hall) -> None:
    hall.tap("siti")
    hall.intend(ListenAsked)
    hall.enter(DEMO_PIN)
    hall.take_card()
    hall.intend(HelpAsked)
    hall.back()
    hall.choose("domisili")
    hall.leave()


def by_nik_in_another_language(hall: Hall) -> None:
    hall.choose("start")
    hall.intend(LanguageChosen, "jv")
    hall.intend(TextSizeToggled)
    hall.choose("letter", "nik")
    hall.enter(NIKS["budi"], DEMO_PIN)
    hall.leave()


def one_after_the_other(hall: Hall) -> None:
    hall.identify("siti")
    hall.identify("budi")
    hall.leave()


def falling_asleep(hall: Hall) -> None:
    hall.choose("start", "letter")
    patience = hall.settings.patience
    hall.pass_s(patience.before_warning_s)
    hall.intend(StillHere)
    hall.pass_s(patience.before_warning_s)
    hall.pass_s(patience.warning_s)


def checking_a_letter(hall: Hall) -> None:
    hall.choose("start", "check")
    hall.show_code(b"HTTPS://EXAMPLE.ORG/1")
    hall.wait_until(lambda: hall.says("code_not_from_here"))
    hall.choose("done")


VISITS = (by_card_read_out, by_nik_in_another_language, one_after_the_other, falling_asleep, checking_a_letter)


@short_and_long("cycles", short=150, long=10_000, within_s=7200)
def test_visits(quiet_hall, cycles):
    hall = quiet_hall
    hall.wait_until(lambda: hall.devices.serving(Speaker.kind))
    hall.face.scenes, hall.face.warnings = deque(maxlen=1), deque(maxlen=1)

    def one_visit(number: int) -> None:
        VISITS[number % len(VISITS)](hall)
        assert hall.idle

    soak(one_visit, cycles).assert_none(MOST_BYTES if cycles >= 10_000 else MOST_BYTES_OF_FEW)
