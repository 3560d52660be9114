"""The kiosk's settings: their schema, their defaults, and one way to read them.

A wrong file is refused with its name, the key and the reason; nothing is guessed and nothing is ignored.
"""

import re
from enum import StrEnum
from importlib.resources import files
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import Meta

from config.icons import check_icon
from config.toml_file import TomlError, convert, read_toml

Name = Annotated[str, Meta(min_length=1, max_length=80)]
Changed = TypeVar("Changed", bound=msgspec.Struct)
Language = Annotated[str, Meta(pattern=r"^(id|jv|en)\Z")]

#: The settings files that come with the product.
PROFILES = files(__package__) / "profiles"


class SettingsError(Exception):
    """A settings file that cannot be used; its text names file, line where known, key and reason."""


class Profile(StrEnum):
    PRODUCTION = "production"  # refuses virtual devices
    DEMO = "demo"


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What every table of the file is."""


class Village(Table, kw_only=True):
    """Who the hall is; printed on every letter. `code` is Kemendagri's, as two villages may share a name."""

    code: Annotated[str, Meta(pattern=r"^[0-9]{2}\.[0-9]{2}\.[0-9]{2}\.[0-9]{4}\Z")]
    name: Name
    kecamatan: Name
    kabupaten: Name
    address: Name
    logo: str = ""  # a PNG or JPEG file for the kop; empty: none
    timezone: str = "Asia/Jakarta"
    # The prefix of every QR: a URL in QR's alphanumeric alphabet, so that any phone opens it and the code stays small.
    check_url: Annotated[str, Meta(pattern=r"^[0-9A-Z$*+\-./:]{8,60}/\Z")] = "HTTPS://CEK.DESA.ID/S/"

    def __post_init__(self) -> None:
        try:
            ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"timezone: no time zone is called {self.timezone!r}") from error
        if self.logo and not Path(self.logo).is_file():
            raise ValueError(f"logo: there is no file {self.logo!r}")

    @property
    def logo_path(self) -> Path | None:
        return Path(self.logo) if self.logo else None


class Screen(Table, kw_only=True):
    """The panel. `video_driver` is SDL's: "KMSDRM" on a device, "x11" in a desktop, "offscreen" for tests."""

    width_px: Annotated[int, Meta(ge=480, le=7680)] = 1080
    height_px: Annotated[int, Meta(ge=480, le=7680)] = 1920
    ppi: Annotated[float, Meta(ge=50, le=400)] = 102.5
    fullscreen: bool = True
    video_driver: Annotated[str, Meta(pattern=r"^(KMSDRM|x11|offscreen)\Z")] = "KMSDRM"
    touch_device: str = "/dev/input/touchscreen"  # read with KMSDRM only; a link that the udev rule makes
    languages: tuple[Language, ...] = ("id", "jv", "en")

    def __post_init__(self) -> None:
        if "id" not in self.languages:
            raise ValueError("languages: must contain 'id': Indonesian is the one that is complete")


class Driver(Table, kw_only=True):
    """A device: the name of its driver, and the driver's own options."""

    driver: Name
    options: dict[str, Any] = {}


class PrinterDriver(Driver, kw_only=True):
    profile: Name = "generic-80mm"  # of config/printers, or a file "….toml" as `kiosk printer probe` writes them


class PlacedDriver(Driver, kw_only=True):
    place: Annotated[str, Meta(pattern=r"^(below|right|left)\Z")] = "below"  # of the screen: where its arrow points


class Cradle(PlacedDriver, kw_only=True):
    cradle: bool = False  # True where the card stays in a holder: taking it away ends the visit


class QueueService(Table, kw_only=True):
    """One line in the hall. `code` is the letter before its numbers."""

    code: Annotated[str, Meta(pattern=r"^[A-Z]\Z")]
    icon: str = "queue"
    name: dict[Language, Name]

    def __post_init__(self) -> None:
        check_icon(self.icon)
        if "id" not in self.name:
            raise ValueError("name: needs an Indonesian text ('id')")


class Queue(Table, kw_only=True):
    services: Annotated[tuple[QueueService, ...], Meta(min_length=1, max_length=12)]

    def __post_init__(self) -> None:
        codes = [service.code for service in self.services]
        if len(set(codes)) != len(codes):
            raise ValueError("services: two have the same code")


