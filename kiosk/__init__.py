"""What the kiosk does: visits, letters, queue, journal, printing. No window, no drivers."""

__version__ = "0.1.0"
