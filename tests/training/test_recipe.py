"""The recipe of a run: read from a file, completed, applied, resumed bit for bit."""

import json

import keras
import numpy as np
import pytest
import yaml
from click.testing import CliRunner

import zoo
from tests.training.photographs import write_photographs
from zoo.command_line.main import main
from zoo.errors import InputError
from zoo.training.optimizers import PARTS, phase_optimizer
from zoo.training.plan import Phase
from zoo.training.preparation import prepare
from zoo.training.recipe import OPTIONS, as_yaml, completed, recorded
from zoo.training.running import train_model
from zoo.training.state import State

ALL = {  # every option with a value that is not its default, but for the one of two that exclude each other
    "epochs": 3,
    "freeze": "none",
    "learning_rate": 0.01,
    "batch_size": 4,
    "gradient_accumulation": 2,
    "optimizer": "sgd",
    "weight_decay": 0.01,
    "layer_decay": 0.8,
    "lora": 4,
    "drop_path": 0.1,
    "ema": 0.9,
    "augment": None,
    "label_smoothing": 0.1,
    "mixup": 0.2,
    "cutmix": 1.0,
    "image_size": 8,
    "class_weight": None,
    "mixed_precision": False,
    "seed": 3,
}


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    return write_photographs(tmp_path_factory.mktemp("data") / "photographs", {"blue": 10, "green": 10}, side=8)


def test_a_recipe_is_a_file_and_what_is_passed_by_name_comes_first(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump({**ALL, "image_size": [24, 32]}))
    recipe = completed(path, {"epochs": 5})
    assert recipe == completed(None, {**ALL, "image_size": (24, 32), "epochs": 5})
    assert completed(path, {}) == completed({**ALL, "image_size": (24, 32)}, {})
    path.write_text(as_yaml(recipe))
    assert completed(path, {}) == recipe


def test_a_recipe_without_anything_is_the_defaults_and_what_earlier_versions_recorded():
    recipe = completed(None, {})
    assert recipe == {name: option.default for name, option in OPTIONS.items()}
    assert json.loads(json.dumps(recorded(recipe))) == {
        "epochs": "auto",
        "freeze": "auto",
        "learning_rate": "auto",
        "batch_size": "auto",
        "augment": True,
        "seed": 0,
    }


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("epochs: [", "cannot be read"),
        ("3", "contains no options"),
        ("", "contains no options"),
        ("epoch: 3", r"no option 'epoch' in .*mine.yaml.*Did you mean 'epochs'"),
        ("epochs: many", r"epochs='many' in .*mine.yaml"),
        ("loss: [1]", r"loss=\[1\] in"),
    ],
)
def test_a_recipe_that_cannot_be_followed_is_named(content, message, tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(content)
    with pytest.raises(InputError, match=message):
        completed(path, {})


def test_a_recipe_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match=r"nowhere\.yaml cannot be read"):
        zoo.finetune("there-is-no-such-model", tmp_path, recipe=tmp_path / "nowhere.yaml")


@pytest.mark.parametrize(
    ("model", "options", "message"),
    [
        ("espcn-x2", {"augment": "strong"}, "does not apply to super-resolution"),
        ("espcn-x2", {"image_size": 8}, "does not apply to super-resolution"),
        ("blurnet-textures", {"loss": "dice"}, "does not apply to image-classification"),
        ("blurnet-textures", {"image_size": (8, 16)}, "has two sides"),
        ("blurnet-textures", {"drop_path": 0.1}, "has no blocks to leave out"),
        ("blurnet-textures", {"steps": 3, "epochs": 2}, "Expected one of the two"),
        ("blurnet-textures", {"optimizer": "adamwx", "epochs": 1}, "Expected the name of a Keras optimizer"),
        ("espcn-x2", {"mixup": 0.2}, "does not apply to super-resolution.*single classes"),
        ("segnet-basic", {"label_smoothing": 0.1}, "does not apply to semantic-segmentation.*single classes"),
        ("segnet-basic", {"augment": keras.layers.RandomFlip()}, "does not apply to semantic-segmentation"),
        ("segnet-basic", {"loss": "dyce"}, "Did you mean 'dice'"),
        ("segnet-basic", {"class_weight": "balance"}, "Expected 'balanced' or None"),
        ("segnet-basic", {"image_size": (999, 9)}, "is larger than an image"),
    ],
)
def test_an_option_that_does_not_apply_is_named(model, options, message, photographs, tmp_path):
    images = np.zeros((4, 32, 32, 3), "uint8")
    masks = np.broadcast_to(np.arange(2, dtype="uint8").repeat(16), (4, 32, 32))
    data = {"blurnet-textures": photographs, "espcn-x2": list(images), "segnet-basic": (images, masks)}[model]
    with pytest.raises(InputError, match=message):
        zoo.finetune(model, data, output_dir=tmp_path / "run", **options)
    assert not (tmp_path / "run").exists()


