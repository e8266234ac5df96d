# Everything runs in .venv, made here where there is none. PYTHON=python3.12 make test chooses another interpreter.
PYTHON ?= python3
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest
# Three workers, also on two cores: many tests wait, for a browser, a Hub or a child. Those of BACKENDS only compute.
THREE := --numprocesses 3 --dist loadfile
TWO := --numprocesses 2 --dist loadfile
PAIRS := deeplabv3plus-efficientnet.efficientnet unet-convnext.convnext upernet-repvgg.repvgg
NETWORKS := test_convnext.py::test_reproduces_timm[convnextv2_atto] test_edsr.py::test_reproduces_the_reference[2] \
	test_medicalnet.py::test_reproduces_the_reference[medicalnet_resnet10] \
	test_detectors.py::test_the_numbers_of_yolox[yolox_tiny] \
	test_timm_families.py::test_reproduces_timm[poolformer_s12] test_timm_families.py::test_reproduces_timm[rdnet_tiny] \
	test_timm_families.py::test_reproduces_timm[test_byobnet] \
	$(PAIRS:%=test_decoders.py::test_a_decoder_trains_and_gives_logits_of_the_size_of_the_image[%])
BACKENDS := tests/layers $(NETWORKS:%='tests/architectures/%')

.venv/installed: pyproject.toml
	test -d .venv || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable ".[dev]"
	touch $@

.PHONY: demo docs test test-all test-release check check-dist publish clean
demo: .venv/installed ## one model of each task on something real, on one page
	$(BIN)/python -m tools.demo

docs: .venv/installed ## the documentation, strict and offline: build/docs/index.html
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet

check: .venv/installed ## format, lint, words and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/python tests/test_words.py
	$(BIN)/mypy

check-dist: .venv/installed ## what PyPI will say of dist/, and what is in the wheel
	$(BIN)/python -m twine check --strict dist/*
	$(BIN)/check-wheel-contents dist/*.whl
	$(BIN)/python -m tools.pypi_page dist/*

test: check ## the quick tests on TensorFlow, then the layers and some networks on the other backends
	$(PYTEST) $(THREE)
	KERAS_BACKEND=jax $(PYTEST) $(TWO) $(BACKENDS)
	@if $(BIN)/python -c "import torch" 2>/dev/null; then \
	  KERAS_BACKEND=torch $(PYTEST) $(TWO) $(BACKENDS); \
	else \
	  echo "PyTorch is not installed: its tests are skipped"; \
	fi

# The last -m counts; that of pyproject.toml leaves "slow" and "release" out, and an empty one nothing.
test-all: PYTEST += -m "not release"
test-all: test ## the same with the slow tests, as CI runs it

test-release: PYTEST += -m ""
test-release: test ## every case of every test, before a release: hours

publish: .venv/installed ## put the embedded models on the Hugging Face Hub: make publish ORG=owner
	@test -n "$(ORG)" || { echo "Which owner? make publish ORG=owner, with a token that may write there"; exit 1; }
	$(BIN)/python -m tools.publish $(ORG)

clean:
	rm -rf .venv dist build
