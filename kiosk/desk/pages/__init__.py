"""The pages, one file for each part of the desk: a blueprint called `blueprint`, registered in `kiosk/desk/app.py`."""
