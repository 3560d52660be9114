"""Key files: made whole or not at all, for their owner alone, and never over another."""

import os
import secrets
from pathlib import Path

OWNER_ONLY = 0o600


def create_key_file(path: Path, content: bytes) -> None:
    """The file appears by a link only once its bytes are on the disk, so a power cut leaves a whole one or none; it
    never replaces one that another process made meanwhile. Raises OSError."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            return  # the other process's key is the key
        sync_folder(path.parent)
    finally:
        draft.unlink()


def sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
