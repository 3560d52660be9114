"""PDFs to sign, small and made on the spot, and ways to spoil them."""

from io import BytesIO

from pyhanko.pdf_utils import generic, writer
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

A4_PT = (595, 842)


def plain_pdf(*pages: str) -> bytes:
    """One page for each text, in a typeface that every viewer has."""
    out = writer.PdfFileWriter(stream_xrefs=False)
    font = out.add_object(
        generic.DictionaryObject(
            {
                pdf_name("/Type"): pdf_name("/Font"),
                pdf_name("/Subtype"): pdf_name("/Type1"),
                pdf_name("/BaseFont"): pdf_name("/Times-Roman"),
            }
        )
    )
    fonts = generic.DictionaryObject({pdf_name("/F1"): font})
    for text in pages:
        contents = generic.StreamObject(stream_data=b"BT /F1 12 Tf 72 700 Td (%s) Tj ET" % text.encode())
        page = writer.PageObject(
            contents=out.add_object(contents),
            media_box=(0, 0, *A4_PT),
            resources=generic.DictionaryObject({pdf_name("/Font"): fonts}),
        )
        out.insert_page(page)
    written = BytesIO()
    out.write(written)
    return written.getvalue()


def with_other_words(pdf: bytes, text: str) -> bytes:
    """The same file with one more revision, in which the first page says something else."""
    revision = IncrementalPdfFileWriter(BytesIO(pdf))
    page = revision.root["/Pages"]["/Kids"][0]
    contents = generic.StreamObject(stream_data=b"BT /F1 12 Tf 72 700 Td (%s) Tj ET" % text.encode())
    page[pdf_name("/Contents")] = revision.add_object(contents)
    revision.update_container(page)
    return _written(revision)


def with_a_note(pdf: bytes) -> bytes:
    """The same file with one more revision, in which a note lies on the first page."""
    revision = IncrementalPdfFileWriter(BytesIO(pdf))
    note = generic.DictionaryObject(
        {
            pdf_name("/Type"): pdf_name("/Annot"),
            pdf_name("/Subtype"): pdf_name("/FreeText"),
            pdf_name("/Rect"): generic.ArrayObject([generic.NumberObject(side) for side in (72, 690, 300, 720)]),
            pdf_name("/Contents"): generic.pdf_string("BATAL"),
        }
    )
    page = revision.root["/Pages"]["/Kids"].raw_get(0)
    revision.register_annotation(page, revision.add_object(note))
    return _written(revision)


def with_in_its_catalogue(pdf: bytes, *path: str) -> bytes:
    """The same file with one more revision, whose catalogue has something below that path of keys."""
    revision = IncrementalPdfFileWriter(BytesIO(pdf))
    added = generic.DictionaryObject({pdf_name("/S"): pdf_name("/JavaScript")})
    if path == ("/AcroForm", "/Fields"):
        text_field = {pdf_name("/FT"): pdf_name("/Tx"), pdf_name("/T"): generic.pdf_string("nama")}
        added = generic.ArrayObject([revision.add_object(generic.DictionaryObject(text_field))])
    for key in reversed(path[1:]):
        added = generic.DictionaryObject({pdf_name(key): added})
    revision.root[pdf_name(path[0])] = added
    revision.update_root()
    return _written(revision)


def written_anew(pdf: bytes) -> bytes:
    """The same document in a file with other object numbers, as a signer may send it back."""
    out = writer.copy_into_new_writer(IncrementalPdfFileWriter(BytesIO(pdf)).prev)
    written = BytesIO()
    out.write(written)
    return written.getvalue()


def with_one_byte_changed(data: bytes, at: int, bit: int = 0x01) -> bytes:
    return data[:at] + bytes([data[at] ^ bit]) + data[at + 1 :]


def _written(revision: IncrementalPdfFileWriter) -> bytes:
    written = BytesIO()
    revision.write(written)
    return written.getvalue()
