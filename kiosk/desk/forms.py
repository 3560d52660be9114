"""What officers type, checked."""

from flask import render_template, request

from kiosk.paper.text import clean

#: No larger number than every database takes for an id.
MOST_ID = 2**31 - 1


class WrongInput(ValueError):
    """Something typed will not do; the text says what, in Indonesian, and is shown with a way back."""


def typed(name: str, label: str, longest: int = 100, shortest: int = 1) -> str:
    """A line of text, without control characters and space around it. Raises WrongInput."""
    text = " ".join(clean(request.form.get(name, "")).split())
    if len(text) < shortest:
        raise WrongInput(f"{label} belum diisi." if not text else f"{label} paling sedikit {shortest} huruf.")
    if len(text) > longest:
        raise WrongInput(f"{label} paling banyak {longest} huruf.")
    return text


def typed_secret(name: str) -> str:
    """A password or passphrase, as it was typed; empty where there is none."""
    return request.form.get(name, "")


def wrong_input_page(error: WrongInput) -> str:
    """Where no page can show what was typed beside it."""
    return render_template("error.html", title="Isian belum benar", text=str(error))


def row_id(text: str) -> int:
    """Of an address. Raises ValueError, which stands for none."""
    if not 1 <= (number := int(text)) <= MOST_ID:
        raise ValueError("no database has that id")
    return number
