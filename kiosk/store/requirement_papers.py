"""The rows of the papers that a request needs, written in the transaction that the request itself is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection

from hardware.code_scanner.interface import LARGEST_JPEG_BYTES
from kiosk.store.counters import insert
from kiosk.store.schema import requirement_papers
from kiosk.store.vault import Vault

JPEG_BEGINS = b"\xff\xd8\xff"
PHOTO_COLUMN = "requirement_papers.photo"


class PaperState(StrEnum):
    DESK = "desk"  # the resident brings it to the desk
    PHOTO = "photo"  # photographed at the kiosk
    RECEIVED = "received"  # an officer has it, or takes the photo for it
    REFUSED = "refused"  # it is not what is needed: photograph or bring another


@dataclass(frozen=True, repr=False)
class Paper:
    """How a resident hands in one of a letter type's requirements: a JPEG, or None for «to the desk»."""

    requirement: str
    photo: bytes | None = None

    def __post_init__(self) -> None:
        if self.photo is not None and not self.photo.startswith(JPEG_BEGINS):
            raise ValueError("A photo of a paper must be a JPEG.")
        if self.photo is not None and len(self.photo) > LARGEST_JPEG_BYTES:
            raise ValueError(f"A photo of a paper has at most {LARGEST_JPEG_BYTES} bytes.")

    def __repr__(self) -> str:
        return f"Paper({self.requirement}, {'desk' if self.photo is None else 'photo'})"


def place_of(number: str, requirement: str) -> str:
    """What a photo is bound to: one paper of one request."""
    return f"{number}/{requirement}"


def hand_in(tx: Connection, vault: Vault, request_id: int, number: str, papers: Sequence[Paper], now: datetime) -> None:
    """Keep what a resident decided about each of these papers, in place of what was kept of them before."""
    for paper in papers:
        if paper.photo is None:
            write(tx, request_id, paper.requirement, now, state=PaperState.DESK, photo=None)
        else:
            sealed = vault.encrypt_bytes(paper.photo, PHOTO_COLUMN, place_of(number, paper.requirement))
            write(tx, request_id, paper.requirement, now, state=PaperState.PHOTO, photo=sealed)


def write(tx: Connection, request_id: int, requirement: str, now: datetime, **columns: object) -> None:
    """One paper's row, made where it is missing; only `columns` of it change."""
    changed = {"changed_at": now, **columns}
    statement = insert(tx, requirement_papers).values(request_id=request_id, requirement=requirement, **changed)
    place = [requirement_papers.c.request_id, requirement_papers.c.requirement]
    tx.execute(statement.on_conflict_do_update(index_elements=place, set_=changed))
