"""Measure the embedded models on the papers' sets, beside what one has already, and what the papers state.

    python -m recipes.papers DATA [--output zoo/checkpoints]

DATA is a folder with the folders that `recipes/papers_inpainting.py`, `papers_depth.py` and `papers_enlarging.py` name;
sets that are not there are left out. OpenCV is optional (`recipes/classical.py`). Prints Markdown, and writes the
tables into the `.json` beside the weights, where the cards read them.
"""

import argparse
import json
from pathlib import Path

from recipes import papers_depth, papers_enlarging, papers_inpainting
from recipes.classical import HAS_OPENCV
from recipes.measurement import Table


def markdown(title: str, table: Table) -> str:
    """The table, with the columns of all its rows."""
    columns = list(dict.fromkeys(column for row in table.values() for column in row))
    lines = [f"| {title} | {' | '.join(columns)} |", "|---" * (len(columns) + 1) + "|"]
    for name, row in table.items():
        lines.append(f"| {name} | {' | '.join(str(row.get(column, '')) for column in columns)} |")
    return "\n".join(lines) + "\n"


def write(folder: Path, records: tuple[str, ...], key: str, table: Table) -> None:
    """The table into each of the records that is there."""
    for name in records:
        record = folder / f"{name}.json"
        if record.is_file():
            facts = json.loads(record.read_text()) | {key: table}
            record.write_text(json.dumps(facts, indent=2) + "\n")


def main() -> None:
    """Measure what there is data for."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("data", type=Path, metavar="DATA", help="folder with the sets")
    options.add_argument("--output", type=Path, default=Path("zoo/checkpoints"), help="folder of the records")
    arguments = options.parse_args()
    if not HAS_OPENCV:
        print("OpenCV is not installed: Telea, Navier-Stokes, IP-Basic and INTER_CUBIC are left out.\n")
    for section in (papers_inpainting, papers_depth, papers_enlarging):
        for measurement in section.MEASUREMENTS:
            missing = [name for name in measurement.folders if not (arguments.data / name).is_dir()]
            if missing:
                print(f"{measurement.title}: {arguments.data / missing[0]} is not there, left out.\n")
                continue
            for key, table in measurement.tables(arguments.data).items():
                print(markdown(f"{measurement.title}, {key}", table), flush=True)
                write(arguments.output, measurement.records, key, table)


if __name__ == "__main__":
    main()
