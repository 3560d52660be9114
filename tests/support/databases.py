"""Both engines for the same tests: a SQLite file, and a database on a private PostgreSQL cluster.

The cluster is started once, where Debian's package `postgresql` is installed (else its tests are skipped), listens on a
Unix socket in its own folder only, and dies with the tests whatever ends them.
"""

import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest

from kiosk.store.store import Store
from kiosk.store.vault import Vault

STARTED_WITHIN_S = 30
KEY = bytes(range(32))


def _programs() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    return found[-1].parent if found else None


def _wait_until_serves(server: subprocess.Popen, dsn: str, log: Path) -> None:
    deadline_s = time.monotonic() + STARTED_WITHIN_S
    while True:
        try:
            psycopg.connect(dsn).close()
            return
        except psycopg.OperationalError as error:
            if server.poll() is not None or time.monotonic() > deadline_s:
                raise RuntimeError(f"PostgreSQL does not serve: {log.read_text()}") from error
            time.sleep(0.02)


@pytest.fixture(scope="session")
def postgresql_dsn() -> Iterator[str]:
    """A superuser's connection to a private cluster."""
    programs = _programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed (Debian: postgresql)")
    folder = Path(tempfile.mkdtemp(prefix="anjungan-pg-"))
    # PostgreSQL refuses to run as root.
    owner = pwd.getpwnam("postgres") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    os.chown(folder, owner.pw_uid, owner.pw_gid)
    as_owner = {"cwd": folder, "stdin": subprocess.DEVNULL}
    if os.geteuid() == 0:
        as_owner |= {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
    cluster, log = folder / "data", folder / "log"
    server = None
    try:
        create = [programs / "initdb", "-D", cluster, "-U", "postgres", "-A", "trust", "-N", "-E", "UTF8", "--locale=C"]
        subprocess.run(create, check=True, capture_output=True, **as_owner)
        with log.open("wb") as output:
            server = subprocess.Popen(
                ["setpriv", "--pdeathsig", "QUIT", programs / "postgres", "-D", cluster]
                + ["-k", folder, "-c", "listen_addresses=", "-c", "fsync=off", "-c", "shared_buffers=16MB"],
                stdout=output,
                stderr=output,
                **as_owner,
            )
        dsn = f"host={folder} user=postgres dbname=postgres"
        _wait_until_serves(server, dsn, log)
        yield dsn
    finally:
        if server is not None:
            server.terminate()
            server.wait(STARTED_WITHIN_S)
        shutil.rmtree(folder)


@pytest.fixture
def make_database(postgresql_dsn: str) -> Iterator[Callable[[], str]]:
    """Makes empty databases; the URL of each."""
    host = psycopg.conninfo.conninfo_to_dict(postgresql_dsn)["host"]
    with psycopg.connect(postgresql_dsn, autocommit=True) as connection, ExitStack() as stack:

        def make() -> str:
            name = f"test_{secrets.token_hex(6)}"
            connection.execute(f"CREATE DATABASE {name}")
            stack.callback(connection.execute, f"DROP DATABASE {name} WITH (FORCE)")
            return f"postgresql+psycopg://postgres@/{name}?host={host}"

        yield make


@pytest.fixture
def postgresql_url(make_database: Callable[[], str]) -> str:
    """An empty database of its own."""
    return make_database()


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'kiosk.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty database, on each engine."""
    return request.getfixturevalue(f"{request.param}_url")


@pytest.fixture
def vault() -> Vault:
    return Vault(KEY)


@pytest.fixture
def store(database_url: str, vault: Vault) -> Iterator[Store]:
    """An opened, empty store, on each engine."""
    store = Store.open(database_url, vault)
    yield store
    store.close()
