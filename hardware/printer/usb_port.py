"""A USB printer through libusb, for where the kernel's usblp cannot be used.

libusb's transfers block, so two threads carry the bytes between the printer and a pair of sockets; the host's end can
be waited on and written to like any other connection. The printer is never reset: a reset loses what it holds.
Sources: USB printer class 1.1 (interfaces and GET_PORT_STATUS); pyusb 1.3, whose time-outs are in milliseconds.
"""

from __future__ import annotations

import errno
import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from hardware.device import DeviceError, DeviceState
from hardware.printer.codes import PrinterCode

if TYPE_CHECKING:
    import usb.core

PRINTER_CLASS, VENDOR_CLASS = 0x07, 0xFF
#: bInterfaceProtocol: 2 answers, 1 only listens. 3 and 4 (IEEE 1284.4, IPP over USB) wrap the bytes in something else.
PROTOCOLS = {PRINTER_CLASS: (2, 1), VENDOR_CLASS: tuple(range(256))}
GET_PORT_STATUS, FROM_CLASS_INTERFACE = 1, 0xA1
PORT_PAPER_EMPTY = 0x20

#: How long one transfer may block, and so how long `close` may have to wait.
TRANSFER_MS = 400
#: A printer that has nothing to say may answer with empty packets, as often as it is asked.
EMPTY_PAUSE_S = 0.02
TRANSFER_BYTES = 4096


