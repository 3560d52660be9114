"""The outside world: card readers, code scanners, printers, and the bench of virtual ones.

One folder per kind of device. In each, `interface.py` says what every driver of that kind promises, and the
other files are drivers. Nothing here knows what the kiosk does with a card or a code.
"""
