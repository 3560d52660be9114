"""The queue story: choose a service, take a number, take the ticket, sit down."""

from typing import Any

from config.translations import in_language
from kiosk.flows.printing import DidItComeOut, Print
from kiosk.flows.told import Finished, done
from kiosk.intents import Chosen
from kiosk.queue import Ticket
from kiosk.spooler import UncertainTicket
from kiosk.step import Next, Step, Wait
from kiosk.views import Choice, ChoiceView, Fact, ResultView, View
from kiosk.visit import Visit


def open_queue() -> Step:
    def waiting(office: Any) -> dict[str, int]:
        return {service.code: office.queue.waiting(service.code) for service in office.settings.queue.services}

    return Wait(waiting, ChooseService)


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
                    in_language(service.name, visit.language),
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


class TicketTaken(Finished):
    def __init__(self, ticket: Ticket, on_paper: bool) -> None:
        super().__init__(on_paper)
        self._ticket = ticket

    def view(self, visit: Visit) -> View:
        services = {service.code: service.name for service in visit.office.settings.queue.services}
        code = self._ticket.service_code  # a service may have gone from the settings since
        return ResultView(
            visit.say("take_your_ticket" if self._on_paper else "remember_your_number"),
            visit.say("sit_and_wait"),
            tone=self._tone,
            big=self._ticket.number,
            facts=(
                Fact(visit.say("service"), in_language(services[code], visit.language) if code in services else code),
                Fact(visit.say("waiting_before_you"), str(self._ticket.waiting or visit.say("nobody"))),
            ),
            choices=(done(visit),),
        )
