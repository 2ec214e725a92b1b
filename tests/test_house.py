"""The house: imports point one way, go in no circle and stand at the top; the loop stays short enough to
read."""
import ast
import graphlib
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "rrvf_lab"
# each may import what stands before it; `rrvf_lab/__init__.py` alone sees everything
ORDER = ("leaves talk rollout reward render endpoint judge records data nano environment play policy "
         "training evaluate train diagnose whatif probe benchmarks claims show widgets").split()
LOOP = "data talk rollout reward environment play policy train evaluate".split()
HEAVY = {"torch", "transformers", "trl", "peft", "openai", "playwright", "plotly", "ipywidgets"}
INSIDE = {
    "_zygote",
    "_matplotlib",
    "_plotly",
    "_svg",
    "_observe",
}  # programs that run in the sandbox, as they are


def modules():
    """{dotted name below rrvf_lab: (path, tree)}; a package goes by its own name."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        found[".".join(parts).removesuffix("__init__").rstrip(".")] = path, ast.parse(path.read_text())
    return found


MODULES = modules()


def imports(name):
    """(what, whether at the top of the file) of each import: names below rrvf_lab, or ("", package) of other
    people's."""
    path, tree = MODULES[name]
    here = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
    here = [part for part in here if part]
    top = {id(node) for node in tree.body}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = here[:len(here) - node.level + 1] + (node.module.split(".") if node.module else [])
            for alias in node.names:
                longer = ".".join([*base, alias.name])
                yield longer if longer in MODULES else ".".join(base), id(node) in top
        elif isinstance(node, ast.ImportFrom):
            yield "!" + node.module.split(".")[0], id(node) in top
        elif isinstance(node, ast.Import):
            for alias in node.names:
                yield "!" + alias.name.split(".")[0], id(node) in top


def ours(name):
    return {other for other, _ in imports(name) if other in MODULES and other not in ("", name)}


def test_every_import_points_to_what_stands_before():
    for name in filter(None, MODULES):
        unit = name.split(".")[0]
        for other in ours(name):
            there = other.split(".")[0]
            assert there == unit or ORDER.index(there) < ORDER.index(unit), f"{name} imports {other}"


def test_no_import_goes_in_a_circle_not_even_inside_a_function():
    graphlib.TopologicalSorter({name: ours(name) for name in filter(None, MODULES)}).prepare()


def heavy(name, seen=()):
    return any(other.removeprefix("!") in HEAVY or (other in MODULES and other not in ("", *seen)
               and heavy(other, (*seen, name))) for other, at_top in imports(name) if at_top)


def test_our_own_imports_stand_at_the_top_unless_they_load_something_heavy():
    hidden = [(name, other) for name in filter(None, MODULES) for other, at_top in imports(name)
              if other in MODULES and not at_top and not heavy(other)]
    assert hidden == []


def test_the_loop_is_short_and_nothing_else_stands_beside_it():
    at_the_top = sorted(path.stem for path in PACKAGE.glob("*.py"))
    assert at_the_top == sorted([*LOOP, "__init__"])
    assert sum(len((PACKAGE / f"{name}.py").read_text().splitlines()) for name in LOOP) <= 1500


@pytest.mark.parametrize("kind, most", [((ast.FunctionDef, ast.AsyncFunctionDef), 60), (ast.ClassDef, 200)])
def test_no_function_and_no_class_is_longer_than_one_can_hold(kind, most):
    long = [(name, node.name, node.end_lineno - node.lineno + 1) for name, (path, tree) in MODULES.items()
            for node in ast.walk(tree) if isinstance(node, kind) and path.stem not in INSIDE
            and node.end_lineno - node.lineno >= most]
    assert long == []


def test_every_room_says_what_it_is_for_and_what_it_leaves_out():
    for path in PACKAGE.glob("*/__init__.py"):
        said = " ".join(ast.get_docstring(ast.parse(path.read_text())).lower().split())
        for words in ("may import", "left out", "front door"):
            assert words in said, f"{path.parent.name}: {words}"


def test_importing_it_is_quick_and_brings_no_torch():
    code = ("import sys, time; t = time.perf_counter(); import rrvf_lab; t = time.perf_counter() - t; "
            "bad = {'torch', 'transformers', 'trl', 'openai', 'playwright', 'plotly'} & set(sys.modules); "
            "assert not bad, bad; assert t < 5, t")
    subprocess.run([sys.executable, "-c", code], check=True)
