"""The way from the first rollout looked at to a changed weight of the reward and what training makes of it,
walked by hand in a real JupyterLab: in less than ten minutes."""
import re
import time
from pathlib import Path

import nbformat
import pytest
from in_lab import ERRORS, idle, output, run
from playwright.sync_api import expect

NOTEBOOK = Path(__file__).resolve().parent.parent / "notebooks" / "06_change_the_reward.ipynb"
LAST = 'reports["changed"].summary["tool_calls"]'  # the cell that compares the policies
SMALL = {"STEPS = 5": "STEPS = 2", "HELD_OUT = 12": "HELD_OUT = 5",
         "prompts=4, group=4, micro_batch=16": "prompts=2, group=4, micro_batch=8"}


def shortened():
    """The notebook as far as the compared policies, with short trainings."""
    notebook = nbformat.read(NOTEBOOK, 4)
    end = next(i for i, cell in enumerate(notebook.cells) if LAST in cell.source)
    notebook.cells = notebook.cells[:end + 1]
    text = "\n".join(cell.source for cell in notebook.cells)
    assert [old for old in SMALL if text.count(old) != 1] == []
    for cell in notebook.cells:
        for old, new in SMALL.items():
            cell.source = cell.source.replace(old, new)
    return notebook


def choose(page, code):
    """Make the cell that holds `code` the one that the menu is about."""
    page.locator(".jp-CodeCell", has_text=code).first.locator(".jp-InputPrompt").click()


@pytest.mark.browser
@pytest.mark.slow
def test_from_a_rollout_to_a_changed_weight_and_its_effect_takes_less_than_ten_minutes(lab, chromium):
    page = idle(lab, chromium, "path.ipynb", shortened())
    started = time.monotonic()

    choose(page, "view.tool.value = TOOL")
    run(page, "Run All Above Selected Cell")
    looked_at = output(page, "rollout.reward.reasons")
    looked_at.locator("img").first.wait_for()
    group = output(page, "view = rl.inspect_group")
    group.get_by_role("status").filter(has_text="the recorded order").wait_for()
    before = group.locator("ol > li").all_inner_texts()
    group.get_by_role("spinbutton", name="Tool weight").fill("-2")
    page.keyboard.press("Tab")
    group.get_by_role("status").filter(has_text="stand elsewhere").wait_for()
    assert group.locator("ol > li").all_inner_texts() != before
    assert "was #8" in group.locator("ol > li").first.inner_text()  # it drew nothing

    choose(page, "view.tool.value = TOOL")  # the control lies in another cell
    run(page, "Run Selected Cell and All Below")
    moved = output(page, "view.tool.value = TOOL")
    moved.get_by_text("'tool': -2.0").wait_for()  # what was moved by hand is what is trained on
    last = output(page, LAST).get_by_text(re.compile("changed +Comparison"))
    failed = page.locator(ERRORS)
    last.or_(failed).first.wait_for(timeout=590_000)
    assert failed.count() == 0, failed.first.inner_text()
    watched = output(page, "rl.watch(run)")
    expect(watched.get_by_role("status").filter(has_text="finished; step 2 of 2")).to_have_count(2)
    expect(output(page, "plot_runs(runs.values()").locator("img[alt*='by step: as it was']")).to_have_count(2)
    assert time.monotonic() - started < 600 and page.errors == []
    page.close()
