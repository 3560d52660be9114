"""What is kept: one schema, on SQLite or PostgreSQL, with every personal field encrypted."""