class Server(Table, kw_only=True):
    """A server that the self-test looks for; the kiosk serves without one."""

    url: Annotated[str, Meta(pattern=r"^https?://[^/\s]+")]


class Paper(StrEnum):
    """A sheet of an office printer."""

    F4 = "F4"  # 215×330 mm, the paper of Indonesian offices
    A4 = "A4"


class Letters(Table, kw_only=True):
    """How letters stand on office paper."""

    paper: Paper = Paper.F4


class SigningMethod(StrEnum):
    """Who signs letters: the village by a key of its own, or BSrE's e-sign service for the officer."""

    VILLAGE = "village"
    BSRE_V1 = "bsre-v1"
    BSRE_V2 = "bsre-v2"


#: An absolute path.
AbsolutePath = Annotated[str, Meta(pattern=r"^/\S[^\n]*\Z")]


class Bsre(Table, kw_only=True):
    """BSrE's e-sign service. Paths are absolute; `credentials` may also be the name of a systemd credential."""

    url: Annotated[str, Meta(pattern=r"^https?://[^/\s@?#]+(/[^\s@?#]*)?\Z")]
    credentials: Annotated[str, Meta(pattern=r"^(/\S[^\n]*|[\w.-]+)\Z")]  # a TOML file: client_id, client_secret, …
    trust: AbsolutePath  # PEM: the certificates from which those of its signatures must descend
    server_ca: AbsolutePath | Literal[""] = ""  # PEM: who vouches for the server itself; empty: the public authorities
    deadline_s: Annotated[float, Meta(ge=5, le=120)] = 30.0  # for one call, from its first byte to its last
    seal: bool = False  # True: letters get the village's electronic seal instead of an officer's signature

    def __post_init__(self) -> None:
        address = urlsplit(self.url)
        if address.scheme != "https" and address.hostname not in ("localhost", "127.0.0.1", "::1"):
            raise ValueError("url: must begin with https://, as passphrases go there")


class Signing(Table, kw_only=True):
    """How letters are signed. `sentence` is what they say of it; empty for one that fits the method."""

    method: SigningMethod = SigningMethod.VILLAGE
    sentence: Annotated[str, Meta(max_length=300)] = ""
    bsre: Bsre | None = None

    def __post_init__(self) -> None:
        if self.method is SigningMethod.VILLAGE:
            if re.search(r"\bTTE\b|BSrE|Sertifikasi Elektronik", self.sentence, re.IGNORECASE):
                raise ValueError("sentence: only a letter that BSrE signed may speak of TTE or BSrE")
        elif self.bsre is None:
            raise ValueError(f"bsre: the method {self.method} needs this table")
        elif self.bsre.seal and self.method is not SigningMethod.BSRE_V2:
            raise ValueError("bsre.seal: only the second version of the service (bsre-v2) has electronic seals")


class TrustedVillage(Table, kw_only=True):
    """Another village whose letters this hall's kiosks check too: its public file (`kiosk keys export`), and where its
    list of withdrawn letters is; without one, lists come by hand (`kiosk withdrawals import`)."""

    file: Annotated[str, Meta(min_length=1)]
    withdrawals_url: Annotated[str, Meta(pattern=r"^(https?://[^/\s]+/\S*)?\Z")] = ""


class Backup(Table, kw_only=True):
    """Where the nightly backup goes: a directory on another disk than the database's, and how many it keeps there."""

    directory: Annotated[str, Meta(pattern=r"^/.")]
    keep: Annotated[int, Meta(ge=1, le=1000)] = 14


class Patience(Table, kw_only=True):
    """How long the kiosk waits for a person before it asks whether they are still there (WCAG 2.2.1: at least 20 s to
    answer)."""

    before_warning_s: Annotated[float, Meta(ge=10, le=600)] = 60.0
    warning_s: Annotated[float, Meta(ge=20, le=120)] = 20.0
    after_result_s: Annotated[float, Meta(ge=5, le=120)] = 20.0


