"""Backups: one file that holds all that cannot be made again, and the way back from it."""
