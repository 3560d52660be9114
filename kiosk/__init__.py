"""What the kiosk does: visits, letters, queue, journal, printing. No window, no drivers."""

from pathlib import Path

__version__ = "0.1.0"

#: Where a hall's settings are.
DEFAULT_CONFIG = Path("/etc/anjungan-desa/kiosk.toml")
