"""What stands in the site, read without a browser: complete, closed in itself, and true to registry and cards."""

import json
import re
from html.parser import HTMLParser
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

import zoo
import zoo.export
from zoo.catalogue.layers_used import layers_used
from zoo.catalogue.registry import registry
from zoo.site.pages import _markdown, site_files

LOADING = {"img": "src", "script": "src", "link": "href", "source": "src", "iframe": "src"}


class Page(HTMLParser):
    """A page's elements as `(tag, attributes)`, and its text."""

    def __init__(self, path):
        super().__init__()
        self.path, self.elements, self.text = path, [], ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data

    def values(self, tag, attribute):
        return [attributes[attribute] for name, attributes in self.elements if name == tag and attribute in attributes]


@pytest.fixture(scope="session")
def pages(site):
    return {str(path.relative_to(site)): Page(path) for path in site.rglob("*.html")}


def test_every_model_has_a_page_and_a_row_that_leads_to_it(pages):
    names = zoo.list_models()
    assert len(names) > 200
    assert set(pages) == {"index.html", *(f"models/{name}.html" for name in names)}
    rows = [text for text in re.findall(r"<th scope=\"row\"><a href=\"models/(.*)\.html\">", page_source(pages))]
    assert rows == names


def page_source(pages):
    return pages["index.html"].path.read_text(encoding="utf-8")


def test_every_internal_link_leads_to_a_file(site, pages):
    links = 0
    for page in pages.values():
        for href in (*page.values("a", "href"), *page.values("link", "href"), *page.values("script", "src")):
            address = urlsplit(href)
            if address.scheme:
                assert address.scheme in ("https", "http"), href
                continue
            links += 1
            assert (page.path.parent / unquote(address.path)).resolve().is_relative_to(site), href
            assert (page.path.parent / unquote(address.path)).is_file(), f"{page.path}: {href}"
    assert links > 3 * len(pages)


def test_a_link_into_the_catalogue_asks_for_what_it_offers(pages):
    """`index.html?layer=Blur2D`: the name is a field of the form, the value one of its choices."""
    source = page_source(pages)
    choices = {
        name: set(re.findall(r'<option value="([^"]+)"', options))
        for name, options in re.findall(r'<select name="(\w+)">(.*?)</select>', source, re.S)
    }
    asked = {
        (name, value)
        for page in pages.values()
        for href in page.values("a", "href")
        for name, values in parse_qs(urlsplit(href).query).items()
        if not urlsplit(href).scheme
        for value in values
    }
    assert len(asked) > 20
    assert all(value in choices[name] for name, value in asked)


def test_nothing_is_loaded_from_elsewhere(site, pages):
    for page in pages.values():
        for tag, attribute in LOADING.items():
            assert not [value for value in page.values(tag, attribute) if urlsplit(value).netloc], page.path
    for path in (*site.glob("*.css"), *site.glob("*.js"), *site.glob("*.svg")):
        text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"//\w+\.|@import|url\(|fetch\(|XMLHttpRequest|sendBeacon", text), path


def test_every_image_of_a_card_is_there_with_words_and_size(site, pages):
    shown = 0
    for page in pages.values():
        for tag, attributes in page.elements:
            if tag == "img":
                shown += 1
                assert (page.path.parent / attributes["src"]).read_bytes().startswith((b"\x89PNG", b"\xff\xd8"))
                assert attributes["alt"]
                assert int(attributes["width"]) > 0 < int(attributes["height"])
    assert shown >= 10
    assert len(list((site / "images").iterdir())) <= shown


@pytest.mark.parametrize("name", ["espcn-x2.photos", "resnet50.a1_in1k", "deeplabv3_mobilenet_v2.voc_513"])
def test_a_page_says_what_the_card_says(pages, name):
    card = zoo.export.model_card(name).text
    text = re.sub(r"\s+", " ", pages[f"models/{name}.html"].text)
    for line in re.findall(r"^(?:## (.*)|\| (\w[^|]*?) \||```\w+\n)", card, re.M):
        assert all(part in text for part in line)
    snippet = re.search(r"```python\n(.*?)```", card, re.S).group(1)
    assert re.sub(r"\s+", " ", snippet) in text
    assert not re.search(r"^(library_name|pipeline_tag):", text, re.M)


def test_a_row_holds_the_models_own_figures(pages):
    rows = [attributes for tag, attributes in pages["index.html"].elements if tag == "tr" and attributes]
    for row, entry in zip(rows, registry().entries.values(), strict=True):
        metrics = json.loads(row["data-metrics"])
        assert metrics.items() <= entry.metrics.items()
        assert not any(name.startswith(("bicubic", "seasonal_naive", "gain")) for name in metrics)
        assert row["data-layers"].split() == layers_used(entry.architecture)
    assert sum(bool(json.loads(row["data-metrics"])) for row in rows) > 250


@pytest.mark.parametrize(
    ("name", "parameters"), [("espcn-x2.photos", "21,284"), ("resnet50.a1_in1k", "25.6 M"), ("resnetblur18", None)]
)
def test_a_page_says_how_large_the_model_is(pages, name, parameters):
    text = pages[f"models/{name}.html"].path.read_text(encoding="utf-8")
    assert re.findall("<dt>Parameters</dt><dd>(.*)</dd>", text) == ([parameters] if parameters else [])


def test_a_page_and_a_row_say_what_the_model_computes(pages):
    texts = {name: pages[f"models/{name}.html"].path.read_text() for name in ("resnet18.tv_in1k", "espcn-x2.photos")}
    found = {name: re.findall("<dt>Multiply-adds</dt><dd>(.*)</dd>", text) for name, text in texts.items()}
    assert found == {"resnet18.tv_in1k": ["1.81 G"], "espcn-x2.photos": []}
    rows = page_source(pages).partition("<tbody>")[2]
    row = rows.partition("models/resnet18.tv_in1k.html")[0].rpartition("<tr")[2]
    assert 'data-multiply-adds="1814.0"' in row
    assert re.search(r"resnet18\.tv_in1k: 69\.\d+ %, 1814 million multiply-adds", page_source(pages))


@pytest.mark.slow  # a second whole site
def test_the_same_registry_gives_the_same_bytes(site):
    files = site_files()
    assert files == {name: (site / name).read_bytes() for name in files}


def test_html_in_a_card_is_shown_and_a_file_name_is_not_an_address():
    html = _markdown().render("<script>alert(1)</script> card.py https://arxiv.org/abs/1609.05158", {})
    assert "<script>" not in html
    assert re.findall('href="(.*?)"', html) == ["https://arxiv.org/abs/1609.05158"]
