"""Uses exports as someone who has only TensorFlow and TF Hub: this library cannot be imported here.

python stranger.py EXPORTS      a JSON object of export by name; prints a JSON object of what was found
"""

import contextlib
import importlib.util
import json
import sys
import tempfile
from pathlib import Path

sys.meta_path = [finder for finder in sys.meta_path if "editable" not in f"{finder}".lower()]
sys.path = [entry for entry in sys.path if not (Path(entry) / "zoo" / "loading.py").is_file()]
assert importlib.util.find_spec("zoo") is None

import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
import tensorflow_hub as hub  # noqa: E402
import tf_keras  # noqa: E402
from tensorflow.python.tools import saved_model_cli  # noqa: E402 (the module of the command)


def answers(folder):
    """What each way into the export gives for the inputs that ride along."""
    loaded = tf.saved_model.load(folder)
    with np.load(f"{folder}/assets.extra/verification.npz") as file:
        arrays = dict(file)
    inputs = arrays.pop("inputs")
    called = loaded(tf.constant(inputs), training=False)
    called = called if isinstance(called, dict) else {"output": called}
    worst = max(np.abs(called[name] - value).max() / np.abs(value).max() for name, value in arrays.items())
    found = {"signatures": sorted(loaded.signatures), "call": float(worst)}
    key = next(iter(loaded.signatures["serving_default"].structured_input_signature[1]))
    served = loaded.signatures["serving_default"](**{key: tf.cast(inputs, tf.float32)})
    found["served"] = {name: list(value.shape) for name, value in served.items()}
    if "classes" in served:
        found["classes"] = np.vectorize(bytes.decode)(served["classes"].numpy()).tolist()
    if "encoded" in found["signatures"]:
        files = tf.constant([tf.io.encode_png(image).numpy() for image in inputs])
        found["encoded"] = {
            name: list(value.shape) for name, value in loaded.signatures["encoded"](image_bytes=files).items()
        }
    return found


def fine_tuned(folder):
    """Fine-tune in tf_keras on three colours; what changed and how the loss fell."""
    layer = hub.KerasLayer(folder, trainable=True)
    before = [variable.numpy() for variable in layer.variables]
    model = tf_keras.Sequential([tf_keras.Input((32, 32, 3)), layer])
    loss = tf_keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(tf_keras.optimizers.Adam(1e-3), loss)
    generator = np.random.default_rng(0)
    labels = np.arange(48) % 3
    images = generator.integers(0, 100, (48, 32, 32, 3)).astype("float32")
    images[np.arange(48), :, :, labels] += 100
    with tf.GradientTape() as tape:
        value = loss(labels, layer(images, training=True))
    gradients = tape.gradient(value, layer.trainable_variables)
    losses = model.fit(images, labels, batch_size=16, epochs=6, verbose=0).history["loss"]
    pairs = zip(layer.variables, before, strict=True)
    return {
        "losses": losses,
        "trainable": len(layer.trainable_variables),
        "with_gradient": sum(gradient is not None for gradient in gradients),
        "variables": len(layer.variables),
        "changed": sum(bool(np.any(variable.numpy() != old)) for variable, old in pairs),
    }


def enlarged_by_the_command(folder):
    """What `saved_model_cli run` makes of a grey image of 3 x 4 pixels."""
    with tempfile.TemporaryDirectory() as out:
        np.save(f"{out}/inputs.npy", np.full((1, 3, 4, 3), 100, "uint8"))
        sys.argv = ["saved_model_cli", "run", "--dir", folder, "--tag_set", "serve", "--signature_def", "serving_uint8"]
        sys.argv += ["--inputs", f"image={out}/inputs.npy", "--outdir", out]
        with contextlib.suppress(SystemExit):
            saved_model_cli.main()
        return np.load(f"{out}/image.npy").tolist()


def main():
    exports = json.loads(sys.argv[1])
    found = {name: answers(folder) for name, folder in exports.items()}
    assert hub.load(exports["super-resolution"])(np.zeros((1, 4, 5, 3), "uint8")).shape == (1, 8, 10, 3)
    found["command"] = enlarged_by_the_command(exports["super-resolution"])
    found["fine-tuned"] = fine_tuned(exports["image-classification"])
    print(json.dumps(found))


main()
