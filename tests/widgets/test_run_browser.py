"""Groups and runs where people use them: notebooks 01 and 05, a live run and hostile rollouts in a real JupyterLab."""
import os
import re
import signal
from pathlib import Path

import nbformat
import pytest
from in_lab import ALTLESS, ERRORS, UNNAMED, opened

ROOT = Path(__file__).resolve().parent.parent
pytestmark = [pytest.mark.browser, pytest.mark.slow]
HOSTILE = '''
from dataclasses import replace
from PIL import Image
import rrvf_lab as rl
from rrvf_lab.judge import Verdict
from rrvf_lab.render import Rendering
from rrvf_lab.reward import reward
from rrvf_lab.rollout import Recorder
evil = ("</pre></script><script>window.pwned = 1</script><img src=x onerror='window.pwned = 2'>\\x22>"
        "<svg onload='window.pwned = 3'><img src='data:text/html,<script>1</script>'>\\x1b[2J\\x07 \\u202egnp.exe ")
image = Image.new("RGB", (60, 40), "red")
def made(k):
    text = evil + "A" * (10**6 if k == 2 else 10)
    drawn, failed = Rendering(image, None, 0.1, flags=(evil,)), Rendering(None, evil, 0.1)
    good = rl.Turn(text, text, drawn, Verdict(k / 4, text, {}, text), text, "render")
    bad = rl.Turn(evil, evil, failed, Verdict(0.0, evil, {}, evil), evil, "render", "run: " + evil)
    r = rl.Rollout(image, "html", (good, bad), evil, k % 2, None, evil, {"step": 1, "group": 0, "advantage": k - 1.5})
    return replace(r, reward=reward(r))
Recorder("evil/rollouts").write("step-000001", [made(k) for k in range(4)])
view = rl.inspect_run("evil")
view
'''


def _notebook(*cells):
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}  # else Lab asks
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells], metadata=kernel)


def _output(page, code):
    return page.locator(".jp-CodeCell", has_text=code).locator(".jp-OutputArea").first


@pytest.fixture(scope="module")
def page(lab, chromium):
    notebook = nbformat.read(ROOT / "notebooks" / "05_groups_and_advantages.ipynb", 4)
    notebook.cells.append(nbformat.v4.new_code_cell("print('the', 'end')"))
    page = opened(lab, chromium, "05.ipynb", notebook)
    page.locator(".js-plotly-plot").nth(1).wait_for()
    yield page
    page.close()


def test_notebook_01_shows_every_picture_with_its_text(lab, chromium):
    notebook = nbformat.read(ROOT / "notebooks" / "01_data.ipynb", 4)
    notebook.cells.append(nbformat.v4.new_code_cell("print('the', 'end')"))
    page = opened(lab, chromium, "01.ipynb", notebook)
    assert page.locator(ERRORS).count() == 0 and page.evaluate(ALTLESS) == [] and page.errors == []
    assert page.locator(".jp-OutputArea img").count() == 3
    page.close()


def test_notebook_05_runs_without_an_error_in_the_console(page):
    assert page.locator(ERRORS).count() == 0 and page.errors == []
    status = _output(page, "live = rl.watch(run)").get_by_role("status").inner_text()
    assert status.startswith("../runs/notebook-05: finished; step 2 of 2")


def test_every_control_has_a_name_and_every_picture_an_alt_text(page):
    assert page.evaluate(UNNAMED) == [] and page.evaluate(ALTLESS) == []
    tree = page.locator(".jp-Notebook").aria_snapshot()
    for line in ('spinbutton "Vision weight"', 'combobox "Divide by the spread of the"', 'combobox "Baseline"',
                 'combobox "Show"', 'combobox "Order"', 'spinbutton "From step"', 'textbox "Image"',
                 'button "Stop the run"', 'checkbox "Follow the run"', 'progressbar "steps done"',
                 'list "rollouts by advantage"', 'img "target image train-0355"', 'button "Open rollout'):
        assert line in tree, line
    roles = "button|combobox|spinbutton|textbox|checkbox|slider|img|progressbar"
    for area in page.locator(".jp-OutputArea").all():
        unnamed = re.findall(rf"- ({roles})(?: \[[^]]*\])?:?$", area.aria_snapshot(), re.M)
        # plotly's empty upper layer; the table under the curves says what they show
        assert unnamed == ["img"] * area.locator(".js-plotly-plot").count()


def test_a_moved_weight_reorders_the_group_and_equal_rewards_are_flagged(page):
    group = _output(page, "view = rl.inspect_group(rollouts")

    def places():
        return group.locator("ol > li").evaluate_all("all => all.map(e => e.innerText.match(/\\w+; .*/)[0])")  # the thoughts

    group.get_by_role("spinbutton", name="Format weight").fill("0.1")
    page.keyboard.press("Tab")
    group.get_by_role("status").filter(has_text="the recorded order").wait_for()
    before = places()
    group.get_by_role("spinbutton", name="Format weight").fill("1")
    page.keyboard.press("Tab")
    group.get_by_role("status").filter(has_text="3 of 8 rollouts stand elsewhere").wait_for()
    assert places() != before and group.get_by_text("was #2").count() == 1
    for part in ("Vision", "Format"):
        group.get_by_role("spinbutton", name=f"{part} weight").fill("0")
        page.keyboard.press("Tab")
    group.get_by_text("Zero spread: all rewards are equal").wait_for()


