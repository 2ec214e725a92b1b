"""Shared by all tests: no network, few threads, no display, and one small chart to work on."""
import gc
import os

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["MPLBACKEND"] = "Agg"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch reads it; two small jobs beat one wide one

import pytest
from hypothesis import settings
from in_lab import chromium, lab  # noqa: F401  (fixtures)

# the same examples in every run, and no failure because a machine is busy
settings.register_profile("house", derandomize=True, deadline=None, database=None, max_examples=60)
settings.load_profile("house")


@pytest.fixture(autouse=True)
def no_python_in_the_collector():
    """hypothesis leaves a callback in the garbage collector. Under Python 3.11, one that runs while
    `ast.parse` builds its nodes ends that in "AST constructor recursion depth mismatch".
    """
    yield
    gc.callbacks[:] = [one for one in gc.callbacks if "hypothesis" not in getattr(one, "__module__", "")]


@pytest.fixture(scope="session")
def chart():
    """A raw chart image (PIL, RGB): held-out chart 0."""
    from rrvf_lab.data import load_images

    return load_images("data/charts/test")[0]["image"]
