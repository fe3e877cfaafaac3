# make demo   install, run every codec on built-in photographs, train a tiny model to print masks,
#             say where the pictures are
# make test   install, lint, type-check, test
# make bench  the kernels against their peers and the speed of memory
# make lint   ruff, cython-lint, mypy
# make docs   check that the commands and links in README and docs/ work
# make fuzz   a minute of atheris on every parser (installs atheris)

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
# cython-lint looks for pycodestyle on the path.
export PATH := $(abspath $(BIN)):$(PATH)
SOURCES := pyproject.toml constraints.txt $(wildcard _ext/*.pyx _ext/*.pxd)
FUZZ_SECONDS ?= 60

.PHONY: demo test bench lint docs fuzz clean

demo: $(VENV)/demo.stamp
	$(BIN)/maskcodec demo --output demo
	$(BIN)/python -m maskcodec.training.demo --output demo/lora

test: lint
	$(BIN)/python -m pytest -n 2

bench: $(VENV)/dev.stamp
	$(BIN)/python -m maskcodec.benchmarks.kernels

lint: $(VENV)/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/cython-lint _ext
	$(BIN)/mypy

docs: $(VENV)/dev.stamp
	$(BIN)/python -m pytest tests/test_docs.py

fuzz: $(VENV)/dev.stamp
	$(PIP) atheris
	$(BIN)/python tests/fuzz_parsers.py -max_total_time=$(FUZZ_SECONDS)

# A stamp is older than a changed kernel source, so that the next command builds it anew.
$(VENV)/demo.stamp: $(SOURCES)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) --upgrade pip
	$(PIP) torch
	$(PIP) --editable '.[tokens,train]'
	touch $@

$(VENV)/dev.stamp: $(SOURCES)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) --upgrade pip
	$(PIP) torch
	$(PIP) --editable '.[dev]'
	touch $@ $(VENV)/demo.stamp

clean:
	rm -rf $(VENV) build dist demo *.egg-info maskcodec/_ext/*.so _ext/*.c
