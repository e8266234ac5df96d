"""`export/README.md` says of a model of each builder which formats it can take."""

from importlib import resources

from zoo.export.card_facts import card_name
from zoo.export.format_table import BEGIN, COLUMNS, END, tabled_entries


def test_every_builder_has_its_row():
    text = (resources.files("zoo") / "export" / "README.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.partition(BEGIN)[2].splitlines()[1:]]
    rows = rows[: rows.index([])] if [] in rows else rows
    names = [card_name(entry) for entry in tabled_entries()]
    assert rows[0] == ["model", *COLUMNS]
    assert [row[0] for row in rows[2:]] == names, "run: python -m zoo.export.format_table"
    assert all(len(row) == 1 + len(COLUMNS) and all(row) for row in rows[2:])
    assert END in text
