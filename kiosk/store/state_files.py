"""What the state directory holds.

A backup keeps the database and what `KEPT` names; their names there are those here («village-keys/1.pem»). A test
compares them with what a kiosk leaves in the directory: what cannot be made again belongs in `KEPT`.
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
#: There from the first file that a restore moves to the last: nothing opens what is half restored.
UNFINISHED_RESTORE = "restore-unfinished"
#: The settings and letter types that a restored backup held, to look at.
RESTORED_SETTINGS = "restored-settings"


def kept_files(state: Path) -> dict[str, Path]:
    """Name in a backup → file, of all that is kept beside the database."""
    files = [path for name in KEPT for path in (state / name, *sorted((state / name).rglob("*"))) if path.is_file()]
    return {str(path.relative_to(state)): path for path in files}
