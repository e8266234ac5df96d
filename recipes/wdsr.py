"""Train WDSR-A with about 0.1 M parameters, on luma.

    python -m recipes.wdsr --scale 2 [--tag photos] [--output zoo/checkpoints] [--measure]
    python -m recipes.wdsr --scale 2 --tag research --sets SETS/superres

and then scales 3 and 4, which begin with the blocks of scale 2. The tag `photos` learns from the photographs that are
inside the packages scikit-image and scikit-learn: nothing is downloaded. `research` learns from BSDS400, DIV2K and T91,
and `real` from the same, made smaller in four ways, so that it meets what cameras and browsers do. The package needs
its extra `train`. The run is seeded, and it resumes where it was stopped. It writes the weights,
`wdsr-x2-research.safetensors` (float16; names are the Keras variable paths), and beside them a `.json`, what was
measured and how. `recipes/papers.py` measures them on Set5 and Set14.
"""

import dataclasses

from recipes.reductions import REDUCTIONS
from recipes.super_resolution import Recipe, absolute_levels, main
from zoo.architectures.wdsr import luma_detail, wdsr

PHOTOS = Recipe(
    name="wdsr",
    network=wdsr,
    luma_detail=luma_detail,
    arguments={},
    rounds={2: 30, 3: 15, 4: 15},
    learning_rate=1e-3,
    first_scale=2,
    scale_layers=("skip", "tail"),
    loss=absolute_levels,
    dtype="float16",
)
RESEARCH = dataclasses.replace(
    PHOTOS, tag="research", sets=("bsds400", "div2k-crops", "t91"), rounds={2: 60, 3: 30, 4: 30}
)
REAL = dataclasses.replace(RESEARCH, tag="real", reductions=tuple(REDUCTIONS.values()), rounds={2: 30, 3: 15, 4: 15})
RECIPES = {recipe.tag: recipe for recipe in (PHOTOS, RESEARCH, REAL)}

if __name__ == "__main__":
    main(RECIPES, __doc__.splitlines()[0])
