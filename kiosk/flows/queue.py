"""The queue story: choose a service, take a number, take the ticket, sit down."""

from typing import Any

from config.settings import QueueService
from kiosk.flows.printing import DidItComeOut, Print
from kiosk.intents import Chosen
from kiosk.queue import Ticket
from kiosk.spooler import UncertainTicket
from kiosk.step import End, Next, Patience, Step, Wait
from kiosk.views import Choice, ChoiceView, Fact, ResultView, View
from kiosk.visit import Visit


def open_queue() -> Step:
    def waiting(office: Any) -> dict[str, int]:
        return {service.code: office.queue.waiting(service.code) for service in office.settings.queue.services}

    return Wait(waiting, ChooseService)


def service_name(service: QueueService, language: str) -> str:
    return service.name.get(language, service.name["id"])


class ChooseService(Step):
    """`waiting`: service code → how many people wait for it."""

    def __init__(self, waiting: dict[str, int]) -> None:
        self._waiting = waiting

    def view(self, visit: Visit) -> View:
        return ChoiceView(
            visit.say("take_number"),
            visit.say("choose_service"),
            choices=tuple(
                Choice(
                    service.code,
                    service_name(service, visit.language),
                    service.icon,
                    self._people_waiting(service.code, visit),
                )
                for service in visit.office.settings.queue.services
            ),
        )

    def _people_waiting(self, code: str, visit: Visit) -> str:
        waiting = self._waiting[code]
        return visit.say("people_waiting", n=waiting) if waiting else visit.say("nobody_waiting")

    def on(self, event: Any, visit: Visit) -> Next:
        match event:
            case Chosen(value=code) if code in self._waiting:
                return take_number(visit, code)
        return None


def take_number(visit: Visit, code: str) -> Step:
    """The number and its print job come into being together; from then on the number is the visitor's."""
    key, language = visit.new_key("ticket"), visit.language

    def taken(ticket: Ticket) -> Step:
        return Print(
            ticket.print_job_id,
            title=visit.say("your_queue_number"),
            then=lambda on_paper: TicketTaken(ticket, on_paper),
            number=ticket.number,
        )

    return Wait(lambda office: office.queue.take(code, key, language), taken)


def ask_about(uncertain: UncertainTicket, visit: Visit) -> Step:
    """Its owner is back: is the ticket in their hand?"""
    title, number = visit.say("your_queue_number"), uncertain.number
    return Wait(
        lambda office: office.queue.get(uncertain.ticket_id),
        lambda ticket: DidItComeOut(uncertain.job_id, title, lambda on_paper: TicketTaken(ticket, on_paper), number),
    )


class TicketTaken(Step):
    patience = Patience.RESULT
    final = True
    returnable = False
    leaves = False

    def __init__(self, ticket: Ticket, on_paper: bool) -> None:
        self._ticket, self._on_paper = ticket, on_paper

    def view(self, visit: Visit) -> View:
        services = {service.code: service for service in visit.office.settings.queue.services}
        return ResultView(
            visit.say("take_your_ticket" if self._on_paper else "remember_your_number"),
            visit.say("sit_and_wait"),
            tone="good" if self._on_paper else "attention",
            big=self._ticket.number,
            facts=(
                Fact(visit.say("service"), service_name(services[self._ticket.service_code], visit.language)),
                Fact(visit.say("waiting_before_you"), str(self._ticket.waiting or visit.say("nobody"))),
            ),
            choices=(Choice("done", visit.say("done"), "ok", prominent=True),),
        )

    def on(self, event: Any, visit: Visit) -> Next:
        match event:
            case Chosen(value="done"):
                return End()
        return None
