"""A company's package with a registry of its own, as pip installs it: code, `registry.yaml`, and what it registers."""

import sys
from pathlib import Path

from zoo.catalogue import descriptions, listing, registries
from zoo.catalogue.registry import registry

NETWORKS = """
import keras
from keras import layers


@keras.saving.register_keras_serializable(package="acme")
class Halved(layers.Layer):
    def call(self, inputs):
        return inputs / 2


def acme_net(image, *, num_classes, filters=(4, 8), features=False):
    x, pyramid = image, {}
    for stage, width in enumerate(filters):
        x = layers.Conv2D(width, 3, 2, padding="same", name=f"conv{stage}")(x)
        x = Halved(name=f"halved{stage}")(layers.ReLU(name=f"relu{stage}")(x))
        pyramid[2 ** (stage + 1)] = x
    if features:
        return pyramid
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    return layers.Dense(num_classes, name="fc")(x) if num_classes else x
"""
REGISTRY = """\
families:
  acme_net:
    builder: acme_models.networks:acme_net
    task: image-classification
    paper: https://acme.example/net
    features: true
    first_conv: [conv0]
    classifier: fc
    defaults:
      format: zoo
      license: apache-2.0
      input: {size: 32}
      num_classes: 3
      labels: [blue, green, red]
    architectures:
      acme-net:
        config: {filters: [4, 8]}
  acme_resnet:
    builder: resnet.resnet
    task: image-classification
    paper: https://arxiv.org/abs/1512.03385
    defaults: {format: timm, license: mit, input: {size: 64}, num_classes: 10, source: "hf://acme/{architecture}"}
    architectures:
      acme-resnet:
        config: {depths: [1, 1, 1, 1]}
        checkpoints: {parts: {}}
"""


def write_package(
    site: Path, *, registry: str | None = REGISTRY, package: str = "acme_models", networks: str = NETWORKS
) -> Path:
    """Write a package as pip leaves it in a folder of `sys.path`; returns the package's own folder.

    Args:
        site: The folder that is, or will be, on `sys.path`.
        registry: Its `registry.yaml`; None for none.
        package: What it is imported as.
        networks: Its code.
    """
    folder, metadata = site / package, site / f"{package}-1.0.dist-info"
    for each in (folder, metadata):
        each.mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    (folder / "networks.py").write_text(networks)
    if registry is not None:
        (folder / "registry.yaml").write_text(registry)
    name = package.replace("_", "-")
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[{registries.GROUP}]\n{package} = {package}\n")
    return folder


def forget() -> None:
    """Read everything anew, as the next process does."""
    for function in (
        registries.places,
        registries.known_facts,
        registry,
        listing._names,
        descriptions._largest,
        descriptions._largest_decoder,
    ):
        function.cache_clear()
    for name in [name for name in sys.modules if name.partition(".")[0] == "acme_models"]:
        del sys.modules[name]
