"""IPP's messages as bytes (RFC 8010), as far as a kiosk needs them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum


class IppFormatError(ValueError):
    """Bytes that are no IPP message."""


class Operation(IntEnum):
    """RFC 8011, operation ids."""

    CREATE_JOB = 0x05
    SEND_DOCUMENT = 0x06
    CANCEL_JOB = 0x08
    GET_JOB_ATTRIBUTES = 0x09
    GET_PRINTER_ATTRIBUTES = 0x0B
    RESUME_PRINTER = 0x11


class IppStatus(IntEnum):
    """RFC 8011, status codes; below 0x100 everything went well."""

    OK = 0x0000
    BAD_REQUEST = 0x0400
    FORBIDDEN = 0x0401
    NOT_AUTHENTICATED = 0x0402
    NOT_AUTHORISED = 0x0403
    NOT_POSSIBLE = 0x0404
    NOT_FOUND = 0x0406
    FORMAT_NOT_SUPPORTED = 0x040A
    ATTRIBUTES_NOT_SUPPORTED = 0x040B
    OPERATION_NOT_SUPPORTED = 0x0501
    NOT_ACCEPTING_JOBS = 0x0506


class PrinterState(IntEnum):
    IDLE, PROCESSING, STOPPED = 3, 4, 5


class JobState(IntEnum):
    PENDING, PENDING_HELD, PROCESSING, PROCESSING_STOPPED, CANCELED, ABORTED, COMPLETED = range(3, 10)


class Group(IntEnum):
    OPERATION, JOB, END, PRINTER = 1, 2, 3, 4


class Tag(IntEnum):
    """How a value is written."""

    INTEGER = 0x21
    BOOLEAN = 0x22
    ENUM = 0x23
    TEXT = 0x41
    NAME = 0x42
    KEYWORD = 0x44
    URI = 0x45
    CHARSET = 0x47
    LANGUAGE = 0x48
    MIME_TYPE = 0x49


Value = int | bool | str | bytes
_FIRST_VALUE_TAG = 0x10
_TEXTS = range(0x41, 0x4A)


@dataclass(frozen=True)
class Attribute:
    name: str
    tag: Tag
    values: Sequence[Value]


@dataclass(frozen=True)
class Message:
    """A request (`code` is the operation) or an answer (`code` is the status). `data` is the document behind it."""

    code: int
    request_id: int
    groups: Sequence[tuple[int, Sequence[Attribute]]]
    data: bytes = b""

    def attributes(self, group: Group) -> Mapping[str, Sequence[Value]]:
        """The values of the first such group, by name; empty where there is none."""
        for tag, attributes in self.groups:
            if tag == group:
                return {attribute.name: attribute.values for attribute in attributes}
        return {}


def encode(message: Message) -> bytes:
    out = bytearray(b"\x02\x00" + message.code.to_bytes(2, "big") + message.request_id.to_bytes(4, "big"))
    for group, attributes in message.groups:
        out.append(group)
        for attribute in attributes:
            name = attribute.name.encode("ascii")
            for value in attribute.values:
                raw = _encode_value(attribute.tag, value)
                out.append(attribute.tag)
                out += len(name).to_bytes(2, "big") + name + len(raw).to_bytes(2, "big") + raw
                name = b""  # further values of the same attribute
    out.append(Group.END)
    return bytes(out) + message.data


def decode(data: bytes) -> Message:
    """Raises IppFormatError. Values of kinds that a kiosk does not read stay bytes; the members of a collection appear
    as further values of its attribute."""
    reader = _Reader(data)
    reader.take(2)  # the version: every answer has the same form
    code, request_id = reader.number(2), reader.number(4)
    groups: list[tuple[int, list[Attribute]]] = []
    while (tag := reader.number(1)) != Group.END:
        if tag < _FIRST_VALUE_TAG:
            groups.append((tag, []))
            continue
        if not groups:
            raise IppFormatError("a value stands before any group")
        name = _text(reader.take(reader.number(2)))
        value = _decode_value(tag, reader.take(reader.number(2)))
        attributes = groups[-1][1]
        if name:
            attributes.append(Attribute(name, tag, [value]))
        elif attributes:
            attributes[-1].values.append(value)
        else:
            raise IppFormatError("a value has no name")
    return Message(code, request_id, groups, reader.rest())


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def take(self, count: int) -> bytes:
        taken = self._data[self._at : self._at + count]
        if len(taken) < count:
            raise IppFormatError(f"ends after {len(self._data)} bytes, in the middle")
        self._at += count
        return taken

    def number(self, count: int) -> int:
        return int.from_bytes(self.take(count), "big")

    def rest(self) -> bytes:
        return self._data[self._at :]


def _encode_value(tag: Tag, value: Value) -> bytes:
    if tag in (Tag.INTEGER, Tag.ENUM):
        return int(value).to_bytes(4, "big", signed=True)
    if tag is Tag.BOOLEAN:
        return bytes((bool(value),))
    return str(value).encode("utf-8")


def _decode_value(tag: int, raw: bytes) -> Value:
    if tag in (Tag.INTEGER, Tag.ENUM) and len(raw) == 4:
        return int.from_bytes(raw, "big", signed=True)
    if tag == Tag.BOOLEAN and len(raw) == 1:
        return bool(raw[0])
    if tag in (Tag.INTEGER, Tag.ENUM, Tag.BOOLEAN):
        raise IppFormatError(f"a number of {len(raw)} bytes")
    return _text(raw) if tag in _TEXTS else raw


def _text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise IppFormatError("a text is not UTF-8") from error


_SIZE = re.compile(r"_(\d+(?:\.\d+)?)x(\d+(?:\.\d+)?)(mm|in)$")
MM_PER_INCH = 25.4
#: Sizes that differ by less are the same paper: F4 is 215×330 mm here and 8.5×13 inches (215.9×330.2 mm) there.
SAME_PAPER_MM = 1.5


def media_for(size_mm: tuple[float, float], supported: Sequence[str]) -> str | None:
    """The name (PWG 5101.1) by which a printer knows paper of that size, of those that it supports; a custom size where
    it takes any between two; None where it cannot take it."""
    sizes = {name: _size_mm(name) for name in supported}
    for name, size in sizes.items():
        if size and not name.startswith("custom_m") and _near(size, size_mm):
            return name
    least = [size for name, size in sizes.items() if size and name.startswith("custom_min_")]
    most = [size for name, size in sizes.items() if size and name.startswith("custom_max_")]
    if least and most and all(low <= side <= high for low, side, high in zip(least[0], size_mm, most[0], strict=True)):
        return f"custom_kiosk_{size_mm[0]:g}x{size_mm[1]:g}mm"
    return None


def _size_mm(name: str) -> tuple[float, float] | None:
    found = _SIZE.search(name)
    if found is None:
        return None
    scale = MM_PER_INCH if found[3] == "in" else 1.0
    return float(found[1]) * scale, float(found[2]) * scale


def _near(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return all(abs(a - b) <= SAME_PAPER_MM for a, b in zip(one, other, strict=True))
