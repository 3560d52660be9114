"""Printers of whole pages, A4 and F4: `interface.py` is the promise, the other files are drivers and IPP."""
