"""IPP's bytes: read back as written, as RFC 8010 prints them, and never trusted."""

import random

import pytest

from hardware.page_printer.ipp_protocol import (
    Attribute,
    Group,
    IppFormatError,
    Message,
    Operation,
    Tag,
    decode,
    encode,
    media_for,
)

MESSAGE = Message(
    Operation.CREATE_JOB,
    7,
    [
        (
            Group.OPERATION,
            [
                Attribute("attributes-charset", Tag.CHARSET, ["utf-8"]),
                Attribute("job-name", Tag.NAME, ["Surat 470/12 – salinan"]),
                Attribute("last-document", Tag.BOOLEAN, [True]),
            ],
        ),
        (Group.JOB, [Attribute("copies", Tag.INTEGER, [-2]), Attribute("media", Tag.KEYWORD, ["a", "b", "c"])]),
    ],
    b"%PDF-1.4 \x03\x00",
)
#: RFC 8010, appendix A.6: the request of Get-Printer-Attributes' smaller sister, Get-Jobs, byte for byte.
GET_JOBS = bytes.fromhex(
    "0101000a00000123"
    "01"
    "470012617474726962757465732d63686172736574" + "0005" + b"utf-8".hex() + "48001b"
    "617474726962757465732d6e61747572616c2d6c616e6775616765" + "0005" + b"en-us".hex() + "45000b"
    "7072696e7465722d757269" + "001b" + b"ipp://printer.example.com/p".hex() + "210005"
    "6c696d6974" + "000400000032" + "440014"
    "7265717565737465642d61747472696275746573" + "0006" + b"job-id".hex() + "440000"
    "0008" + b"job-name".hex() + "440000"
    "000f" + b"document-format".hex() + "03"
)


def test_a_message_is_read_back_as_it_was_written() -> None:
    back = decode(encode(MESSAGE))
    assert (back.code, back.request_id, back.data) == (MESSAGE.code, 7, MESSAGE.data)
    assert back.attributes(Group.JOB) == {"copies": [-2], "media": ["a", "b", "c"]}
    assert back.attributes(Group.OPERATION)["job-name"] == ["Surat 470/12 – salinan"]
    assert back.attributes(Group.OPERATION)["last-document"] == [True]
    assert back.attributes(Group.PRINTER) == {}


def test_a_message_of_the_standard_is_understood() -> None:
    message = decode(GET_JOBS)
    assert (message.code, message.request_id) == (0x0A, 0x123)
    operation = message.attributes(Group.OPERATION)
    assert operation["limit"] == [50]
    assert operation["requested-attributes"] == ["job-id", "job-name", "document-format"]


def test_every_half_of_a_message_is_refused() -> None:
    whole = encode(Message(0, 1, MESSAGE.groups))
    for length in range(len(whole)):
        with pytest.raises(IppFormatError):
            decode(whole[:length])


def test_junk_is_refused_or_read_and_nothing_else() -> None:
    chooser = random.Random(1)
    whole = encode(MESSAGE)
    for _ in range(3000):
        junk = bytearray(whole)
        for _ in range(chooser.randrange(1, 6)):
            junk[chooser.randrange(len(junk))] = chooser.randrange(256)
        try:
            decode(bytes(junk))
        except IppFormatError:
            pass


A4, F4 = (210.0, 297.0), (215.0, 330.0)


@pytest.mark.parametrize(
    ("size", "supported", "name"),
    [
        (A4, ["na_letter_8.5x11in", "iso_a4_210x297mm"], "iso_a4_210x297mm"),
        (F4, ["na_legal_8.5x14in", "na_foolscap_8.5x13in"], "na_foolscap_8.5x13in"),
        (F4, ["om_folio_210x330mm"], None),
        (F4, ["custom_f4_215x330mm"], "custom_f4_215x330mm"),
        (F4, ["custom_min_3x5in", "custom_max_8.5x14in"], "custom_kiosk_215x330mm"),
        (F4, ["custom_min_3x5in", "custom_max_210x297mm"], None),
        (A4, ["custom_max_210x297mm"], None),
        (A4, ["auto", ""], None),
        (A4, [], None),
    ],
)
def test_paper_is_found_by_its_size(size, supported, name) -> None:
    assert media_for(size, supported) == name
