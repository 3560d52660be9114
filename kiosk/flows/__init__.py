"""The stories that a visit can tell, one file each, step by step."""
