"""Letter types are data: the ones that come with the product, and what is said of a file that is wrong."""

from pathlib import Path

import pytest

from kiosk.letter_types import DIRECTORY, LetterType, load_letter_types

GOOD = (DIRECTORY / "usaha.toml").read_text("utf-8")
VALUES = {
    "name": "SITI AMINAH",
    "address": "DUSUN MLANGI",
    "village": "Socorejo",
    "kecamatan": "Jenu",
    "kabupaten": "Tuban",
    "issued_on": "24 November 2026",
    "valid_until": "22 Februari 2027",
}


def test_every_letter_type_of_the_product_loads_and_speaks_three_languages() -> None:
    found, errors = load_letter_types()
    assert not errors
    assert {"domisili", "usaha"} <= set(found)
    for letter_type in found.values():
        texts = [letter_type.name, *(part.label for part in (*letter_type.fields, *letter_type.requirements))]
        texts += [field.short for field in letter_type.fields]
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
        ("longest = 60", "longest = 2", "field[0]", "shortest is above longest", "[[field]]"),
        ("longest = 60", "widest = 60", "field[0].widest", "no such key", "widest"),
        ("longest = 60", "longest = 10", "field[0]", "'Toko kelontong'", "[[field]]"),
        ('id = "Apa jenis usaha Anda?", ', "", "field[0].label", "needs an Indonesian text", "label = { jv"),
        ('id = "Jenis usaha", ', "", "field[0].short", "needs an Indonesian text", "short = { jv"),
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
