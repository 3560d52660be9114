"""One IPP request and its answer over HTTP, within a deadline for all of it: connecting, sending and every byte that
comes back. An answer that drips in is as late as one that does not come."""

import http.client
import socket
import time
from urllib.parse import SplitResult

from hardware.device import DeviceError, DeviceState
from hardware.network import connect
from hardware.page_printer.codes import PagePrinterCode
from hardware.page_printer.ipp_protocol import IppFormatError, Message, decode, encode

IPP_PORT = 631
LONGEST_ANSWER_BYTES = 1 << 20


def exchange(address: SplitResult, request: Message, within_s: float) -> Message:
    """The answer to `request` from the printer at the `ipp://` address. Raises DeviceError where none can be had."""
    where = address.geturl()
    until_s = time.monotonic() + within_s
    try:
        status, body = _post(address, encode(request), until_s)
        if status in (http.HTTPStatus.UNAUTHORIZED, http.HTTPStatus.FORBIDDEN):
            raise DeviceError(DeviceState.FAULT, PagePrinterCode.REFUSED, f"{where}: HTTP {status}")
        if status == http.HTTPStatus.NOT_FOUND:
            raise DeviceError(DeviceState.FAULT, PagePrinterCode.NO_QUEUE, f"{where}: HTTP {status}")
        if status != http.HTTPStatus.OK:
            raise DeviceError(DeviceState.UNKNOWN, PagePrinterCode.BAD_ANSWER, f"{where}: HTTP {status}")
        answer = decode(body)
    except TimeoutError as error:
        raise DeviceError(DeviceState.UNKNOWN, PagePrinterCode.NO_ANSWER, f"{where}: {within_s:g} s") from error
    except OSError as error:
        raise DeviceError(DeviceState.ABSENT, PagePrinterCode.ABSENT, f"{where}: {error.strerror or error}") from error
    except (http.client.HTTPException, IppFormatError) as error:
        detail = f"{where}: {type(error).__name__}"
        raise DeviceError(DeviceState.UNKNOWN, PagePrinterCode.BAD_ANSWER, detail) from error
    if answer.request_id != request.request_id:
        raise DeviceError(DeviceState.UNKNOWN, PagePrinterCode.BAD_ANSWER, f"{where}: an answer to another request")
    return answer


def _post(address: SplitResult, body: bytes, until_s: float) -> tuple[int, bytes]:
    """HTTP's status and the answer's body."""
    host, port = address.hostname or "", address.port or IPP_PORT
    connection = http.client.HTTPConnection(host, port)
    with connect(host, port, until_s - time.monotonic()) as plain:
        connection.sock = _UntilSocket(until_s, plain.family, plain.type, plain.proto, plain.detach())
        try:
            connection.request("POST", address.path, body, {"Content-Type": "application/ipp"})
            response = connection.getresponse()
            answer = response.read(LONGEST_ANSWER_BYTES + 1)
            if len(answer) > LONGEST_ANSWER_BYTES:
                raise IppFormatError("longer than any answer is")
            if response.length:  # fewer bytes came than it announced
                raise http.client.IncompleteRead(answer, response.length)
            return response.status, answer
        finally:
            connection.close()


class _UntilSocket(socket.socket):
    """A socket whose every wait ends at one and the same moment."""

    def __init__(self, until_s: float, *arguments: int) -> None:
        super().__init__(*arguments)
        self._until_s = until_s

    def _hurry(self) -> None:
        rest_s = self._until_s - time.monotonic()
        if rest_s <= 0:
            raise TimeoutError
        self.settimeout(rest_s)

    def recv_into(self, *arguments, **options) -> int:
        self._hurry()
        return super().recv_into(*arguments, **options)

    def sendall(self, *arguments, **options) -> None:
        self._hurry()  # which for `sendall` counts for all of it
        super().sendall(*arguments, **options)
