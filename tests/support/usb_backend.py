"""USB without a bus: a backend of pyusb whose devices are virtual printers, with all that USB does to a transfer.

`UsbBackend` is what pyusb takes for libusb. Behind the end points of a `UsbPrinter` sits a `VirtualPrinter`, reached
over its TCP port, so that back pressure, replies, power and the cable are those of the virtual printer.
"""

import array
import errno
import socket
import threading
from dataclasses import dataclass, field
from types import SimpleNamespace

import usb.backend
from usb.core import USBError, USBTimeoutError
from usb.util import ENDPOINT_IN, ENDPOINT_TYPE_BULK, ENDPOINT_TYPE_INTR

from hardware.printer.virtual import VirtualPrinter

BULK_OUT, BULK_IN = (0x01, ENDPOINT_TYPE_BULK), (0x82, ENDPOINT_TYPE_BULK)
INTERRUPT_IN = (0x83, ENDPOINT_TYPE_INTR)
GET_DESCRIPTOR, STRING = 6, 3
LANGUAGES = b"\x04\x03\x09\x04"


@dataclass(frozen=True)
class UsbInterface:
    """One alternate setting of an interface; `end_points` are (address, attributes)."""

    class_: int = 7
    protocol: int = 2
    end_points: tuple[tuple[int, int], ...] = (BULK_OUT, BULK_IN)


@dataclass
class UsbPrinter:
    """A device on the bus. `interfaces` has one tuple of alternate settings per interface."""

    outside: VirtualPrinter
    vendor: int = 0x04B8
    product: int = 0x0E15
    serial: str = ""
    interfaces: tuple[tuple[UsbInterface, ...], ...] = ((UsbInterface(),),)
    configured: bool = True
    forbidden: bool = False
    kernel_driver: bool = False
    most_per_transfer: int | None = None  # a printer that takes less than it is offered
    takes_nothing: bool = False  # it answers NAK to everything that is sent
    empty_packets: bool = False  # it answers with nothing instead of NAK
    stalled: bool = False
    port_status: int | None = 0x18
    claimed_by: object | None = None
    alternate: int = 0
    resets: int = 0
    empty_answers: int = 0
    changed: threading.Condition = field(default_factory=threading.Condition)

    @property
    def present(self) -> bool:
        state = self.outside.state
        return not (state["unplugged"] or state["powered_off"])


class _Handle:
    def __init__(self, printer: UsbPrinter) -> None:
        self.printer = printer
        host, _, port = self.printer.outside.connection.removeprefix("tcp://").rpartition(":")
        try:
            self.wire = socket.create_connection((host, int(port)), timeout=2)
        except OSError as error:
            raise _gone() from error
        self.wire.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)


