"""A model of each task on what it was not trained on, beside what it has to beat: offline, on one page to look at.

python -m tools.demo [--output demo]
"""

import argparse
from pathlib import Path

import zoo
from recipes.photographs import HELD_OUT, bicubic, degrade, luma_psnr, photograph
from zoo.command_line.quiet import import_keras_quietly

SCALE = 2


def print_gains() -> None:
    """What doubling gains over the bicubic enlargement, on each photograph that was kept out of training."""
    model = zoo.load("wdsr-x2")
    gains = []
    print(f"{'photograph':<14}{'bicubic':>12}{'wdsr-x2':>12}{'gain':>12}")
    for name in HELD_OUT:
        large, small = degrade(photograph(name), SCALE)
        ours, theirs = zoo.predict(model, small)[0].image, bicubic(small, SCALE)
        scores = [luma_psnr(image, large, border=SCALE) for image in (theirs, ours)]
        gains.append(scores[1] - scores[0])
        print(f"{name:<14}{scores[0]:>9.2f} dB{scores[1]:>9.2f} dB{gains[-1]:>+9.2f} dB")
    print(f"{'mean':<38}{sum(gains) / len(gains):>+9.2f} dB   (PSNR on luma; goal: +1.20 dB)")


def main() -> None:
    parser = argparse.ArgumentParser(description="Show one model of each task on what it was not trained on.")
    parser.add_argument("--output", type=Path, default=Path("demo"), help="folder for the page")
    folder = parser.parse_args().output
    folder.mkdir(parents=True, exist_ok=True)
    import_keras_quietly()
    from tools.contact_sheet import sheet  # only now: these import Keras
    from tools.demo_scenes import ROWS, Scene

    print_gains()
    rows: list[list[Scene]] = []
    for makers in ROWS:
        rows.append([])
        for make in makers:
            rows[-1].append(make())
            print(f"{rows[-1][-1].model:<22}{rows[-1][-1].words}", flush=True)
    path = folder / "zoo.png"
    sheet(rows).save(path)
    print(f"all of it in one image: {path}")


if __name__ == "__main__":
    main()