class UsbPort:
    """The printer with these numbers, opened and claimed. Its bytes come and go by `host`, a non-blocking socket that
    ends when the printer is gone; `ended` then says why.

    serial: "" where only one such printer is plugged in.
    detach: take the printer from the kernel's driver, and give it back at the end.

    Raises DeviceError when it is not there, not permitted, in use, or no printer.
    """

    def __init__(self, vendor: int, product: int, serial: str, detach: bool, name: str) -> None:
        self._name = name
        self.ended = "was closed"
        self._closing = threading.Event()
        self._detached: int | None = None
        self._device = self._find(vendor, product, serial)
        try:
            self._claim(detach)
        except BaseException:
            self._release()
            raise
        self.host, self._inside = socket.socketpair()
        self.host.setblocking(False)
        for end in (self.host, self._inside):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, TRANSFER_BYTES)  # what stalls should show soon
        carriers = [self._carry_out] if self._in is None else [self._carry_out, self._carry_in]
        self._threads = [threading.Thread(target=self._carry, args=(each,), daemon=True) for each in carriers]
        for thread in self._threads:
            thread.name = f"printer:{name}"
            thread.start()

    def paper_out(self) -> bool | None:
        """What the port says of the paper, which it does even while the printer takes no data; None where it does
        not tell."""
        if self._interface.bInterfaceClass != PRINTER_CLASS:
            return None
        number = self._interface.bInterfaceNumber
        try:
            answer = self._device.ctrl_transfer(FROM_CLASS_INTERFACE, GET_PORT_STATUS, 0, number, 1, TRANSFER_MS)
        except OSError:
            return None
        return bool(answer[0] & PORT_PAPER_EMPTY) if answer else None

    def close(self) -> None:
        self._closing.set()
        self._end()
        for thread in self._threads:
            thread.join()
        self.host.close()
        self._inside.close()
        self._release()

    # Opening.

    def _find(self, vendor: int, product: int, serial: str) -> usb.core.Device:
        import usb.core
        import usb.util

        try:
            found = list(usb.core.find(find_all=True, idVendor=vendor, idProduct=product))
        except usb.core.NoBackendError as error:
            raise self._fault(PrinterCode.PORT, "libusb is not installed") from error
        except usb.core.USBError as error:
            raise self._not_opened(error) from error
        if serial:
            matching = []
            for device in found:
                try:
                    if self._serial_of(device) == serial:
                        matching.append(device)
                finally:
                    usb.util.dispose_resources(device)
            found = matching
        if not found:
            raise DeviceError(DeviceState.ABSENT, PrinterCode.ABSENT, f"{self._name} is not plugged in")
        if len(found) > 1:
            raise self._fault(PrinterCode.SEVERAL, "fits more than one printer; add the serial number")
        return found[0]

    def _serial_of(self, device: usb.core.Device) -> str:
        """Read from the device, so it needs the permission to open it."""
        import usb.core
        import usb.util

        try:
            device.get_active_configuration()
            return usb.util.get_string(device, device.iSerialNumber) or ""
        except usb.core.USBError as error:
            raise self._not_opened(error) from error
        except ValueError:  # pyusb's for "tells no languages", so it has no strings
            return ""

    def _claim(self, detach: bool) -> None:
        import usb.core
        import usb.util

        device = self._device
        try:
            try:
                configuration = device.get_active_configuration()
            except usb.core.USBError as error:
                if error.errno is not None:
                    raise
                device.set_configuration()  # nobody has chosen one yet
                configuration = device.get_active_configuration()
            self._interface, self._out, self._in = self._printer_interface(configuration)
            number = self._interface.bInterfaceNumber
            if device.is_kernel_driver_active(number):
                if not detach:
                    raise self._fault(
                        PrinterCode.BUSY_PORT,
                        "is held by the kernel's driver; use usblp:///dev/usb/lp0, or add ?detach=yes",
                    )
                device.detach_kernel_driver(number)
                self._detached = number
            usb.util.claim_interface(device, number)
            if self._interface.bAlternateSetting:
                self._interface.set_altsetting()
        except usb.core.USBError as error:
            raise self._not_opened(error) from error

    def _printer_interface(self, configuration: usb.core.Configuration):
        """The interface to print on, its bulk end point to the printer, and the one from it (None: it is mute)."""
        from usb.util import ENDPOINT_IN, ENDPOINT_OUT, ENDPOINT_TYPE_BULK, endpoint_direction, endpoint_type

        choices = []
        for interface in configuration:
            wanted = PROTOCOLS.get(interface.bInterfaceClass, ())
            if interface.bInterfaceProtocol not in wanted:
                continue
            bulk = [each for each in interface if endpoint_type(each.bmAttributes) == ENDPOINT_TYPE_BULK]
            ends = {endpoint_direction(each.bEndpointAddress): each.bEndpointAddress for each in bulk}
            if ENDPOINT_OUT in ends:
                rank = (interface.bInterfaceClass, ENDPOINT_IN not in ends, wanted.index(interface.bInterfaceProtocol))
                choices.append((rank, (interface, ends[ENDPOINT_OUT], ends.get(ENDPOINT_IN))))
        if not choices:
            raise self._fault(PrinterCode.WRONG_PATH, "has no end point that a printer has")
        return min(choices, key=lambda choice: choice[0])[1]

    def _release(self) -> None:
        import usb.core
        import usb.util

        with suppress(usb.core.USBError):  # one that was pulled out has nothing left to give back
            if self._detached is not None:
                usb.util.release_interface(self._device, self._detached)
                self._device.attach_kernel_driver(self._detached)
        usb.util.dispose_resources(self._device)

    def _fault(self, code: PrinterCode, reason: str) -> DeviceError:
        return DeviceError(DeviceState.FAULT, code, f"{self._name} {reason}")

    def _not_opened(self, error: usb.core.USBError) -> DeviceError:
        if error.errno in (errno.ENODEV, errno.ENOENT, errno.EIO):
            return DeviceError(DeviceState.ABSENT, PrinterCode.ABSENT, f"{self._name}: {error.strerror}")
        code = {
            errno.EACCES: PrinterCode.PERMISSION,
            errno.EPERM: PrinterCode.PERMISSION,
            errno.EBUSY: PrinterCode.BUSY_PORT,
        }.get(error.errno, PrinterCode.PORT)
        return self._fault(code, f"could not be opened: {error.strerror}")

    # The two threads.

    def _carry(self, carry) -> None:
        import usb.core

        try:
            carry()
        except usb.core.USBError as error:
            self.ended = f"was lost: {error.strerror}"
        finally:
            self._end()

    def _end(self) -> None:
        with suppress(OSError):  # the other thread ended it first
            self._inside.shutdown(socket.SHUT_RDWR)

    def _carry_out(self) -> None:
        import usb.core

        while data := self._inside.recv(TRANSFER_BYTES):
            while data and not self._closing.is_set():
                with suppress(usb.core.USBTimeoutError):  # the printer takes nothing just now
                    data = data[self._device.write(self._out, data, TRANSFER_MS) :]  # it may take less than offered

    def _carry_in(self) -> None:
        import usb.core

        while not self._closing.is_set():
            try:
                data = self._device.read(self._in, TRANSFER_BYTES, TRANSFER_MS)
            except usb.core.USBTimeoutError:
                continue
            if not data:
                self._closing.wait(EMPTY_PAUSE_S)
                continue
            try:
                self._inside.sendall(data)
            except OSError:  # the host's end was closed
                return
