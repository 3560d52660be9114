"""The panel itself, and how it hears from the bench and speaks to it."""

import base64
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kivy.animation import Animation
from kivy.app import App
from kivy.clock import Clock
from kivy.core.window import Window
from kivy.metrics import dp, sp
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.gridlayout import GridLayout
from kivy.uix.scrollview import ScrollView
from kivy.uix.textinput import TextInput
from kivy.uix.widget import Widget

from hardware.bench.client import BenchClient, Subscription
from hardware.bench.world import UNREADABLE_CARD, BenchError
from screens.bench_panel.parts import (
    ACCENT,
    CARD,
    CARD_INK,
    FAINT_INK,
    INK,
    RED,
    WHITE,
    Banner,
    FaultSwitch,
    Light,
    Machine,
    Paper,
    Push,
    Text,
    fill,
)  # fmt: skip

SIDE = (251, 248, 243)
TABLE_TOP, TABLE_BOTTOM = (233, 216, 189), (203, 172, 132)
KEPT_PAPERS = 20
NEWEST_ERRORS = 4
SLIDE_DP_PER_S = 500


@dataclass(frozen=True)
class Fault:
    """A switch: its text, the commands that turn it on and off, and what it reads from the bench's state."""

    text: str
    on: tuple[str, ...]
    off: tuple[str, ...]
    is_on: Callable[[dict[str, Any]], bool]


def _unplugged(device: str) -> Fault:
    return Fault(
        f"{device.capitalize()} unplugged", ("unplug", device), ("plug", device),
        lambda state: device in state["unplugged"],
    )  # fmt: skip


def _printer_fault(text: str, fact: str, on: tuple[str, ...], off: tuple[str, ...]) -> Fault:
    return Fault(text, on, off, lambda state: state["printer"] is not None and state["printer"][fact])


FAULTS = (
    _printer_fault("Paper out", "paper_out", ("paper-out",), ("refill",)),
    _printer_fault("Paper near its end", "paper_near_end", ("paper-near-end",), ("refill",)),
    _printer_fault("Cover open", "cover_open", ("open-cover",), ("close-cover",)),
    _printer_fault("Cutter stuck", "jammed", ("jam",), ("clear-jam",)),
    _printer_fault("Printer silent", "silent", ("silence", "printer"), ("answer", "printer")),
    _printer_fault("Printer off", "powered_off", ("power-off", "printer"), ("power-on", "printer")),
    *map(_unplugged, ("printer", "reader", "scanner")),
)


