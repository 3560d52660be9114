"""The hall's officers: those who check, sign and hand out letters."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What an officer may do at the desk: operators check, and secretary and head also sign."""

    OPERATOR = "operator"
    SECRETARY = "secretary"
    HEAD = "head"


@dataclass(frozen=True)
class Officer:
    """`name` and `nip` stand on letters as they are written here; `nip` is empty for who has none."""

    id: int
    username: str
    name: str
    nip: str
    role: Role
    active: bool = True
