"""The pictures that go with words, by the names that views use."""

from importlib.resources import files

# Glyphs of icons.ttf, a subset of Material Design Icons (Apache-2.0).
GLYPHS = {
    "letter": "\U000f09ee",
    "queue": "\U000f13aa",
    "check": "\U000f0cc8",
    "card": "\U000f0dab",
    "home": "\U000f06a1",
    "back": "\U000f004d",
    "leave": "\U000f0343",
    "help": "\U000f05cb",
    "language": "\U000f05ca",
    "larger_text": "\U000f027f",
    "ok": "\U000f05e0",
    "attention": "\U000f0026",
    "bad": "\U000f0159",
    "printer": "\U000f1786",
    "paper": "\U000f19dc",
    "scan": "\U000f0433",
    "keypad": "\U000f061c",
    "backspace": "\U000f0b5c",
    "shift": "\U000f0636",
    "clock": "\U000f0150",
    "shop": "\U000f10c1",
    "house": "\U000f0826",
    "person": "\U000f0013",
    "family": "\U000f0b58",
    "signature": "\U000f19b9",
    "ready": "\U000f0e29",
    "pending": "\U000f0996",
    "returned": "\U000f103c",
    "pin": "\U000f0341",
    "edit": "\U000f0cb6",
    "school": "\U000f1180",
    "work": "\U000f0814",
    "bank": "\U000f0e80",
    "health": "\U000f06ef",
    "more": "\U000f01d8",
    "next_page": "\U000f0142",
    "previous_page": "\U000f0141",
    "clinic": "\U000f02e1",
    "social_aid": "\U000f157e",
    "touch": "\U000f0741",
    "forgot": "\U000f08ef",
    "send": "\U000f1165",
    "reader": "\U000f0d6a",
    "code": "\U000f0432",
    "phone": "\U000f011c",
    "marriage": "\U000f07eb",
    "travel": "\U000f158c",
    "police": "\U000f1168",
    "lost": "\U000f0349",
    "crowd": "\U000f1056",
    "money": "\U000f0114",
    "land": "\U000f0982",
    "baby": "\U000f068f",
    "space": "\U000f1050",
    "village": "\U000f0dd4",
    "question": "\U000f0625",
    "wait": "\U000f051f",
    "yes": "\U000f0e1e",
    "no": "\U000f1398",
    "next": "\U000f0054",
    "information": "\U000f02fd",
    "other": "\U000f0832",
    "counter": "\U000f0d70",
    "network": "\U000f0319",
}


def icon_font_path() -> str:
    return str(files(__package__) / "data" / "icons.ttf")


def glyph(name: str) -> str:
    """The character of that icon. Raises KeyError for a name that is not there."""
    return GLYPHS[name]
