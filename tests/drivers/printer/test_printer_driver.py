"""The real driver against a printer to which things happen. It never says "printed" unless paper came out whole."""

import os
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from PIL import Image

from hardware.device import DeviceState, StatusChanged
from hardware.printer import link
from hardware.printer.codes import PrinterCode
from hardware.printer.escpos import EscposPrinter
from hardware.printer.interface import Acknowledgement, Page, PrintOutcome, PrintResult
from hardware.printer.transport import ConnectionUrlError
from hardware.printer.virtual import VirtualEscposPrinter, VirtualPrinter

PRINTED = PrintResult(PrintOutcome.PRINTED)


def held(code: PrinterCode) -> PrintResult:
    return PrintResult(PrintOutcome.HELD, code)


def uncertain(code: PrinterCode) -> PrintResult:
    return PrintResult(PrintOutcome.UNCERTAIN, code)


def wait_for_code(driver: EscposPrinter, code: str, timeout_s: float = 5) -> None:
    assert driver.wait_for_status(lambda status: status.code == code, timeout_s).code == code


def wait_until_serving(driver: EscposPrinter) -> None:
    assert driver.wait_for_status(lambda status: status.serving, 5).serving


def same(paper, page: Page) -> bool:
    return paper.image.tobytes() == page.image.tobytes()


def assert_voided_then_printed(outside: VirtualPrinter, page: Page) -> None:
    """What the fault left hanging came out void, and after it a whole page."""
    *before, void, last = outside.papers
    assert void.void
    assert not last.void
    assert same(last, page)
    assert not any(same(paper, page) for paper in before)


PORTS = ["tcp", "pty", "usblp", "usb"]


