"""Ten thousand prints leave nothing behind, and none of them is lost."""

from support.soak import short_and_long, soak

from hardware.printer.interface import PrintOutcome

MOST_BYTES = 2 << 20
#: A ticket's, without its blank end.
ROWS = 120


@short_and_long("cycles", short=60, long=10_000, within_s=3600)
def test_prints(setup, a_page, cycles):
    driver, outside = setup()

    def one_print(number: int) -> None:
        page = a_page(rows=ROWS, number=number)
        assert driver.print(page).outcome is PrintOutcome.PRINTED
        (paper,) = outside.take_papers()
        assert paper.image.tobytes() == page.image.tobytes()

    soak(one_print, cycles).assert_none(MOST_BYTES)
