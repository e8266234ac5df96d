"""The page of PyPI, and what is refused on it."""

import re
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

from tools.pypi_page import main, relative_links

ROOT = Path(__file__).parents[2]


def hook():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return project["tool"]["hatch"]["metadata"]["hooks"]["fancy-pypi-readme"]


def test_the_readme_as_it_is_on_pypi_has_no_link_that_leads_nowhere():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert relative_links(readme)
    (substitution,) = hook()["substitutions"]
    page = re.sub(substitution["pattern"], substitution["replacement"], readme)
    assert relative_links(page) == []
    assert "[Install](#install)" in page
    assert page.count("```") == readme.count("```")


def test_once_there_is_an_address_the_links_lead_there():
    (line,) = re.findall(r"^replacement = '(.*)'$", (ROOT / "RELEASE.md").read_text(encoding="utf-8"), re.M)
    page = re.sub(hook()["substitutions"][0]["pattern"], line, "[security](docs/security.md#reporting) [a](#b)")
    assert page == (
        "[security](https://github.com/OWNER/layerzoo/blob/v$HFPR_VERSION/docs/security.md#reporting) [a](#b)"
    )


def built(folder, name, text):
    """A wheel or an sdist with this description."""
    content = f"Metadata-Version: 2.4\nName: layerzoo\n\n{text}".encode()
    path = folder / name
    if name.endswith(".whl"):
        with zipfile.ZipFile(path, "w") as wheel:
            wheel.writestr("layerzoo-1.dist-info/METADATA", content)
    else:
        (folder / "PKG-INFO").write_bytes(content)
        with tarfile.open(path, "w:gz") as sdist:
            sdist.add(folder / "PKG-INFO", "layerzoo-1/PKG-INFO")
    return str(path)


@pytest.mark.parametrize("name", ["layerzoo-1-py3-none-any.whl", "layerzoo-1.tar.gz"])
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[a](docs/a.md), [b](https://b.example)", r"lead nowhere: docs/a\.md\."),
        ("| a |\n|---|\n| ![a](a.png) |", r"lead nowhere: a\.png"),
        ("", "has no description"),
    ],
)
def test_a_page_with_a_link_that_leads_nowhere_is_refused(tmp_path, name, text, message):
    with pytest.raises(SystemExit, match=message):
        main([built(tmp_path, name, text)])


@pytest.mark.parametrize("name", ["layerzoo-1-py3-none-any.whl", "layerzoo-1.tar.gz"])
def test_a_page_whose_links_lead_somewhere_is_not(tmp_path, name):
    main([built(tmp_path, name, "[a](#a), [b](https://b.example), `[c](d)`")])
