"""What a running kiosk does once a day: personal data that has served its purpose goes (UU 27/2022)."""

import logging
import threading
from datetime import timedelta

from kiosk.papers import Papers
from kiosk.store.errors import StoreError

log = logging.getLogger(__name__)

EVERY_S = 24 * 3600.0
#: A kiosk that is switched off every night must come to it too, and the first visitor before it.
FIRST_AFTER_S = 60.0


class Housekeeping:
    """`photos_kept` is how long the photos of papers stay after their request has ended."""

    def __init__(self, papers: Papers, photos_kept: timedelta) -> None:
        self._papers, self._photos_kept = papers, photos_kept
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="housekeeping", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(2.0)

    def _run(self) -> None:
        pause_s = FIRST_AFTER_S
        while not self._stopping.wait(pause_s):
            try:
                self._papers.delete_old_photos(self._photos_kept)
            except StoreError:
                log.exception("old photos could not be deleted; the next try is in a day")
            pause_s = EVERY_S
