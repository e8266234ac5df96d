"""The documentation, built and opened in real Chromium: strict, whole, from one host, and it finds what it has."""

import os
import re
import subprocess
import sys
import urllib.parse
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.chromium import NEEDED, requested, served

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow  # builds the whole site


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """What `make docs` builds; strict, so that a warning is an error."""
    folder = tmp_path_factory.mktemp("documentation") / "site"
    command = [sys.executable, "-W", "default", "-m", "mkdocs", "build", "--quiet", "--site-dir", str(folder)]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


class Page(HTMLParser):
    """What a page links to and loads, and the places in it that others can link to."""

    def __init__(self, path):
        super().__init__()
        self.links, self.loaded, self.anchors = [], [], set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.anchors |= {attributes.get("id"), attributes.get("name")}
        if tag == "a":
            self.links += [attributes["href"]] if attributes.get("href") else []
        elif tag in ("img", "script", "link", "source", "iframe"):
            self.loaded += [attributes[name] for name in ("src", "href") if attributes.get(name)]


def test_every_internal_link_leads_somewhere_and_nothing_is_loaded_from_elsewhere(site):
    pages = {path: Page(path) for path in site.rglob("*.html")}
    assert len(pages) > 500  # the catalogue is a part of it
    broken = []
    for path, page in pages.items():
        assert not [address for address in page.loaded if urllib.parse.urlsplit(address).netloc], path
        for link in page.links + page.loaded:
            parts = urllib.parse.urlsplit(link)
            if parts.scheme or parts.netloc or path.name == "404.html":  # that page's links begin at the host
                continue
            target = (path.parent / urllib.parse.unquote(parts.path)).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            there = target.is_file() and (not parts.fragment or parts.fragment in pages[target].anchors)
            broken += [] if there else [f"{path.relative_to(site)}: {link}"]
    assert not broken, "\n".join(broken)


def test_tables_and_lists_are_what_they_look_like(site):
    for path in site.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert "|---" not in text, path
        assert "\n- **" not in text, path


def test_no_parameter_of_the_reference_is_without_words(site):
    seen = 0
    for name in ("zoo", "layers", "export"):
        text = (site / "reference" / f"{name}.html").read_text(encoding="utf-8")
        for item in re.findall(r'<li class="doc-section-item field-body">(.*?)</li>', text, re.DOTALL):
            words = unescape(re.sub(r"<[^>]+>", "", item)).strip()
            assert re.search(r"\u2013\s*\S", words), f"reference/{name}.html: {words}"
            seen += 1
    assert seen > 300


@pytest.fixture(scope="module")
def address(site):
    with served(site) as address:
        yield address


def pages_of(site):
    return sorted(path.relative_to(site).as_posix() for path in site.rglob("*.html") if "catalogue" not in path.parts)


@NEEDED
@pytest.mark.parametrize("width", [1280, 390])
def test_every_page_fits_its_window_and_complains_about_nothing(site, address, chromium, width):
    # Headless Chromium's window is at least 500 pixels wide: the page itself is told its width.
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    chromium.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    requested(chromium)
    for name in pages_of(site):
        chromium.get(address + name)
        wide = chromium.execute_script("return document.scrollingElement.scrollWidth")
        assert wide <= width, f"{name} is {wide} pixels wide"
        assert chromium.execute_script("return [...document.images].filter(i => !i.complete || !i.naturalWidth)") == []
        assert chromium.get_log("browser") == [], name
    assert {urllib.parse.urlsplit(url).netloc for url in requested(chromium)} == {urllib.parse.urlsplit(address).netloc}


@NEEDED
def test_search_finds_a_layer(address, chromium):
    from selenium.webdriver.support.wait import WebDriverWait

    chromium.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    chromium.get(f"{address}index.html")
    chromium.find_element("css selector", "input.md-search__input").send_keys("PartialConv2D")
    results = WebDriverWait(chromium, 60).until(
        lambda page: [
            link.get_attribute("href") for link in page.find_elements("css selector", ".md-search-result__link")
        ]
    )
    assert any("reference/layers.html" in link for link in results)
    chromium.get(next(link for link in results if "reference/layers.html" in link))
    assert "PartialConv2D" in chromium.find_element("css selector", "article").text
    assert chromium.get_log("browser") == []


@NEEDED
def test_a_dark_system_has_dark_pages(address, chromium):
    from selenium.webdriver.support.wait import WebDriverWait

    def is_light(page):
        return page.execute_script("return getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"

    for scheme in ("light", "dark"):
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        chromium.execute_script("localStorage.clear()")
        chromium.get(f"{address}index.html")
        # The page's own script chooses the palette, and on a busy machine it does so after `get` has returned.
        assert WebDriverWait(chromium, 60).until(lambda page, light=scheme == "light": is_light(page) == light)
