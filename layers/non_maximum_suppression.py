"""One box for each object."""

import keras
from keras import ops

from zoo.layers.best_boxes import first_of_largest
from zoo.layers.box_geometry import areas, intersection_over_union


@keras.saving.register_keras_serializable(package="zoo")
class NonMaximumSuppression(keras.layers.Layer):
    """Keep the best box, leave out those that overlap it, and so on: greedy, and exact.

    The number of boxes that come out is fixed, and nothing else than the number of rounds depends on what goes in: it
    runs on every backend, under XLA, and in ONNX.

    Args:
        count: Boxes that come out, at most so many of them filled.
        threshold: Intersection over union above which the worse of two boxes is left out.
        class_agnostic: Whether boxes of different classes leave each other out too.

    Input shape: a list of boxes, `(batch, places, 4)`, their scores, `(batch, places)`, and classes, `(batch, places)`
    of whole numbers. Boxes with a score of at most 0 do not count, and of those without area one stays.
    Output shape: boxes, `(batch, count, 4)`, scores, `(batch, count)`, float32, classes, `(batch, count)`, and how many
    there are, `(batch,)`, int32: best first, of equal ones the first. Behind them boxes and scores are 0, classes -1.

    Reference: Neubeck and Van Gool, 2006, https://doi.org/10.1109/ICPR.2006.479.

    Example:
        >>> import keras
        >>> from zoo.layers import NonMaximumSuppression
        >>> boxes = keras.ops.array([[[0.0, 0, 10, 10], [1, 0, 10, 10], [20, 20, 30, 30]]])
        >>> scores, classes = keras.ops.array([[0.8, 0.9, 0.7]]), keras.ops.zeros((1, 3), "int32")
        >>> _, kept, _, count = NonMaximumSuppression(5)([boxes, scores, classes])
        >>> int(count[0]), [round(float(score), 1) for score in kept[0]]
        (2, [0.9, 0.7, 0.0, 0.0, 0.0])
    """

    def __init__(self, count: int, threshold: float = 0.5, class_agnostic: bool = False, **kwargs):
        super().__init__(**kwargs)
        self.count = count
        self.threshold = threshold
        self.class_agnostic = class_agnostic

    def call(self, inputs):
        boxes, scores = (ops.stop_gradient(ops.cast(x, "float32")) for x in inputs[:2])
        classes = ops.cast(inputs[2], "int32")
        batch, places = ops.shape(scores)
        position, rank = ops.arange(places, dtype="int32"), ops.arange(self.count, dtype="int32")
        first = ops.arange(batch, dtype="int32") * ops.cast(places, "int32")
        flat_boxes, flat_scores, flat_classes = (ops.reshape(x, shape) for x, shape in (
            (boxes, (-1, 4)), (scores, (-1,)), (classes, (-1,))
        ))  # fmt: skip

        def is_unfinished(index, left, chosen):
            return ops.logical_and(index < self.count, ops.any(left > 0))

        def choose(index, left, chosen):
            best = first_of_largest(left)
            is_best = position == best[:, None]
            box = ops.take(flat_boxes, first + best, axis=0)[:, None]
            worse = intersection_over_union(box, boxes) > self.threshold
            worse = ops.logical_or(worse, areas(box) + areas(boxes) <= 0)
            if not self.class_agnostic:
                worse = ops.logical_and(worse, ops.take(flat_classes, first + best, axis=0)[:, None] == classes)
            is_some = ops.max(left, axis=1) > 0
            chosen = ops.where(ops.logical_and(rank == index, is_some[:, None]), best[:, None], chosen)
            return index + 1, ops.where(ops.logical_or(worse, is_best), 0.0, left), chosen

        start = ops.zeros((), "int32"), ops.maximum(scores, 0.0), ops.zeros((batch, self.count), "int32") - 1
        _, _, chosen = ops.while_loop(is_unfinished, choose, start)
        is_kept = chosen >= 0
        places = first[:, None] + ops.maximum(chosen, 0)
        return (
            ops.where(is_kept[..., None], ops.take(flat_boxes, places, axis=0), 0.0),
            ops.where(is_kept, ops.take(flat_scores, places, axis=0), 0.0),
            ops.where(is_kept, ops.take(flat_classes, places, axis=0), -1),
            ops.sum(ops.cast(is_kept, "int32"), axis=1),
        )

    def compute_output_shape(self, input_shapes):
        batch = input_shapes[0][0]
        return (batch, self.count, 4), (batch, self.count), (batch, self.count), (batch,)

    def compute_output_spec(self, inputs):
        shapes = self.compute_output_shape([x.shape for x in inputs])
        return tuple(map(keras.KerasTensor, shapes, ("float32", "float32", "int32", "int32")))

    def get_config(self):
        names = ("count", "threshold", "class_agnostic")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
