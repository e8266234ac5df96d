"""Draw the image of the detector's card: the average precision of each class, beside the baseline's.

    python -m recipes.camvid_boxes_image [--output MODEL_CARDS]

No frame of CamVid may be shown. The package needs its extra `train`.
"""

import json
from importlib import resources

import matplotlib.figure

from recipes.camvid_boxes import NAME, OBJECTS
from recipes.image_folder import image_folder


def draw() -> matplotlib.figure.Figure:
    """Two bars for each class, from what `recipes.camvid_boxes` measured."""
    report = json.loads((resources.files("zoo") / "checkpoints" / f"{NAME}.json").read_text())
    found = {
        "from random weights": ([report["baseline"]["class_ap_percent"][name] for name in OBJECTS], "tab:gray"),
        NAME: ([report["classes"][name]["ap_percent"] for name in OBJECTS], "tab:red"),
    }
    figure = matplotlib.figure.Figure(figsize=(7, 3), dpi=100, layout="constrained")
    axes = figure.add_subplot()
    for index, (label, (values, colour)) in enumerate(found.items()):
        places = [place + 0.38 * index for place in range(len(OBJECTS))]
        axes.bar_label(axes.bar(places, values, 0.36, color=colour, label=label), fmt="%.1f")
    axes.set_xticks([place + 0.19 for place in range(len(OBJECTS))], OBJECTS)
    axes.set_ylabel("average precision, %")
    axes.margins(y=0.15)
    axes.legend()
    return figure


def main() -> None:
    draw().savefig(image_folder(__doc__) / f"{NAME}.png")


if __name__ == "__main__":
    main()