@pytest.mark.parametrize("port", PORTS)
@pytest.mark.parametrize("acknowledgement", [Acknowledgement.PROCESS_ID, Acknowledgement.IN_ORDER])
class TestContract:
    """What holds over every transport, for every printer that acknowledges."""

    def test_three_pages_come_out_dot_for_dot(self, setup, a_page, port, acknowledgement) -> None:
        driver, outside = setup(port, acknowledgement=acknowledgement)
        pages = [a_page(number=number) for number in (1, 2, 3)]
        assert [driver.print(page) for page in pages] == [PRINTED] * 3
        assert [same(paper, page) for paper, page in zip(outside.papers, pages, strict=True)] == [True] * 3
        assert outside.errors == []
        assert driver.status.state is DeviceState.READY

    def test_progress_grows_to_one(self, setup, a_page, port, acknowledgement) -> None:
        driver, _ = setup(port, acknowledgement=acknowledgement)
        told: list[float] = []
        assert driver.print(a_page(), progress=told.append) == PRINTED
        assert told == sorted(told)
        assert told[-1] == 1.0
        assert len(set(told)) > 3

    def test_after_another_process_stopped_in_the_middle(self, setup, a_page, port, acknowledgement) -> None:
        driver, outside = setup(port, acknowledgement=acknowledgement)
        page = a_page()
        assert driver.print(page, after_unclean_stop=True) == PRINTED
        assert_voided_then_printed(outside, page)

    def test_only_what_hangs_is_voided(self, setup, a_page, port, acknowledgement) -> None:
        driver, outside = setup(port, acknowledgement=acknowledgement)
        assert driver.print(a_page()) == PRINTED
        assert driver.void_unfinished() == PRINTED
        assert len(outside.papers) == 1
        outside.paper_out_at_row(150)
        assert driver.print(a_page()) == held(PrinterCode.PAPER_OUT)
        assert driver.void_unfinished() == held(PrinterCode.PAPER_OUT)
        outside.refill()
        wait_until_serving(driver)
        assert driver.void_unfinished() == PRINTED
        assert driver.void_unfinished() == PRINTED
        assert [paper.void for paper in outside.papers] == [False, True]

    def test_paper_out_before(self, setup, a_page, port, acknowledgement) -> None:
        driver, outside = setup(port, acknowledgement=acknowledgement)
        outside.paper_out()
        wait_for_code(driver, PrinterCode.PAPER_OUT)
        assert driver.status.state is DeviceState.FAULT
        assert driver.print(a_page()) == held(PrinterCode.PAPER_OUT)
        assert outside.hanging.image.height == 0
        outside.refill()
        wait_until_serving(driver)
        assert driver.print(a_page()) == PRINTED
        assert len(outside.papers) == 1

    def test_paper_out_during(self, setup, a_page, port, acknowledgement) -> None:
        driver, outside = setup(port, acknowledgement=acknowledgement)
        outside.paper_out_at_row(150)
        assert driver.print(a_page()) == held(PrinterCode.PAPER_OUT)
        assert outside.papers == []
        outside.refill()
        wait_until_serving(driver)
        page = a_page(number=2)
        assert driver.print(page) == PRINTED
        assert_voided_then_printed(outside, page)

    def test_paper_out_after(self, setup, a_page, port, acknowledgement) -> None:
        driver, outside = setup(port, acknowledgement=acknowledgement)
        assert driver.print(a_page()) == PRINTED
        outside.paper_out()
        wait_for_code(driver, PrinterCode.PAPER_OUT)
        assert len(outside.papers) == 1

    def test_the_cover_is_opened(self, setup, a_page, port, acknowledgement) -> None:
        driver, outside = setup(port, acknowledgement=acknowledgement)
        outside.open_cover()
        wait_for_code(driver, PrinterCode.COVER_OPEN)
        assert driver.print(a_page()) == held(PrinterCode.COVER_OPEN)
        outside.close_cover()
        wait_until_serving(driver)
        assert driver.print(a_page()) == PRINTED

    def test_a_silent_printer_is_unknown_and_holds(self, setup, a_page, port, acknowledgement) -> None:
        driver, outside = setup(port, acknowledgement=acknowledgement)
        outside.go_silent()
        assert driver.print(a_page()) == held(PrinterCode.NO_ANSWER)
        assert driver.status.state is DeviceState.UNKNOWN
        outside.answer_again()
        wait_until_serving(driver)
        assert driver.print(a_page()) == PRINTED
        assert len(outside.papers) == 1

    def test_the_cable_is_pulled_and_put_back(self, setup, a_page, port, acknowledgement) -> None:
        driver, outside = setup(port, acknowledgement=acknowledgement)
        outside.unplug()
        assert driver.wait_for_status(lambda status: status.state is DeviceState.ABSENT, 5).state is DeviceState.ABSENT
        assert driver.print(a_page()).outcome is PrintOutcome.HELD
        outside.plug()
        wait_until_serving(driver)
        assert driver.print(a_page()) == PRINTED

    @pytest.mark.parametrize("count", [40, 3000, 9000])
    def test_the_connection_breaks_at_a_byte(self, setup, a_page, port, acknowledgement, count) -> None:
        driver, outside = setup(port, acknowledgement=acknowledgement)
        outside.reset_at_byte(count)
        page = a_page(number=3)
        assert driver.print(page).outcome is PrintOutcome.HELD
        wait_until_serving(driver)
        assert driver.print(page) == PRINTED
        assert_voided_then_printed(outside, page)
        assert outside.papers[-1].unknown == (), "what was out of step ended with the void paper"

    def test_garbage_from_the_printer_changes_nothing(self, setup, a_page, port, acknowledgement) -> None:
        driver, outside = setup(port, acknowledgement=acknowledgement)
        page = a_page(number=4)
        outside.say(b"\xff\x80\x37\x22\xff\x10")
        assert driver.print(page) == PRINTED
        assert same(outside.papers[0], page)

    def test_stopping_is_prompt_and_closes_everything(self, setup, a_page, port, acknowledgement) -> None:
        driver, _ = setup(port, acknowledgement=acknowledgement)
        descriptors = len(os.listdir("/proc/self/fd"))
        for _ in range(3):
            driver.stop()
            driver.start(lambda event: None)
            wait_until_serving(driver)
        assert driver.print(a_page()) == PRINTED
        began_s = time.monotonic()
        driver.stop()
        assert time.monotonic() - began_s < 1
        assert len(os.listdir("/proc/self/fd")) <= descriptors


@pytest.mark.parametrize("acknowledgement", [Acknowledgement.PROCESS_ID, Acknowledgement.IN_ORDER])
class TestPower:
    @pytest.mark.parametrize("rows", [0, 1, 99, 100, 250, 455])
    def test_power_lost_at_a_row(self, setup, a_page, acknowledgement, rows) -> None:
        driver, outside = setup(acknowledgement=acknowledgement)
        outside.lose_power_at_row(rows)
        assert driver.print(a_page()).outcome is PrintOutcome.HELD
        assert outside.papers == []
        assert driver.status.state is DeviceState.ABSENT
        outside.power_on()
        wait_until_serving(driver)
        page = a_page(number=2)
        assert driver.print(page) == PRINTED
        assert_voided_then_printed(outside, page)

    def test_power_lost_just_before_the_cut(self, setup, a_page, acknowledgement) -> None:
        driver, outside = setup(acknowledgement=acknowledgement)
        outside.lose_power_at_cut("before")
        assert driver.print(a_page()).outcome is PrintOutcome.UNCERTAIN
        assert outside.papers == []
        outside.power_on()
        wait_until_serving(driver)
        page = a_page(number=2)
        assert driver.print(page) == PRINTED
        assert_voided_then_printed(outside, page)

    def test_power_lost_just_after_the_cut(self, setup, a_page, acknowledgement) -> None:
        driver, outside = setup(acknowledgement=acknowledgement)
        outside.lose_power_at_cut("after")
        page = a_page()
        assert driver.print(page).outcome is PrintOutcome.UNCERTAIN
        assert same(outside.papers[0], page)

    def test_a_serial_printer_without_power_is_silent(self, setup, a_page, acknowledgement) -> None:
        driver, outside = setup("pty", acknowledgement=acknowledgement)
        outside.lose_power_at_row(150)
        assert driver.print(a_page()) == held(PrinterCode.NO_ANSWER)
        outside.power_on()
        wait_until_serving(driver)
        page = a_page(number=2)
        assert driver.print(page) == PRINTED
        assert_voided_then_printed(outside, page)


