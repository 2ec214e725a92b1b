"""The frame: one list of dependencies, and a Makefile that chooses the right torch and never does work twice.

The Makefile is run with stand-ins for python, nvidia-smi, apt-get and others, which only write down how they
were called. Whether the real installation works is shown by the continuous integration run itself.
"""
import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
TOOLS = "sh make mkdir touch rm uname cat head sed grep find ls dirname chmod".split()
MAKE_VENV = ('"-m venv .venv") mkdir -p .venv/bin; cat "$0" > .venv/bin/python; '
             'chmod +x .venv/bin/python ;;\n')  # a case of a shell script
needs_make = pytest.mark.skipif(not all(map(shutil.which, TOOLS)), reason="needs make and a POSIX shell")


@pytest.fixture
def bench(tmp_path):
    """A copy of the frame, and a PATH that holds nothing but common tools and stand-ins."""
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "bin").mkdir()
    for tool in TOOLS:
        (tmp_path / "bin" / tool).symlink_to(shutil.which(tool))
    return Bench(tmp_path)


class Bench:
    def __init__(self, folder):
        self.folder = folder
        self.stand_in("id", "echo 1000")
        self.stand_in("fc-list", "echo DejaVu Sans")
        self.python("exit 1")  # the CPU index cannot be reached

    def stand_in(self, name, script):
        file = self.folder / "bin" / name
        file.write_text(f'#!/bin/sh\necho "{name} $*" >> "{self.folder}/calls"\n{script}\n')
        file.chmod(0o755)

    def python(self, reach):
        """A python3 that makes a .venv with a copy of itself; `reach`: can it open the CPU index?"""
        self.stand_in("python3", 'case "$*" in\n'
                      '*version_info*) exit 0 ;;\n'
                      f'*urllib*) {reach} ;;\n' + MAKE_VENV + 'esac')

    def make(self, *words):
        environment = {"PATH": str(self.folder / "bin"), "HOME": str(self.folder)}
        return subprocess.run(["make", "-C", str(self.folder), *words], env=environment, text=True,
                              capture_output=True, executable=shutil.which("make"), timeout=60)

    def calls(self, pattern):
        file = self.folder / "calls"
        lines = file.read_text().splitlines() if file.exists() else []
        return [line for line in lines if re.search(pattern, line)]


def test_environment_yml_brings_python_and_pip_and_leaves_the_rest_to_pyproject():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    *conda, block = environment["dependencies"]
    assert environment["channels"] == ["conda-forge"]
    assert [entry.split("=")[0] for entry in conda] == ["python", "pip"]
    assert block["pip"] == ["-e ."]
    version = conda[0].split("=", 1)[1]
    assert Requirement(f"python{PROJECT['requires-python']}").specifier.contains(version)


def test_every_dependency_is_installed_here_in_a_version_that_is_allowed():
    from importlib.metadata import version

    for line in PROJECT["dependencies"] + PROJECT["optional-dependencies"]["dev"]:
        wanted = Requirement(line)
        assert wanted.specifier.contains(version(wanted.name), prereleases=True), line


