"""The site in real Chromium, on a server of this test: it finds, sorts and copies, and complains about nothing."""

import re

import pytest

import zoo
from tests.chromium import NEEDED, served
from tests.marked_cases import first_of_each
from zoo.catalogue.layers_used import layers_used
from zoo.catalogue.registry import registry

pytestmark = NEEDED
ONE_OF_EACH_TASK = {entry.task: entry.name for entry in registry().entries.values()}.values()


@pytest.fixture(scope="module")
def address(site):
    """Where the site is served."""
    with served(site) as address:
        yield address


@pytest.fixture
def browser(chromium, address):
    """The catalogue, freshly opened; afterwards the console must be empty."""
    chromium.get_log("browser")
    chromium.get(f"{address}index.html")
    yield chromium
    assert chromium.get_log("browser") == []


def shown(browser):
    """Names in the rows that can be seen, from top to bottom."""
    return browser.execute_script(
        "return [...document.querySelectorAll('#models tbody tr')].filter(row => row.offsetParent !== null"
        " && row.checkVisibility()).map(row => row.cells[0].textContent.trim())"
    )


def choose(browser, name, value):
    from selenium.webdriver.support.select import Select

    Select(browser.find_element("name", name)).select_by_value(value)


def click_header(browser, column):
    browser.find_element("css selector", f"th[data-column={column}] button").click()


def press(browser, *keys):
    from selenium.webdriver.common.action_chains import ActionChains

    ActionChains(browser).send_keys(*keys).perform()


def test_every_model_is_there_before_anything_is_chosen(browser):
    assert shown(browser) == zoo.list_models()
    assert browser.find_element("id", "count").text == f"{len(zoo.list_models())} models"
    times = browser.execute_script(
        "return [performance.getEntriesByName('interactive')[0].startTime,"
        " performance.getEntriesByType('navigation')[0].loadEventEnd]"
    )
    print(f"interactive after {times[0]:.0f} ms, loaded after {times[1]:.0f} ms")


def test_typing_searches_names_tasks_licences_and_layers(browser):
    field = browser.find_element("name", "search")
    field.send_keys("ResNetBlur50")
    assert shown(browser) == zoo.list_models("resnetblur50*")
    field.clear()
    field.send_keys("volume medicalnet  resnet18")
    assert shown(browser) == zoo.list_models("medicalnet_resnet18*")
    field.clear()
    field.send_keys("PixelShuffle2D")
    assert shown(browser) == [name for name in zoo.list_models() if uses(name, "PixelShuffle2D")]
    field.clear()
    field.send_keys("no such model")
    assert shown(browser) == []
    assert browser.find_element("id", "count").text.startswith("0 of ")


def uses(name, layer):
    return layer in layers_used(registry().find(name).architecture)


def test_filters_by_task_licence_size_and_layer_and_clears_them(browser):
    entries = registry().entries.values()
    choose(browser, "task", "image-features")
    assert shown(browser) == zoo.list_models(task="image-features")
    choose(browser, "licence", "cc-by-nc-4.0")
    expected = [name for name in shown(browser) if zoo.info(name).license == "cc-by-nc-4.0"]
    assert shown(browser) == expected != []
    browser.find_element("css selector", "button[type=reset]").click()
    browser.execute_async_script("setTimeout(arguments[0])")
    assert shown(browser) == zoo.list_models()
    browser.find_element("name", "size").send_keys("5.5")
    small = [entry.name for entry in entries if entry.parameters_millions and entry.parameters_millions <= 5.5]
    assert shown(browser) == small
    choose(browser, "layer", "GlobalResponseNorm")
    assert shown(browser) == [name for name in small if uses(name, "GlobalResponseNorm")] != []
    assert browser.find_element("id", "count").text == f"{len(shown(browser))} of {len(entries)} models"


