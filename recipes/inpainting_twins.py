"""Whether the partial convolution of pconv-unet helps: it and its plain twin, trained alike from several seeds.

    python -m recipes.inpainting_twins SETS [--steps 600] [--seeds 3] [--state runs]

SETS is a folder with `superres/bsds400` and `superres/div2k-crops`, which both learn from, and `superres/bsd100`, which
they are measured on, as `recipes/papers_inpainting.py` does. Of one seed both see the same patches and masks, by the
first loss of `recipes/inpainting.py`, and have the size of its tag `photos`. Prints the mean PSNR over the six ranges
of hole ratios; a stopped run resumes at the next network.
"""

import argparse
import json
from pathlib import Path

import keras
import numpy as np
from skimage.metrics import peak_signal_noise_ratio

from recipes import inpainting
from recipes.irregular_masks import BINS
from recipes.papers_inpainting import images, recipe_masks
from zoo.architectures.pconv_unet import conv_unet, pconv_unet

TWINS = {"pconv-unet": pconv_unet, "conv-unet": conv_unet}
CONFIG = inpainting.TAGS["photos"].config


def trained(name: str, steps: int, seed: int, photos: list[np.ndarray]) -> keras.Model:
    """What learns, after its training."""
    model = inpainting.begun(name, CONFIG, inpainting.PARTS[0], steps, None, seed=seed)
    for index in range(steps // inpainting.STEPS_PER_ROUND):
        inputs, targets = inpainting.draw(photos, np.random.default_rng([seed, index]))
        model.fit(inputs, targets, inpainting.BATCH_SIZE, shuffle=False, verbose=0)
    return model


def psnr(name: str, learned: keras.Model, data: Path) -> float:
    """In dB, the mean over the ranges of the mean over the images; valid pixels are copied."""
    whole = inpainting.from_image_and_mask(lambda image, mask: TWINS[name](image, mask, **CONFIG))
    whole.set_weights(learned.get_weights())
    found, originals = [], np.stack(images(data))
    for holes in BINS:
        masks = np.stack(recipe_masks(holes))[..., None].astype("float32")
        answers = whole.predict([originals * masks / 255, masks], batch_size=4, verbose=0)
        answers = np.rint(np.clip(answers, 0, 255)).astype("uint8")
        found.append(np.mean([peak_signal_noise_ratio(*pair) for pair in zip(originals, answers, strict=True)]))
    return round(float(np.mean(found)), 3)


def main() -> None:
    """Train and measure what the state does not have yet, and print all."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("sets", type=Path, metavar="SETS", help="folder with the image sets")
    options.add_argument("--steps", type=int, default=600)
    options.add_argument("--seeds", type=int, default=3)
    options.add_argument("--state", type=Path, default=Path("runs"), help="folder of what is measured already")
    arguments = options.parse_args()
    arguments.state.mkdir(parents=True, exist_ok=True)
    state = arguments.state / f"inpainting-twins-{arguments.steps}.json"
    scores = json.loads(state.read_text()) if state.is_file() else {}
    photos = inpainting.training_images(inpainting.TAGS["research"].sets, arguments.sets / "superres")
    print(f"| seed | {' | '.join(TWINS)} | difference |\n|---|---|---|---|")
    for seed in range(arguments.seeds):
        row = scores.setdefault(f"{seed}", {})
        for name in TWINS:
            if name not in row:
                row[name] = psnr(name, trained(name, arguments.steps, seed, photos), arguments.sets)
                state.write_text(json.dumps(scores))
        partial, plain = (row[name] for name in TWINS)
        print(f"| {seed} | {partial:.2f} | {plain:.2f} | {partial - plain:+.2f} |", flush=True)


if __name__ == "__main__":
    main()
