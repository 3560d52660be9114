"""Finds drivers by name. They are entry points, so a third party adds one without touching this repository."""

from hardware.device import Device


class UnknownDriver(Exception):
    """No installed package offers a driver of that name."""


def load(kind: str, name: str) -> type[Device]:
    """The driver class named `name` of `kind` ("card_reader", "code_scanner", "printer", "page_printer", "speaker",
    "machine").

    Raises UnknownDriver, whose text lists the names that exist.
    """
    # Not with the module: it costs the first frame some milliseconds.
    from importlib.metadata import entry_points

    found = entry_points(group=f"anjungan_desa.{kind}")
    if name not in found.names:
        raise UnknownDriver(f"no {kind} driver is called {name!r}; there are: {', '.join(sorted(found.names))}")
    return found[name].load()
