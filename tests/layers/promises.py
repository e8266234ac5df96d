"""What every layer promises on every backend, each as a check of one layer and its NumPy inputs."""

import functools

import keras
import numpy as np
import pytest

BACKEND = keras.backend.backend()


def numbers(seed, shape):
    """Return multiples of 1/16 in [-8, 8): exact in bfloat16, and for up to 256 entries all different."""
    entries = np.random.default_rng(seed).permutation(int(np.prod(shape))) % 256
    return (entries.reshape(shape) / 16 - 8).astype("float32")


def run(layer, inputs):
    """Call `layer` with arrays and return its outputs as a list of arrays, bfloat16 as float32."""
    if isinstance(layer, keras.layers.Layer) and not layer.built:
        shapes = [x.shape for x in inputs]
        layer.build(shapes if len(shapes) > 1 else shapes[0])
    return arrays(jitted(layer)(packed(inputs)))


@functools.cache
def jitted(layer):
    """Return `layer`, on JAX compiled as a whole: one compilation instead of one for each operation and shape."""
    if BACKEND != "jax":
        return layer
    import jax

    return jax.jit(lambda x: layer(x))


def packed(inputs):
    tensors = [keras.ops.convert_to_tensor(x) for x in inputs]
    return tensors[0] if len(tensors) == 1 else tensors


def arrays(outputs):
    outputs = outputs if isinstance(outputs, (list, tuple)) else [outputs]
    wide = [
        keras.ops.cast(x, "float32") if keras.backend.standardize_dtype(x.dtype) == "bfloat16" else x for x in outputs
    ]
    return [keras.ops.convert_to_numpy(x) for x in wide]


def variant(layer, shapes, **config):
    """Return the layer again, with other arguments and the same weights."""
    again = type(layer).from_config({**layer.get_config(), **config})
    if layer.weights:
        again.build(shapes if len(shapes) > 1 else shapes[0])
        again.set_weights(layer.get_weights())
    return again


def assert_same(actual, expected, tolerance=1e-5):
    for a, b in zip(actual, expected, strict=True):
        assert a.shape == b.shape
        if np.issubdtype(b.dtype, np.integer):
            np.testing.assert_array_equal(a, b)
        else:
            np.testing.assert_allclose(a, b, rtol=0, atol=tolerance * max(1.0, float(np.abs(b).max())))


def functional(layer, inputs, rank):
    """Return a model of the layer, for any spatial size."""
    symbols = [keras.Input((*[None] * rank, x.shape[-1]), dtype=str(x.dtype)) for x in inputs]
    return keras.Model(symbols, layer(symbols[0] if len(symbols) == 1 else symbols))


def takes_unknown_sizes(layer, inputs, tmp_path):
    rank = inputs[0].ndim - 2
    expected = run(layer, inputs)
    model = functional(layer, inputs, rank)
    assert_same(run(model, inputs), expected)
    outputs = model.outputs
    assert [len(x.shape) for x in outputs] == [x.ndim for x in expected]
    assert [keras.backend.standardize_dtype(x.dtype) for x in outputs] == [str(x.dtype) for x in expected]
    assert [tuple(x.shape) for x in expected] == [tuple(s) for s in shapes_of(layer, inputs)]
    if BACKEND == "tensorflow":
        import tensorflow as tf

        signature = [tf.TensorSpec([None, *[None] * rank, x.shape[-1]], x.dtype) for x in inputs]
        traced = tf.function(lambda *x: layer(x[0] if len(x) == 1 else list(x)), input_signature=signature)
        assert_same(arrays(traced(*inputs)), expected)


def shapes_of(layer, inputs):
    shapes = [x.shape for x in inputs]
    result = layer.compute_output_shape(shapes if len(shapes) > 1 else shapes[0])
    return result if isinstance(result[0], (tuple, list)) else [result]


def computes_in_bfloat16(layer, inputs, tmp_path):
    expected = run(layer, inputs)
    half = variant(layer, [x.shape for x in inputs], dtype="mixed_bfloat16")
    outputs = jitted(half)(packed(inputs))
    outputs = outputs if isinstance(outputs, (list, tuple)) else [outputs]
    dtypes = [keras.backend.standardize_dtype(x.dtype) for x in outputs]
    assert dtypes == ["bfloat16" if x.dtype == np.float32 else str(x.dtype) for x in expected]
    assert_same(arrays(outputs), expected, tolerance=2e-2)


def takes_channels_first(layer, inputs, tmp_path):
    expected = run(layer, inputs)
    moved = [np.ascontiguousarray(np.moveaxis(x, -1, 1)) for x in inputs]
    other = variant(layer, [x.shape for x in moved], data_format="channels_first")
    try:
        actual = run(other, moved)
    except Exception as error:
        if BACKEND == "tensorflow" and ("NCHW" in str(error) or "NCDHW" in str(error) or "NHWC" in str(error)):
            pytest.skip("TensorFlow's convolution on this processor takes channels last only")
        raise
    assert_same(actual, [np.moveaxis(x, -1, 1) for x in expected])
    assert [x.shape for x in actual] == [tuple(s) for s in shapes_of(other, moved)]


