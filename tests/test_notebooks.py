"""Every notebook runs from top to bottom with its own defaults, and is committed small and clean.

Where there is Chromium, those with widgets run in a real JupyterLab instead (test_notebooks_browser.py), and
not twice."""
import ast
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from rrvf_lab.render.chromium import find_chromium

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("[0-9AB]*_*.ipynb"))
IN_LAB = ("00", "01", "02", "03", "04", "07", "A")


def _chromium():
    try:
        return bool(find_chromium())
    except RuntimeError:
        return False


HERE = [path for path in NOTEBOOKS if not (_chromium() and path.stem.startswith(IN_LAB))]


@pytest.mark.slow
@pytest.mark.parametrize("path", HERE, ids=lambda p: p.stem)
def test_it_runs_with_its_defaults(path):
    notebook = nbformat.read(path, 4)
    NotebookClient(notebook, timeout=300, kernel_name="python3", store_widget_state=False,
                   resources={"metadata": {"path": str(path.parent)}}).execute()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_it_is_committed_clean(path):
    notebook = nbformat.read(path, 4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert path.stat().st_size <= 400_000 and "widgets" not in notebook.metadata
    assert all(cell.execution_count is None for cell in code)
    assert any("parameters" in cell.metadata.get("tags", []) for cell in code)
    for cell in code:
        # IPython would take prose that ends with a question mark for a request for help
        compile(cell.source, path.name, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        for output in cell.outputs:
            markup = output.get("data", {}).get("text/html", "")
            assert "<script" not in markup and markup.count("<img") == markup.count(" alt=")