def test_a_click_on_a_header_sorts_and_says_so(browser):
    sizes = {name: zoo.info(name).parameters_millions for name in zoo.list_models()}
    click_header(browser, "parameters")
    found = [sizes[name] for name in shown(browser)]
    known = [size for size in found if size is not None]
    assert found == sorted(known) + [None] * (len(found) - len(known))
    assert sort_of(browser) == {"parameters": "ascending"}
    click_header(browser, "parameters")
    found = [sizes[name] for name in shown(browser)]
    assert found == sorted(known, reverse=True) + [None] * (len(found) - len(known))
    assert sort_of(browser) == {"parameters": "descending"}


def sort_of(browser):
    return browser.execute_script(
        "return Object.fromEntries([...document.querySelectorAll('#models thead th')].filter(header => "
        "header.ariaSort !== 'none').map(header => [header.dataset.column, header.ariaSort]))"
    )


def test_a_metric_shows_those_that_state_it_best_first(browser):
    values = {
        entry.name: entry.metrics["top5_percent"]
        for entry in registry().entries.values()
        if "top5_percent" in entry.metrics
    }
    choose(browser, "metric", "top5_percent")
    found = shown(browser)
    assert set(found) == set(values)
    assert [values[name] for name in found] == sorted(values.values(), reverse=True)
    assert sort_of(browser) == {"metric": "descending"}
    first = browser.find_element("css selector", "#models tbody tr").text
    assert f"{max(values.values()):g} top-5, %" in first


@pytest.mark.slow  # each test loads the page of all models anew; the metric above is sorted the same way
def test_an_error_is_best_where_it_is_lowest(browser):
    choose(browser, "metric", "mae_ppm")
    assert shown(browser)[0] == "tcn-co2.mauna-loa"
    assert sort_of(browser) == {"metric": "ascending"}


def test_what_is_chosen_stands_in_the_address(browser, address):
    choose(browser, "layer", "Blur2D")
    click_header(browser, "name")
    found = shown(browser)
    assert browser.current_url == f"{address}index.html?layer=Blur2D&sort=name&order=ascending"
    browser.refresh()
    assert shown(browser) == found != []
    browser.get(f"{address}index.html?layer=NoSuchLayer&sort=nothing&foo=bar")
    assert shown(browser) == zoo.list_models()


def test_the_plot_follows_the_filters_and_the_keyboard(browser):
    from selenium.webdriver.common.keys import Keys

    choose(browser, "layer", "Blur2D")
    points = browser.find_elements("css selector", ".plot a:not(.out)")
    names = [point.get_attribute("data-name") for point in points]
    stated = {name for name in shown(browser) if "top1_percent" in zoo.info(name).metrics}
    bright, measured = names[: len(stated)], names[len(stated) :]
    assert set(bright) == stated
    assert set(measured) <= stated
    assert len(measured) > 1
    browser.find_element("css selector", "summary").click()
    browser.find_element("css selector", "summary").click()  # closed and open again: the focus is here
    press(browser, Keys.TAB)
    assert browser.find_element("class name", "point").text.startswith(f"{bright[0]}: ")
    press(browser, Keys.ARROW_RIGHT)
    assert browser.find_element("class name", "point").text.startswith(f"{bright[1]}: ")
    press(browser, Keys.ENTER)
    assert browser.current_url.endswith(f"/models/{bright[1]}.html")


@pytest.mark.slow  # sixteen keys; the plot's keys are above
def test_everything_can_be_reached_and_has_a_name(browser):
    from selenium.webdriver.common.keys import Keys

    nameless = browser.execute_script(
        "return [...document.querySelectorAll('input, select')].filter(field => !field.labels.length).length"
        " + [...document.querySelectorAll('button, a')].filter(one => !one.textContent.trim()).length"
    )
    assert nameless == 0
    reached = []
    for _ in range(16):
        press(browser, Keys.TAB)
        reached.append(browser.execute_script("const one = document.activeElement; return one.name || one.tagName"))
    order = ["search", "task", "licence", "layer", "size", "metric", "SUMMARY", "a"]
    assert [name for name in dict.fromkeys(reached) if name in order] == order


