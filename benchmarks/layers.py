"""Time the layers beside the plain formulas that they replace, on TensorFlow and this machine's processor.

    python benchmarks/layers.py [--rounds 20] [--only Blur]

Every row is the median over interleaved runs in one process: layer, references, layer, references, …
Prints a Markdown table; `graph` is tf.function, `XLA` is tf.function with jit_compile=True.
"""

import argparse
import os
import statistics
import time

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import tensorflow as tf

import zoo.layers
from zoo.processor import described

SHAPE = (8, 128, 128, 64)


def scatter_unpooling(values, indices):
    """Unpool as most code does: one scatter over the flattened batch."""
    entries = SHAPE[1] * SHAPE[2] * SHAPE[3]
    flat = indices + tf.reshape(tf.range(SHAPE[0]) * entries, (-1, 1, 1, 1))
    image = tf.scatter_nd(tf.reshape(flat, (-1, 1)), tf.reshape(values, (-1,)), (SHAPE[0] * entries,))
    return tf.reshape(image, SHAPE)


def plain_partial(convolution, features, mask):
    """Convolve the mask, as wide as the features, with as many filters of ones: the usual formula."""
    convolved = tf.nn.conv2d(features * mask, convolution.kernel, 1, "SAME")
    total = tf.nn.conv2d(mask, tf.ones_like(convolution.kernel), 1, "SAME")
    scale = tf.math.divide_no_nan(float(9 * SHAPE[3]), total)
    valid = tf.cast(total > 0, features.dtype)
    return (convolved * scale + convolution.bias) * valid, valid


def plain_sparse(convolution, features, mask):
    """Normalise by the convolved mask repeated over the channels."""
    mask = tf.repeat(mask, SHAPE[3], axis=-1)
    convolved = tf.nn.conv2d(features * mask, convolution.kernel, 1, "SAME")
    total = tf.nn.conv2d(mask, tf.ones_like(convolution.kernel), 1, "SAME")
    scale = tf.math.divide_no_nan(float(9 * SHAPE[3]), total)
    return convolved * scale + convolution.bias, tf.nn.max_pool2d(mask, 3, 1, "SAME")


def cases():
    """Yield name, layer, inputs, references (name → function, XLA where possible), and the goal by mode.

    A goal `(reference, limit, pinned)` asks for `layer <= limit * reference`; pinned: of the reference without XLA.
    """
    features = tf.random.stateless_normal(SHAPE, (1, 2))
    holes = tf.random.stateless_uniform(SHAPE, (3, 4)) < 0.7
    wide_mask, mask = tf.cast(holes, tf.float32), tf.cast(holes[..., :1], tf.float32)
    convolution = keras.layers.Conv2D(64, 3, padding="same")
    convolution.build(SHAPE)
    bare = ("bare Conv2D", lambda x, m: convolution(x))
    goal = {"graph": ("bare Conv2D", 1.4, False), "XLA": ("bare Conv2D", 1.4, False)}
    for name, layer, plain, m in (
        ("PartialConv2D, mask per channel", zoo.layers.PartialConv2D, plain_partial, wide_mask),
        ("SparseConv2D", zoo.layers.SparseConv2D, plain_sparse, mask),
    ):
        layer = layer(64, 3, padding="same")
        formula = ("plain formula", lambda x, m, plain=plain: plain(convolution, x, m))
        yield name, lambda x, m, layer=layer: layer([x, m]), (features, m), dict((bare, formula)), goal

    # The operation's own default: int64 indices; with int32 it has no gradient.
    operation = {"max_pool_with_argmax": lambda x: tf.nn.max_pool_with_argmax(x, 2, 2, "VALID")}
    goal = {"graph": ("max_pool_with_argmax", 1 / 2, True), "XLA": ("max_pool_with_argmax", 1 / 7, True)}
    pooling = zoo.layers.MaxPoolingWithArgmax2D()
    yield "MaxPoolingWithArgmax2D 2x2", lambda x: pooling(x), (features,), operation, goal

    values, indices = pooling(features)
    goal = {"graph": ("scatter_nd", 1 / 5, True), "XLA": ("scatter_nd", 1 / 15, True)}
    unpooling = zoo.layers.MaxUnpooling2D()
    scatter = {"scatter_nd": scatter_unpooling}
    yield "MaxUnpooling2D 2x2", lambda x, i: unpooling([x, i]), (values, indices), scatter, goal

    blur = zoo.layers.Blur2D(3, strides=2)
    row = tf.constant([0.25, 0.5, 0.25])
    kernel = tf.repeat((row[:, None] * row)[..., None, None], SHAPE[3], axis=2)

    def depthwise(x):
        return tf.nn.depthwise_conv2d(x, kernel, (1, 2, 2, 1), "SAME")

    references = {"bare depthwise": depthwise, "plain formula": lambda x: depthwise(x) / depthwise(tf.ones_like(x))}
    goal = {"graph": ("bare depthwise", 1.15, False), "XLA": ("bare depthwise", 1.15, False)}
    yield "Blur2D 3x3 stride 2", lambda x: blur(x), (features,), references, goal

    fused, plain = zoo.layers.FusedBatchNormalization(), keras.layers.BatchNormalization()
    own = {"Keras' own": lambda x: plain(x, training=True)}
    goal = {"graph": ("Keras' own", 0.5, False)}
    yield "FusedBatchNormalization, training", lambda x: fused(x, training=True), (features,), own, goal


