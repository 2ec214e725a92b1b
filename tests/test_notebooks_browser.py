"""The notebooks in a real JupyterLab: they run, nothing complains, all has names and texts."""
from pathlib import Path

import nbformat
import pytest
from in_lab import ALTLESS, ERRORS, UNNAMED, opened

ROOT = Path(__file__).resolve().parent.parent
pytestmark = [pytest.mark.browser, pytest.mark.slow]
PICTURES = {
    "00_quickstart": 3,
    "01_data": 3,
    "A_rendering": 4,
    "03_judge_and_reward": 4,
    "02_one_rollout": 10,
    "04_groups_and_advantages": 4,
    "07_read_a_run": 4,
}  # the least that each shows


@pytest.mark.parametrize("name", PICTURES)
def test_it_runs_in_jupyterlab_without_a_complaint(lab, chromium, name):
    notebook = nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", 4)
    notebook.cells.append(nbformat.v4.new_code_cell("print('the', 'end')"))
    page = opened(lab, chromium, f"{name}.ipynb", notebook)
    page.get_by_text("the end", exact=True).wait_for(timeout=300_000)
    assert page.locator(ERRORS).count() == 0 and page.errors == []
    assert page.locator(".jp-OutputArea img").count() >= PICTURES[name]
    assert page.evaluate(ALTLESS) == [] and page.evaluate(UNNAMED) == []
    page.close()
