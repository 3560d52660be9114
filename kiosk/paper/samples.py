"""What a letter type looks like, for whoever writes one: letters of an invented resident, short data and long.

Nothing here is true, and the code on a sample belongs to no village.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from config.settings import Village
from kiosk.codes import LetterFacts, Signer
from kiosk.letter_fields import AmountField, AnyField, ChoiceField, DateField, DigitsField, NumberField
from kiosk.letter_types import LetterType
from kiosk.paper.document import Document
from kiosk.paper.letter import CopyMark, Letter, as_copy, letter_document
from kiosk.residents import FAMILY_HEAD, Resident

ISSUED_ON = date(2026, 11, 24)
SIGNATURE_SENTENCE = "Contoh: surat ini tidak ditandatangani dan tidak berlaku."
_LONG_WORDS = "KETERANGAN PANJANG YANG DITULIS WARGA DENGAN LENGKAP DAN TERPERINCI SUPAYA JELAS "

_SHORT = Resident(
    id=1,
    nik="3523124107900001",
    name="SITI AMINAH",
    birth_place="TUBAN",
    birth_date=date(1990, 7, 1),
    sex="PEREMPUAN",
    religion="ISLAM",
    marital_status="KAWIN",
    education="SLTA/SEDERAJAT",
    occupation="PEDAGANG",
    citizenship="WNI",
    address="DUSUN KRAJAN",
    rt="001",
    rw="001",
    family_number="3523120101159001",
    family_relation=FAMILY_HEAD,
)
_LONG = replace(
    _SHORT,
    name="RADEN RORO SULISTYANINGRUM KUSUMAWARDHANI PRABANINGRAT HADIKUSUMODININGRAT, S.Pd., M.Pd.",
    birth_place="KABUPATEN KEPULAUAN SIAU TAGULANDANG BIARO",
    education="DIPLOMA IV/STRATA I",
    occupation="KARYAWAN BADAN USAHA MILIK DAERAH",
    religion="KEPERCAYAAN TERHADAP TUHAN YME",
    address="PERUMAHAN GRIYA PERMATA INDAH BLOK ANGGREK NOMOR 127, JALAN PANTAI UTARA KILOMETER 14, DUSUN MLANGI LOR",
)
_ONE_CHILD = (replace(_SHORT, id=2, name="AYU", birth_date=date(2014, 9, 2), family_relation="ANAK"),)
#: One more than a letter lists where its type does not say.
_EIGHT_OTHERS = tuple(
    replace(
        _LONG,
        id=2 + number,
        name="RADEN MAS SURYOHADIKUSUMO PRABANINGRAT HADIKUSUMODININGRAT, S.Pd., M.Pd.",
        sex="LAKI-LAKI",
        birth_date=date(year, 1, 31),
        family_relation=relation,
    )
    for number, (relation, year) in enumerate(
        (("SUAMI", 1988), *(("ANAK", year) for year in range(2012, 2017)), ("ORANG TUA", 1962), ("FAMILI LAIN", 1995))
    )
)


def samples(letter_type: LetterType, village: Village) -> Iterator[tuple[str, Document, Document]]:
    """«short» and «long»: each with the original and its first copy, printed a second time."""
    for name, anybody, family in (("short", _SHORT, _ONE_CHILD), ("long", _LONG, _EIGHT_OTHERS)):
        resident = _asker(letter_type, anybody)
        answers = {field.key: _answer(field, is_long=name == "long") for field in letter_type.fields}
        letter = _letter(letter_type, resident, village, answers)
        original = letter_document(letter_type, letter, resident, village, family=family)
        yield name, original, as_copy(original, CopyMark(1, printing=2), village)


def _asker(letter_type: LetterType, anybody: Resident) -> Resident:
    """One who may ask for the letter."""
    statuses = letter_type.asker.marital_statuses or (anybody.marital_status,)
    return replace(anybody, marital_status=statuses[0])


def _letter(letter_type: LetterType, resident: Resident, village: Village, answers: dict[str, str]) -> Letter:
    signer = Signer(Ed25519PrivateKey.generate(), village.code, "1", village.check_url)
    number = letter_type.number(12, village.code, "XI", ISSUED_ON.year)
    valid_until = ISSUED_ON + timedelta(days=letter_type.validity_days)
    facts = LetterFacts(
        village.code, "00" * 16, letter_type.key, number, resident.masked_name(), ISSUED_ON, valid_until
    )
    return Letter(
        number,
        ISSUED_ON,
        valid_until,
        answers,
        signer.letter(facts),
        "NAMA PENANDA TANGAN, S.Sos.",
        "197011241998031002",
        SIGNATURE_SENTENCE,
    )


def _answer(field: AnyField, is_long: bool) -> str:
    match field:
        case DateField(not_after="today"):
            return _SHORT.birth_date.isoformat()
        case DateField():
            return ISSUED_ON.isoformat()
        case ChoiceField(options=options):
            return max(options, key=lambda option: len(option.text or option.label["id"])).key
        case DigitsField(longest=longest):
            return "8" * longest
        case AmountField(least=least, most=most):
            return f"{min(most, max(least, 12_750_000 if is_long else 1_500_000))}"
        case NumberField(least=least, most=most):
            return f"{min(most, max(least, 2_500 if is_long else 150))}"
    if is_long:
        return (_LONG_WORDS * 10)[: field.longest].rsplit(" ", 1)[0]
    return field.suggestions[0] if field.suggestions else "Contoh jawaban"[: field.longest]