def test_the_command_line_prints_the_recipe_and_reads_it(photographs, tmp_path):
    (tmp_path / "mine.yaml").write_text("epochs: 2\nema: 0.9\naugment: light\n")
    arguments = ["finetune", "blurnet-textures", str(photographs), "--recipe", str(tmp_path / "mine.yaml")]
    arguments += ["--augment", "none", "--class-weight", "none", "--image-size", "8", "--dry-run"]
    answer = CliRunner().invoke(main, arguments, catch_exceptions=False)
    printed = yaml.safe_load(answer.stdout.split("as --recipe reads it:")[1])
    assert printed == {
        **completed(None, {}),
        "epochs": 2,
        "ema": 0.9,
        "augment": None,
        "image_size": 8,
        "class_weight": None,
    }
    refused = CliRunner().invoke(main, [*arguments, "--image-size", "8xx"])
    assert refused.exit_code == 2
    assert "is not a size" in refused.output


def root_error(target, output):
    return keras.ops.sqrt(keras.ops.mean(keras.ops.square(target - output)))


@pytest.mark.parametrize("loss", [root_error, keras.losses.MeanSquaredError("sum")], ids=["function", "of Keras"])
def test_any_task_takes_a_loss_of_one_s_own(loss):
    images = list(np.random.default_rng(0).integers(256, size=(5, 32, 32, 3)).astype("uint8"))
    prepared = prepare(zoo.load("espcn-x2"), images, completed(None, {"loss": loss, "augment": None}))
    assert prepared.loss is loss
    written = json.dumps(prepared.settings["loss"])
    assert "root_error" in written or '"reduction": "sum"' in written
    assert yaml.safe_load(as_yaml(prepared.recipe))["loss"] in (f"{__name__}.root_error", "mean_squared_error")


def test_classes_are_weighted_unless_they_are_not_to_be():
    images = np.zeros((5, 16, 16, 3), "uint8")
    masks = np.zeros(images.shape[:3], "uint8")
    masks[:, :2] = 1
    target, logits = masks[:1].astype("int32"), np.zeros((1, 16, 16, 11), "float32")
    logits[..., 0] = 2
    found = {}
    for weight in ("balanced", None):
        recipe = completed(None, {"class_weight": weight, "augment": None})
        found[weight] = float(prepare(zoo.load("segnet-basic"), (images, masks), recipe).loss(target, logits))
    assert found["balanced"] > found[None] + 0.1  # the wrong pixels are of the rare class
    labels = np.array([0, 0, 0, 0, 0, 0, 0, 0, 1, 1])
    model, data = zoo.load("blurnet-textures"), (np.zeros((10, 32, 32, 3), "uint8"), labels)
    weights = [prepare(model, data, completed(None, {"class_weight": one})).class_weight for one in ("balanced", None)]
    assert weights[0] is not None
    assert weights[0][1] > weights[0][0]
    assert weights[1] is None


@pytest.mark.slow  # trains
def test_what_is_kept_is_the_average_of_the_weights(photographs, tmp_path):
    options = {"epochs": 2, "freeze": "backbone", "batch_size": 4, "augment": None, "learning_rate": 0.5}
    recipe = completed(None, {**options, "ema": 0.999})
    others = write_photographs(tmp_path / "others", {"blue": 4, "green": 4}, side=8)
    prepared = prepare(zoo.load("blurnet-textures"), photographs, recipe, validation_data=others)
    state = State(tmp_path / "state", prepared.settings)
    seen = Weights()
    train_model(prepared, state, tmp_path / "logs", [seen])
    start = state.fitted(prepared.model)[-2]
    kept = state.best_values(prepared.model)[prepared.model.variables[-2].path]
    assert 0 < np.abs(kept - start).max() < 0.05 * np.abs(seen.last - start).max()  # 10 of a thousand steps


class Weights(keras.callbacks.Callback):
    """Remembers the kernel of the head at the end of the last step."""

    def on_train_batch_end(self, batch, logs=None):
        self.last = keras.ops.convert_to_numpy(self.model.trainable_variables[0])


class Interrupt(keras.callbacks.Callback):
    """Ctrl-C at the beginning of an epoch."""

    def __init__(self, epoch):
        super().__init__()
        self.at = epoch

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.at:
            raise KeyboardInterrupt


class Counts(keras.callbacks.Callback):
    """Counts epochs: what it remembers has to be resumed."""

    def __init__(self):
        super().__init__()
        self.epochs = 0

    def on_epoch_end(self, epoch, logs=None):
        self.epochs += 1


