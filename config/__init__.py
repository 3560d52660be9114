"""Settings and their defaults, printer profiles, letter types, translations: what a village changes without code."""
