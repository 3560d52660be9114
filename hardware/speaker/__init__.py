"""Speakers: `interface.py` is the promise, the other files are drivers."""
