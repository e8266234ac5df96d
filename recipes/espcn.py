"""Train ESPCN on the photographs that are inside the packages scikit-image and scikit-learn: nothing is downloaded.

    python -m recipes.espcn [--scale 2] [--output zoo/checkpoints] [--measure]

The package needs its extra `train`. The run is seeded, and it resumes where it was stopped. It writes the weights,
`espcn-x2.safetensors` (names are the Keras variable paths), and `espcn-x2.json`, what was measured and how.
"""

from recipes.super_resolution import Recipe, main
from zoo.architectures.espcn import espcn, luma_detail

RECIPE = Recipe(
    name="espcn",
    network=espcn,
    luma_detail=luma_detail,
    arguments={"filters": [64, 32]},
    # The small images have fewer pixels at a larger scale: each is seen as often at every scale.
    rounds={2: 60, 3: 27, 4: 15},
    learning_rate=3e-3,
)

if __name__ == "__main__":
    main({RECIPE.tag: RECIPE}, __doc__.splitlines()[0])
