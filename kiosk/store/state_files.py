"""What the state directory holds. A test compares these lists with what a kiosk leaves there: new files belong in them.

A backup keeps the first three; their names there are those here («village-keys/1.pem»).
"""

from pathlib import Path

#: The database, where it is SQLite in the state directory, and in a backup its copy from PostgreSQL.
DATABASE, DUMP = "kiosk.sqlite", "kiosk.pgdump"
VAULT_KEY, BACKUP_KEY = "vault.key", "backup.key"
#: The keys of the codes on letters; the keys and certificates of their PDFs.
VILLAGE_KEYS, SIGNING = "village-keys", "signing"
#: What cannot be made again, beside the database; directories with all they hold.
KEPT = (VAULT_KEY, VILLAGE_KEYS, SIGNING, BACKUP_KEY)
#: In a backup: the hall's settings and letter types.
SETTINGS = "settings"

BACKUP_WORK, RESTORE_WORK = "backup-work", "restore-work"
#: What SQLite has beside its file while somebody uses it.
LOG_ENDS = ("-shm", "-wal")
#: What the next start makes anew, or throws away.
MADE_AGAIN = (*(DATABASE + end for end in LOG_ENDS), BACKUP_WORK, RESTORE_WORK, "bench.sock", "kiosk.lock")
#: There from the first file that a restore moves to the last: nothing opens what is half restored.
UNFINISHED_RESTORE = "restore-unfinished"


def kept_files(state: Path) -> dict[str, Path]:
    """Name in a backup → file, of all that is kept beside the database."""
    files = [path for name in KEPT for path in (state / name, *sorted((state / name).rglob("*"))) if path.is_file()]
    return {str(path.relative_to(state)): path for path in files}