class Listener(Table, kw_only=True):
    """Where something is served: beyond this machine only with TLS, by the PEM files of a certificate (with its chain)
    and its key."""

    table: ClassVar[str]
    address: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=1, le=65535)]
    tls_certificate: str = ""
    tls_key: str = ""

    def __post_init__(self) -> None:
        try:
            address = ip_address(self.address)
        except ValueError as error:
            raise ValueError(f"address: {self.address!r} is no IP address") from error
        if bool(self.tls_certificate) != bool(self.tls_key):
            raise ValueError("tls_key: a certificate and its key go together")
        if not self.tls and not address.is_loopback:
            raise ValueError(
                f"address: {self.address} can be reached from other machines: passwords and letters would cross the "
                "network in the clear. Set tls_certificate and tls_key"
            )

    @property
    def tls(self) -> bool:
        return bool(self.tls_certificate)


class Desk(Listener, kw_only=True):
    """The officers' desk. `public_url` is what officers type, and must be given where `address` stands for all of the
    machine's: what is asked for by another name is refused."""

    table = "desk"
    port: Annotated[int, Meta(ge=1, le=65535)] = 8443
    public_url: Annotated[str, Meta(pattern=r"^(https?://[a-z0-9.\-]+(:[0-9]{1,5})?)?\Z")] = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if ip_address(self.address).is_unspecified and not self.public_url:
            raise ValueError(f"public_url: {self.address} has no name of its own; give the one that officers type")
        if self.tls and self.public_url.startswith("http:"):
            raise ValueError("public_url: begins with https: where there is a certificate")

    @property
    def url(self) -> str:
        """What officers type, without a slash at its end."""
        host = f"[{self.address}]" if ":" in self.address else self.address
        return self.public_url or f"{'https' if self.tls else 'http'}://{host}:{self.port}"


class CheckPage(Listener, kw_only=True):
    """A listener of its own for the public page below `village.check_url`, with nothing of the officers' behind it."""

    table = "check_page"
    port: Annotated[int, Meta(ge=1, le=65535)] = 8480


class Settings(Table, kw_only=True):
    profile: Profile
    kiosk_id: Annotated[str, Meta(pattern=r"^[a-z0-9-]{1,32}\Z")] = "kiosk-1"
    state_dir: str = "/var/lib/anjungan-desa"
    database_url: str = ""  # empty: SQLite in the state directory
    letters_dir: str = ""  # empty: the letter types that come with the product
    photos_kept_days: Annotated[int, Meta(ge=0, le=3650)] = 30  # of papers, after their request has ended
    village: Village
    screen: Screen = Screen()
    card_reader: Cradle | None = None
    code_scanner: PlacedDriver | None = None
    printer: PrinterDriver | None = None
    page_printer: Driver | None = None
    speaker: Driver | None = None
    machine: Driver | None = None
    queue: Queue
    letters: Letters = Letters()
    patience: Patience = Patience()
    server: Server | None = None
    signing: Signing = Signing()
    desk: Desk = Desk()
    check_page: CheckPage | None = None
    backup: Backup | None = None

    def __post_init__(self) -> None:
        tray = self.page_printer and self.page_printer.options.get("paper")
        if tray and tray != self.letters.paper:
            raise ValueError(f"letters: paper is {self.letters.paper}, and in the page printer lies {tray}")

    trusted_villages: tuple[TrustedVillage, ...] = ()

    @property
    def state_path(self) -> Path:
        return Path(self.state_dir)

    @property
    def store_url(self) -> str:
        return self.database_url or f"sqlite:///{self.state_path / 'kiosk.sqlite'}"


def load(path: Path) -> Settings:
    """The settings in the TOML file at `path`. Raises SettingsError."""
    try:
        return read_toml(path, Settings)
    except TomlError as error:
        raise SettingsError(str(error)) from error


def changed(table: Changed, **values: Any) -> Changed:
    """A copy of a table of settings with some values replaced. They are the caller's own and not checked again."""
    return msgspec.structs.replace(table, **values)


def driver_options(settings_path: Path, table: str, options_type: type, options: dict[str, Any]) -> Any:
    """A driver's own options, checked against its `Options`. Raises SettingsError."""
    try:
        return convert(settings_path, options_type, options, under=f"{table}.options")
    except TomlError as error:
        raise SettingsError(str(error)) from error
