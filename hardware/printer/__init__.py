"""Receipt printers: `interface.py` is the promise, the other files are drivers and the language they speak."""
