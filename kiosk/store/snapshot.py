"""A copy of the whole database as it is at one moment, made while others write, and the way back from it.

PostgreSQL's own programs do it there, which Debian's package `postgresql-client` has.
"""

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from psycopg.conninfo import make_conninfo
from sqlalchemy import URL

from kiosk.store.errors import StoreError


def take_snapshot(url: URL, path: Path) -> None:
    """Write a copy of the database at `url` to the new file at `path`. Nobody waits for it. Raises StoreError where
    the database is damaged or its program is missing."""
    if url.get_backend_name() == "postgresql":
        _run("pg_dump", url, "--format=custom", "--no-owner", "--no-privileges", f"--file={path}")
        return
    try:
        with closing(sqlite3.connect(f"file:{url.database}?mode=rw", uri=True)) as database:
            database.execute("VACUUM INTO ?", (str(path),))
        with closing(sqlite3.connect(path)) as copy:
            (answer,) = copy.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:
        raise StoreError(f"The database {url.database} cannot be copied: {error}.") from error
    if answer != "ok":
        raise StoreError(f"The database {url.database} is damaged: {answer}. Keep the backups that there are.")


def load_dump(url: URL, path: Path) -> None:
    """Fill the empty PostgreSQL database at `url` from a copy, wholly or not at all. Raises StoreError."""
    _run("pg_restore", url, "--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges", str(path))


def _run(program: str, url: URL, *arguments: str) -> None:
    if shutil.which(program) is None:
        raise StoreError(
            f"{program} is not installed, and a PostgreSQL database cannot be copied without it. Install Debian's "
            "package postgresql-client, not older than the server."
        )
    # The password goes by the environment: other users see a command's arguments.
    connection = url.translate_connect_args(username="user", database="dbname") | dict(url.query)
    password = connection.pop("password", None)
    environment = os.environ | ({"PGPASSWORD": password} if password else {})
    command = [program, f"--dbname={make_conninfo(**connection)}", "--no-password", *arguments]
    done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        raise StoreError(f"{program} failed: {' '.join(done.stderr.split())}")
