"""Names under which repositories have the tensors of a network."""

from tests.timm_shapes import abstract, timm_shapes
from zoo.weights.formats import read_timm


def test_a_stem_may_be_in_one_more_module_as_rdnets_author_publishes_it():
    model = abstract("rdnet_tiny")
    ours = set(timm_shapes(model))
    published = {name.replace("stem.", "stem.stem.") for name in ours}
    assert published - ours == {f"stem.stem.{index}.{name}" for index in (0, 1) for name in ("weight", "bias")}
    for names in (ours, published):
        slots = {read_timm(layer, variable, names).tensor for layer in model.layers for variable in layer.weights}
        assert slots == names
