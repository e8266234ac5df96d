"""The same run on several devices of one machine."""

import json

import numpy as np
import pytest

import zoo
from tests import warm

SCRIPT = """
import json, sys
import tensorflow as tf
processor, = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(processor, [tf.config.LogicalDeviceConfiguration()] * 2)
import zoo
with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
    options = json.loads(sys.argv[3])
    print(json.dumps(zoo.finetune("blurnet-textures", sys.argv[1], output_dir=sys.argv[2], **options).history))
"""


@pytest.mark.slow  # two trainings, each in a process of its own
def test_two_devices_get_the_losses_of_one(photographs, tmp_path):
    options = {"epochs": 3, "batch_size": 8, "freeze": "backbone", "learning_rate": 0.01}
    done = warm.run(SCRIPT, photographs, tmp_path / "two", json.dumps(options))
    assert done.returncode == 0, done.stderr
    two = json.loads(done.stdout.splitlines()[-1])
    one = zoo.finetune("blurnet-textures", photographs, output_dir=tmp_path / "one", **options).history
    np.testing.assert_allclose(two["loss"], one["loss"], rtol=1e-3)
    assert one["loss"][-1] < one["loss"][0]
