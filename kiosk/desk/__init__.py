"""The officers' desk: pages for browsers on the hall's network, in a process of its own beside the kiosk.

`serving.py` is the process and its server, `app.py` puts the pages together, `access.py` says who may see what, and
`pages/` has a file for each part. A page is a function of a blueprint with `@allowed(…)`; one without is refused at the
start.
"""
