"""The self-test: one registry of checks (`registry.py`), one runner (`runner.py`), one report (`report.py`)."""
