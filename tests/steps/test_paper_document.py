"""Documents as they are kept."""

from dataclasses import fields
from pathlib import Path

import msgspec
import pytest

from kiosk.paper.document import (
    Align,
    Block,
    Document,
    Footer,
    IdentityTable,
    Letterhead,
    Paragraph,
    Signature,
    Size,
    Space,
    from_json,
    to_json,
)

LETTER = Document(
    (
        Letterhead(("PEMERINTAH KABUPATEN TUBAN",), "DESA SOCOREJO", "Jalan Raya 1", Path("/logo.png")),
        Paragraph("«Isi» surat", Align.CENTRE, bold=True, size=Size.LARGE),
        IdentityTable((("Nama", "SITI AMINAH"), ("NIK", "3523124110790001")), numbered=True),
        Space(1.5),
        Signature("Socorejo, 24 November 2026", ("Kepala Desa Socorejo,",), "H. SUDARMAN", qr_payload="HTTPS://X/1"),
        Footer(("Baris 1", "Baris 2")),
    )
)


def test_a_kept_document_is_the_same_again():
    again = from_json(to_json(LETTER))
    assert again == LETTER
    assert all(type(one) is type(other) for one, other in zip(again.blocks, LETTER.blocks, strict=True))


@pytest.mark.parametrize("kind", Block.__subclasses__())
def test_every_kind_of_block_can_be_kept(kind: type[Block]):
    """A block with a field of a type that JSON does not give back would be found here."""
    samples = {str: "x", float: 2.5, bool: True, Align: Align.RIGHT, Size: Size.SMALL, Path | None: Path("/x")}
    samples |= {tuple[str, ...]: ("a", "b"), tuple[tuple[str, str], ...]: (("a", "b"),)}
    samples |= {tuple[tuple[str, ...], ...]: (("a", "b", "c"),)}
    block = kind(**{field.name: samples[field.type] for field in fields(kind)})
    assert from_json(to_json(Document((block,)))) == Document((block,))


@pytest.mark.parametrize("text", ["", "[]x", '[["Nothing", {}]]', '[["Paragraph", {"text": 7}]]'])
def test_what_is_no_kept_document_is_refused(text: str):
    with pytest.raises((KeyError, msgspec.MsgspecError)):
        from_json(text)
