"""Thousands of visits in the real window: drawn, read out, printed."""

from support.soak import short_and_long, soak

MOST_BYTES = 12 << 20
#: The first visits draw each screen for the first time, and software GL keeps what it compiled.
MOST_BYTES_OF_FEW = 40 << 20


@short_and_long("cycles", short=12, long=2000, within_s=7200)
def test_visits_in_the_real_window(kiosk, printer, cycles):
    kiosk.start()

    def a_number() -> None:
        kiosk.touch("start", "queue", "A", "done")
        printer.take_papers()

    def help_in_another_language_read_out() -> None:
        kiosk.touch("start")
        for name, then in (("listen", "voice:on"), ("language:en", "language:en"), ("larger_text", "text:large")):
            kiosk.touch(f"bar:{name}")
            kiosk.see(then)
        kiosk.touch("bar:help", "back", "bar:leave")

    def by_nik() -> None:
        kiosk.touch("start", "letter", "nik", "key:3", "key:backspace", "bar:leave")

    def by_card() -> None:
        kiosk.do("tap", "budi")
        kiosk.type_pin()
        kiosk.do("take-card")
        kiosk.touch("domisili")
        kiosk.see("field:1")
        kiosk.touch("bar:leave")

    visits = (a_number, help_in_another_language_read_out, by_nik, by_card)

    def one_visit(number: int) -> None:
        visits[number % len(visits)]()
        kiosk.see("view:idle")

    growth = soak(one_visit, cycles, kiosk.process.pid, warm=2 * len(visits))
    growth.assert_none(MOST_BYTES if cycles >= 2000 else MOST_BYTES_OF_FEW)
    assert "ERROR" not in kiosk.log
