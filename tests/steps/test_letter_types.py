"""Letter types are data: the ones that come with the product, and what is said of a file that is wrong."""

import re
from collections import Counter
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from kiosk.demo.village import demo_residents
from kiosk.letter_fields import AnyField, Option
from kiosk.letter_types import (
    DIRECTORY,
    SENTENCE_NAMES,
    Asker,
    IdentityRow,
    Insert,
    LetterType,
    Requirement,
    load_letter_types,
)
from kiosk.residents import Resident

ROOT = Path(__file__).parents[2]
TODAY = date(2026, 11, 24)
OWNER = Resident(id=1, **demo_residents()[0])

GOOD = (DIRECTORY / "usaha.toml").read_text("utf-8")
VALUES = {
    "name": "SITI AMINAH",
    "address": "DUSUN MLANGI",
    "village": "Socorejo",
    "kecamatan": "Jenu",
    "kabupaten": "Tuban",
    "issued_on": "24 November 2026",
    "valid_until": "22 Februari 2027",
    "family_count": "",
}


SELF_SERVICE = (
    "domisili usaha sktm skck pengantar belum_menikah penduduk kehilangan domisili_usaha ktp_proses beda_identitas "
    "keramaian bepergian pergi_kawin biodata pas_lintas"
).split()


def test_every_letter_type_of_the_product_loads_and_speaks_three_languages() -> None:
    found, errors = load_letter_types()
    assert not errors
    assert list(found) == SELF_SERVICE  # in the order in which they are offered
    assert len({letter_type.icon for letter_type in found.values()}) == len(found)
    for letter_type in found.values():
        texts = [letter_type.name, *(part.label for part in (*letter_type.fields, *letter_type.requirements))]
        texts += [field.short for field in letter_type.fields]
        texts += [option.label for field in letter_type.fields for option in getattr(field, "options", ())]
        assert all(set(text) == {"id", "jv", "en"} for text in texts), letter_type.key


def domisili() -> LetterType:
    return load_letter_types()[0]["domisili"]


def test_a_paragraph_whose_answer_was_left_empty_is_left_out() -> None:
    _, with_purpose, _ = domisili().sentences({**VALUES, "purpose": "Melamar pekerjaan"})
    _, without, _ = domisili().sentences({**VALUES, "purpose": "  "})
    assert with_purpose[-1].endswith("untuk keperluan: Melamar pekerjaan.")
    assert without == with_purpose[:-1]


def test_a_business_is_certified_with_and_without_a_name() -> None:
    usaha = load_letter_types()[0]["usaha"]
    answers = {**VALUES, "kind": "Warung makan", "purpose": "Mengurus izin usaha"}
    _, named, _ = usaha.sentences({**answers, "business": "Bu Siti"})
    _, unnamed, _ = usaha.sentences({**answers, "business": ""})
    assert named[0].endswith("dengan jenis usaha: Warung makan.") and named[1] == 'Usaha tersebut bernama "Bu Siti".'
    assert unnamed == (named[0], named[2])


def test_braces_in_an_answer_are_only_text() -> None:
    _, statement, _ = domisili().sentences({**VALUES, "purpose": "{name} {0} {"})
    assert statement[-1].endswith("keperluan: {name} {0} {.")


def test_the_number_follows_the_format() -> None:
    assert domisili().number(7, "35.23.12.2002", "XI", 2026) == "400.12.2.1/007/35.23.12.2002/XI/2026"
    assert domisili().number(1234, "35.23.12.2002", "I", 2027) == "400.12.2.1/1234/35.23.12.2002/I/2027"


def test_no_two_letters_of_a_year_have_one_number() -> None:
    counted: Counter[str] = Counter()
    numbers = []
    for letter_type in [*load_letter_types()[0].values()] * 3:
        counted[letter_type.counter_name(2026)] += 1
        numbers.append(letter_type.number(counted[letter_type.counter_name(2026)], "35.23.12.2002", "XI", 2026))
    assert len(set(numbers)) == len(numbers) == 48


