# make demo   train the embedded model on raw images and measure it before and after
# make test   the tests            (make test ARGS="-m 'not slow'" for the quick ones)
# make lab    JupyterLab in notebooks/
# make book   the notebooks as static pages in book/, to read without installing anything
# make lint   ruff over all code
# make bench  how fast all of it is, beside the usual ways; BASE=<commit> compares two commits
# make setup  only .venv and what it needs (the others do this first; the second time it costs nothing)
# make clean  remove .venv and caches; runs/ stays
#
# PYTHON=python3.12 chooses the interpreter for .venv.

PYTHON ?= python3
ARGS ?=
BIN := .venv/bin
TORCH_PIN := torch==2.13.0
CPU_INDEX := https://download.pytorch.org/whl/cpu

.PHONY: help demo test bench lab book lint setup clean
help:
	@sed -n 's/^# \{0,1\}//p' Makefile | sed -n '1,10p'

demo: setup
	$(BIN)/python -m rrvf_lab.train demo

test: setup
	HF_HUB_OFFLINE=1 $(BIN)/python -m pytest -q tests -n 2 --dist loadfile $(ARGS)

bench: setup
	$(BIN)/python tests/benchmarks/bench.py $(if $(BASE),--base $(BASE)) $(ARGS)

lint: setup
	$(BIN)/python -m ruff check .

lab: setup
	cd notebooks && ../$(BIN)/python -m jupyterlab $(if $(filter 0,$(shell id -u)),--allow-root)

book: setup
	$(BIN)/python notebooks/book.py

clean:
	rm -rf .venv build book *.egg-info .pytest_cache
	find rrvf_lab tests notebooks -name __pycache__ -prune -exec rm -rf {} +

setup: .venv/.installed .venv/.system
	@$(NEEDS); if [ -n "$$missing" ]; then echo "Missing on this system:$$missing." \
	  "Rendering works with less protection without bubblewrap, and not at all for html, svg and plotly without" \
	  "Chromium. Debian/Ubuntu: sudo apt-get install bubblewrap chromium fonts-dejavu fonts-liberation; elsewhere:" \
	  ".venv/bin/playwright install chromium"; fi

# Which torch: with an NVIDIA GPU the CUDA build. On Linux without one the CPU build, as the default index would bring
# gigabytes of CUDA; PyTorch's own CPU index has it (2.13.0+cpu). Where that index cannot be reached (continuous
# integration behind a mirror) the configured index is taken as it is, and is expected to hold a CPU build. On macOS
# every build is a CPU build.
.venv/.installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "rrvf_lab needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) --version 2>&1 | head -n 1)." \
	  "Try: make PYTHON=python3.12"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || { rm -rf .venv; \
	  echo "'$(PYTHON) -m venv .venv' failed. On Debian/Ubuntu: sudo apt-get install python3-venv"; exit 1; }
	@if nvidia-smi > /dev/null 2>&1; then set -- torch; \
	elif [ "$$(uname)" != Linux ]; then set -- $(TORCH_PIN); \
	elif $(PYTHON) -c 'import urllib.request as u; u.urlopen("$(CPU_INDEX)/torch/", timeout=5)' 2> /dev/null; \
	then set -- $(TORCH_PIN) --extra-index-url $(CPU_INDEX); \
	else set -- $(TORCH_PIN); fi; \
	echo "Installing into .venv, some minutes the first time: $$1"; \
	$(BIN)/python -m pip install -q "$$@"
	@$(BIN)/python -m pip install -q -e '.[dev]'
	@touch $@

# One attempt to install what is missing, as root on Debian/Ubuntu only; failing here must not stop anything.
NEEDS = missing=; command -v bwrap > /dev/null || missing="$$missing bubblewrap"; \
  command -v chromium > /dev/null || command -v chromium-browser > /dev/null || command -v google-chrome > /dev/null \
  || ls -d "$$HOME"/.cache/ms-playwright/chromium* "$$HOME"/Library/Caches/ms-playwright/chromium* 2> /dev/null \
  | grep -q . || missing="$$missing chromium"; \
  [ "$$(uname)" != Linux ] || find /usr/share/fonts "$$HOME"/.fonts -iname 'dejavu*' 2> /dev/null | grep -q . \
  || missing="$$missing fonts-dejavu"; \
  [ "$$(uname)" != Linux ] || find /usr/share/fonts "$$HOME"/.fonts -iname 'liberation*' 2> /dev/null | grep -q . \
  || missing="$$missing fonts-liberation"

.venv/.system: | .venv/.installed
	@$(NEEDS); if [ -n "$$missing" ] && [ "$$(id -u)" = 0 ] && command -v apt-get > /dev/null; then \
	  echo "Installing on this system:$$missing"; \
	  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing; \
	  } > .venv/apt.log 2>&1 || echo "apt-get failed: see .venv/apt.log"; fi
	@touch $@
