"""A wrong settings file names itself, the key and the reason, and is refused."""

from pathlib import Path

import pytest

from config import settings
from config.settings import Desk, Profile, SettingsError
from kiosk.app import check_drivers

DEMO = Path(str(settings.PROFILES / "demo.toml"))


@pytest.fixture
def changed(tmp_path):
    """The demo's settings with one text replaced, as a file."""

    def change(old: str, new: str) -> Path:
        text = DEMO.read_text("utf-8")
        assert old in text
        path = tmp_path / "kiosk.toml"
        path.write_text(text.replace(old, new, 1), "utf-8")
        return path

    return change


@pytest.mark.parametrize("profile", sorted(path.name for path in Path(str(settings.PROFILES)).glob("*.toml")))
def test_the_settings_that_come_with_the_product_are_usable(profile):
    loaded = settings.load(DEMO.parent / profile)
    assert loaded.village.code == "35.23.12.2002"
    assert loaded.store_url.startswith("sqlite:////")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("ppi = 102.5", 'ppi = "fine"', "kiosk.toml:16: screen.ppi: Expected `float`, got `str`"),
        ("fullscreen", "fulscreen", "kiosk.toml:17: screen.fulscreen: no such key"),
        ('profile = "demo"', 'profile = "test"', "kiosk.toml:2: profile: Invalid enum value 'test'"),
        ('code = "35.23.12.2002"\n', "", "kiosk.toml:5: village: Object missing required field `code`"),
        ('code = "35.23.12.2002"', 'code = "3523122002"', "kiosk.toml:6: village.code: Expected `str` matching regex"),
        ('code = "35.23.12.2002"', 'code = "35.23.12.2002\\n"', "kiosk.toml:6: village.code: Expected `str` matching"),
        ('code = "35.23.12.2002"', 'code = "３５.23.12.2002"', "kiosk.toml:6: village.code: Expected `str` matching"),
        ('code = "A"', 'code = "B"', "kiosk.toml: queue.services: two have the same code"),
        ('icon = "more"', 'icon = "x"', "kiosk.toml:57: queue.services[3].icon: no icon is called 'x'"),
        ('id = "Lain-lain", ', "", "kiosk.toml:58: queue.services[3].name: needs an Indonesian text"),
        ('driver = "virtual"', "driver = 3", "card_reader.driver: Expected `str`, got `int`"),
        ("[card_reader]", '[card_reader]\nplace = "above"', "card_reader.place: Expected `str` matching regex"),
        ("[screen]", '[letters]\npaper = "A3"\n[screen]', "kiosk.toml:14: letters.paper: Invalid enum value 'A3'"),
        ("[screen]", 'logo = "/no/logo.png"\n[screen]', "village.logo: there is no file '/no/logo.png'"),
        ('paper = "F4"', 'paper = "A4"', "letters: paper is F4, and in the page printer lies A4"),
        (
            "[screen]",
            '[desk]\naddress = "0.0.0.0"\n[screen]',
            "desk.address: 0.0.0.0 can be reached from other machines",
        ),
        ("[screen]", '[desk]\naddress = "meja.lan"\n[screen]', "desk.address: 'meja.lan' is no IP address"),
        ("[screen]", '[desk]\ntls_key = "x"\n[screen]', "desk.tls_key: a certificate and its key go together"),
        (
            "[screen]",
            '[desk]\naddress = "::"\ntls_certificate = "x"\ntls_key = "y"\n[screen]',
            "desk.public_url: :: has no name of its own",
        ),
        (
            "[screen]",
            '[desk]\ntls_certificate = "x"\ntls_key = "y"\npublic_url = "http://meja.lan"\n[screen]',
            "desk.public_url: begins with https:",
        ),
        ("[screen]", "[screen", "is not TOML"),
    ],
)
def test_a_wrong_setting_is_named_with_its_reason(changed, old, new, said):
    with pytest.raises(SettingsError) as refused:
        settings.load(changed(old, new))
    assert said in str(refused.value)


@pytest.mark.parametrize("profile", ["demo", "production"])
def test_a_cradle_around_a_reader_that_only_types_is_refused(changed, profile):
    wedge = 'cradle = true\ndriver = "wedge"\noptions = { device = "/dev/input/by-id/reader-event-kbd" }'
    path = changed('[card_reader]\ndriver = "virtual"', f"[card_reader]\n{wedge}")
    loaded = settings.changed(settings.load(path), profile=Profile(profile))
    (problem,) = [problem for problem in check_drivers(loaded, path) if "is virtual" not in problem]
    reason = "a reader of the driver 'wedge' cannot tell that a card was taken away"
    assert problem == f"{path}: card_reader.cradle: must be false: {reason}"


def test_a_time_zone_that_does_not_exist_is_refused(changed):
    path = changed('address = "', 'timezone = "Asia/Tuban"\naddress = "')
    with pytest.raises(SettingsError, match="no time zone is called 'Asia/Tuban'"):
        settings.load(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(SettingsError, match="nowhere.toml: cannot be read"):
        settings.load(tmp_path / "nowhere.toml")


def test_junk_is_refused_and_not_guessed(tmp_path):
    path = tmp_path / "kiosk.toml"
    path.write_bytes(b"\x00\xff\xfe junk")
    with pytest.raises(SettingsError, match="kiosk.toml: cannot be read"):
        settings.load(path)


def test_a_file_nested_too_deeply_is_refused(tmp_path):
    path = tmp_path / "kiosk.toml"
    path.write_text(f"x = {'[' * 5000}{']' * 5000}")
    with pytest.raises(SettingsError, match="nested too deeply"):
        settings.load(path)


def test_the_desk_is_for_this_machine_until_told_otherwise():
    assert Desk().url == "http://127.0.0.1:8443"
    assert Desk(address="::1", port=81).url == "http://[::1]:81"
    tls = Desk(address="192.168.1.5", tls_certificate="a", tls_key="b")
    assert tls.url == "https://192.168.1.5:8443"
    assert settings.changed(tls, public_url="https://meja.lan").url == "https://meja.lan"
