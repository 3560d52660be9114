"""What the store raises. The text says which file, why, and what to do."""


class StoreError(Exception):
    """The database cannot serve. Nothing in it was changed or deleted."""


class VaultError(StoreError):
    """The key that encrypts personal data is missing, unreadable, unsafe or the wrong one."""