def test_other_groups_scales_and_baselines_show_other_advantages(page):
    group = _output(page, "view = rl.inspect_group(rollouts")
    for name, value in (("Group", "2 of 2: train-0381"), ("Baseline", "mean of the others"),
                        ("Divide by the spread of the", "nothing: do not divide")):
        before = group.locator("ol").inner_text()
        group.get_by_role("combobox", name=name).select_option(value)
        page.wait_for_function("([e, old]) => e.querySelector('ol').innerText !== old",
                               arg=[group.element_handle(), before])


def test_a_click_on_a_curve_shows_the_rollouts_behind_it(page):
    browser = _output(page, "rl.inspect_run(run)")
    browser.get_by_role("status").filter(has_text="16 of 16 rollouts").wait_for()
    browser.locator(".js-plotly-plot").scroll_into_view_if_needed()
    point = browser.locator(".scatterlayer .trace").first.locator(".point").last.bounding_box()
    page.mouse.move(point["x"] + point["width"] / 2, point["y"] + point["height"] / 2)
    page.wait_for_timeout(300)
    page.mouse.down()
    page.mouse.up()
    browser.get_by_role("status").filter(has_text="8 of 16 rollouts").wait_for()
    assert [browser.get_by_role("spinbutton", name=f"{end} step").input_value() for end in ("From", "To")] == ["2", "2"]


def test_a_filter_a_rollout_its_group_and_new_weights(page):
    browser = _output(page, "rl.inspect_run(run)")
    browser.get_by_role("button", name="All steps").click()
    browser.get_by_role("combobox", name="Show").select_option("crashed: the final code drew nothing")
    crashed = re.search(r"'crashed': (\d+)", _output(page, "print(run.counts())").inner_text()).group(1)
    browser.get_by_role("status").filter(has_text=re.compile(rf"^{crashed} of 16 rollouts")).wait_for()
    browser.get_by_role("button", name="Open rollout").first.click()
    browser.get_by_role("heading", name="Its group, by advantage").wait_for()
    assert browser.locator("ol > li").count() == 4
    browser.get_by_role("button", name="Weigh this step anew").click()
    browser.get_by_role("spinbutton", name="Tool weight").wait_for()
    assert page.evaluate(UNNAMED) == [] and page.evaluate(ALTLESS) == [] and page.errors == []


def test_a_live_run_is_followed_survives_the_kernel_and_is_stopped(lab, chromium):
    start = ("import rrvf_lab as rl; rl.start('demo', output='live', steps=500, prompts=1, group=4, micro_batch=4, "
             "save_steps=1, test_images=None)")
    page = opened(lab, chromium, "live.ipynb", _notebook(start, "rl.watch('live')"))
    pid = int((lab[0] / "live" / "pid").read_text())
    try:
        watched = _output(page, "rl.watch('live')")
        two = re.compile(r"running; step [2-9] of 500")
        watched.get_by_role("status").filter(has_text=two).wait_for(timeout=240_000)
        watched.get_by_role("heading", name=re.compile("A group of step")).wait_for()
        page.get_by_role("menuitem", name="Kernel", exact=True).click()
        page.get_by_text("Restart Kernel…", exact=True).click()
        page.locator(".jp-Dialog .jp-mod-accept").click()
        page.get_by_text("| Idle").wait_for()
        page.locator(".jp-CodeCell", has_text="rl.watch('live')").locator(".cm-content").click()
        page.keyboard.press("Control+A")
        page.keyboard.type("import rrvf_lab as rl; rl.watch('live')  # again")
        page.keyboard.press("Control+Enter")
        watched = _output(page, "# again")
        watched.get_by_role("status").filter(has_text="running; step").wait_for()
        os.kill(pid, 0)
        watched.get_by_role("button", name="Stop the run").click()
        watched.get_by_role("status").filter(has_text="stopped; step").wait_for()
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
        assert watched.get_by_role("button", name="Resume it").is_enabled() and page.errors == []
    finally:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    page.close()


def test_hostile_text_runs_no_script(lab, chromium):
    cells = [HOSTILE, "rl.inspect_group(rl.load_rollouts('evil'))", "rl.watch('evil')", "print('the', 'end')"]
    page = opened(lab, chromium, "evil.ipynb", _notebook(*cells))
    browser = _output(page, "view = rl.inspect_run")
    browser.get_by_role("button", name="Open rollout 2").click()
    browser.get_by_role("heading", name="Its group, by advantage").wait_for()
    browser.get_by_role("button", name="Weigh this step anew").click()
    browser.get_by_role("spinbutton", name="Tool weight").wait_for()
    for summary in page.locator(".jp-OutputArea summary").all():
        summary.click()
    page.wait_for_timeout(1000)
    assert page.evaluate("window.pwned") is None and page.errors == [] and page.locator(ERRORS).count() == 0
    live = ", ".join(f".jp-OutputArea {what}" for what in ("script", "iframe", "[onerror]", "[onload]"))
    assert page.locator(live).count() == 0
    assert "\u202e" not in page.locator(".jp-Notebook").inner_text() and page.evaluate(ALTLESS) == []
    page.close()
