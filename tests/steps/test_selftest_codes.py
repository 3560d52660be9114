"""Every code that the source can give has a meaning in the documentation and advice in Indonesian and English."""

import ast
import re
from pathlib import Path

import pytest

from config.translations import messages
from kiosk.app import KINDS
from kiosk.selftest.codes import MEANINGS

ROOT = Path(__file__).parents[2]
PREFIXES = (
    "KIOSK|VERSION|SETTINGS|TRANSLATIONS|LETTERS|DATABASE|DISK|BACKUP|CLOCK|SERVER|SIGNING|CHECK|TOUCH|SCREEN|CARD|"
    "BIODATA|SCANNER|PRINTER|PRINT|PAGE-PRINTER|SPEAKER|MACHINE|VILLAGE-KEY|TRUSTED|WITHDRAWALS"
)
CODE = re.compile(rf"(?:{PREFIXES})(?:-[A-Z0-9]+)+")
#: What only begins a code.
PARTS = {"CARD-READER", "CODE-SCANNER", "PAGE-PRINTER"}


def literals() -> dict[str, Path]:
    """Code → a file that holds it, from every text of the source that is nothing but a code."""
    found = {}
    for package in ("hardware", "kiosk", "screens"):
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str) and CODE.fullmatch(node.value):
                    if path.name != "codes.py" or path.parent.name != "selftest":
                        found[node.value] = path
    return found


def put_together() -> set[str]:
    """Those that are made of a prefix and an end: the supervisor's, the self-test's, and the keyboard grabs'."""
    kinds = {kind.upper().replace("_", "-") for kind in KINDS}
    keyboards = {"CARD-READER", "SCANNER"}
    source = (ROOT / "hardware" / "keyboard_wedge.py").read_text("utf-8")
    ends = set(re.findall(r"\{self\._code_prefix\}-([A-Z-]+)", source))
    assert ends >= {"ABSENT", "TAKEN"}
    return (
        {f"{kind}-DRIVER" for kind in kinds}
        | {f"{kind}-NO-ANSWER" for kind in kinds}
        | {f"{keyboard}-{end}" for keyboard in keyboards for end in ends}
    )


def test_the_source_is_searched():
    assert {"PRINTER-PAPER-OUT", "CARD-MUTE", "MACHINE-HOT", "CHECK-ABANDONED", "SPEAKER-NO-VOICE"} <= literals().keys()


def test_every_code_of_the_source_is_explained():
    codes = literals().keys() - PARTS | put_together()
    assert {code: str(literals().get(code, "")) for code in codes - MEANINGS.keys()} == {}


def test_nothing_is_explained_that_no_source_gives():
    assert MEANINGS.keys() - literals().keys() - put_together() == set()


@pytest.mark.parametrize("code", MEANINGS)
def test_every_code_has_advice_in_both_languages(code):
    message = messages()["advice_" + code.lower().replace("-", "_")]
    assert message["id"] and message["en"] and message["id"] != message["en"]


def test_no_advice_is_for_a_code_that_there_is_not():
    keys = {key.removeprefix("advice_") for key in messages() if key.startswith("advice_")} - {"other"}
    assert {key.upper().replace("_", "-") for key in keys} - MEANINGS.keys() == set()
