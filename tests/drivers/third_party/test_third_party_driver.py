"""A driver in a package that this repository does not know: found by its entry point, held to the same contract."""

import pytest
from drivers.card_reader.test_card_reader_contract import *  # noqa: F403 - the contract's tests, on this folder's rig

from hardware import drivers
from hardware.card_reader.interface import CardReader


def test_it_is_found_once_it_is_installed(installed):
    driver = drivers.load("card_reader", "network")
    assert issubclass(driver, CardReader) and not driver.virtual
    assert driver.__module__ == "network_reader"


def test_it_is_among_those_that_an_unknown_name_is_answered_with(installed):
    with pytest.raises(drivers.UnknownDriver, match=r"network.*pcsc"):
        drivers.load("card_reader", "netwrk")
