"""The real driver against IPP printers to which things happen. It never says "printed" unless the printer said so."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from hardware.device import DeviceState, StatusChanged
from hardware.page_printer.codes import PagePrinterCode
from hardware.page_printer.ipp import IppPagePrinter, Paper, condition
from hardware.page_printer.ipp_protocol import JobState, Operation
from hardware.page_printer.virtual import VirtualIppPrinter, VirtualPagePrinter
from hardware.printer.interface import PrintOutcome, PrintResult

PRINTED = PrintResult(PrintOutcome.PRINTED)


def held(code: PagePrinterCode) -> PrintResult:
    return PrintResult(PrintOutcome.HELD, code)


def uncertain(code: PagePrinterCode) -> PrintResult:
    return PrintResult(PrintOutcome.UNCERTAIN, code)


def wait_for_code(driver: IppPagePrinter, code: str) -> None:
    assert driver.wait_for_status(lambda status: status.code == code, 5).code == code


def wait_until_serving(driver: IppPagePrinter) -> None:
    assert driver.wait_for_status(lambda status: status.serving, 5).serving


class TestAJob:
    def test_a_document_comes_out_as_it_was_sent(self, setup, a_pdf) -> None:
        driver, outside = setup()
        assert driver.print_pdf(a_pdf(2), "470/12", copies=2) == PRINTED
        (job,) = outside.jobs
        assert (job.pdf, job.title, job.copies, job.sheets) == (a_pdf(2), "470/12", 2, 4)
        assert job.media == "iso_a4_210x297mm"

    def test_on_f4_by_whichever_name_the_printer_has(self, setup, a_pdf) -> None:
        driver, outside = setup(paper="F4")
        assert driver.print_pdf(a_pdf(1, 609.4, 935.4), "470/12") == PRINTED
        assert outside.jobs[0].media == "na_foolscap_8.5x13in"
        custom = ("iso_a4_210x297mm", "custom_min_100x148mm", "custom_max_216x356mm")
        driver, outside = setup(paper="F4", media=custom)
        assert driver.print_pdf(a_pdf(), "470/12") == PRINTED
        assert outside.jobs[0].media == "custom_kiosk_215x330mm"

    def test_a_queue_that_does_not_tell_its_sizes_is_told_the_standard_one(self, setup, a_pdf) -> None:
        driver, outside = setup(paper="F4", media=())
        assert driver.print_pdf(a_pdf(), "470/12") == PRINTED
        assert outside.jobs[0].media == "na_foolscap_8.5x13in"

    def test_paper_that_it_does_not_know_is_told_before_anybody_prints(self, setup, a_pdf) -> None:
        driver, outside = setup(paper="F4", media=("iso_a4_210x297mm", "om_folio_210x330mm"), serving=False)
        wait_for_code(driver, PagePrinterCode.PAPER_SIZE)
        assert driver.print_pdf(a_pdf(), "470/12") == held(PagePrinterCode.PAPER_SIZE)
        assert outside.jobs == []

    def test_documents_from_two_threads_follow_each_other(self, setup, a_pdf) -> None:
        driver, outside = setup()
        with ThreadPoolExecutor(2) as pool:
            results = list(pool.map(lambda pages: driver.print_pdf(a_pdf(pages), str(pages)), (1, 2)))
        assert results == [PRINTED] * 2
        assert sorted(job.sheets for job in outside.jobs) == [1, 2]

    @pytest.mark.parametrize(("pdf", "copies"), [(b"letter", 1), (b"%PDF-1.4", 0)])
    def test_what_is_no_document_is_a_mistake_not_a_fault(self, setup, pdf, copies) -> None:
        driver, outside = setup()
        with pytest.raises(ValueError, match="PDF"):
            driver.print_pdf(pdf, "470/12", copies)
        assert outside.jobs == []

    @pytest.mark.parametrize(
        ("device_uri", "result"),
        [
            ("ipp://printer.local/ipp/print", PRINTED),
            ("dnssd://Kantor._ipps._tcp.local/", PRINTED),
            ("usb://EPSON/L3210", uncertain(PagePrinterCode.ONLY_SENT)),
            ("socket://192.168.1.60:9100", uncertain(PagePrinterCode.ONLY_SENT)),
        ],
    )
    def test_a_queue_that_only_knows_that_it_sent_is_not_believed(self, setup, a_pdf, device_uri, result) -> None:
        driver, outside = setup(device_uri=device_uri)
        assert driver.print_pdf(a_pdf(), "470/12") == result
        assert outside.jobs[0].state is JobState.COMPLETED


class TestFaultsBefore:
    @pytest.mark.parametrize(
        ("reason", "code"),
        [
            ("media-empty", PagePrinterCode.PAPER_OUT),
            ("media-needed-error", PagePrinterCode.PAPER_OUT),
            ("media-jam", PagePrinterCode.JAM),
            ("door-open-error", PagePrinterCode.COVER_OPEN),
            ("input-tray-missing", PagePrinterCode.TRAY_MISSING),
            ("toner-empty-error", PagePrinterCode.INK_OUT),
            ("output-area-full", PagePrinterCode.OUTPUT_FULL),
            ("offline-report", PagePrinterCode.OFFLINE),
            ("fuser-over-temp-error", PagePrinterCode.ERROR),
        ],
    )
    def test_nothing_is_sent_and_it_goes_on_when_mended(self, setup, a_pdf, reason, code) -> None:
        driver, outside = setup()
        outside.happen(reason)
        wait_for_code(driver, code)
        assert driver.status.state is DeviceState.FAULT
        assert driver.print_pdf(a_pdf(), "470/12") == held(code)
        assert outside.jobs == []
        outside.mend(reason)
        wait_until_serving(driver)
        assert driver.print_pdf(a_pdf(), "470/12") == PRINTED

    @pytest.mark.parametrize(
        ("reason", "code"),
        [
            ("toner-low-report", PagePrinterCode.INK_LOW),
            ("media-low-warning", PagePrinterCode.PAPER_NEAR_END),
            ("media-empty-warning", PagePrinterCode.PAPER_OUT),
            ("marker-supply-empty-warning", PagePrinterCode.INK_OUT),
        ],
    )
    def test_a_warning_serves(self, setup, a_pdf, reason, code) -> None:
        driver, outside = setup()
        outside.happen(reason)
        wait_for_code(driver, code)
        assert driver.status.state is DeviceState.ATTENTION
        assert driver.print_pdf(a_pdf(), "470/12") == PRINTED

    def test_a_queue_that_takes_no_jobs(self, setup, a_pdf) -> None:
        driver, outside = setup()
        outside.reject_jobs()
        assert driver.print_pdf(a_pdf(), "470/12") == held(PagePrinterCode.REJECTS)

    def test_it_is_unplugged_and_plugged_in_again(self, setup, a_pdf) -> None:
        driver, outside = setup()
        outside.unplug()
        wait_for_code(driver, PagePrinterCode.ABSENT)
        assert driver.status.state is DeviceState.ABSENT
        assert driver.print_pdf(a_pdf(), "470/12") == held(PagePrinterCode.ABSENT)
        outside.plug()
        wait_until_serving(driver)
        assert driver.print_pdf(a_pdf(), "470/12") == PRINTED

    def test_a_queue_of_another_name(self, setup) -> None:
        _, outside = setup()
        driver = IppPagePrinter("office", IppPagePrinter.Options(outside.uri + "s", Paper.A4))
        driver.start(lambda event: None)
        wait_for_code(driver, PagePrinterCode.NO_QUEUE)
        driver.stop()

    @pytest.mark.parametrize(
        ("how", "code"),
        [
            ({"after_s": 30.0}, PagePrinterCode.NO_ANSWER),
            ({"byte_every_s": 0.05}, PagePrinterCode.NO_ANSWER),
            ({"garbage": b"<html>router</html>"}, PagePrinterCode.BAD_ANSWER),
            ({"garbage": b""}, PagePrinterCode.BAD_ANSWER),
            ({"garbage": b"\x02\x00\x00\x00\x00\x00\x00\x00\x04"}, PagePrinterCode.BAD_ANSWER),
            ({"most_bytes": 60}, PagePrinterCode.BAD_ANSWER),
            ({"http_status": 500}, PagePrinterCode.BAD_ANSWER),
            ({"http_status": 401}, PagePrinterCode.REFUSED),
        ],
        ids=lambda value: str(value)[:40],
    )
    def test_a_strange_answer_is_told_within_its_time(self, setup, a_pdf, how, code) -> None:
        driver, outside = setup()
        outside.answer(**how)
        wait_for_code(driver, code)
        began_s = time.monotonic()
        assert driver.print_pdf(a_pdf(), "470/12") == held(code)
        assert time.monotonic() - began_s < 1
        outside.answer()
        wait_until_serving(driver)
        assert driver.print_pdf(a_pdf(), "470/12") == PRINTED


class TestFaultsInTheMiddle:
    def begin(self, driver: IppPagePrinter, outside: VirtualIppPrinter, pdf: bytes, sheets: int):
        pool = ThreadPoolExecutor(1)
        result = pool.submit(driver.print_pdf, pdf, "470/12")
        outside.wait_for_documents(1, 5)
        outside.wait_for_sheets(sheets, 5)
        pool.shutdown(wait=False)
        return result

    def test_the_paper_ends_before_the_first_sheet(self, setup, a_pdf) -> None:
        driver, outside = setup()
        outside.paper_out_after(0)
        assert driver.print_pdf(a_pdf(2), "470/12") == held(PagePrinterCode.PAPER_OUT)
        assert outside.jobs[0].state is JobState.CANCELED, "it must not come out later, for nobody"
        outside.refill()
        wait_until_serving(driver)
        assert driver.print_pdf(a_pdf(2), "470/12") == PRINTED
        assert [job.sheets for job in outside.jobs] == [0, 2]

    def test_the_paper_ends_after_the_first_sheet(self, setup, a_pdf) -> None:
        driver, outside = setup()
        outside.paper_out_after(1)
        assert driver.print_pdf(a_pdf(2), "470/12") == uncertain(PagePrinterCode.PAPER_OUT)
        assert outside.jobs[0].state is JobState.CANCELED

    def test_paper_that_is_refilled_at_once_goes_unnoticed(self, setup, a_pdf) -> None:
        driver, outside = setup()
        driver.fault_patience_s = 5.0
        outside.paper_out_after(1)
        result = self.begin(driver, outside, a_pdf(2), 1)
        wait_for_code(driver, PagePrinterCode.PAPER_OUT)
        outside.refill()
        assert result.result(5) == PRINTED

    def test_a_printer_that_counts_nothing_leaves_it_uncertain(self, setup, a_pdf) -> None:
        driver, outside = setup()
        outside.count_no_sheets()
        outside.paper_out_after(0)
        assert driver.print_pdf(a_pdf(), "470/12") == uncertain(PagePrinterCode.PAPER_OUT)

    @pytest.mark.parametrize("sheets", [0, 1])
    def test_the_job_is_given_up_by_the_printer(self, setup, a_pdf, sheets) -> None:
        driver, outside = setup(0.2)
        result = self.begin(driver, outside, a_pdf(3), sheets)
        outside.abort_next_job()
        outcome = result.result(5)
        assert outcome.code == PagePrinterCode.JOB_ENDED
        assert outcome.outcome is (PrintOutcome.UNCERTAIN if outside.jobs[0].sheets else PrintOutcome.HELD)

    def test_it_is_unplugged_and_nobody_knows(self, setup, a_pdf) -> None:
        driver, outside = setup(5.0)
        driver.fault_patience_s = 0.5
        result = self.begin(driver, outside, a_pdf(), 0)
        outside.unplug()
        assert result.result(5) == uncertain(PagePrinterCode.ABSENT)

    def test_a_network_that_comes_back_at_once_loses_nothing(self, setup, a_pdf) -> None:
        driver, outside = setup(0.3)
        driver.fault_patience_s = 5.0
        result = self.begin(driver, outside, a_pdf(), 0)
        outside.unplug()
        wait_for_code(driver, PagePrinterCode.ABSENT)
        outside.plug()
        assert result.result(5) == PRINTED

    def test_no_job_is_made_where_its_number_got_lost(self, setup, a_pdf) -> None:
        driver, outside = setup()
        outside.answer(break_after=Operation.CREATE_JOB)
        result = driver.print_pdf(a_pdf(), "470/12")
        assert result.outcome is PrintOutcome.HELD
        assert [job.pdf for job in outside.jobs] == [b""], "a job without a document prints nothing"

    def test_the_document_did_not_arrive(self, setup, a_pdf) -> None:
        driver, outside = setup()
        outside.answer(break_before=Operation.SEND_DOCUMENT)
        result = driver.print_pdf(a_pdf(), "470/12")
        assert result.outcome is PrintOutcome.HELD
        assert outside.jobs[0].state is JobState.CANCELED

    def test_the_document_arrived_and_its_answer_did_not(self, setup, a_pdf) -> None:
        driver, outside = setup(0.0)
        outside.answer(break_after=Operation.SEND_DOCUMENT)
        result = driver.print_pdf(a_pdf(), "470/12")
        assert result.outcome is (PrintOutcome.PRINTED if outside.jobs[0].sheets else PrintOutcome.HELD)
        assert outside.jobs[0].state in (JobState.COMPLETED, JobState.CANCELED)

    def test_a_job_that_does_not_move_is_given_up(self, setup, a_pdf) -> None:
        driver, outside = setup(60.0)
        driver.stuck_after_s = 0.3
        assert driver.print_pdf(a_pdf(), "470/12") == held(PagePrinterCode.STUCK)
        assert outside.jobs[0].state is JobState.CANCELED

    def test_a_long_document_is_not_stuck(self, setup, a_pdf) -> None:
        driver, _ = setup(0.1)
        driver.stuck_after_s = 0.5
        assert driver.print_pdf(a_pdf(8), "470/12") == PRINTED

    def test_the_kiosk_stops(self, setup, a_pdf) -> None:
        driver, outside = setup(60.0)
        result = self.begin(driver, outside, a_pdf(), 0)
        driver.stop()
        assert result.result(2) == held(PagePrinterCode.STOPPED)
        assert outside.jobs[0].state is JobState.CANCELED


class TestAPausedQueue:
    """CUPS stays stopped after a refill."""

    def test_it_is_resumed_after_a_refill(self, setup, a_pdf) -> None:
        driver, outside = setup(stops_when_empty=True)
        outside.paper_out_after(0)
        first = driver.print_pdf(a_pdf(), "470/12")
        assert first.outcome is not PrintOutcome.UNCERTAIN
        outside.refill()
        wait_until_serving(driver)
        assert driver.print_pdf(a_pdf(), "470/13") == PRINTED

    def test_where_the_kiosk_may_not_resume_it_says_so_and_sees_when_somebody_did(self, setup, a_pdf) -> None:
        driver, outside = setup(stops_when_empty=True, may_resume=False)
        outside.paper_out()
        wait_for_code(driver, PagePrinterCode.PAUSED)
        assert "media-empty" in driver.status.detail
        assert driver.print_pdf(a_pdf(), "470/12") == held(PagePrinterCode.PAUSED)
        outside.mend("paused")
        outside.refill()
        wait_until_serving(driver)
        assert driver.print_pdf(a_pdf(), "470/12") == PRINTED

    def test_a_queue_that_a_person_paused_goes_on_where_the_kiosk_may(self, setup) -> None:
        driver, outside = setup()
        outside.pause()
        outside.wait_until_resumed(5)
        wait_until_serving(driver)


def test_only_edges_are_reported(setup, a_pdf) -> None:
    seen: list[StatusChanged] = []
    driver, outside = setup(0.2, sink=seen.append)
    assert driver.print_pdf(a_pdf(), "470/12") == PRINTED
    assert driver.wait_for_status(lambda status: status.state is DeviceState.READY, 5).code == ""
    assert [event.status.state.value for event in seen] == ["ready", "busy", "ready"]
    assert {event.kind for event in seen} == {"page_printer"}


def test_stopping_is_prompt_and_it_can_start_again(setup) -> None:
    driver, _ = setup()
    for _ in range(2):
        began_s = time.monotonic()
        driver.stop()
        assert time.monotonic() - began_s < 1
        driver.start(lambda event: None)
        wait_until_serving(driver)


def test_the_virtual_printer_is_the_real_driver(a_pdf) -> None:
    driver = VirtualPagePrinter("bench", VirtualPagePrinter.Options(page_s=0.01))
    assert driver.virtual and not IppPagePrinter.virtual
    for _ in range(2):
        driver.start(lambda event: None)
        wait_until_serving(driver)
        assert driver.print_pdf(a_pdf(), "470/12") == PRINTED
        driver.unplug()
        wait_for_code(driver, PagePrinterCode.ABSENT)
        driver.plug()
        wait_until_serving(driver)
        driver.stop()
    assert [job.sheets for job in driver.outside.jobs] == [1, 1]


def test_a_state_without_anything_else_is_ready() -> None:
    assert condition({"printer-state": [3]}, resume_refused=False).state is DeviceState.READY


class TestIppeveprinter:
    """CUPS' own printer."""

    def driver(self, uri: str) -> IppPagePrinter:
        driver = IppPagePrinter("office", IppPagePrinter.Options(uri, Paper.A4))
        driver.poll_s = 0.05
        driver.start(lambda event: None)
        return driver

    def test_a_document_is_printed(self, ippeveprinter, a_pdf, tmp_path) -> None:
        driver = self.driver(ippeveprinter(f'cp "$1" {tmp_path}/came-out'))
        try:
            wait_until_serving(driver)
            assert driver.print_pdf(a_pdf(), "470/12") == PRINTED
        finally:
            driver.stop()
        assert (tmp_path / "came-out").read_bytes() == a_pdf()

    def test_a_job_that_fails_is_not_printed(self, ippeveprinter, a_pdf) -> None:
        driver = self.driver(ippeveprinter("exit 1"))
        try:
            wait_until_serving(driver)
            result = driver.print_pdf(a_pdf(), "470/12")
            assert result == held(PagePrinterCode.JOB_ENDED)
        finally:
            driver.stop()

    def test_the_paper_ends(self, ippeveprinter, a_pdf) -> None:
        """It says "media-empty-warning" as long as it tries."""
        driver = self.driver(ippeveprinter("echo 'STATE: +media-empty' >&2; exec sleep 2"))
        driver.stuck_after_s = 0.5
        try:
            wait_until_serving(driver)
            assert driver.print_pdf(a_pdf(), "470/12") == held(PagePrinterCode.PAPER_OUT)
        finally:
            driver.stop()
