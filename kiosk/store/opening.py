"""From the settings to the database that they name."""

from config.settings import Settings
from kiosk.store.errors import StoreError
from kiosk.store.store import Store
from kiosk.store.vault import Vault


def open_store(settings: Settings) -> Store:
    """The settings' database, migrated and ready. Raises StoreError."""
    directory = settings.state_path
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"The state directory {directory} cannot be made: {error.strerror}.") from error
    return Store.open(settings.store_url, Vault.load_or_create(directory / "vault.key"))