class UsbBackend(usb.backend.IBackend):
    """`printers` is the bus: what is `present` of it is plugged in."""

    def __init__(self, *printers: UsbPrinter) -> None:
        super().__init__()
        self.printers = list(printers)

    def enumerate_devices(self):
        return iter([printer for printer in self.printers if printer.present])

    def get_device_descriptor(self, printer):
        return SimpleNamespace(
            **dict.fromkeys(("bDeviceClass", "bDeviceSubClass", "bDeviceProtocol", "iManufacturer", "iProduct"), 0),
            **{"bLength": 18, "bDescriptorType": 1, "bcdUSB": 0x200, "bMaxPacketSize0": 64, "bcdDevice": 0x100},
            idVendor=printer.vendor,
            idProduct=printer.product,
            iSerialNumber=3 if printer.serial else 0,
            bNumConfigurations=1,
            bus=1,
            address=self.printers.index(printer) + 1,
            port_number=1,
            port_numbers=(1,),
            speed=2,
        )

    def get_configuration_descriptor(self, printer, config):
        if config:
            raise IndexError(config)
        return SimpleNamespace(
            **{"bLength": 9, "bDescriptorType": 2, "wTotalLength": 32, "bmAttributes": 0xC0, "bMaxPower": 1},
            **{"iConfiguration": 0, "extra_descriptors": []},
            bNumInterfaces=len(printer.interfaces),
            bConfigurationValue=1,
        )

    def get_interface_descriptor(self, printer, intf, alt, config):
        interface = printer.interfaces[intf][alt]
        return SimpleNamespace(
            **{"bLength": 9, "bDescriptorType": 4, "bInterfaceSubClass": 1, "iInterface": 0, "extra_descriptors": []},
            bInterfaceNumber=intf,
            bAlternateSetting=alt,
            bNumEndpoints=len(interface.end_points),
            bInterfaceClass=interface.class_,
            bInterfaceProtocol=interface.protocol,
        )

    def get_endpoint_descriptor(self, printer, ep, intf, alt, config):
        address, attributes = printer.interfaces[intf][alt].end_points[ep]
        return SimpleNamespace(
            **{"bLength": 7, "bDescriptorType": 5, "wMaxPacketSize": 64, "bInterval": 0, "bRefresh": 0},
            **{"bSynchAddress": 0, "extra_descriptors": []},
            bEndpointAddress=address,
            bmAttributes=attributes,
        )

    def open_device(self, printer):
        if printer.forbidden:
            raise USBError("Access denied (insufficient permissions)", -3, errno.EACCES)
        return _Handle(printer)

    def close_device(self, handle):
        handle.wire.close()

    def set_configuration(self, handle, config_value):
        handle.printer.configured = True

    def get_configuration(self, handle):
        return 1 if handle.printer.configured else 0

    def set_interface_altsetting(self, handle, intf, altsetting):
        handle.printer.alternate = altsetting

    def claim_interface(self, handle, intf):
        printer = handle.printer
        if printer.kernel_driver or printer.claimed_by not in (None, handle):
            raise USBError("Resource busy", -6, errno.EBUSY)
        printer.claimed_by = handle

    def release_interface(self, handle, intf):
        handle.printer.claimed_by = None

    def is_kernel_driver_active(self, handle, intf):
        return handle.printer.kernel_driver

    def detach_kernel_driver(self, handle, intf):
        handle.printer.kernel_driver = False

    def attach_kernel_driver(self, handle, intf):
        handle.printer.kernel_driver = True

    def reset_device(self, handle):
        handle.printer.resets += 1

    def bulk_write(self, handle, ep, intf, data, timeout):
        printer = handle.printer
        if printer.stalled:
            raise USBError("Pipe error", -9, errno.EPIPE)
        with printer.changed:
            if not printer.changed.wait_for(lambda: not printer.takes_nothing, timeout / 1000):
                raise _timed_out()
        handle.wire.settimeout(timeout / 1000)
        try:
            return handle.wire.send(data.tobytes()[: printer.most_per_transfer])
        except TimeoutError as error:
            raise _timed_out() from error
        except OSError as error:
            raise _gone() from error

    def bulk_read(self, handle, ep, intf, buff, timeout):
        if not ep & ENDPOINT_IN:
            raise USBError("Input/Output Error", -1, errno.EIO)
        handle.wire.settimeout(0.001 if handle.printer.empty_packets else timeout / 1000)
        try:
            data = handle.wire.recv(len(buff))
        except TimeoutError as error:
            if handle.printer.empty_packets:
                handle.printer.empty_answers += 1
                return 0
            raise _timed_out() from error
        except OSError as error:
            raise _gone() from error
        if not data:
            raise _gone()
        buff[: len(data)] = array.array("B", data)
        return len(data)

    def ctrl_transfer(self, handle, bmRequestType, bRequest, wValue, wIndex, data, timeout):  # noqa: N803 (pyusb's)
        if bRequest == GET_DESCRIPTOR and wValue >> 8 == STRING:
            serial = handle.printer.serial.encode("utf-16-le")
            answer = bytes((len(serial) + 2, STRING)) + serial if wValue & 0xFF else LANGUAGES
        elif (bmRequestType, bRequest) == (0xA1, 1) and handle.printer.port_status is not None:
            answer = bytes((handle.printer.port_status,))
        else:
            raise USBError("Pipe error", -9, errno.EPIPE)
        count = min(len(data), len(answer))
        data[:count] = array.array("B", answer[:count])
        return count

    def take_again(self, printer: UsbPrinter) -> None:
        with printer.changed:
            printer.takes_nothing = False
            printer.changed.notify_all()


def hold_by_another_process(printer: UsbPrinter) -> None:
    printer.claimed_by = object()


def _timed_out() -> USBTimeoutError:
    return USBTimeoutError("Operation timed out", -7, errno.ETIMEDOUT)


def _gone() -> USBError:
    return USBError("No such device (it may have been disconnected)", -4, errno.ENODEV)
