"""What the pages of a PDF look like, so that two files can be compared by what is on paper; and what else a file does.

A signature may add a field that nobody sees, and nothing else. Pages are compared by what their objects say and not by
the file's bytes, as a signer may write the whole file anew: numbers its objects otherwise, packs its streams otherwise.
"""

import hashlib
from collections.abc import Iterator, Mapping, Set
from decimal import Decimal
from io import BytesIO
from typing import Any

#: What a page says of its place in the file and not of its looks.
_NOT_LOOKS = frozenset({"/Parent", "/Annots", "/LastModified", "/PieceInfo", "/StructParents", "/Tabs"})
#: What a page has from the tree above it where it has none of its own (ISO 32000-1, table 30).
_INHERITED = ("/Resources", "/MediaBox", "/CropBox", "/Rotate")
#: How a stream's data are packed.
_PACKING = frozenset({"/Length", "/Filter", "/DecodeParms", "/DL"})
#: What a signer may add to a file's catalogue: the field, proofs for later (ETSI EN 319 142-1, 5.4), what may change
#: after it, and words about the file.
_SIGNERS = frozenset({"/AcroForm", "/DSS", "/Perms", "/Extensions", "/Metadata", "/Version"})


def page_looks(pdf: bytes) -> list[bytes]:
    """A digest of each page's looks. Raises whatever the parser raises for what is not a PDF."""
    from pyhanko.pdf_utils.reader import PdfFileReader

    return [_looks(page) for page in _pages(PdfFileReader(BytesIO(pdf)).root["/Pages"], {})]


def additions(pdf: bytes, original: bytes) -> set[str]:
    """What a file does that the original does not and a signature need not: actions, scripts, attachments, layers,
    forms. Raises whatever the parser raises for what is not a PDF."""
    from pyhanko.pdf_utils.reader import PdfFileReader

    ours, theirs = (PdfFileReader(BytesIO(each)).root for each in (original, pdf))
    added = theirs.keys() - ours.keys() - _SIGNERS
    added |= _within(theirs, "/Names").keys() - _within(ours, "/Names").keys()
    form = _within(theirs, "/AcroForm")
    fields = [field.get_object() for field in _within(form, "/Fields")]
    if "/XFA" in form or not all(_within(field, "/FT") == "/Sig" and "/Kids" not in field for field in fields):
        added.add("/AcroForm")
    return added | {key for field in fields for key in ("/A", "/AA") if key in field}


def _within(mapping: Mapping[str, Any], key: str) -> Any:
    """What stands there, wherever in the file it is; `get` would say where."""
    return mapping[key] if key in mapping else {}


def _pages(node: Any, inherited: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The pages below a node of the page tree, with what they inherit."""
    whole = {**inherited, **node}
    if "/Kids" not in node:
        yield whole
        return
    for kid in node["/Kids"]:
        yield from _pages(kid.get_object(), {key: whole[key] for key in _INHERITED if key in whole})


def _looks(page: dict[str, Any]) -> bytes:
    digest = _Digest()
    contents = page.pop("/Contents").get_object()
    for stream in contents if isinstance(contents, list) else [contents]:
        digest.add(stream.get_object().data + b"\n")  # whole operators: it may be cut into streams otherwise
    digest.add_mapping(page, without=_NOT_LOOKS)
    for annotation in page["/Annots"].get_object() if "/Annots" in page else ():
        if not _is_unseen_signature(annotation.get_object()):
            digest.add_mapping(annotation.get_object(), without={"/P"})
    return digest.value()


def _is_unseen_signature(annotation: Any) -> bool:
    """A signature's field without width or height."""
    left, bottom, right, top = annotation["/Rect"]
    return annotation.get("/FT") == "/Sig" and (left == right or bottom == top)


class _Digest:
    """Of objects and all that they refer to. An object that comes again is named by its place in the walk."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._met: dict[Any, int] = {}

    def value(self) -> bytes:
        return self._hash.digest()

    def add(self, data: bytes) -> None:
        self._hash.update(b"%d:%b" % (len(data), data))

    def add_mapping(self, mapping: Mapping[str, Any], without: Set[str] = frozenset()) -> None:
        keys = sorted(mapping.keys() - without)
        self.add(b"<<%d" % len(keys))
        for key in keys:
            self.add(key.encode())
            self._add_object(dict.__getitem__(mapping, key))

    def _add_object(self, found: Any) -> None:
        from pyhanko.pdf_utils import generic

        if isinstance(found, generic.IndirectObject):
            if found.reference in self._met:
                self.add(b"again%d" % self._met[found.reference])
                return
            self._met[found.reference] = len(self._met)
            found = found.get_object()
        if isinstance(found, generic.StreamObject):
            self._add_stream(found)
        elif isinstance(found, dict):
            self.add_mapping(found, without={"/Parent"})
        elif isinstance(found, list):
            self.add(b"[%d" % len(found))
            for part in found:
                self._add_object(part)
        else:
            self.add(_plain(found))

    def _add_stream(self, stream: Any) -> None:
        try:
            data, packing = stream.data, _PACKING
        except NotImplementedError:  # a picture's own compression, as JPEG's
            data, packing = stream.encoded_data, {"/Length"}
        self.add(data)
        self.add_mapping(stream, without=packing)


def _plain(found: Any) -> bytes:
    """A name, string, number or truth value as a file writes it; 595.0 is 595."""
    if isinstance(found, int | Decimal):
        return b"%f" % found
    written = BytesIO()
    found.write_to_stream(written)
    return written.getvalue()
