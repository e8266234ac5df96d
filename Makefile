# Everything runs in .venv, made here where there is none. PYTHON=python3.12 make test chooses another interpreter.
PYTHON ?= python3
BIN := .venv/bin
# Three, also on two cores: many tests wait, for a browser, a Hub or a child.
PYTEST := $(BIN)/python -m pytest --numprocesses 3 --dist loadfile
PAIRS := deeplabv3plus-efficientnet.efficientnet unet-convnext.convnext upernet-repvgg.repvgg
NETWORKS := test_convnext.py::test_reproduces_timm[convnextv2_atto] test_edsr.py::test_reproduces_the_reference[2] \
	test_medicalnet.py::test_reproduces_the_reference[medicalnet_resnet10] \
	test_timm_families.py::test_reproduces_timm[poolformer_s12] test_timm_families.py::test_reproduces_timm[rdnet_tiny] \
	test_timm_families.py::test_reproduces_timm[test_byobnet] \
	$(PAIRS:%=test_decoders.py::test_a_decoder_trains_and_gives_logits_of_the_size_of_the_image[%])
BACKENDS := tests/layers $(NETWORKS:%='tests/architectures/%')

.venv/installed: pyproject.toml
	test -d .venv || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable ".[dev]"
	touch $@

.PHONY: demo test test-all check publish clean
demo: .venv/installed ## one model of each task on something real, on one page
	$(BIN)/python -m tools.demo

check: .venv/installed ## format, lint, words and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/python tests/test_words.py
	$(BIN)/mypy

test: check ## the quick tests on TensorFlow, then the layers and nine networks on the other backends
	$(PYTEST)
	KERAS_BACKEND=jax $(PYTEST) $(BACKENDS)
	@if $(BIN)/python -c "import torch" 2>/dev/null; then \
	  KERAS_BACKEND=torch $(PYTEST) $(BACKENDS); \
	else \
	  echo "PyTorch is not installed: its tests are skipped"; \
	fi

# An empty -m is every test; what is "slow" is left out by pyproject.toml.
test-all: PYTEST += -m ""
test-all: test ## the same with the slow tests, as CI runs it

publish: .venv/installed ## put the embedded models on the Hugging Face Hub: make publish ORG=owner
	@test -n "$(ORG)" || { echo "Which owner? make publish ORG=owner, with a token that may write there"; exit 1; }
	$(BIN)/python -m tools.publish $(ORG)

clean:
	rm -rf .venv dist build
