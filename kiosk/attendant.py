"""The attendant is the one consumer of the bus: it stands at the kiosk, one visit after the other.

It decides what is the same in every step: whose turn an event is, going back, leaving, language, help, the deadlines,
the warning, another person's card, and the apology when something breaks. What a step is about, the step decides.
"""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Protocol

from config.settings import Settings
from config.translations import say
from hardware.card_reader.interface import CardPresented, CardReader, CardRemoved
from hardware.code_scanner.interface import FrameSeen
from hardware.device import StatusChanged
from hardware.speaker.interface import Speaker
from kiosk.bus import Bus, FrameDrawn
from kiosk.clock import Clock
from kiosk.devices import Devices
from kiosk.flows.ending import Apology, ForgottenCard, Help
from kiosk.flows.home import Home
from kiosk.flows.identify import identify_by_card
from kiosk.flows.letter import open_letters
from kiosk.flows.starting import Starting
from kiosk.idle import FIRST_SERIAL, idle_view, out_of_order_view
from kiosk.intents import (
    Chosen,
    HelpAsked,
    Intent,
    LanguageChosen,
    Left,
    ListenAsked,
    StillHere,
    TextSizeToggled,
    WentBack,
)
from kiosk.journal import Event
from kiosk.office import Office, OfficeClosed, OfficeOpened
from kiosk.step import Anew, Back, End, EndReason, Failed, Patience, Reply, Step
from kiosk.traces import trace_of
from kiosk.views import Scene, View, Warning
from kiosk.visit import Visit
from kiosk.voice import spoken

log = logging.getLogger(__name__)

#: A machine that works longer than this without a sign of life is broken, and the visit ends on the apology.
MACHINE_LIMIT_S = 90.0


#: A result of somebody who proved who they are: they walk off with their paper, and the next person stands close.
IDENTIFIED_RESULT_S = 10.0


class Face(Protocol):
    """What the attendant needs of a screen; both may be called from its thread."""

    def show(self, scene: Scene) -> None: ...

    def show_frame(self, width_px: int, height_px: int, rgb: bytes) -> None:
        """What the camera sees now, where the scene has room for it."""

    def warn(self, warning: Warning | None) -> None: ...


class Stop:
    """Posted on the bus, ends `run`."""


class SceneFailed:
    """Posted by the face: what was shown could not be drawn."""


