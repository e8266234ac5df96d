"""`tensorflow_hub.load("hf://owner/repo@v2")`, with the real client against a Hub on this machine."""

import pytest

import zoo.export

# One process does it all: each start of TensorFlow costs seconds.
CLIENT = """
import os
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
from pathlib import Path
import numpy as np
import tensorflow_hub
import zoo
import zoo.export.tf_hub

def enlarged():
    return tensorflow_hub.load("hf://me/enlarger@v2")(np.zeros((1, 4, 5, 3), "uint8")).shape

print("first", enlarged(), flush=True)
print("again", enlarged(), flush=True)
changed = next(Path(os.environ["HF_HOME"]).rglob("variables.data-00000-of-00001")).resolve()
content = changed.read_bytes()
changed.write_bytes(content[::-1])
print("after damage", enlarged(), changed.read_bytes() == content)
try:
    tensorflow_hub.load("hf://me/other")
except zoo.UnknownModelError as error:
    print(error)
"""


@pytest.mark.slow  # tests/hub has the same addresses for any hub
def test_a_handle_loads_verified_at_its_tag(hub, tmp_path):
    folder = zoo.export.saved_model("espcn-x2", tmp_path, inference_only=True)
    names = [path for path in folder.rglob("*") if path.is_file()]
    repository = hub.repository("me/enlarger")
    files = {f"saved_model/{path.relative_to(folder).as_posix()}": path.read_bytes() for path in names}
    repository.tags["v2"] = repository.commit(files)
    repository.commit({"saved_model/saved_model.pb": b"a later version, and broken"})
    hub.repository("me/other").commit({"README.md": b"nothing here"})
    done = hub.run(CLIENT, keras=True)
    assert "first (1, 8, 10, 3)" in done.stdout, done.stderr[-2000:]
    assert "again (1, 8, 10, 3)" in done.stdout
    assert "after damage (1, 8, 10, 3) True" in done.stdout
    assert "hf://me/other contains no saved_model/saved_model.pb" in done.stdout
    assert hub.bodies("variables.data-00000-of-00001") == 2  # the first time and after the damage
    assert hub.bodies("saved_model.pb") == 1