class Panel(BoxLayout):
    """All of it. `act(command, *arguments)` sends a command to the bench without waiting."""

    __events__ = ("on_paper_out",)

    def __init__(self, act: Callable[..., None]) -> None:
        super().__init__()
        self._act = act
        self._lights = {name: Light(name) for name in ("reader", "scanner", "printer")}
        self._switches = [(self._switch(fault), fault) for fault in FAULTS]
        self._cards = GridLayout(cols=2, spacing=dp(8), size_hint_y=None)
        self._cards.bind(minimum_height=self._cards.setter("height"))
        self._unreadable_card = Push("Unreadable card", lambda: self._act("unreadable-card"))
        self._message = Text(color=FAINT_INK, size_sp=13)
        self._errors = Banner()
        self._shown = TextInput(
            hint_text="A text, or the path of a picture", multiline=False, font_size=sp(14),
            size_hint_y=None, height=dp(38), background_normal="", background_active="", background_color=WHITE,
            foreground_color=INK, padding=(dp(10), dp(9)),
        )  # fmt: skip
        self._shown.bind(on_text_validate=lambda *_: self._show_typed())
        self.add_widget(self._side())
        self.add_widget(self._table())

    def receive(self, event: dict) -> None:
        """Draw a change of the bench."""
        if event["event"] == "paper":
            self._come_out(Paper(base64.b64decode(event["png"]), event["number"]))
        else:
            self._show_state(event["state"])

    def say(self, text: str, is_error: bool) -> None:
        self._message.text = text
        self._message.color = RED if is_error else FAINT_INK

    @property
    def papers_out(self) -> int:
        """How many papers have come out to their end."""
        return sum(paper.out == 1 for paper in self._papers.children)

    # Left: what a hand can do.

    def _side(self) -> Widget:
        column = GridLayout(cols=1, spacing=dp(8), padding=dp(18), size_hint_y=None)
        column.bind(minimum_height=column.setter("height"))
        for widget in (
            self._heading("Residents"), self._cards, self._card_buttons(),
            self._heading("Before the scanner"), Push("Show the QR printed last", lambda: self._act("show-qr", "last")),
            self._typed_row(), Text("… or drop a picture onto this window", size_sp=12, color=FAINT_INK),
            self._heading("Faults"), self._fault_grid(),
            self._heading("Devices"), *self._lights.values(),
            self._message,
        ):  # fmt: skip
            column.add_widget(widget)
        scroll = ScrollView(size_hint_x=None, width=dp(400), do_scroll_x=False, scroll_type=["bars", "content"])
        scroll.add_widget(column)
        fill(scroll, SIDE, SIDE)
        return scroll

    def _heading(self, text: str) -> Widget:
        return Text(text, size_sp=15, bold=True, color=ACCENT, padding=(0, dp(8), 0, 0))

    def _card_buttons(self) -> Widget:
        row = GridLayout(cols=2, spacing=dp(8), size_hint_y=None, height=dp(38))
        row.add_widget(Push("Take the card away", lambda: self._act("take-card")))
        row.add_widget(self._unreadable_card)
        return row

    def _typed_row(self) -> Widget:
        row = BoxLayout(spacing=dp(8), size_hint_y=None, height=dp(38))
        row.add_widget(self._shown)
        row.add_widget(Push("Show", self._show_typed, size_hint_x=None, width=dp(70)))
        return row

    def _fault_grid(self) -> Widget:
        grid = GridLayout(cols=2, size_hint_y=None, height=dp(30) * ((len(FAULTS) + 1) // 2))
        for switch, _ in self._switches:
            grid.add_widget(switch)
        return grid

    def _switch(self, fault: Fault) -> FaultSwitch:
        return FaultSwitch(fault.text, lambda wanted: self._act(*(fault.on if wanted else fault.off)))

    def _show_typed(self) -> None:
        if self._shown.text:
            self._act("show-qr", self._shown.text)

    def _show_state(self, state: dict) -> None:
        if len(self._cards.children) != len(state["cards"]):
            self._cards.clear_widgets()
            for name in state["cards"]:
                self._cards.add_widget(self._card(name))
        for card in self._cards.children:
            card.on = card.name == state["card_on_reader"]
            card.text = f"[b]{card.name}[/b]" + ("\n[size=12sp]on the reader[/size]" if card.on else "")
        self._unreadable_card.on = state["card_on_reader"] == UNREADABLE_CARD
        for name, light in self._lights.items():
            light.show(state["devices"][name])
        for switch, fault in self._switches:
            switch.on = fault.is_on(state)
        self._machine.show(state)
        self._errors.show([f"The printer did not understand: {error}" for error in state["errors"][-NEWEST_ERRORS:]])

    def _card(self, name: str) -> Push:
        card = Push("", lambda: self._act("tap", name), color=CARD_INK, height=dp(54), fill=CARD, markup=True)
        card.halign = "center"
        card.name = name
        return card

    # Right: the paper.

    def _table(self) -> Widget:
        self._machine = Machine()
        self._papers = BoxLayout(orientation="vertical", size_hint_y=None, spacing=dp(4))
        self._scroll = ScrollView(do_scroll_x=False, scroll_type=["bars", "content"], bar_width=dp(6), scroll_y=0)
        self._scroll.bar_color = self._scroll.bar_inactive_color = (*INK[:3], 0.25)
        self._scroll.bind(height=self._lay_papers)
        self._papers.bind(minimum_height=self._lay_papers)
        self._scroll.add_widget(self._papers)
        # The machine overlaps the view, so that the paper ends in its slot.
        printer = BoxLayout(orientation="vertical", spacing=-dp(12))
        printer.add_widget(self._scroll)
        printer.add_widget(self._machine)
        table = BoxLayout(orientation="vertical", padding=(dp(24), dp(12), dp(24), dp(20)), spacing=dp(8))
        table.add_widget(self._errors)
        table.add_widget(printer)
        fill(table, TABLE_TOP, TABLE_BOTTOM)
        return table

    def _lay_papers(self, *_: object) -> None:
        """As high as the view at least: the papers lie at the slot also while they are few."""
        self._papers.height = max(self._papers.minimum_height, self._scroll.height)

    def _come_out(self, paper: Paper) -> None:
        paper.out = 0
        paper.pos_hint = {"center_x": 0.5}
        self._papers.add_widget(paper)
        for old in self._papers.children[KEPT_PAPERS:]:
            self._papers.remove_widget(old)
        self._scroll.scroll_y = 0
        slide = Animation(out=1, duration=paper.full_height_px / dp(SLIDE_DP_PER_S))
        slide.bind(on_complete=lambda *_: self.dispatch("on_paper_out"))
        slide.start(paper)

    def on_paper_out(self) -> None:
        """A paper has come out to its end."""


class PanelApp(App):
    """The process: a thread that listens to the bench, one that speaks to it, and the window's, which never waits.

    picture: where to save a picture of the panel once `papers` papers have come out; then the process ends.
    """

    title = "Anjungan Desa: the bench"

    def __init__(self, client: BenchClient, subscription: Subscription, picture: Path | None, papers: int) -> None:
        super().__init__()
        self._client = client
        self._subscription = subscription
        self._picture = picture
        self._papers = papers
        self._speaker = ThreadPoolExecutor(1, "bench speaker")
        self._listener = threading.Thread(target=self._listen, name="bench listener", daemon=True)

    def build(self) -> Panel:
        panel = Panel(self._act)
        if self._picture is not None:
            panel.bind(on_paper_out=self._save_picture)
        Window.bind(on_drop_file=lambda window, name, *_: self._act("show-qr", os.fsdecode(name)))
        return panel

    def on_start(self) -> None:
        self._listener.start()

    def on_stop(self) -> None:
        self._subscription.close()
        self._speaker.shutdown(wait=False, cancel_futures=True)

    def _listen(self) -> None:
        for event in self._subscription:
            Clock.schedule_once(lambda _, event=event: self.root.receive(event))
        Clock.schedule_once(lambda _: self.stop())  # the kiosk has ended

    def _act(self, command: str, *arguments: str) -> None:
        self._speaker.submit(self._speak, command, arguments)

    def _speak(self, command: str, arguments: tuple[str, ...]) -> None:
        try:
            text, is_error = str(self._client.call(command, *arguments)), False
        except BenchError as error:
            text, is_error = str(error), True
        Clock.schedule_once(lambda _: self.root.say(text, is_error))

    def _save_picture(self, panel: Panel) -> None:
        if panel.papers_out >= self._papers:
            Clock.schedule_once(lambda _: self._save_and_end(panel))  # in the next frame: this one is not laid out yet

    def _save_and_end(self, panel: Panel) -> None:
        panel.export_to_png(str(self._picture))
        self.stop()