class Attendant:
    """`pulse` is called for each drawn frame that reaches the attendant: a watchdog's sign that both are alive."""

    def __init__(
        self,
        settings: Settings,
        bus: Bus,
        clock: Clock,
        face: Face,
        devices: Devices,
        workers: ThreadPoolExecutor,
        pulse: Callable[[], None] | None = None,
    ) -> None:
        self._settings, self._bus, self._clock, self._face = settings, bus, clock, face
        self._devices, self._workers, self._pulse = devices, workers, pulse
        self._office: Office | None = None
        self._office_error = ""
        self._visit: Visit | None = None
        self._step: Step | None = None
        self._history: list[Step] = []
        self._serial = FIRST_SERIAL - 1
        self._scene: Scene | None = None
        self._pending_scene_at_s: float | None = None
        self._deadline_s: float | None = None
        self._warned_s: int | None = None
        self._said = ""  # what was read out last, so that a view that is shown again is not repeated

    # The loop.

    def run(self) -> None:
        self._show_idle()
        while True:
            event = self._bus.get(self._seconds_until_next())
            if isinstance(event, Stop):
                return
            self.handle(event)

    def handle(self, event: Any | None) -> None:
        """One event, or None when only time has passed. Never raises: what a step raises ends the visit."""
        try:
            if event is not None:
                self._dispatch(event)
            self._look_at_the_clock()
        except Exception as error:
            log.error("a step failed; the visit ends on the apology: %s", trace_of(error))
            self._apologise()

    def _dispatch(self, event: Any) -> None:
        match event:
            case FrameDrawn():
                self._pulse()
            case OfficeOpened(office=office):
                self._office, self._office_error = office, ""
                if self._visit is None:
                    self._renew_idle()
                else:
                    self._visit.office = office
                    self._offer(event)
            case OfficeClosed(code=code):
                self._office_error = code
                self._forget_visit()
                self._show_idle()
            case StatusChanged():
                self._on_status(event)
            case Intent():
                self._on_intent(event)
            case CardPresented():
                self._on_card(event)
            case CardRemoved():
                self._on_card_removed(event)
            case Reply() | Failed():
                self._on_answer(event)
            case FrameSeen(frame=frame):
                if self._visit is not None and self._step.watches_camera:
                    self._face.show_frame(frame.width_px, frame.height_px, frame.rgb)
            case SceneFailed():
                self._apologise()
            case _:
                self._offer(event)

    # Whose turn an event is.

    def _on_status(self, event: StatusChanged) -> None:
        before = self._devices.serving(event.kind)
        self._devices.note(event)
        if event.kind == CardReader.kind and not event.status.serving:
            self._devices.card_present = False
        self._journal(Event.DEVICE_CHANGED, device=event.device, state=event.status.state, code=event.status.code)
        if self._visit is None:
            if before != self._devices.serving(event.kind):
                self._renew_idle()
        else:
            self._offer(event)
            if event.kind == Speaker.kind and before != self._devices.serving(event.kind) and self._scene is not None:
                self._show(fresh=False)  # «Dengarkan» comes or goes

    def _on_intent(self, intent: Intent) -> None:
        if self._visit is None:
            self._on_intent_while_idle(intent)
            return
        was_speaking = self._devices.speaking
        self._devices.hush()  # at any touch
        if self._scene is None or intent.serial != self._scene.serial:
            return  # made on a screen that is gone
        self._extend()
        match intent:
            case LanguageChosen(language=language):
                if language in self._settings.screen.languages:
                    self._visit.language = language
                    self._show(fresh=False)
            case TextSizeToggled():
                self._visit.large_text = not self._visit.large_text
                self._show(fresh=False)
            case ListenAsked():
                self._listen(not (self._visit.listens and was_speaking))
            case StillHere():
                pass
            case HelpAsked():
                self._journal(Event.HELP_ASKED)
                if not isinstance(self._step, Help):
                    self._arrive(Help(self._step))
            case WentBack():
                if self._scene.can_go_back:
                    self._go_back()
            case Left():
                if self._scene.can_leave:
                    self._end(EndReason.LEFT)
            case _:
                self._offer(intent)

    def _listen(self, on: bool) -> None:
        self._visit.listens, self._said = on, ""
        self._show(fresh=False)

    def _on_intent_while_idle(self, intent: Intent) -> None:
        match intent:
            case Chosen(value="start"):
                self._begin("id", None)
            case LanguageChosen(language=language) if language in self._settings.screen.languages:
                self._begin(language, None)

    def _on_card(self, event: CardPresented) -> None:
        self._devices.card_present = True
        if self._visit is None:
            self._begin("id", event)
        elif self._visit.resident is not None and not self._visit.is_owner_of(event.card):
            language = self._visit.language
            self._end(EndReason.OTHER_CARD)
            self._begin(language, event)
        else:
            self._extend()
            self._offer(event)

    def _on_card_removed(self, event: CardRemoved) -> None:
        self._devices.card_present = False
        if self._visit is None:
            return
        if self._in_cradle and (self._visit.card is not None or self._visit.resident is not None):
            self._end(EndReason.CARD_TAKEN)
        else:
            self._offer(event)

    @property
    def _in_cradle(self) -> bool:
        return self._settings.card_reader is not None and self._settings.card_reader.cradle

    def _on_answer(self, event: Reply | Failed) -> None:
        if self._visit is not None and self._visit.awaits(event.visit_id, event.asked):
            self._offer(event)
        else:
            self._journal(Event.REPLY_DROPPED)

    def _offer(self, event: Any) -> None:
        if self._visit is None or self._step is None:
            return
        step = self._step
        if isinstance(step, Help) and not isinstance(event, Intent):
            step = step.under  # what it waits for goes on meanwhile
        following = step.on(event, self._visit)
        match following:
            case None:
                return
            case End(reason=reason):
                self._end(reason)
            case Anew(step=anew):
                self._begin_anew(anew)
            case Back():
                self._go_back()
            case _ if following is step:
                if step.patience is Patience.MACHINE:
                    self._extend()  # a sign of life
                if step is self._step:
                    self._show(fresh=False)
            case _:
                self._step = step
                self._go(following)

    # A visit's beginning, way and end.

    def _begin(self, language: str, card: CardPresented | None) -> None:
        if self._office_error:
            return
        if self._office is None:
            self._visit = Visit(None, language, self._ask)
            self._go(Starting(card))
            return
        self._visit = Visit(self._office, language, self._ask)
        self._journal(Event.VISIT_BEGAN, visit=self._visit.id)
        self._go(Home() if card is None else identify_by_card(self._visit, card, open_letters))

    def _begin_anew(self, step: Step) -> None:
        """Another visit in the same language: nothing of this one may be reached from it."""
        language = self._visit.language
        self._journal(Event.VISIT_ENDED, visit=self._visit.id, reason=EndReason.LEFT)
        self._forget_visit()
        self._visit = Visit(self._office, language, self._ask)
        self._journal(Event.VISIT_BEGAN, visit=self._visit.id)
        self._go(step)

    def _go(self, step: Step) -> None:
        if step.final:
            self._history.clear()
        elif self._step is not None and self._step.returnable:
            self._history.append(self._step)
        self._arrive(step)

    def _go_back(self) -> None:
        if isinstance(self._step, Help):
            self._arrive(self._step.under, again=True)
        else:
            self._arrive(self._history.pop())

    def _arrive(self, step: Step, again: bool = False) -> None:
        """`again`: the step was never left, so what it asked when it was entered is not asked twice."""
        if isinstance(step, Home):
            self._history.clear()
        self._step = step
        self._extend()
        self._serial += 1  # from here on a tap on the last screen means nothing, even before the next is drawn
        if not again:
            step.enter(self._visit)
        if self._in_cradle and self._visit.card is not None and not self._devices.card_present:
            self._end(EndReason.CARD_TAKEN)  # while it was looked up
            return
        self._devices.listen_for_code(step.listens_for_code)
        self._devices.watch(step.watches_camera)
        if step.shown_after_s:
            self._scene = None
            self._pending_scene_at_s = self._clock.monotonic_s() + step.shown_after_s
        else:
            self._show(fresh=True)

    def _end(self, reason: EndReason) -> None:
        visit, told = self._visit, isinstance(self._step, ForgottenCard | Apology)
        self._journal(Event.VISIT_ENDED, visit=visit.id, reason=reason)
        self._forget_visit()
        card_is_theirs = reason not in (EndReason.CARD_TAKEN, EndReason.OTHER_CARD)
        if self._devices.card_present and card_is_theirs and not told:
            self._tell_after(visit, ForgottenCard())
        else:
            self._show_idle()

    def _apologise(self) -> None:
        visit, told = self._visit, isinstance(self._step, Apology)
        self._forget_visit()
        if visit is None or told:
            self._show_idle()
            return
        self._journal(Event.VISIT_FAILED, visit=visit.id)
        self._tell_after(visit, Apology())

    def _tell_after(self, ended: Visit, step: Step) -> None:
        """One more thing to whoever stood there; nothing of the ended visit is left but how they are spoken to."""
        self._visit = Visit(self._office, ended.language, self._ask)
        self._visit.listens = ended.listens
        self._go(step)

    def _forget_visit(self) -> None:
        """Nothing of the visit may be left, neither here nor on paper that is still to come."""
        if self._visit is not None:
            self._visit.wipe()
            if self._office is not None:
                self._later(partial(self._office.spooler.abandon, self._visit.id))
        self._visit = self._step = None
        self._history.clear()
        self._said = ""
        self._devices.listen_for_code(False)
        self._devices.watch(False)
        self._devices.hush()
        self._devices.reset_volume()

    # What is shown.

    def _show(self, fresh: bool) -> None:
        self._pending_scene_at_s = None
        self._serial += 1
        self._scene = Scene(
            serial=self._serial,
            view=self._step.view(self._visit),
            language=self._visit.language,
            large_text=self._visit.large_text,
            can_go_back=self._can_go_back(),
            can_leave=self._step.leaves,
            leaving_loses=self._step.loses,
            can_ask_help=self._step.offers_help,
            can_listen=self._step.read_aloud and self._devices.serving(Speaker.kind),
            listens=self._visit.listens,
            fresh=fresh,
        )
        self._face.show(self._scene)
        if self._scene.can_listen and self._scene.listens:
            self._read_out(spoken(self._scene.view, self._visit.language))

    def _read_out(self, text: str) -> None:
        """Unless it is what was read out last."""
        if text != self._said:
            self._said = text
            self._devices.say(text, self._visit.language)

    def _can_go_back(self) -> bool:
        works = self._step.patience is Patience.MACHINE
        return bool(self._history) and not (self._step.final or works or isinstance(self._step, Help))

    def _show_idle(self) -> None:
        self._deadline_s = self._pending_scene_at_s = None
        self._unwarn()
        self._serial += 1
        self._scene = Scene(serial=self._serial, view=self._idle_view())
        self._face.show(self._scene)

    def _renew_idle(self) -> None:
        """Only where it says something else: a redraw takes the button from under a finger that is touching it."""
        if self._scene is None or self._scene.view != self._idle_view():
            self._show_idle()

    def _idle_view(self) -> View:
        if self._office_error:
            return out_of_order_view(self._office_error)
        return idle_view(self._settings, self._devices, ready=self._office is not None)

    # Deadlines, all on the monotonic clock.

    def _extend(self) -> None:
        self._unwarn()
        if self._step is None:
            self._deadline_s = None
            return
        patience = self._settings.patience
        allowed_s = {
            Patience.VISITOR: patience.before_warning_s,
            Patience.RESULT: patience.after_result_s,
            Patience.MACHINE: MACHINE_LIMIT_S,
        }[self._step.patience]
        if self._step.patience is Patience.RESULT and self._visit.resident is not None:
            allowed_s = min(allowed_s, IDENTIFIED_RESULT_S)
        self._deadline_s = self._clock.monotonic_s() + allowed_s

    def _seconds_until_next(self) -> float | None:
        moments = [moment for moment in (self._deadline_s, self._pending_scene_at_s) if moment is not None]
        if not moments:
            return None
        wait_s = max(0.0, min(moments) - self._clock.monotonic_s())
        return wait_s if self._warned_s is None else min(wait_s, 1.0)

    def _look_at_the_clock(self) -> None:
        now_s = self._clock.monotonic_s()
        if self._pending_scene_at_s is not None and now_s >= self._pending_scene_at_s:
            self._show(fresh=True)
        if self._deadline_s is None or self._step is None:
            return
        if self._warned_s is not None:
            self._count_down(now_s)
        elif now_s >= self._deadline_s:
            self._on_deadline(now_s)

    def _on_deadline(self, now_s: float) -> None:
        match self._step.patience:
            case Patience.VISITOR:
                self._deadline_s = now_s + self._settings.patience.warning_s
                self._count_down(now_s)
                if self._visit.listens:
                    self._read_out(say(self._visit.language, "still_here"))
            case Patience.RESULT:
                self._end(EndReason.DONE)
            case Patience.MACHINE:
                raise TimeoutError(f"{type(self._step).__name__} had no answer within {MACHINE_LIMIT_S:.0f} s")

    def _count_down(self, now_s: float) -> None:
        left_s = round(self._deadline_s - now_s)
        if now_s >= self._deadline_s:
            self._end(EndReason.IDLE)
        elif left_s != self._warned_s:
            self._warned_s = left_s
            self._face.warn(Warning(left_s))

    def _unwarn(self) -> None:
        if self._warned_s is not None:
            self._warned_s = None
            self._face.warn(None)

    # Work that must not hold the visit up.

    def _ask(self, visit: Visit, asked: int, call: Callable[[Office], Any]) -> None:
        office = visit.office

        def work() -> None:
            try:
                answer: Reply | Failed = Reply(visit.id, asked, call(office))
            except Exception as error:
                log.error("the office could not answer: %s", trace_of(error))
                answer = Failed(visit.id, asked, error)
            self._bus.post(answer)

        self._workers.submit(work)

    def _journal(self, event: Event, **facts: Any) -> None:
        if self._office is not None:
            self._later(partial(self._office.journal.record, event, **facts))

    def _later(self, call: Callable[[], Any]) -> None:
        """On a worker, after what was asked before it."""

        def work() -> None:
            try:
                call()
            except Exception:  # a full disk must not stop the visits; the log keeps it
                log.exception("the office could not write down what happened")

        self._workers.submit(work)
