# Everything happens in .venv; the only things needed beforehand are Python >= 3.11 and make.
PYTHON ?= python3
PS ?= ps1-adaptive-rates
BIN := .venv/bin
CODE := mlsys tests benchmarks solutions nbgrader_config.py
RUN := PATH="$(CURDIR)/$(BIN):$$PATH"

.DEFAULT_GOAL := help
.PHONY: help setup course book release lab bench test test-long clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

.stamps/venv:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "mlsys needs Python 3.11 or newer; try make PYTHON=python3.11")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip -c constraints.txt
	$(BIN)/python -m pip install --quiet torch==2.13.0 -c constraints.txt
	@mkdir -p .stamps && touch $@

.stamps/course: .stamps/venv pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[book,lab]'
	@touch $@

.stamps/dev: .stamps/course
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[book,lab,serve,cluster,dev]'
	@touch $@

setup: .stamps/course ## make .venv and install what the course needs

course: setup ## the main job: the book, the exercises, a demo class graded
	$(MAKE) book
ifeq ($(wildcard solutions),)
	@echo "Read _build/html/index.html, and work with: make lab"
else
	$(RUN) mlsys release $(PS)
ifeq ($(shell uname -s),Linux)
	$(RUN) mlsys demo $(PS)
	$(RUN) mlsys grade $(PS)
	$(RUN) mlsys feedback $(PS)
else
	@echo "No demo class was graded: that needs Linux, or Docker (book/instructors/sandbox.md)."
endif
	$(RUN) mlsys where $(PS)
endif

book: setup ## render the book into _build/html
	$(RUN) python -m mlsys.report.book

release: setup ## make exercises/ from solutions/
	$(RUN) mlsys release $(PS)

lab: setup ## open the exercises in JupyterLab
	$(RUN) jupyter lab exercises

bench: .stamps/dev ## run every race and write the records (an hour; wants a quiet machine)
	$(RUN) python -m benchmarks optim --json benchmarks/records/optim.json
	$(RUN) python -m benchmarks grading --json benchmarks/records/grading.json
	$(RUN) python -m benchmarks inference --json benchmarks/records
	$(RUN) python -m mlsys.experiments

test: .stamps/dev ## every gate
	$(RUN) ruff check $(CODE)
	$(RUN) ruff format --check $(CODE)
	$(RUN) mypy
	$(MAKE) book
	$(RUN) OMP_WAIT_POLICY=passive python -m pytest -m "not slow" --ignore tests/grading -n 2 --dist loadfile --durations 10
	$(RUN) python -m pytest -m "not slow" tests/grading --durations 10

test-long: .stamps/dev ## the gates and what takes minutes
	$(RUN) python -m pytest

clean: ## remove what was built; keeps .venv and your class's submissions and gradebook
	rm -rf _build .stamps .pytest_cache .mypy_cache .ruff_cache
