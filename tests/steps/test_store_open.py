"""Opening a database: new, old, newer, damaged, or another kiosk's; and what reaches the disk."""

import subprocess
import sys
import threading
from datetime import datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import CheckConstraint, insert, inspect, select, text
from sqlalchemy.exc import StatementError

from kiosk.store import migrations
from kiosk.store.counters import next_number
from kiosk.store.errors import StoreError
from kiosk.store.schema import REVISION, counters, metadata, tickets
from kiosk.store.store import Store
from kiosk.store.vault import Vault

pytest_plugins = ["support.databases"]


def test_the_migrated_schema_is_the_declared_one(store: Store) -> None:
    with store.read() as tx:
        assert compare_metadata(MigrationContext.configure(tx), metadata) == []
        declared = {(table.name, check.name) for table in metadata.tables.values() for check in _checks(table)}
        found = {
            (table, check["name"])
            for table in inspect(tx).get_table_names()
            for check in inspect(tx).get_check_constraints(table)
        }
    assert found == declared


def _checks(table):
    return [constraint for constraint in table.constraints if isinstance(constraint, CheckConstraint)]


def test_the_last_migration_is_the_schemas_revision() -> None:
    assert ScriptDirectory.from_config(migrations._config()).get_current_head() == REVISION


def test_a_database_that_is_up_to_date_opens_without_alembic(sqlite_url: str, vault: Vault) -> None:
    Store.open(sqlite_url, vault).close()
    code = (
        "import sys; from kiosk.store.store import Store; from kiosk.store.vault import Vault;"
        f"Store.open({sqlite_url!r}, Vault(bytes(range(32)))).close(); print('alembic' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"


def test_two_processes_that_open_a_new_database_at_once_both_get_it(database_url: str) -> None:
    code = (
        "from kiosk.store.store import Store; from kiosk.store.vault import Vault;"
        f"Store.open({database_url!r}, Vault(bytes(range(32)))).close()"
    )
    both = [subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True) for _ in range(2)]
    said = [process.communicate(timeout=60)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], said


def test_a_newer_versions_database_is_refused_and_kept(store: Store, vault: Vault) -> None:
    with store.write() as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        next_number(tx, "kept")
    with pytest.raises(StoreError, match="9999.*newer version"):
        Store.open(store.url.render_as_string(hide_password=False), vault)
    with store.read() as tx:
        assert tx.execute(select(counters.c.value)).scalar_one() == 1


def test_another_keys_database_is_refused_and_kept(store: Store) -> None:
    with pytest.raises(StoreError, match="another key"):
        Store.open(store.url.render_as_string(hide_password=False), Vault(bytes(32)))
    Store.open(store.url.render_as_string(hide_password=False), store.vault).close()


@pytest.mark.parametrize("damage", ["junk", "torn"])
def test_a_damaged_file_is_refused_and_kept(damage: str, tmp_path: Path, sqlite_url: str, vault: Vault) -> None:
    file = tmp_path / "kiosk.db"
    if damage == "junk":
        file.write_bytes(b"this is no database " * 500)
    else:
        Store.open(sqlite_url, vault).close()
        whole = bytearray(file.read_bytes())
        whole[4096:] = b"\xa5" * (len(whole) - 4096)
        file.write_bytes(whole)
    before = file.read_bytes()
    with pytest.raises(StoreError, match="damaged") as caught:
        Store.open(sqlite_url, vault)
    assert str(file) in str(caught.value) and "backup" in str(caught.value)
    assert file.read_bytes() == before


def test_a_folder_that_is_missing_is_named(tmp_path: Path, vault: Vault) -> None:
    with pytest.raises(StoreError, match="cannot be opened"):
        Store.open(f"sqlite:///{tmp_path}/missing/kiosk.db", vault)


def test_a_server_that_is_away_is_a_store_error(tmp_path: Path, vault: Vault) -> None:
    with pytest.raises(StoreError, match="does not serve"):
        Store.open(f"postgresql+psycopg://nobody@/none?host={tmp_path}", vault)


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://x/y", "not a url"])
def test_a_url_that_keeps_nothing_is_refused(url: str, vault: Vault) -> None:
    with pytest.raises(StoreError):
        Store.open(url, vault)


def test_sqlite_flushes_each_commit(sqlite_url: str, vault: Vault) -> None:
    store = Store.open(sqlite_url, vault)
    with store.read() as tx:
        modes = [tx.execute(text(f"PRAGMA {name}")).scalar_one() for name in ("journal_mode", "synchronous")]
        assert tx.execute(text("PRAGMA foreign_keys")).scalar_one() == 1
    store.close()
    assert modes == ["wal", 2]


def test_writers_wait_for_one_another(store: Store) -> None:
    """Each reads before it writes: with a deferred BEGIN one of the two would fail at once."""
    both_ready = threading.Barrier(2)
    given: list[int] = []

    def take() -> None:
        both_ready.wait(10)
        for _ in range(20):
            with store.write() as tx:
                tx.execute(select(counters)).all()
                given.append(next_number(tx, "shared"))

    threads = [threading.Thread(target=take) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(given) == list(range(1, 41))


def test_a_transaction_that_raises_leaves_nothing(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), store.write() as tx:
        next_number(tx, "undone")
        raise ZeroDivisionError
    with store.write() as tx:
        assert next_number(tx, "undone") == 1


def test_a_naive_time_is_refused(store: Store) -> None:
    naive = {"business_day": datetime(2026, 1, 1).date(), "service_code": "A", "serial": 1, "waiting": 0}
    with pytest.raises(StatementError, match="naive"), store.write() as tx:
        tx.execute(insert(tickets).values(**naive, taken_at=datetime(2026, 1, 1), idempotency_key="k"))
