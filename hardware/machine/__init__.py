"""The machine that the kiosk runs on: `interface.py` is the promise, the other files are drivers."""