@pytest.mark.parametrize(
    ("changed", "refused"),
    [
        ("", True),
        ("counter = 'domisili'", False),
        ("number_format = '{code}/{number:04}/{village_code}/{month_roman}/{year}'", True),  # from 1000 on
        ("number_format = '{number}/SKU/{year}'", False),
    ],
)
def test_two_types_that_would_give_the_same_numbers_are_refused(tmp_path: Path, changed: str, refused: bool) -> None:
    domisili = (DIRECTORY / "domisili.toml").read_text("utf-8").replace('counter = "kependudukan"\n', "")
    (tmp_path / "domisili.toml").write_text(domisili, "utf-8")
    twin = GOOD.replace('code = "500.3.11"', f'code = "400.12.2.1"\n{changed}')
    (tmp_path / "usaha.toml").write_text(twin, "utf-8")
    found, errors = load_letter_types(tmp_path)
    assert ("usaha" in found) is not refused and len(errors) == refused
    if refused:
        assert "numbers would be those of 'domisili'" in errors[0].reason
        assert (errors[0].key, errors[0].line) == ("code", line_of(twin, "code ="))


def test_the_line_of_an_option_is_that_of_its_own_question(tmp_path: Path) -> None:
    question = '[[field]]\nkind = "choice"\nkey = "{}"\nlabel.id = "Yang mana?"\n'
    option = '[[field.option]]\nkey = "{}"\nlabel.id = "Ini"\n'
    choices = "".join(question.format(key) + option.format("a") + option.format("b") for key in ("one", "two"))
    broken = GOOD.split("[[field]]")[0].replace("statement = [", 'statement = [\n"{answers}",') + choices
    broken = broken.replace("{kind}", "x").replace("{business}", "x").replace("{purpose}", "x") + "icon = 'nowhere'\n"
    (tmp_path / "usaha.toml").write_text(broken, "utf-8")
    _, (error,) = load_letter_types(tmp_path)
    assert (error.key, error.line) == ("field[1].option[1].icon", len(broken.splitlines()))
    assert "no icon is called 'nowhere'" in error.reason


def resident(**changes: object) -> Resident:
    return replace(OWNER, **changes)


@pytest.mark.parametrize(
    ("key", "changes", "refusal"),
    [
        ("sktm", {"family_relation": "KEPALA KELUARGA"}, ""),
        ("sktm", {"family_relation": "ISTRI"}, "Hanya dapat diminta kepala keluarga"),
        ("sktm", {"family_relation": ""}, ""),  # the register does not know: an officer looks at it
        ("belum_menikah", {"marital_status": "BELUM KAWIN"}, ""),
        ("belum_menikah", {"marital_status": "CERAI HIDUP"}, "Hanya dapat diminta yang berstatus Belum Kawin"),
        ("belum_menikah", {"marital_status": "BELUM KAWIN", "birth_date": date(2009, 11, 24)}, ""),
        ("belum_menikah", {"marital_status": "BELUM KAWIN", "birth_date": date(2009, 11, 25)}, "17 tahun"),
        ("pergi_kawin", {"marital_status": "CERAI MATI"}, ""),
        ("domisili", {"birth_date": date(2020, 1, 1)}, ""),
    ],
)
def test_who_may_ask(key: str, changes: dict, refusal: str) -> None:
    said = load_letter_types()[0][key].asker.refusal(resident(**changes), TODAY, "id")
    assert refusal in said and bool(said) is bool(refusal)


def field_of(key: str, name: str) -> AnyField:
    return next(field for field in load_letter_types()[0][key].fields if field.key == name)


@pytest.mark.parametrize(
    ("key", "name", "answer", "complaint"),
    [
        ("usaha", "kind", "", "Mohon diisi dulu"),
        ("usaha", "business", "", ""),
        ("usaha", "kind", "xx", "sedikitnya 3"),
        ("usaha", "kind", "x" * 61, "tidak dapat dipakai"),
        ("usaha", "kind", "Toko\u202e", "tidak dapat dipakai"),
        ("usaha", "kind", "Toko \U0001f600", "tidak dapat dipakai"),
        ("keramaian", "first_day", "2026-11-24", ""),
        ("keramaian", "first_day", "2026-11-23", "Paling awal 24 November 2026"),
        ("keramaian", "first_day", "2027-11-25", "Paling akhir 24 November 2027"),
        ("keramaian", "first_day", "31022027", "Tanggal itu tidak ada"),
        ("keramaian", "last_day", "2026-12-01", ""),
        ("keramaian", "last_day", "2026-11-30", "Paling awal 1 Desember 2026"),
        ("beda_identitas", "birth_date", "2026-11-25", "Paling akhir 24 November 2026"),
        ("beda_identitas", "birth_date", "1906-11-23", "Paling awal 24 November 1906"),
        ("beda_identitas", "sex", "p", ""),
        ("beda_identitas", "sex", "x", "tidak dapat dipakai"),
        ("keramaian", "phone", "08123", "Sedikitnya 8 angka"),
        ("keramaian", "phone", "081²34567", "tidak dapat dipakai"),
        ("keramaian", "phone", "081234567890", ""),
        ("keramaian", "guests", "0", "Sedikitnya 1"),
        ("keramaian", "guests", "100001", "Paling banyak 100.000"),
        ("sktm", "income", "1500000", ""),
        ("sktm", "income", "100000001", "Paling banyak Rp100.000.000"),
        ("sktm", "income", "-1", "tidak dapat dipakai"),
    ],
)
def test_what_is_wrong_with_an_answer_is_said(key: str, name: str, answer: str, complaint: str) -> None:
    said = field_of(key, name).complaint(answer, {"first_day": "2026-12-01"}, TODAY, "id")
    assert complaint in said and bool(said) is bool(complaint)


