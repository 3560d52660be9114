"""The catalogue is complete in Indonesian, its placeholders agree, and the code asks for nothing that it lacks."""

import ast
import string
from pathlib import Path

import pytest

from config import translations
from config.translations import LANGUAGES, messages, say

ROOT = Path(__file__).parents[2]


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("key", sorted(messages()))
def test_every_message_has_indonesian_and_the_same_placeholders_in_all_languages(key):
    message = messages()[key]
    assert message["id"].strip()
    assert set(message) <= {*LANGUAGES, "jv_confidence"}
    for language in LANGUAGES:
        if language in message:
            assert placeholders(message[language]) == placeholders(message["id"]), language


def keys_asked_for() -> set[str]:
    """Every literal key that the code passes to a function or method called `say`."""
    keys = set()
    for package in ("kiosk", "screens"):
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) == "say":
                    position = 0 if isinstance(node.func, ast.Attribute) and len(node.args) == 1 else -1
                    keys |= {
                        constant.value
                        for constant in ast.walk(node.args[position])
                        if isinstance(constant, ast.Constant) and isinstance(constant.value, str)
                        if constant.value.replace("_", "").isalpha() and constant.value not in LANGUAGES
                    }
    return keys


def test_the_code_asks_for_no_message_that_the_catalogue_lacks():
    asked = keys_asked_for()
    assert "welcome" in asked
    whole = {key for key in asked if not (key.startswith("_") or key.endswith("_"))}  # the others are put together
    assert whole - set(messages()) == set()


#: Keys that are put together: what they begin or end with.
COMPUTED = ("advice_", "state_", "present_card_", "camera_is_", "part_", "verdict_", "card_kind_"), ("_detail",)


def test_the_catalogue_has_no_message_that_nothing_asks_for():
    trees = [
        ast.parse(path.read_text("utf-8")) for name in ("kiosk", "screens") for path in (ROOT / name).rglob("*.py")
    ]
    strings = {node.value for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    beginnings, endings = COMPUTED
    assert all(any(str(text).startswith(part) for text in strings) for part in beginnings)
    unused = {key for key in set(messages()) - strings if not key.startswith(beginnings) and not key.endswith(endings)}
    assert unused == set()


def test_a_language_that_lacks_a_message_falls_back_to_indonesian(monkeypatch):
    monkeypatch.setattr(translations, "messages", lambda: {"only": {"id": "Hanya {n}", "en": "Only {n}"}})
    assert (say("jv", "only", n=1), say("en", "only", n=1)) == ("Hanya 1", "Only 1")


def test_placeholders_are_filled():
    assert say("en", "wrong_pin", n=2) == "Wrong PIN. 2 tries left"


def test_an_unknown_key_is_an_error():
    with pytest.raises(KeyError):
        say("id", "no_such_message")
