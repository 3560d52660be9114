"""libusb: what USB itself does to a printer. That pages come out over it is part of the printers' contract."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from support.usb_backend import (
    BULK_IN,
    BULK_OUT,
    INTERRUPT_IN,
    UsbBackend,
    UsbInterface,
    UsbPrinter,
    hold_by_another_process,
)

from hardware.device import DeviceError, DeviceState
from hardware.printer.codes import PrinterCode
from hardware.printer.interface import PrintOutcome, PrintResult
from hardware.printer.transport import Transport, open_transport, parse_connection
from hardware.printer.virtual import VirtualPrinter

URL = "usb://04b8:0e15"
PRINTED = PrintResult(PrintOutcome.PRINTED)


@pytest.fixture
def plug_in(usb_bus: UsbBackend) -> Iterator[Callable[..., UsbPrinter]]:
    """`plug_in(**of UsbPrinter)`: another printer on the bus."""
    with ExitStack() as stack:

        def plug(**changes) -> UsbPrinter:
            printer = UsbPrinter(stack.enter_context(VirtualPrinter()), **changes)
            usb_bus.printers.append(printer)
            return printer

        yield plug


@pytest.fixture
def opened() -> Iterator[Callable[..., Transport]]:
    with ExitStack() as stack:

        def open_(url: str = URL) -> Transport:
            transport = open_transport(parse_connection(url))
            stack.callback(transport.close)
            return transport

        yield open_


def refused(url: str = URL) -> tuple[DeviceState, str, str]:
    with pytest.raises(DeviceError) as caught:
        open_transport(parse_connection(url))
    status = caught.value.status
    return status.state, status.code, status.detail


def answer_to(transport: Transport, request: bytes) -> bytes:
    assert transport.write(request) == len(request)
    return next_bytes(transport)


def next_bytes(transport: Transport, within_s: float = 2.0) -> bytes:
    deadline_s = time.monotonic() + within_s
    while time.monotonic() < deadline_s:
        transport.wait(deadline_s)
        if data := transport.read():
            return data
    raise TimeoutError


def test_a_printer_that_is_not_plugged_in(usb_bus) -> None:
    assert refused()[:2] == (DeviceState.ABSENT, PrinterCode.ABSENT)


def test_without_libusb_it_says_so(monkeypatch) -> None:
    import usb.backend.libusb0
    import usb.backend.libusb1
    import usb.backend.openusb

    for backend in (usb.backend.libusb1, usb.backend.libusb0, usb.backend.openusb):
        monkeypatch.setattr(backend, "get_backend", lambda: None)
    state, code, detail = refused()
    assert (state, code) == (DeviceState.FAULT, PrinterCode.PORT)
    assert "libusb is not installed" in detail


def test_no_permission(plug_in) -> None:
    plug_in(forbidden=True)
    assert refused()[:2] == (DeviceState.FAULT, PrinterCode.PERMISSION)
    assert refused(URL + "/FRONT")[1] == PrinterCode.PERMISSION, "a serial number cannot be read without it"


def test_another_process_holds_it(plug_in, opened) -> None:
    hold_by_another_process(plug_in())
    assert refused()[:2] == (DeviceState.FAULT, PrinterCode.BUSY_PORT)


def test_a_second_owner_is_refused_until_the_first_closes(plug_in) -> None:
    plug_in()
    first = open_transport(parse_connection(URL))
    assert refused()[1] == PrinterCode.BUSY_PORT
    first.close()
    open_transport(parse_connection(URL)).close()


def test_the_kernels_driver_is_named_and_kept(plug_in) -> None:
    printer = plug_in(kernel_driver=True)
    state, code, detail = refused()
    assert (state, code) == (DeviceState.FAULT, PrinterCode.BUSY_PORT)
    assert "usblp:///dev/usb/lp0" in detail
    assert printer.kernel_driver


def test_the_kernels_driver_is_taken_away_where_that_is_wanted_and_comes_back(plug_in) -> None:
    printer = plug_in(kernel_driver=True)
    transport = open_transport(parse_connection(URL + "?detach=yes"))
    assert not printer.kernel_driver
    assert answer_to(transport, b"\x10\x04\x01") == b"\x12"
    transport.close()
    assert printer.kernel_driver


def test_the_kernels_driver_comes_back_after_a_failed_claim(plug_in) -> None:
    printer = plug_in(kernel_driver=True)
    hold_by_another_process(printer)
    assert refused(URL + "?detach=yes")[1] == PrinterCode.BUSY_PORT
    assert printer.kernel_driver


def test_two_alike_need_a_serial_number(plug_in, opened) -> None:
    plug_in(serial="FRONT")
    back = plug_in(serial="BACK")
    plug_in(product=0x0202, serial="OTHER")
    assert refused()[:2] == (DeviceState.FAULT, PrinterCode.SEVERAL)
    assert refused(URL + "/SIDE")[:2] == (DeviceState.ABSENT, PrinterCode.ABSENT)
    transport = opened(URL + "/BACK")
    back.outside.paper_out()
    assert answer_to(transport, b"\x10\x04\x01") == b"\x1a"


def test_one_without_a_serial_number_is_not_the_one_that_was_named(plug_in) -> None:
    plug_in()
    assert refused(URL + "/BACK")[:2] == (DeviceState.ABSENT, PrinterCode.ABSENT)


@pytest.mark.parametrize(
    "interface",
    [
        UsbInterface(class_=3, protocol=0, end_points=(INTERRUPT_IN,)),
        UsbInterface(end_points=(INTERRUPT_IN, BULK_IN)),
        UsbInterface(protocol=4),
        UsbInterface(end_points=()),
    ],
    ids=["a keyboard", "nothing to write to", "IPP over USB", "no end point"],
)
def test_what_is_no_printer_is_refused(plug_in, interface) -> None:
    plug_in(interfaces=((interface,),))
    assert refused()[:2] == (DeviceState.FAULT, PrinterCode.WRONG_PATH)


def test_the_printer_among_other_interfaces_is_found(plug_in, opened) -> None:
    keyboard = UsbInterface(class_=3, protocol=1, end_points=(INTERRUPT_IN,))
    one_way = UsbInterface(protocol=1, end_points=(BULK_OUT,))
    printer = plug_in(interfaces=((keyboard,), (one_way, UsbInterface(protocol=2))))
    assert answer_to(opened(), b"\x10\x04\x01") == b"\x12"
    assert printer.alternate == 1, "the setting that answers"


def test_a_vendors_own_class_will_do_and_tells_nothing_of_its_port(plug_in, opened) -> None:
    plug_in(interfaces=((UsbInterface(class_=255, protocol=0),),), port_status=0x38)
    transport = opened()
    assert answer_to(transport, b"\x10\x04\x01") == b"\x12"
    assert transport.paper_out() is None


def test_an_unconfigured_device_is_configured(plug_in, opened) -> None:
    printer = plug_in(configured=False)
    opened()
    assert printer.configured


def test_one_that_cannot_answer_prints(plug_in, opened) -> None:
    printer = plug_in(interfaces=((UsbInterface(protocol=1, end_points=(BULK_OUT,)),),))
    opened().write(b"\x1dv0\x00\x01\x00\x09\x00" + bytes(9) + b"\x1dV\x00")
    assert printer.outside.wait_for_paper(1, 2)[0].image.height == 9


@pytest.mark.parametrize(("status", "out"), [(0x18, False), (0x38, True), (None, None)])
def test_the_port_tells_of_the_paper(plug_in, opened, status, out) -> None:
    plug_in(port_status=status)
    assert opened().paper_out() is out


def test_short_writes_are_counted(setup, usb_bus, a_page) -> None:
    driver, outside = setup("usb")
    usb_bus.printers[0].most_per_transfer = 100
    page = a_page(rows=200)
    assert driver.print(page) == PRINTED
    assert outside.papers[0].image.tobytes() == page.image.tobytes()
    assert usb_bus.printers[0].resets == 0


def test_a_printer_that_takes_nothing_does_not_block_and_loses_nothing(plug_in, opened, usb_bus) -> None:
    printer = plug_in(takes_nothing=True)
    transport = opened()
    sent = 0
    while accepted := transport.write(bytes(4096)):  # NULs, which print nothing
        sent += accepted
    assert 0 < sent < 1 << 20
    began_s = time.monotonic()
    transport.wait(began_s + 0.05, writable=True)
    assert time.monotonic() - began_s < 1
    usb_bus.take_again(printer)
    deadline_s = time.monotonic() + 5
    while not transport.write(b"\x10\x04\x01"):
        transport.wait(deadline_s, writable=True)
    assert next_bytes(transport) == b"\x12"
    assert printer.outside.received_bytes == sent + 3


def test_closing_while_nothing_is_taken_is_prompt(plug_in) -> None:
    plug_in(takes_nothing=True)
    transport = open_transport(parse_connection(URL))
    transport.write(bytes(4096))
    began_s = time.monotonic()
    transport.close()
    assert time.monotonic() - began_s < 1


def test_empty_packets_mean_nothing_and_cost_little(plug_in, opened) -> None:
    printer = plug_in(empty_packets=True)
    transport = opened()
    transport.wait(time.monotonic() + 0.2)
    assert transport.read() == b""
    assert 0 < printer.empty_answers < 20
    assert answer_to(transport, b"\x10\x04\x01") == b"\x12"


def test_a_stall_ends_the_connection_and_says_why(plug_in, opened) -> None:
    plug_in(stalled=True)
    transport = opened()
    transport.write(b"\n")
    with pytest.raises(DeviceError) as caught:
        next_bytes(transport)
    assert caught.value.status.code == PrinterCode.CONNECTION_LOST
    assert "Pipe error" in caught.value.status.detail


def test_pulled_out_in_the_middle_and_plugged_in_again(setup, usb_bus, a_page) -> None:
    driver, outside = setup("usb", head_mm_per_s=150.0)
    results = []
    job = threading.Thread(target=lambda: results.append(driver.print(a_page())))
    job.start()
    outside.wait_for_rows(120, 5)
    outside.unplug()
    job.join(5)
    assert results == [PrintResult(PrintOutcome.HELD, PrinterCode.CONNECTION_LOST)]
    assert driver.wait_for_status(lambda status: status.code == PrinterCode.ABSENT, 5).state is DeviceState.ABSENT
    outside.plug()
    assert driver.wait_for_status(lambda status: status.serving, 5).serving
    page = a_page(number=2)
    assert driver.print(page) == PRINTED
    *_, void, last = outside.papers
    assert void.void and last.image.tobytes() == page.image.tobytes()
    assert usb_bus.printers[0].resets == 0


def test_a_wait_is_woken(plug_in, opened) -> None:
    plug_in()
    transport = opened()
    began_s = time.monotonic()
    threading.Timer(0.02, transport.wake).start()
    transport.wait(began_s + 5)
    assert time.monotonic() - began_s < 2
