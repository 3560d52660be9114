"""Paper: what stands on it (`document`), the pieces the kiosk hands out (`slips`), how a roll shows it (`thermal`)."""
