"""Card readers: `interface.py` is the promise, the other files are drivers."""
