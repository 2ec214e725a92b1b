"""Storing a notebook: outputs are kept small and without what belongs to one run."""
import runpy
from pathlib import Path

import nbformat
import pytest

CELLS = """print("one")
import sys; print("warned", file=sys.stderr); print("two")""", """import numpy as np
from PIL import Image
import rrvf_lab as rl
smooth = np.linspace(0, 255, 300 * 200 * 3).reshape(200, 300, 3)
noise = np.random.default_rng(0).integers(0, 40, smooth.shape)
rl.show(Image.fromarray(((smooth + noise) / 2).astype("uint8")), "noise on a slope")""", \
    """from IPython.display import HTML
HTML("a program's text: &quot;data:image/png;base64,iVBORw0K")"""


@pytest.mark.slow
def test_a_stored_notebook_is_clean_and_small(tmp_path):
    path = tmp_path / "one.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=list(map(nbformat.v4.new_code_cell, CELLS))), path)
    runpy.run_path(Path(__file__).resolve().parent.parent / "notebooks" / "store.py")["store"](path)
    first, second, third = nbformat.read(path, 4).cells
    assert [output.text for output in first.outputs] == ["one\ntwo\n"]
    assert first.execution_count is None and second.outputs[0].execution_count is None
    assert 'alt="noise on a slope"' in second.outputs[0].data["text/html"]
    assert third.outputs[0].data["text/html"].endswith("base64,iVBORw0K")
    assert path.stat().st_size < 120_000
