"""Whoever reads a code of a printer is told what to do, in Indonesian and English."""

import pytest

from config.translations import messages
from hardware.page_printer.codes import PagePrinterCode
from hardware.printer.codes import PrinterCode


@pytest.mark.parametrize("code", [*PrinterCode, *PagePrinterCode])
def test_every_code_has_its_advice(code: str) -> None:
    advice = messages()["advice_" + code.lower().replace("-", "_")]
    assert advice["id"] and advice["en"]
