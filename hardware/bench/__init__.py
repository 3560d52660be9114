"""The bench: the virtual devices and the world around them, driven from outside the process."""
