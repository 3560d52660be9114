"""From the settings to the database that they name."""

from config.settings import Settings
from kiosk.store.errors import StoreError
from kiosk.store.schema import installation
from kiosk.store.state_files import UNFINISHED_RESTORE, VAULT_KEY
from kiosk.store.store import Store
from kiosk.store.vault import Vault


def open_store(settings: Settings) -> Store:
    """The settings' database, migrated and ready. Raises StoreError."""
    directory = settings.state_path
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"The state directory {directory} cannot be made: {error.strerror}.") from error
    if (directory / UNFINISHED_RESTORE).exists():
        raise StoreError(f"A restore into {directory} was cut short: run `kiosk restore BACKUP --replace` again.")
    store = Store.open(settings.store_url, Vault.load_or_create(directory / VAULT_KEY), settings.kiosk_id)
    if not store.belongs(installation.c.profile, str(settings.profile)):
        store.close()
        raise StoreError(
            f"The database {store.place} was made under another profile than {settings.profile}: a demo does not move "
            "into a hall's database, nor a hall into a demo's. Name another state directory."
        )
    return store
