"""The programs that make data/, as modules: they are commands, and no part of the package.

    charts = maker("charts")                 # data/charts/make.py
    sample = maker("nano/lessons").sample
"""
import importlib
import importlib.util
import sys
from pathlib import Path

DATA = Path(__file__).resolve().parents[1] / "data"


def maker(name):
    """`data/<name>/make.py`, or with a slash a file beside it; the same module every time."""
    folder, _, beside = name.partition("/")
    if str(DATA / folder) not in sys.path:
        sys.path.append(str(DATA / folder))  # last, so that it hides nothing
    if beside:
        return importlib.import_module(beside)
    key = f"make_{folder}"  # every maker's own name is `make`
    if key not in sys.modules:
        spec = importlib.util.spec_from_file_location(key, DATA / folder / "make.py")
        sys.modules[key] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[key])
    return sys.modules[key]