def compiles(layer, inputs, tmp_path):
    expected = run(layer, inputs)
    if BACKEND == "torch":
        pytest.skip("torch.compile needs a C++ compiler; XLA is TensorFlow's and JAX's")
    if BACKEND == "jax":
        actual = arrays(layer(packed(inputs)))  # `run` compiles: here operation by operation
    else:
        import tensorflow as tf

        actual = arrays(tf.function(lambda x: layer(x), jit_compile=True)(packed(inputs)))
    assert_same(actual, expected)


def saves_and_loads(layer, inputs, tmp_path):
    model = functional(layer, inputs, inputs[0].ndim - 2)
    expected = run(model, inputs)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert_same(run(loaded, inputs), expected, tolerance=1e-6)
    assert loaded.count_params() == model.count_params()


def works_inside_a_saved_model(layer, inputs, tmp_path):
    if BACKEND != "tensorflow":
        pytest.skip("a SavedModel is TensorFlow's")
    import tensorflow as tf

    expected, slope = run(layer, inputs), gradient(layer, inputs)
    signature = [tf.TensorSpec([None] * (x.ndim - 1) + [x.shape[-1]], x.dtype) for x in inputs]
    module = tf.Module()
    module.layer = layer
    module.serve = tf.function(lambda *x: layer(x[0] if len(x) == 1 else list(x)), input_signature=signature)
    tf.saved_model.save(module, str(tmp_path / "1"))
    loaded = tf.saved_model.load(str(tmp_path / "1"))
    assert_same(arrays(loaded.serve(*inputs)), expected)
    assert_same([gradient(lambda x: loaded.serve(*(x if isinstance(x, list) else [x])), inputs)], [slope])


def first_output(layer, inputs):
    outputs = layer(inputs)
    return outputs[0] if isinstance(outputs, (list, tuple)) else outputs


def gradient(layer, inputs):
    """Return d sum(outputs * w) / d inputs[0] as an array, w = cos(0, 1, 2, …)."""

    def loss(x):
        outputs = first_output(layer, x if not rest else [x, *rest])
        size = int(np.prod(outputs.shape))
        weights = np.cos(np.arange(size)).reshape(outputs.shape).astype("float32")
        return keras.ops.sum(outputs * keras.ops.convert_to_tensor(weights))

    x, *rest = (keras.ops.convert_to_tensor(x) for x in inputs)
    if BACKEND == "jax":
        import jax

        return np.asarray(jax.jit(jax.grad(loss))(x))
    if BACKEND == "torch":
        x = x.detach().requires_grad_(True)
        loss(x).backward()
        return x.grad.cpu().numpy()
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(x)
        value = loss(x)
    return tape.gradient(value, x).numpy()


def has_the_gradient_of_finite_differences(layer, inputs, tmp_path):
    x, *rest = inputs
    direction = np.random.default_rng(5).uniform(-1, 1, x.shape).astype("float32")
    expected, step = 0.0, 1 / 64
    for sign in (1, -1):
        outputs = run(layer, [x + sign * step * direction, *rest])[0].astype("float64")
        expected += sign * float(np.sum(outputs * np.cos(np.arange(outputs.size)).reshape(outputs.shape)))
    slope = gradient(layer, inputs)
    expected /= 2 * step
    assert np.sum(slope * direction) == pytest.approx(expected, rel=2e-3, abs=2e-3 * float(np.abs(slope).sum()) ** 0.5)


PROMISES = [
    takes_unknown_sizes,
    computes_in_bfloat16,
    takes_channels_first,
    compiles,
    saves_and_loads,
    works_inside_a_saved_model,
    has_the_gradient_of_finite_differences,
]


# What every case keeps in the quick tests; the first case of a file keeps more: all but what compiles most elsewhere.
if BACKEND == "tensorflow":
    ALWAYS, FIRST = set(PROMISES) - {compiles, works_inside_a_saved_model}, set(PROMISES)
else:
    ALWAYS, FIRST = {takes_unknown_sizes}, set(PROMISES) - {compiles, saves_and_loads}


def marks(promise, is_first):
    return [pytest.mark.slow] * (promise not in (FIRST if is_first else ALWAYS))


def keeps(cases):
    """Parametrise a test over `cases`, id → (layer maker, inputs maker), and every promise.

    The promises of a case share its layer, so that a backend that compiles compiles it once.
    """
    pairs = []
    for index, (name, case) in enumerate(cases.items()):
        shared = [functools.cache(make) for make in case]
        pairs += [
            pytest.param(*shared, promise, id=f"{name}-{promise.__name__}", marks=marks(promise, index == 0))
            for promise in PROMISES
        ]
    return pytest.mark.parametrize(("make", "inputs", "promise"), pairs)
