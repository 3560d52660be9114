"""Debian's Chromium, driven as somebody at the desk uses it."""

import base64
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

CHROMIUM, DRIVER = "/usr/bin/chromium", "/usr/bin/chromedriver"
PATIENCE_S = 30
#: Width and height of a telephone and of a desktop, in CSS pixels.
PHONE, DESKTOP = (360, 740), (1280, 800)


class RealBrowser:
    """`driver` is Selenium's. Buttons and fields are found by the words that stand on them."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver

    def open(self, url: str) -> None:
        self.driver.get(url)

    @property
    def words(self) -> str:
        return self.driver.find_element(By.TAG_NAME, "body").text

    def type(self, label: str, text: str) -> None:
        """Into the field with that label."""
        field = self._field(label)
        field.clear()
        field.send_keys(text)

    def choose(self, label: str, option: str) -> None:
        """Of a list; or a file's path."""
        self._field(label).send_keys(option)

    def choose_day(self, label: str, day: str) -> None:
        """As «2026-11-24»: in which order the browser's own field takes it depends on the machine's language."""
        self.driver.execute_script("arguments[0].value = arguments[1]", self._field(label), day)

    def press(self, words: str) -> None:
        """The button or link that says so; returns when the next page is there."""
        before = self.driver.find_element(By.TAG_NAME, "html")
        self._one(f"//button[normalize-space()={_quoted(words)}] | //a[normalize-space()={_quoted(words)}]").click()
        WebDriverWait(self.driver, PATIENCE_S).until(lambda driver: driver.find_element(By.TAG_NAME, "html") != before)

    def unfold(self, words: str) -> None:
        self._one(f"//summary[normalize-space()={_quoted(words)}]").click()

    def resize(self, size: tuple[int, int]) -> None:
        """Be a screen of that size: a window cannot be as narrow as a telephone."""
        width, height = size
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": size == PHONE}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def picture(self, path: Path) -> None:
        """The whole page as a PNG, beyond what fits the screen."""
        shot = self.driver.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True})
        path.write_bytes(base64.b64decode(shot["data"]))

    def run(self, script: str) -> Any:
        return self.driver.execute_script(script)

    def complaints(self) -> list[str]:
        """What the browser wrote to its console, such as what a policy forbade; not that an answer was a refusal."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["source"] != "network"]

    def _field(self, label: str) -> WebElement:
        found = self._one(f"//label[normalize-space()={_quoted(label)}]")
        return self.driver.find_element(By.ID, found.get_attribute("for"))

    def _one(self, path: str) -> WebElement:
        found = [element for element in self.driver.find_elements(By.XPATH, path) if element.is_displayed()]
        assert len(found) == 1, f"{len(found)} of {path} on {self.driver.current_url}:\n{self.words}"
        return found[0]


@contextmanager
def real_browser() -> Iterator[RealBrowser]:
    """A fresh one, which trusts whatever certificate it is shown."""
    with tempfile.TemporaryDirectory(prefix="chromium-") as profile:
        options = webdriver.ChromeOptions()
        options.binary_location = CHROMIUM
        options.accept_insecure_certs = True
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        for argument in ("--headless=new", "--disable-gpu", f"--user-data-dir={profile}", "--disable-dev-shm-usage"):
            options.add_argument(argument)
        if os.geteuid() == 0:
            options.add_argument("--no-sandbox")
        driver = webdriver.Chrome(options, Service(DRIVER))
        try:
            yield RealBrowser(driver)
        finally:
            driver.quit()


def _quoted(words: str) -> str:
    assert '"' not in words
    return f'"{words}"'