class TestFaultsInTheMiddle:
    """With a head slow enough to do something while it prints."""

    def begin(self, setup, page: Page, **changes):
        driver, outside = setup(head_mm_per_s=150.0, **changes)
        pool = ThreadPoolExecutor(1)
        result = pool.submit(driver.print, page)
        outside.wait_for_rows(120, 5)
        pool.shutdown(wait=False)
        return driver, outside, result

    def test_the_cover_is_opened(self, setup, a_page) -> None:
        driver, outside, result = self.begin(setup, a_page())
        outside.open_cover()
        assert result.result(10) == held(PrinterCode.COVER_OPEN)
        assert driver.status.code == PrinterCode.COVER_OPEN

    def test_it_goes_silent_and_prints_on(self, setup, a_page) -> None:
        driver, outside, result = self.begin(setup, a_page())
        outside.go_silent()
        assert result.result(10) == held(PrinterCode.NO_ANSWER)
        assert outside.papers == [], "nothing is cut off that was not acknowledged"
        outside.answer_again()
        wait_until_serving(driver)
        page = a_page(number=2)
        assert driver.print(page) == PRINTED
        assert_voided_then_printed(outside, page)

    def test_the_cutter_jams(self, setup, a_page) -> None:
        driver, outside, result = self.begin(setup, a_page())
        outside.jam()
        assert result.result(10) == held(PrinterCode.CUTTER)
        outside.clear_jam()
        wait_until_serving(driver)

    def test_the_kiosk_stops(self, setup, a_page) -> None:
        driver, outside, result = self.begin(setup, a_page())
        driver.stop()
        assert result.result(1) == held(PrinterCode.STOPPED)
        assert outside.papers == []

    def test_a_slower_head_than_its_profile_is_waited_for(self, setup, a_page) -> None:
        driver, outside, result = self.begin(setup, a_page())
        outside.head_mm_per_s = 70.0
        assert result.result(10) == PRINTED

    def test_pages_from_two_threads_follow_each_other(self, setup, a_page) -> None:
        driver, outside, result = self.begin(setup, a_page(number=1))
        assert driver.print(a_page(number=2)) == PRINTED
        assert result.done() and result.result() == PRINTED
        assert [same(paper, a_page(number=number)) for number, paper in enumerate(outside.papers, 1)] == [True, True]


def test_a_printer_that_never_answers_is_never_believed(setup, a_page) -> None:
    driver, outside = setup(acknowledgement=Acknowledgement.NONE)
    assert driver.status.state is DeviceState.ATTENTION
    assert driver.status.code == PrinterCode.NO_ANSWER
    page = a_page()
    assert driver.print(page) == uncertain(PrinterCode.NO_ANSWER)
    assert same(outside.wait_for_paper(1, 5)[0], page)
    assert driver.print(page, after_unclean_stop=True) == uncertain(PrinterCode.NO_ANSWER)
    assert [paper.void for paper in outside.wait_for_paper(3, 5)] == [False, True, False]


def test_without_a_cutter_the_paper_is_fed_past_the_tear_bar(setup, a_page) -> None:
    driver, outside = setup(has_cutter=False, width_dots=384)
    page = a_page(384)
    assert driver.print(page) == PRINTED
    assert outside.papers == []
    hanging = outside.hanging.image
    assert hanging.height == page.image.height + 120
    assert hanging.crop((0, 0, *page.image.size)).tobytes() == page.image.tobytes()


def test_only_edges_are_reported_and_paper_near_its_end_serves(setup, a_page) -> None:
    seen: list[StatusChanged] = []
    driver, outside = setup(sink=seen.append)
    outside.paper_near_end()
    wait_for_code(driver, PrinterCode.PAPER_NEAR_END)
    assert driver.status.state is DeviceState.ATTENTION
    assert driver.print(a_page()) == PRINTED
    outside.refill()
    assert driver.wait_for_status(lambda status: status.state is DeviceState.READY, 5).code == ""
    assert [event.status.state.value for event in seen] == ["ready", "attention", "busy", "attention", "ready"]


