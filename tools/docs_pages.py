"""Pages of the documentation that are made when it is built: hooks of MkDocs, named in `mkdocs.yml`.

The reference is made from `__all__`, the catalogue by `zoo site`, and READMEs of folders become pages; a comment
`<!-- README.md: Install -->` stands for a section of the README. So nothing is written twice, and links are those of
the repository.
"""

import ast
import inspect
import itertools
import json
import posixpath
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import latex2mathml.converter
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

import zoo.errors

ROOT = Path(__file__).parents[1]
# Pages that stand elsewhere in the repository, by their place on the site.
ELSEWHERE = {
    "export.md": "export/README.md",
    "benchmarks.md": "benchmarks/README.md",
    "cards.md": "MODEL_CARDS/README.md",
    "changes.md": "CHANGELOG.md",
    "contributing.md": "CONTRIBUTING.md",
}
INLINE = re.compile(r'<span class="arithmatex">\\\((.*?)\\\)</span>')
SECTION = re.compile(r"<!-- (\S+\.md): (.+?) -->")
CODE = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!!)\[([^\]]+)\]\((?!\w+:|#)([^)#\s]+)(#[^)\s]*)?\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add what is generated."""
    for place, content in generated():
        files.append(File.generated(config, place, content=content))
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Put sections of other files in their places, and turn links of the repository into links of the site."""
    place = page.file.src_uri
    text = _with_site_links(markdown, ELSEWHERE.get(place, f"docs/{place}"), place)
    text = SECTION.sub(lambda section: _section(section[1], section[2], place), text)
    return _with_blank_lines(re.sub(r"^<!-- .*? -->\n", "", text, flags=re.MULTILINE))


def _with_blank_lines(text: str) -> str:
    """A blank line before each table and list: CommonMark needs none, MkDocs does."""
    lines, is_code = [""], False
    for line, after in itertools.pairwise([*text.split("\n"), ""]):
        begins = (line.startswith("|") and re.fullmatch(r"[|:\- ]+", after)) or re.match(r"([-*]|\d+\.) ", line)
        if begins and not is_code and lines[-1] and not re.match(r"([-*]|\d+\.) | ", lines[-1]):
            lines.append("")
        is_code ^= line.startswith("```")
        lines.append(line)
    return "\n".join(lines[1:])


def _section(source: str, title: str, place: str) -> str:
    """What stands below a heading of a file; links to its other sections are left out. Without it the build fails."""
    after = (ROOT / source).read_text(encoding="utf-8").split(f"\n## {title}\n")[1]
    text = re.split(r"^## ", after, maxsplit=1, flags=re.MULTILINE)[0].strip()
    return _with_site_links(re.sub(r"\[([^\]]+)\]\(#[^)]*\)", r"\1", text), source, place)


def _with_site_links(text: str, source: str, place: str) -> str:
    parts = CODE.split(text)  # every second one is a block of code
    parts[::2] = [LINK.sub(lambda link: _on_site(link, posixpath.dirname(source), place), part) for part in parts[::2]]
    return "".join(parts)


def _on_site(link: re.Match[str], home: str, place: str) -> str:
    """A link to a page, to a card in the catalogue, or, where a file has no page, its name."""
    text, address, anchor = link[1], link[2], link[3] or ""
    target = posixpath.normpath(posixpath.join(home, address))
    pages = {source: page for page, source in ELSEWHERE.items()}
    if card := re.fullmatch(r"MODEL_CARDS/([\w.-]+)\.md", target):
        name = "" if card[1] == "README" else _full_name(card[1])
        target = f"catalogue/models/{name}.html" if name else pages[target]
    elif target in pages:
        target = pages[target]
    elif target == "README.md":
        target = "index.md"
    elif target.startswith("docs/"):
        target = target.removeprefix("docs/")
    else:
        return text if text.startswith("`") else f"{text} (`{target}`)"
    return f"[{text}]({posixpath.relpath(target, posixpath.dirname(place) or '.')}{anchor})"


def _full_name(card: str) -> str:
    from zoo.catalogue.registry import registry

    return registry().find(card).name


def generated() -> Iterator[tuple[str, str | bytes]]:
    """Places on the site and contents."""
    from zoo.site.pages import site_files

    for place, source in ELSEWHERE.items():
        yield place, (ROOT / source).read_text(encoding="utf-8")
    for name, content in site_files(documentation="../index.html").items():
        yield f"catalogue/{name}", content
    for name in ("zoo", "zoo.layers", "zoo.export"):
        yield f"reference/{name.removeprefix('zoo.')}.md", reference(name)
    yield "reference/errors.md", errors()
    yield "reference/registry.md", registry_schema()


def reference(name: str) -> str:
    """A page with everything that a module exports, but the errors; the module is not imported, which takes seconds."""
    tree = ast.parse((ROOT / name.replace(".", "/") / "__init__.py").read_text(encoding="utf-8"))
    values = [
        line.value for line in tree.body if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == "__all__"
    ]
    public = [member for member in ast.literal_eval(values[0]) if member not in _errors()]
    first = (ast.get_docstring(tree) or "").split("\n\n")[0].replace("\n", " ")
    return f"# {name}\n\n{first}\n\n" + "\n\n".join(f"::: {name}.{member}" for member in public) + "\n"


def errors() -> str:
    """The tree of errors, and each of them."""
    summary, tree, _ = (inspect.getdoc(zoo.errors) or "").split("\n\n")
    classes = "\n\n".join(f"::: zoo.{name}" for name in _errors())
    return f"# Errors\n\n{summary}\n\n```text\n{tree}\n```\n\n{classes}\n"


def _errors() -> list[str]:
    return [name for name, value in vars(zoo.errors).items() if inspect.isclass(value) and issubclass(value, Exception)]


def registry_schema() -> str:
    """The schema of `registry.yaml`, a table for each kind of entry."""
    schema = json.loads((ROOT / "zoo/catalogue/registry.schema.json").read_text(encoding="utf-8"))
    parts = [
        "# registry.yaml\n\nEvery model as data. The schema is in `zoo/catalogue/registry.schema.json`; an unknown key "
        "is an error that names the entry. [A package of yours](../guides/own_architecture.md) may have one too.\n"
    ]
    for name, kind in {schema.get("title", "Registry"): schema, **schema.get("$defs", {})}.items():
        if "properties" not in kind:
            continue
        parts.append(f"## {name}\n\n{kind.get('description', '')}\n\n| key | type | default |\n|---|---|---|")
        needed = kind.get("required", [])
        for key, facts in kind["properties"].items():
            default = "required" if key in needed else f"`{json.dumps(facts.get('default'))}`"
            parts.append(f"| `{key}` | {_type(facts)} | {default} |")
        parts.append("")
    return "\n".join(parts)


def _type(facts: dict[str, Any]) -> str:
    """A type of the schema in words."""
    if "$ref" in facts:
        name = facts["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in facts:
        return " or ".join(_type(choice) for choice in facts["anyOf"])
    if "enum" in facts:
        return ", ".join(f"`{value}`" for value in facts["enum"])
    if "const" in facts:
        return f"`{facts['const']}`"
    kind = facts.get("type", "any")
    if kind == "array":
        return f"list of {_type(facts['items'])}" if "items" in facts else "list"
    if kind == "object" and isinstance(facts.get("additionalProperties"), dict):
        return f"mapping to {_type(facts['additionalProperties'])}"
    return f"{kind} (`{facts['pattern']}`)" if "pattern" in facts and "|" not in facts["pattern"] else kind


def on_page_content(html: str, **_: Any) -> str:
    """Equations within a line, as MathML too."""
    return INLINE.sub(lambda match: latex2mathml.converter.convert(unescape(match[1])), html)


def equation(source: str, *_: Any, **__: Any) -> str:
    """A fence ```` ```math ```` as MathML, which browsers draw without a script."""
    return f'<div class="math">{latex2mathml.converter.convert(source.strip(), display="block")}</div>'