@pytest.mark.slow  # hundreds of requests; test_pages.py follows every link among the files
def test_every_link_of_the_catalogue_answers(browser):
    broken = browser.execute_async_script(
        "const done = arguments[0];"
        "const links = [...document.querySelectorAll('a[href]')].map(link => link.href ?? '').filter(href => typeof"
        " href === 'string');"
        "Promise.all([...new Set(links)].map(async href => [href, (await fetch(href, {method: 'HEAD'})).status]))"
        ".then(found => done([found.length, found.filter(([, status]) => status !== 200)]))"
    )
    assert broken == [len(zoo.list_models()), []]


@pytest.mark.parametrize("name", first_of_each(ONE_OF_EACH_TASK))
def test_a_models_page_shows_its_images_and_fits_a_telephone(browser, address, name):
    narrow(browser, 390)
    browser.get(f"{address}models/{name}.html")
    images = browser.execute_async_script(
        "const images = [...document.images];"
        "images.forEach(image => image.loading = 'eager');"
        "Promise.all(images.map(image => image.decode())).then("
        "() => arguments[0](images.map(image => image.naturalWidth)), error => arguments[0](String(error)))"
    )
    assert isinstance(images, list), images
    assert all(images)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= 390
    origins = browser.execute_script("return performance.getEntriesByType('resource').map(entry => entry.name)")
    assert all(origin.startswith(address) for origin in origins)
    narrow(browser, None)


def test_the_catalogue_fits_a_telephone(browser):
    narrow(browser, 390)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= 390
    narrow(browser, None)


def narrow(browser, width):
    """Make the view so many pixels wide, as on a telephone; None for the window's own."""
    if width is None:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    else:
        view = {"width": width, "height": 800, "deviceScaleFactor": 2, "mobile": True}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", view)


@pytest.mark.slow  # a page more
def test_a_click_copies_the_snippet(browser, address):
    browser.execute_cdp_cmd(
        "Browser.grantPermissions",
        {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"], "origin": address.rstrip("/")},
    )
    browser.get(f"{address}models/espcn-x2.photos.html")
    button = browser.find_element("css selector", ".code button")
    button.click()
    copied = browser.execute_async_script("navigator.clipboard.readText().then(arguments[0], arguments[0])")
    assert copied.startswith("import zoo\n\nrecord = zoo.predict(")
    assert button.text == "Copied"


@pytest.mark.parametrize("scheme", first_of_each(["dark", "light"]))
def test_words_stand_out_in_both_schemes(browser, scheme):
    browser.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    )
    colors = browser.execute_script(
        "const style = getComputedStyle(document.documentElement);"
        "return Object.fromEntries(['ground', 'raised', 'ink', 'quiet', 'accent']"
        ".map(name => [name, style.getPropertyValue('--' + name)]))"
    )
    assert (luminance(colors["ground"]) > 0.5) == (scheme == "light")
    for ground in ("ground", "raised"):
        for ink in ("ink", "quiet", "accent"):
            assert contrast(colors[ground], colors[ink]) >= 4.5, (ground, ink)  # WCAG 2.2, 1.4.3


def luminance(color):
    """WCAG's relative luminance of `#rrggbb`."""
    channels = [int(part, 16) / 255 for part in re.findall("[0-9a-f]{2}", color)]
    red, green, blue = (value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_it_works_from_a_file_without_a_server(browser, site):
    browser.get((site / "index.html").as_uri() + "?task=forecasting")
    assert shown(browser) == zoo.list_models(task="forecasting")
    browser.find_element("css selector", "#models tbody tr:not([hidden]) a").click()
    assert browser.find_element("tag name", "h1").text == "tcn-co2"
    browser.find_element("link text", "All models").click()
    assert shown(browser) == zoo.list_models()
