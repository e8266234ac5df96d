"""The best boxes of many, before overlapping ones are left out."""

import keras
from keras import ops

from zoo.layers import window

NOTHING = -1.0  # the score of a place that stays empty


@keras.saving.register_keras_serializable(package="zoo")
class BestBoxes(keras.layers.Layer):
    """The boxes with the highest scores, best first, with their classes: always so many, whatever the image.

    Args:
        count: How many, at most; with `by="class"` of each class.
        threshold: The score that a box must exceed.
        by: What is ranked: `"pair"`, each place with each class; `"place"`, each place with its best class; `"class"`,
            the places for each class.
        background: Classes at the front that are none and are left out; the others keep their numbers.

    Input shape: a list of boxes, `(batch, places, 4)`, and scores, `(batch, places, classes)`.
    Output shape: boxes, `(batch, count, 4)`, scores, `(batch, count)`, float32, and classes, `(batch, count)`, int32.
    Where there are fewer, scores are -1.

    Raises:
        InputError: `by` is unknown.

    Reference: what torchvision's RetinaNet and FCOS (`"pair"`), its SSD (`"class"`) and YOLOX (`"place"`) do first:
    `postprocess_detections` in https://github.com/pytorch/vision/tree/main/torchvision/models/detection, and
    `postprocess` in https://github.com/Megvii-BaseDetection/YOLOX/blob/main/yolox/utils/boxes.py.

    Example:
        >>> import keras
        >>> from zoo.layers import BestBoxes
        >>> boxes, scores = keras.ops.ones((1, 2, 4)), keras.ops.array([[[0.1, 0.7], [0.9, 0.2]]])
        >>> _, best, classes = BestBoxes(3, threshold=0.1)([boxes, scores])
        >>> keras.ops.convert_to_numpy(classes).tolist()
        [[0, 1, 1]]
    """

    def __init__(self, count: int, threshold: float = 0.05, by: str = "pair", background: int = 0, **kwargs):
        super().__init__(**kwargs)
        self.count = count
        self.threshold = threshold
        self.by = window.choice(self, "by", by, ("pair", "place", "class"))
        self.background = background

    def call(self, inputs):
        boxes, scores = (ops.cast(x, "float32") for x in inputs)
        batch, places, classes = ops.shape(scores)
        scores = ops.where(scores > self.threshold, scores, NOTHING)
        if self.background:
            is_background = ops.arange(scores.shape[-1]) < self.background
            scores = ops.where(is_background, NOTHING, scores)
        if self.by == "place":
            found = first_of_largest(scores)
            best, place = self._top(ops.max(scores, axis=-1))
            return _taken(boxes, place), best, _taken(found[..., None], place)[..., 0]
        if self.by == "pair":
            best, pair = self._top(ops.reshape(scores, (batch, -1)))
            pair = ops.minimum(pair, ops.cast(places * classes, "int32") - 1)
            return _taken(boxes, pair // classes), best, pair % classes
        best, place = self._top(ops.transpose(scores[..., self.background :], (0, 2, 1)))  # (batch, classes, count)
        found = ops.arange(self.background, scores.shape[-1], dtype="int32")[None, :, None] + ops.zeros_like(place)
        best, place, found = (ops.reshape(x, (batch, best.shape[1] * self.count)) for x in (best, place, found))
        return _taken(boxes, place), best, found

    def _top(self, scores):
        """Scores and places; of fewer than `count` there are empty ones behind."""
        length = scores.shape[-1]
        if length is None or length < self.count:
            empty = ops.full((*ops.shape(scores)[:-1], self.count), NOTHING, dtype="float32")
            scores = ops.concatenate([scores, empty], axis=-1)
        best, place = ops.top_k(scores, self.count)
        return best, ops.cast(place, "int32")

    def compute_output_shape(self, input_shapes):
        batch, _, classes = input_shapes[1]
        count = self.count * (classes - self.background) if self.by == "class" else self.count
        return (batch, count, 4), (batch, count), (batch, count)

    def compute_output_spec(self, inputs):
        shapes = self.compute_output_shape([x.shape for x in inputs])
        return tuple(map(keras.KerasTensor, shapes, ("float32", "float32", "int32")))

    def get_config(self):
        names = ("count", "threshold", "by", "background")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


def first_of_largest(values):
    """The place of the largest number along the last axis, of equal ones the first: int32.

    Every format that models are exported to has these operations; Keras' `argmax` takes bits apart on TensorFlow.
    """
    places = ops.arange(ops.shape(values)[-1], dtype="int32")
    is_largest = values == ops.max(values, axis=-1, keepdims=True)
    return ops.min(ops.where(is_largest, places, ops.cast(2**31 - 1, "int32")), axis=-1)


def _taken(values, places):
    """Of each example of `values`, `(batch, length, n)`, the entries at `places`, `(batch, count)`; the last beyond."""
    batch, length, _ = ops.shape(values)
    first = ops.arange(batch, dtype="int32")[:, None] * ops.cast(length, "int32")
    places = first + ops.minimum(places, ops.cast(length, "int32") - 1)
    return ops.take(ops.reshape(values, (-1, values.shape[-1])), places, axis=0)