def test_a_limit_of_years_holds_on_a_leap_day() -> None:
    leap_day = date(2028, 2, 29)
    assert not field_of("keramaian", "first_day").complaint("2029-02-28", {}, leap_day, "id")
    assert field_of("keramaian", "first_day").complaint("2029-03-01", {}, leap_day, "id")


@pytest.mark.parametrize(
    ("key", "name", "answer", "on_letter", "shown"),
    [
        ("keramaian", "first_day", "2026-12-01", "1 Desember 2026", "1 December 2026"),
        ("beda_identitas", "sex", "p", "PEREMPUAN", "Female"),
        ("beda_identitas", "sex", "taken-out", "taken-out", "taken-out"),
        ("keramaian", "guests", "1200", "1.200 (seribu dua ratus)", "1.200"),
        ("keramaian", "guests", "21", "21 (dua puluh satu)", "21"),
        ("keramaian", "phone", "0812345678", "0812345678", "0812345678"),
        ("sktm", "income", "1500000", "Rp1.500.000 (satu juta lima ratus ribu rupiah)", "Rp1.500.000"),
        ("keramaian", "first_day", "kapan-kapan", "kapan-kapan", "kapan-kapan"),  # it was a text when it was answered
    ],
)
def test_how_an_answer_stands_on_the_letter_and_on_the_screen(
    key: str, name: str, answer: str, on_letter: str, shown: str
) -> None:
    field = field_of(key, name)
    assert (field.on_letter(answer), field.shown(answer, "en")) == (on_letter, shown)


def test_answers_that_no_sentence_names_stand_in_the_table() -> None:
    event = load_letter_types()[0]["keramaian"]
    answers = {"event": "Khitanan", "purpose": "Hajatan", "first_day": "2026-12-01", "last_day": "", "guests": "200"}
    assert event.table_of_answers(answers) == (
        ("Jenis Acara", "Khitanan"),
        ("Keperluan", "Hajatan"),
        ("Mulai", "1 Desember 2026"),
        ("Jumlah Undangan", "200 (dua ratus)"),
    )
    assert Insert.ANSWERS in event.sentences({**VALUES, **answers})[1]


def test_an_answer_that_looks_like_a_table_is_only_text() -> None:
    alone = msgspec.structs.replace(domisili(), statement=("{purpose}",))
    assert alone.sentences({**VALUES, "purpose": "{family}"})[1] == ("{family}",)


def line_of(text: str, part: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if part in line)


