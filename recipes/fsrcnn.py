"""Train FSRCNN on the photographs that are inside the packages scikit-image and scikit-learn: nothing is downloaded.

    python -m recipes.fsrcnn --scale 3 [--output zoo/checkpoints] [--measure]

and then scales 2 and 4, which begin with the convolutions of scale 3 (section 3.4 of the paper). The package needs its
extra `train`. The run is seeded, and it resumes where it was stopped. It writes the weights, `fsrcnn-x3.safetensors`
(names are the Keras variable paths), and `fsrcnn-x3.json`, what was measured and how.
"""

from recipes.super_resolution import Recipe, main
from zoo.architectures.fsrcnn import fsrcnn, luma_detail

RECIPE = Recipe(
    name="fsrcnn",
    network=fsrcnn,
    luma_detail=luma_detail,
    arguments={"filters": 56, "shrunk_filters": 12, "mapping_convolutions": 4},
    rounds={2: 20, 3: 40, 4: 20},
    learning_rate=3e-3,
    first_scale=3,
    scale_layers=("deconv",),
)

if __name__ == "__main__":
    main({RECIPE.tag: RECIPE}, __doc__.splitlines()[0])
