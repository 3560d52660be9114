"""A letter as a document: the original, which is signed and filed, and its copies on the roll.

It is in Indonesian whatever its resident speaks, in the usual order of a village's letter: kop, title and number,
opening, identity, statement, closing, signature.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from config.settings import Village
from kiosk.letter_types import IdentityRow, Insert, LetterType
from kiosk.paper.document import (
    Block,
    Document,
    Footer,
    IdentityTable,
    Letterhead,
    Mark,
    Paragraph,
    Signature,
    Space,
    Table,
    Title,
)
from kiosk.paper.slips import printing_mark
from kiosk.paper.text import date_in_words, number_and_words
from kiosk.residents import Resident

CHECK_NOTE = "Pindai kode QR ini untuk memeriksa keaslian surat."


@dataclass(frozen=True, repr=False)
class Letter:
    """What a request's answers and its signing made of it. `signer_nip` is empty for who has none;
    `signature_sentence` says how it is signed, and is empty before it is."""

    number: str
    issued_on: date
    valid_until: date
    answers: Mapping[str, str]
    token_url: str  # the QR's payload
    signer_name: str
    signer_nip: str = ""
    signature_sentence: str = ""

    def __repr__(self) -> str:
        return "Letter(…)"


@dataclass(frozen=True)
class CopyMark:
    """Which copy of the letter it is, from 1, and how often this one was sent to paper: from the second on it says
    so."""

    number: int
    printing: int = 1


def letter_document(
    letter_type: LetterType,
    letter: Letter,
    resident: Resident,
    village: Village,
    *,
    family: Sequence[Resident] = (),
) -> Document:
    """The original. `family` are the others on the resident's family card (`Residents.family`)."""
    opening, statement, closing = letter_type.sentences(_words(letter, resident, village, family))
    return Document(
        (
            Letterhead(
                (f"PEMERINTAH KABUPATEN {village.kabupaten.upper()}", f"KECAMATAN {village.kecamatan.upper()}"),
                f"DESA {village.name.upper()}",
                village.address,
                village.logo_path,
            ),
            Title(letter_type.title.upper(), f"Nomor : {letter.number}"),
            Paragraph(opening),
            _identity(letter_type, resident),
            *(block for part in statement for block in _statement(part, letter_type, letter, family)),
            Paragraph(closing),
            Space(1),
            Signature(
                f"{village.name}, {date_in_words(letter.issued_on)}",
                tuple(line.format(village=village.name) for line in letter_type.signature_lines),
                letter.signer_name,
                letter.signer_nip,
                letter.token_url,
                CHECK_NOTE,
            ),
            Footer(_foot(letter)),
        )
    )


def _foot(letter: Letter) -> tuple[str, ...]:
    valid = f"Berlaku sampai {date_in_words(letter.valid_until)}."
    return (letter.signature_sentence, valid) if letter.signature_sentence else (valid,)


def with_code(letter: Document, payload: str) -> Document:
    """The letter with its code of now: the same words, which another of the village's keys signed since."""
    return Document(
        tuple(replace(each, qr_payload=payload) if isinstance(each, Signature) else each for each in letter.blocks)
    )


def as_copy(original: Document, mark: CopyMark, village: Village) -> Document:
    """What the roll prints of a signed letter: it says that it is a copy, which one, and where the original is."""
    *body, foot = original.blocks
    again = f", cetakan ke-{mark.printing}" if mark.printing > 1 else ""
    lines = (
        f"SALINAN ke-{mark.number}{again}, bukan surat asli.",
        *foot.lines,
        f"Surat asli yang ditandatangani ada di Kantor Desa {village.name}.",
    )
    return Document((Mark("SALINAN"), *printing_mark(mark.printing, "id"), *body, Footer(lines)))


def draft_of(letter: Document) -> Document:
    """What officers read before they sign."""
    *body, _ = letter.blocks
    return Document((Mark("KONSEP"), *body, Footer(("Konsep: belum bernomor, belum ditandatangani, belum berlaku.",))))


def _words(letter: Letter, resident: Resident, village: Village, family: Sequence[Resident]) -> dict[str, str]:
    return {
        **letter.answers,
        "name": resident.name,
        "address": resident.full_address(),
        "village": village.name,
        "kecamatan": village.kecamatan,
        "kabupaten": village.kabupaten,
        "issued_on": date_in_words(letter.issued_on),
        "valid_until": date_in_words(letter.valid_until),
        "family_count": number_and_words(len(family)) if family else "",
    }


def _statement(
    part: str | Insert, letter_type: LetterType, letter: Letter, family: Sequence[Resident]
) -> tuple[Block, ...]:
    match part:
        case Insert.ANSWERS:
            return (IdentityTable(letter_type.table_of_answers(letter.answers)),)
        case Insert.FAMILY:
            return _family_table(family, letter_type.family_rows)
    return (Paragraph(part),)


def _family_table(family: Sequence[Resident], most: int) -> tuple[Block, ...]:
    """The rest beyond `most` is said in words."""
    if not family:
        return ()
    rows = tuple(
        (member.name, member.family_relation.title(), f"{member.birth_date:%d-%m-%Y}") for member in family[:most]
    )
    table = Table(("Nama", "Hubungan", "Tanggal Lahir"), rows)
    rest = len(family) - most
    if rest <= 0:
        return (table,)
    return table, Paragraph(f"dan {number_and_words(rest)} orang lainnya yang tercantum dalam Kartu Keluarga.")


_IDENTITY: dict[IdentityRow, tuple[str, Callable[[Resident], str]]] = {
    IdentityRow.NAME: ("Nama", lambda resident: resident.name),
    IdentityRow.NIK: ("NIK", lambda resident: resident.nik),
    IdentityRow.FAMILY_NUMBER: ("Nomor KK", lambda resident: resident.family_number),
    IdentityRow.BIRTH: (
        "Tempat/Tgl. Lahir",
        lambda resident: f"{resident.birth_place}, {date_in_words(resident.birth_date)}",
    ),
    IdentityRow.SEX: ("Jenis Kelamin", lambda resident: resident.sex),
    IdentityRow.RELIGION: ("Agama", lambda resident: resident.religion),
    IdentityRow.MARITAL_STATUS: ("Status Perkawinan", lambda resident: resident.marital_status),
    IdentityRow.EDUCATION: ("Pendidikan", lambda resident: resident.education),
    IdentityRow.OCCUPATION: ("Pekerjaan", lambda resident: resident.occupation),
    IdentityRow.CITIZENSHIP: ("Kewarganegaraan", lambda resident: resident.citizenship),
    IdentityRow.FAMILY_RELATION: ("Hubungan Keluarga", lambda resident: resident.family_relation),
    IdentityRow.ADDRESS: ("Alamat", Resident.full_address),
}


def _identity(letter_type: LetterType, resident: Resident) -> IdentityTable:
    """Without what the register does not know."""
    rows = ((label, value(resident)) for label, value in map(_IDENTITY.__getitem__, letter_type.identity))
    return IdentityTable(tuple((label, value) for label, value in rows if value), numbered=True)