def with_gradient(function):
    """Return a function that also computes the gradient of the first output for the first input and all weights."""

    def run(inputs, *rest):
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = function(inputs, *rest)
            first = outputs[0] if isinstance(outputs, (tuple, list)) else outputs
        return outputs, tape.gradient(first, [inputs, *tape.watched_variables()])

    return run


def medians(functions, inputs, rounds):
    """Return the median seconds of each function over interleaved rounds; functions that cannot run are left out."""
    seconds = {}
    for key, function in functions.items():
        try:
            function(*inputs)
            seconds[key] = []
        except (tf.errors.InvalidArgumentError, tf.errors.UnimplementedError):
            continue  # the operation has no XLA kernel
    for _ in range(rounds):
        for key, times in seconds.items():
            start = time.perf_counter()
            functions[key](*inputs)
            times.append(time.perf_counter() - start)
    return {key: statistics.median(times) for key, times in seconds.items()}


def compiled(layer, references, derive):
    """Return {(name, mode): compiled function} of one case."""
    functions = {"layer": layer, **references}
    if derive:
        functions = {name: with_gradient(function) for name, function in functions.items()}
    return {
        (name, mode): tf.function(function, jit_compile=mode == "XLA", autograph=False)
        for mode in ("graph", "XLA")
        for name, function in functions.items()
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--only", default="", help="part of a layer's name: time these layers only")
    arguments = parser.parse_args()
    rounds = arguments.rounds
    print(f"Shape {'x'.join(map(str, SHAPE))}, float32, {described()}, TensorFlow {tf.__version__}, ", end="")
    print(f"Keras {keras.__version__}, medians of {rounds} interleaved runs, milliseconds.\n")
    print("| layer | pass | mode | layer | references | layer / goal's reference | goal | reached |")
    print("|---|---|---|---|---|---|---|---|")
    for name, layer, inputs, references, goals in cases():
        if arguments.only not in name:
            continue
        for passes in ("forward", "forward + backward"):
            functions = compiled(layer, references, passes != "forward")
            times = medians(functions, inputs, rounds)
            for mode, (reference, limit, pinned) in goals.items():
                mine, theirs = times["layer", mode], times[reference, "graph" if pinned else mode]
                beside = ", ".join(
                    f"{key} {times[key, mode] * 1e3:.1f}" if (key, mode) in times else f"{key} does not compile"
                    for key in references
                )
                goal = f"≤ {limit:.3g} x {reference}{' (graph)' if pinned else ''}"
                reached = "yes" if mine <= limit * theirs else "no"
                print(
                    f"| {name} | {passes} | {mode} | {mine * 1e3:.1f} | {beside} "
                    f"| {mine / theirs:.3g} | {goal} | {reached} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
