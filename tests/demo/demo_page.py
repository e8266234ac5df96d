"""The demo as a person uses it: what is picked, dropped, painted and read, by a driven browser."""

import io
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

SECONDS = 40  # that anything may take


class DemoPage:
    """One page in one browser. Whatever is waited for appears, or the test fails."""

    def __init__(self, driver: Any):
        self.driver = driver

    def until(self, found: Callable[[], Any]) -> Any:
        """Wait for something true; elements may be replaced meanwhile."""
        from selenium.common.exceptions import JavascriptException, StaleElementReferenceException

        ignored = (StaleElementReferenceException, IndexError, JavascriptException)
        return WebDriverWait(self.driver, SECONDS, 0.05, ignored).until(lambda _: found())

    def seen(self, selector: str) -> list[Any]:
        """The elements that can be seen, once there are some."""
        return self.until(
            lambda: [one for one in self.driver.find_elements("css selector", selector) if one.is_displayed()]
        )

    def type_model(self, handle: str) -> None:
        [field] = self.seen("input[role=combobox]")
        field.click()
        field.send_keys(Keys.CONTROL, "a")
        field.send_keys(handle, Keys.ENTER)

    def pick(self, name: str) -> None:
        """Type a model's name, and wait for its facts."""
        self.type_model(name)
        self.until(lambda: self.facts().startswith(f"{name}\n"))

    def facts(self) -> str:
        return self.driver.find_element("id", "facts").text

    def drop(self, path: Path | str) -> None:
        """Give a file to the input that is seen."""
        self.until(lambda: self.driver.find_elements("css selector", "[id^=give-] input[type=file]"))[0].send_keys(
            str(path)
        )

    def run_until(self, part: str) -> None:
        """Press Run, again if the browser had not sent all of the input yet, until `part` stands in the line."""

        def pressed() -> bool:
            [button] = [one for one in self.seen("button") if one.text == "Run"]
            button.click()
            return part in self.said(".")

        self.until(pressed)

    def clear(self) -> None:
        """Take back what was dropped."""
        self.seen("[id^=give-] button:is([aria-label=Clear], [aria-label='Remove Image'])")[0].click()

    def said(self, part: str) -> str:
        """The line about the answer, once `part` stands in it."""
        return self.until(lambda: part in self.status() and self.status())

    def status(self) -> str:
        return self.driver.find_element("id", "status").text

    def images(self, count: int = 1) -> list[Image.Image]:
        """The images of the answer, as the server has them."""
        script = "return [...document.querySelectorAll('[id^=answer-] img')].map(image => image.src)"

        def whole() -> list[str]:
            sources = self.driver.execute_script(script)
            return sources if len(sources) == count else []

        return [Image.open(io.BytesIO(urllib.request.urlopen(source).read())) for source in self.until(whole)]

    def stroke(self, width: int, height: int) -> None:
        """Paint a line over the middle of the canvas, in pixels of the screen."""
        self.seen("[id^=give-] button[aria-label=Color]")  # the brush is there once the image is
        [canvas] = self.seen("[id^=give-] .pixi-target canvas")
        chain = ActionChains(self.driver).move_to_element_with_offset(canvas, -width // 2, -height // 2)
        chain.click_and_hold().move_by_offset(width, height).release().perform()
