"""What an officer may do with a request, by its state and the officer's role."""

from enum import Enum

from kiosk.letter_types import LetterType
from kiosk.officers import SIGNERS, Officer
from kiosk.requests import LetterRequest, RequestState


class Action(Enum):
    """Its value is the state that it leads to; None where it leads to none of itself."""

    CHECK = RequestState.CHECKING
    APPROVE = RequestState.SIGNING
    GIVE_BACK = RequestState.RETURNED
    REFUSE = RequestState.REFUSED
    COLLECT = RequestState.COLLECTED
    WITHDRAW = RequestState.WITHDRAWN
    SIGN = "sign"
    PRINT = "print"

    @property
    def into(self) -> RequestState | None:
        return self.value if isinstance(self.value, RequestState) else None


_BY_STATE = {
    RequestState.SUBMITTED: {Action.CHECK},
    RequestState.CHECKING: {Action.APPROVE, Action.GIVE_BACK, Action.REFUSE},
    RequestState.RETURNED: {Action.REFUSE},
    RequestState.SIGNING: {Action.SIGN, Action.GIVE_BACK, Action.REFUSE},
    RequestState.READY: {Action.COLLECT, Action.PRINT, Action.WITHDRAW},
    RequestState.COLLECTED: {Action.PRINT, Action.WITHDRAW},
}
#: What only those who sign letters may do, whatever the state.
_SIGNERS_ONLY = {Action.SIGN, Action.WITHDRAW}


def actions(request: LetterRequest, officer: Officer, letter_type: LetterType | None) -> frozenset[Action]:
    """`letter_type` is None for a type that is no longer on offer: its letters are no longer signed."""
    possible = set(_BY_STATE.get(request.state, ()))
    if officer.role not in SIGNERS:
        possible -= _SIGNERS_ONLY
        if request.state is RequestState.SIGNING:  # it is with the signers now
            possible -= {Action.GIVE_BACK, Action.REFUSE}
    if letter_type is None or officer.role is not due(request, letter_type):
        possible.discard(Action.SIGN)
    return frozenset(possible)


def due(request: LetterRequest, letter_type: LetterType) -> object:
    """The role whose signature the request waits for, or would."""
    return letter_type.signers[min(request.signed, len(letter_type.signers) - 1)]


def is_last_signature(request: LetterRequest, letter_type: LetterType) -> bool:
    """Whether the next signature makes the letter."""
    return request.signed + 1 >= len(letter_type.signers)
