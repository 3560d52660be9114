"""What goes wrong with a backup. The text says which file, why, and what to do."""


class BackupError(Exception):
    """The backup was not made or not restored. What was there before is there still."""


class WrongPassphrase(BackupError):
    """The passphrase does not open the backup."""
