# Two commands: `make demo` and `make test`. Each sets up what it needs in .venv, once.
#
#   PYTHON=python3.12      another Python (3.11 or newer)
#   PIP_ARGS="..."         more arguments for pip, such as the index of a CPU-only torch

PYTHON ?= python3
PIP_ARGS ?=
BIN := .venv/bin
RUN := runs/demo

.PHONY: demo test lint corpus clean

demo: .venv/installed
	@test -f $(RUN)/report.json && grep -q '"ended": "finished"' $(RUN)/report.json || { rm -rf $(RUN) && \
		$(BIN)/textdl train lm recipes --out $(RUN) --minutes 1.6 \
		--set train.evaluations=4 --set train.evaluate_at_most=50000; }
	@echo
	@$(BIN)/textdl generate $(RUN)
	@echo "Another one:  $(BIN)/textdl generate $(RUN) --prompt 'Lemon '"

test: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy textdl cli
	$(BIN)/python -m pytest

lint: .venv/installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/mypy textdl cli

corpus: .venv/installed
	$(BIN)/python corpora/recipes/make.py
	$(BIN)/python corpora/reviews/make.py
	$(BIN)/python corpora/phrases/make.py
	$(BIN)/python corpora/kitchen_notes/make.py

clean:
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis $(RUN)

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "textdl needs Python 3.11 or newer; name one with: make PYTHON=python3.12"; exit 2; }
	@$(PYTHON) -m venv .venv || \
		{ echo "no virtual environment could be made; on Debian: apt install python3-venv"; rm -rf .venv; exit 2; }

.venv/installed: pyproject.toml constraints.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt $(PIP_ARGS) -e .
	@touch $@

.venv/installed-dev: pyproject.toml constraints.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt $(PIP_ARGS) -e '.[dev]'
	@touch .venv/installed $@