def test_every_package_that_the_module_imports_is_listed_or_a_part_of_one_that_is():
    optional = PROJECT["optional-dependencies"]["metrics"]
    listed = {Requirement(line).name.lower() for line in PROJECT["dependencies"] + optional}
    part_of = {
        "bs4": "beautifulsoup4",
        "cv2": "opencv-python-headless",
        "pygments": "jupyterlab",
        "skimage": "scikit-image",
        "PIL": "pillow",
        "mpl_toolkits": "matplotlib",
        "tqdm": "datasets",
        "IPython": "jupyterlab",
        "traitlets": "ipywidgets",
        "accelerate": "trl",
        "yaml": "pyyaml",
        "pyarrow": "datasets",
    }
    part_of |= dict.fromkeys(["tokenizers", "safetensors", "huggingface_hub"], "transformers")
    known = sys.stdlib_module_names | {"rrvf_lab"}
    for file in (ROOT / "rrvf_lab").rglob("*.py"):
        beside = {path.stem for path in file.parent.glob("*.py")}  # what runs in the sandbox has no package
        for node in ast.walk(ast.parse(file.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else (
                [node.module] if isinstance(node, ast.ImportFrom) and not node.level else [])
            for name in {name.split(".")[0] for name in names} - known - beside:
                assert part_of.get(name, name).lower() in listed, f"{file.name} imports {name}"


def test_the_torch_that_make_pins_is_allowed_by_the_list():
    pinned = Requirement(re.search(r"^TORCH_PIN := (\S+)$", (ROOT / "Makefile").read_text(), re.M)[1])
    listed = next(Requirement(line) for line in PROJECT["dependencies"] if line.startswith("torch"))
    assert listed.specifier.contains(str(pinned.specifier).removeprefix("=="))


def test_continuous_integration_is_ruff_and_make_test():
    script = ROOT / ".ci/run"
    assert os.access(script, os.X_OK)
    code = [line for line in script.read_text().splitlines() if line and not line.startswith("#")]
    assert code[0] == "set -euo pipefail" and "make lint" in code
    assert any(line.endswith("make test || code=$?") for line in code)     # the README's command
    assert code[-1].startswith('[ "$code" = 0 ] || make test ARGS="-n 0 --last-failed')  # decides


@needs_make
@pytest.mark.skipif(sys.platform != "linux", reason="the CPU index matters on Linux only")
def test_without_a_gpu_the_cpu_index_is_used_where_it_can_be_reached(bench):
    bench.stand_in("nvidia-smi", "exit 9")  # as it answers where there is a tool and no driver
    bench.python("exit 0")
    assert bench.make("setup").returncode == 0
    assert bench.calls("pip install")[0] == ("python3 -m pip install -q torch==2.13.0 --extra-index-url "
                                             "https://download.pytorch.org/whl/cpu")



@needs_make
def test_the_second_time_nothing_is_installed(bench):
    bench.make("setup")
    first = bench.calls("pip|venv|apt")
    assert bench.make("setup").returncode == 0
    assert bench.calls("pip|venv|apt") == first



@needs_make
def test_an_installation_that_failed_is_tried_again(bench):
    bench.stand_in("python3", 'case "$*" in\n' + MAKE_VENV + '*"pip install"*) exit 1 ;;\nesac')
    assert bench.make("setup").returncode != 0
    bench.python("exit 1")
    shutil.copy(bench.folder / "bin/python3", bench.folder / ".venv/bin/python")
    assert bench.make("setup").returncode == 0
    assert len(bench.calls("-e ..dev")) == 1


@needs_make
def test_an_old_python_gets_one_clear_line(bench):
    bench.stand_in("python3", 'case "$*" in\n*version_info*) exit 1 ;;\n'
                   '--version) echo Python 3.9.6 ;;\nesac')
    done = bench.make("setup")
    assert done.returncode != 0 and not (bench.folder / ".venv").exists()
    lines = [line for line in done.stdout.splitlines() if "make" not in line.split(":")[0]]
    assert len(lines) == 1
    assert "3.11" in lines[0] and "Python 3.9.6" in lines[0] and "make PYTHON=" in lines[0]




@needs_make
def test_root_on_debian_installs_only_what_is_missing_and_once(bench):
    bench.stand_in("id", "echo 0")
    bench.stand_in("bwrap", "exit 0")
    bench.stand_in("apt-get", f'case "$*" in *chromium*) cat "$0" > "{bench.folder}/bin/chromium"; '
                   f'chmod +x "{bench.folder}/bin/chromium" ;; esac')
    done = bench.make("setup")
    assert done.returncode == 0 and "Missing" not in done.stdout
    assert bench.calls("^apt-get") == ["apt-get update -qq",
                                       "apt-get install -y -qq --no-install-recommends chromium"]
    bench.make("setup")
    assert len(bench.calls("^apt-get")) == 2



@needs_make
@pytest.mark.parametrize(
    "target, command",
    [
        ("demo", "-m rrvf_lab.train demo"),
        ("test", "-m pytest -q tests -n 2 --dist loadfile"),
        ("lab", "-m jupyterlab"),
    ],
)
def test_each_target_sets_up_and_then_runs_its_command(bench, target, command):
    (bench.folder / "notebooks").mkdir()
    done = bench.make(target)
    assert done.returncode == 0, done.stderr
    assert bench.calls(".")[-1].strip() == f"python3 {command}"
    assert bench.calls("pip install -q -e")