@pytest.mark.parametrize(
    ("old", "new", "key", "reason", "line_with"),
    [
        ('key = "usaha"', 'key = "usaha', "", "is not TOML", 'key = "usaha'),
        ('icon = "shop"', 'icon = "shop"\ncolour = "red"', "colour", "no such key", "colour"),
        ("validity_days = 180", 'validity_days = "long"', "validity_days", "Expected `int`", "validity_days"),
        ("validity_days = 180", "validity_days = 0", "validity_days", ">= 1", "validity_days"),
        ("validity_days = 180", "", "", "validity_days", None),
        ("longest = 60", "longest = 999", "field[0].longest", "<= 300", "longest"),
        ('kind = "text"', "", "field[0]", "`kind`", "[[field]]"),
        ('kind = "text"', 'kind = "picture"', "field[0].kind", "'picture'", "kind ="),
        ('kind = "text"', 'kind = "date"', "field[0].longest", "no such key", "longest"),
        ("longest = 60", "longest = 2", "field[0]", "shortest is above longest", "[[field]]"),
        ("longest = 60", "widest = 60", "field[0].widest", "no such key", "widest"),
        ("longest = 60", "longest = 10", "field[0]", "'Toko kelontong'", "[[field]]"),
        ('id = "Apa jenis usaha Anda?", ', "", "field[0].label", "needs an Indonesian text", "Punapa jinisipun"),
        ('id = "Jenis usaha", ', "", "field[0].short", "needs an Indonesian text", "Jinis usaha"),
        ('key = "business"', 'key = "name"', "field", "already means something else", None),
        ('key = "business"', 'key = "purpose"', "field", "the same key", None),
        ("{business}", "{shop}", "statement", "unknown name {shop}", "statement = ["),
        ("{business}", "{business.__class__}", "statement", "unknown name", "statement = ["),
        ("{business}", "{business[0]}", "statement", "unknown name", "statement = ["),
        ("{business}", "{}", "statement", "unknown name {}", "statement = ["),
        ("{business}", "{business!r}", "statement", "takes no conversion", "statement = ["),
        ("{business}", "{business:>999999999}", "statement", "takes no conversion", "statement = ["),
        ("{business}", "{business", "statement", "", "statement = ["),
        ("validity_days", 'number_format = "{code}/{year}"\nvalidity_days', "number_format", "{number}", "number_f"),
        ('{business}\\".",', 'x",', "statement", "names {business} nowhere", "statement = ["),
        ("validity_days", 'identity = ["name", "shoe"]\nvalidity_days', "identity[1]", "'shoe'", "identity"),
        ("validity_days", "asker = { youngest = 17 }\nvalidity_days", "asker.youngest", "no such key", "asker"),
        ("validity_days", 'signature_lines = ["{name}"]\nvalidity_days', "signature_lines", "unknown", "signature_"),
    ],
)
def test_a_broken_file_is_told_and_the_others_stay(
    tmp_path: Path, old: str, new: str, key: str, reason: str, line_with: str | None
) -> None:
    broken = GOOD.replace(old, new, 1)
    assert broken != GOOD
    (tmp_path / "domisili.toml").write_bytes((DIRECTORY / "domisili.toml").read_bytes())
    (tmp_path / "usaha.toml").write_text(broken, "utf-8")
    found, (error,) = load_letter_types(tmp_path)
    assert list(found) == ["domisili"]
    assert error.file == tmp_path / "usaha.toml"
    assert error.key == key and reason in error.reason
    if line_with is not None:
        assert error.line == line_of(broken, line_with)
        assert str(error).startswith(f"{tmp_path / 'usaha.toml'}:{error.line}: ")


def test_a_file_that_is_no_text_or_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_bytes(b"\xff\xfe\0")
    (tmp_path / "b.toml").mkdir()
    (tmp_path / "c.toml").write_text(GOOD, "utf-8")
    (tmp_path / "d.toml").write_text(GOOD, "utf-8")
    (tmp_path / "notes.txt").write_text("not a letter", "utf-8")
    found, errors = load_letter_types(tmp_path)
    assert list(found) == ["usaha"]
    assert [error.file.name for error in errors] == ["a.toml", "b.toml", "d.toml"]
    assert ["UTF-8" in errors[0].reason, "cannot be read" in errors[1].reason, "another file" in errors[2].reason] == [
        True
    ] * 3


def test_a_directory_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    found, (error,) = load_letter_types(tmp_path / "nowhere")
    assert not found and str(error).startswith(f"{tmp_path / 'nowhere'}: cannot be read")


def test_the_guide_explains_every_key_and_none_that_is_not_there() -> None:
    guide = (ROOT / "docs" / "letters.md").read_text("utf-8")
    kinds = {kind.__struct_config__.tag: kind for kind in get_args(AnyField)}
    tables = [LetterType, Asker, Requirement, Option, *kinds.values()]
    keys = {name for table in tables for name in table.__struct_encode_fields__}
    assert [key for key in sorted(keys | kinds.keys()) if f"`{key}`" not in guide] == []
    explained = set(re.findall(r"^\| `([a-z_]+)` \|", guide, re.MULTILINE))
    assert explained <= keys | kinds.keys() | {"kind"}
    for tag, kind in kinds.items():
        own = set(kind.__struct_encode_fields__) - {"key", "label", "short", "required"}
        row = next(line for line in guide.splitlines() if line.startswith(f"| `{tag}` |"))
        assert set(re.findall("`([a-z_]+)`", row.split("|")[4])) == own, tag
    assert all(f"`{row}`" in guide for row in IdentityRow)
    assert all(f"`{{{name}}}`" in guide for name in SENTENCE_NAMES)