def test_a_printer_that_opens_with_a_fault_is_never_called_ready(setup) -> None:
    seen: list[StatusChanged] = []
    outside = VirtualPrinter()
    outside.paper_out()
    driver, _ = setup(serving=False, outside=outside, sink=seen.append)
    wait_for_code(driver, PrinterCode.PAPER_OUT)
    assert [event.status.state for event in seen] == [DeviceState.FAULT]


def test_a_printer_that_is_not_there_holds(a_page, setup) -> None:
    outside = VirtualPrinter()
    outside.unplug()
    driver, _ = setup(serving=False, outside=outside)
    wait_for_code(driver, PrinterCode.ABSENT)
    assert driver.print(a_page()) == held(PrinterCode.ABSENT)
    outside.plug()
    wait_until_serving(driver)
    assert driver.print(a_page()) == PRINTED


def test_a_busy_port_is_told(setup) -> None:
    _, outside = setup("pty")
    second = EscposPrinter("second", _profile(), EscposPrinter.Options(outside.connection))
    second.start(lambda event: None)
    try:
        wait_for_code(second, PrinterCode.BUSY_PORT)
        assert second.status.state is DeviceState.FAULT
    finally:
        second.stop()


def _profile():
    from hardware.printer.interface import PrinterProfile

    return PrinterProfile("test", 576, 8.0, True, Acknowledgement.PROCESS_ID, 20_000.0, "default")


def test_a_stale_acknowledgement_is_not_taken_for_a_new_one(setup, monkeypatch) -> None:
    """GS r answers carry no name. Those that the printer still owed come while the next job runs, with a head slow
    enough for that: were one of them counted as ours, the cut would be believed before it happened."""
    monkeypatch.setattr(link, "REAL_TIME_ANSWER_WITHIN_S", 2.0)  # it answers once its buffer has room again
    page = Page(Image.new("1", (576, 300), 0))
    driver, outside = setup(acknowledgement=Acknowledgement.IN_ORDER, head_mm_per_s=60.0)
    outside.paper_out_at_row(10)
    assert driver.print(page) == held(PrinterCode.PAPER_OUT)
    outside.refill()
    wait_until_serving(driver)
    with ThreadPoolExecutor(1) as pool:
        result = pool.submit(driver.print, page)
        outside.wait_for_paper(1, 10)
        outside.lose_power_at_cut("before")
        assert result.result(10).outcome is PrintOutcome.UNCERTAIN
    assert [paper.void for paper in outside.papers] == [True]


def test_a_wrong_connection_is_refused_when_built() -> None:
    with pytest.raises(ConnectionUrlError):
        EscposPrinter("front", _profile(), EscposPrinter.Options("lpt1"))


def test_a_page_too_wide_is_a_mistake_not_a_fault(setup) -> None:
    driver, outside = setup(width_dots=384)
    with pytest.raises(ValueError, match="384"):
        driver.print(Page(Image.new("1", (576, 10), 1)))
    assert outside.received_bytes < 100


def test_a_failing_progress_does_not_lose_the_job(setup, a_page, caplog) -> None:
    driver, outside = setup()

    def broken(fraction: float) -> None:
        raise RuntimeError("no")

    assert driver.print(a_page(), progress=broken).outcome is PrintOutcome.HELD
    wait_until_serving(driver)
    assert driver.print(a_page(number=2)) == PRINTED
    assert_voided_then_printed(outside, a_page(number=2))


def test_the_virtual_printer_is_the_real_driver(a_page) -> None:
    papers = []
    driver = VirtualEscposPrinter("bench", _profile(), VirtualEscposPrinter.Options())
    driver.outside.on_paper = papers.append
    assert driver.virtual and not EscposPrinter.virtual
    for _ in range(2):  # it can be started again
        driver.start(lambda event: None)
        wait_until_serving(driver)
        assert driver.print(a_page()) == PRINTED
        driver.unplug()
        assert driver.wait_for_status(lambda status: status.state is DeviceState.ABSENT, 5).code
        driver.plug()
        wait_until_serving(driver)
        driver.stop()
    assert [same(paper, a_page()) for paper in papers] == [True, True]


def test_a_ticket_leaves_within_a_tenth_of_a_second(setup, a_page) -> None:
    driver, outside = setup()
    page = a_page(576, 640)
    driver.print(page)
    began_s = time.monotonic()
    assert driver.print(page) == PRINTED
    assert outside.last_received_at_s - began_s < 0.1
