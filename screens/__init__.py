"""What the kiosk looks like. Kivy lives here and nowhere else."""