REMEMBERED = {"layer_decay": 0.8, "ema": 0.9, "weight_decay": 0.01, "gradient_accumulation": 2}
REMEMBERED |= {"mixup": 0.2, "cutmix": 1.0, "label_smoothing": 0.1, "augment": keras.layers.RandomBrightness(0.2)}


@pytest.mark.slow  # trains twice; test_runs.py resumes
@pytest.mark.parametrize(
    "options",
    [{"freeze": "backbone", "ema": 0.9}, {"freeze": 8, **REMEMBERED}, {"lora": 4, **REMEMBERED}],
    ids=["the head", "everything", "an adapter"],
)
def test_a_run_that_was_interrupted_ends_with_the_same_bits(options, photographs, tmp_path):
    def trained(name, *callbacks, counts):
        recipe = completed(None, {"epochs": 3, "batch_size": 4, **options})
        prepared = prepare(zoo.load("blurnet-textures"), photographs, recipe)
        state = State(tmp_path / name, prepared.settings)
        train_model(prepared, state, tmp_path / "logs", [counts, *callbacks])
        return list(state.best_values(prepared.model).values()), state.history

    counts = Counts()
    whole, history = trained("whole", counts=counts)
    with pytest.raises(KeyboardInterrupt):
        trained("broken", Interrupt(2), counts=Counts())
    resumed = Counts()
    again, its_history = trained("broken", counts=resumed)
    assert its_history == history
    assert resumed.epochs == counts.epochs == 3
    for one, other in zip(whole, again, strict=True):
        np.testing.assert_array_equal(one, other)


def test_rates_fall_from_the_output_to_the_input():
    names = tuple(f"layer{index}" for index in range(PARTS))
    phase = Phase("all", 0, 2, 1.0, names, 1)
    optimizer = phase_optimizer(completed(None, {"layer_decay": 0.5}), phase, None)
    x = inputs = keras.Input((1,))
    for name in names:
        x = keras.layers.Dense(1, name=name)(x)
    model = keras.Model(inputs, x)
    optimizer.build(model.trainable_variables)
    rates = [float(one.learning_rate) for one in reversed(optimizer.optimizers)]  # as the variables come
    assert rates == pytest.approx([0.5**index for index in range(PARTS)])
    first, last = model.trainable_variables[0], model.trainable_variables[-1]
    before = [float(variable.numpy().ravel()[0]) for variable in (first, last)]
    optimizer.apply([keras.ops.ones(variable.shape) for variable in model.trainable_variables])
    steps = [abs(float(v.numpy().ravel()[0]) - b) for v, b in zip((first, last), before, strict=True)]
    assert steps == pytest.approx([0.5 ** (PARTS - 1), 1.0], rel=1e-3)


@pytest.mark.parametrize("accumulated", [1, 4])
def test_the_rate_falls_over_all_batches_of_a_phase(accumulated):
    recipe = completed(None, {"gradient_accumulation": accumulated, "optimizer": "sgd"})
    optimizer = phase_optimizer(recipe, Phase("all", 0, 2, 1.0, ("dense",), 1), 40)
    weight, rates = keras.Variable([0.0]), []
    for _ in range(80):
        rates.append(float(optimizer.learning_rate))
        optimizer.apply([keras.ops.ones(1)], [weight])
    assert max(rates) == pytest.approx(1, abs=0.05)
    assert rates[42] == pytest.approx(0.5, abs=0.05)
    assert 0 < rates[-1] < 0.01


def test_an_optimizer_that_is_passed_keeps_its_own_options():
    optimizer = phase_optimizer(
        completed(None, {"optimizer": keras.optimizers.SGD(momentum=0.7, nesterov=True), "weight_decay": 0.1}),
        Phase("all", 0, 1, 0.25, (), 1),
        None,
    )
    config = optimizer.get_config()
    assert (config["momentum"], config["nesterov"], config["weight_decay"]) == (0.7, True, 0.1)
    assert float(config["learning_rate"]) == 0.25


def test_steps_stand_in_for_epochs(photographs):
    plan = prepare(zoo.load("blurnet-textures"), photographs, completed(None, {"steps": 9, "batch_size": 4})).plan
    assert (plan.steps_per_epoch, plan.epochs) == (4, 3)


@pytest.mark.slow  # trains
def test_a_metric_of_keras_is_in_the_history(photographs, tmp_path):
    top = keras.metrics.SparseTopKCategoricalAccuracy(k=2, name="top2")
    options = {"epochs": 1, "freeze": "backbone", "batch_size": 4}
    run = zoo.finetune("blurnet-textures", photographs, metrics=[top], output_dir=tmp_path / "run", **options)
    assert run.history["val_top2"] == [1.0]
