"""The views of groups and runs where people use them, in a real JupyterLab."""
import contextlib
import os
import re
import signal

import pytest
from in_lab import ALTLESS, ERRORS, UNNAMED, notebook, opened, output
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.slow]
RUN = '''
from dataclasses import replace
from pathlib import Path
import rrvf_lab as rl
from rrvf_lab.diagnose import Finding
from rrvf_lab.training.process import prepare

def odd(run):
    return Finding("odd", "It is odd.", f"{len(run)} rollouts", rollouts=(12, 3))

rollouts = rl.load_rollouts("data/rollouts/group")
folder = prepare(rl.TrainConfig(output="run", steps=2))
for step in (1, 2):
    made = [replace(r, info=r.info | {"step": step}) for r in rollouts[8 * step - 8:8 * step]]
    rl.Recorder(folder / "rollouts").write(f"step-{step:06d}", made)
(folder / "report.json").write_text("{}")
run = rl.Run("run")
print(run.counts())
'''


@pytest.fixture(scope="module")
def page(lab, chromium):
    cells = [RUN, "rl.watch(run)", "rl.inspect_group(rollouts)", "rl.inspect_run(run)",
             "rl.inspect_run(run, [odd])"]
    page = opened(lab, chromium, "run.ipynb", notebook(*cells))
    page.locator(".js-plotly-plot").nth(2).wait_for()
    yield page
    page.close()


def test_every_control_has_a_name_and_every_picture_an_alt_text(page):
    assert page.evaluate(UNNAMED) == [] and page.evaluate(ALTLESS) == [] and page.errors == []
    tree = page.locator(".jp-Notebook").aria_snapshot()
    for line in ('spinbutton "Vision weight"', 'combobox "Divide by the spread of the"',
                 'combobox "Baseline"', 'combobox "Show"', 'combobox "Order"', 'spinbutton "From step"',
                 'textbox "Image"', 'button "Look again"', 'listbox "Curves"', 'checkbox "Follow the run"',
                 'progressbar "steps done"', 'list "rollouts by advantage"', 'img "target image train-0044"',
                 'button "Open rollout'):
        assert line in tree, line
    roles = "button|combobox|spinbutton|textbox|checkbox|slider|img|progressbar"
    for area in page.locator(".jp-OutputArea").all():
        unnamed = re.findall(rf"- ({roles})(?: \[[^]]*\])?:?$", area.aria_snapshot(), re.M)
        # plotly's empty upper layer; the table under the curves says what they show
        assert unnamed == ["img"] * area.locator(".js-plotly-plot").count()


def test_a_finished_run_says_so(page):
    status = output(page, "rl.watch(run)").get_by_role("status").first.inner_text()
    assert status.startswith("run: finished; step 2 of 2")


def test_a_moved_weight_reorders_the_group_and_equal_rewards_are_flagged(page):
    group = output(page, "rl.inspect_group")

    def thoughts():
        return group.locator("ol > li").evaluate_all("all => all.map(e => e.innerText.match(/\\w+; .*/)[0])")

    group.get_by_role("status").filter(has_text="the recorded order").wait_for()
    before = thoughts()
    group.get_by_role("spinbutton", name="Format weight").fill("1")
    page.keyboard.press("Tab")
    group.get_by_role("status").filter(has_text="6 of 8 rollouts stand elsewhere").wait_for()
    assert thoughts() != before and group.get_by_text("was #3").count() == 1
    for part in ("Vision", "Format", "Tool"):
        group.get_by_role("spinbutton", name=f"{part} weight").fill("0")
        page.keyboard.press("Tab")
    group.get_by_text("Zero spread: all rewards are equal").wait_for()


def test_a_list_chosen_from_changes_the_sheet(page):
    group = output(page, "rl.inspect_group")
    before = group.locator("ol").inner_text()
    group.get_by_role("combobox", name="Group").select_option("2 of 2: train-0417")
    page.wait_for_function("([e, old]) => e.querySelector('ol').innerText !== old",
                           arg=[group.element_handle(), before])


def test_a_click_on_a_curve_shows_the_rollouts_behind_it(page):
    browser = output(page, "rl.inspect_run(run)")
    browser.get_by_role("status").filter(has_text="16 of 16 rollouts").wait_for()
    browser.locator(".js-plotly-plot").scroll_into_view_if_needed()
    point = browser.locator(".scatterlayer .trace").first.locator(".point").last.bounding_box()
    page.mouse.move(point["x"] + point["width"] / 2, point["y"] + point["height"] / 2)
    page.wait_for_timeout(300)
    page.mouse.down()
    page.mouse.up()
    browser.get_by_role("status").filter(has_text="8 of 16 rollouts").wait_for()
    ends = [browser.get_by_role("spinbutton", name=f"{end} step").input_value() for end in ("From", "To")]
    assert ends == ["2", "2"]


def test_what_may_be_wrong_stands_first_and_opens_its_rollouts(page):
    browser = output(page, "[odd])")
    browser.get_by_role("status").filter(has_text="16 rollouts of 2 steps: 1 finding").wait_for()
    browser.get_by_role("button", name="Show what may be wrong").click()
    opens = browser.get_by_role("button", name="Show 2 rollouts of it")
    assert opens.bounding_box()["y"] < browser.get_by_role("combobox", name="Show").bounding_box()["y"]
    opens.click()
    browser.get_by_role("heading", name="Rollout 12").wait_for()
    expect(browser.get_by_role("button", name=re.compile("Open rollout"))).to_have_count(2)
    browser.get_by_role("button", name="Open rollout 3").click()
    browser.get_by_role("heading", name="Rollout 3").wait_for()
    browser.locator("summary", has_text="Turn by turn").click()
    browser.get_by_role("columnheader", name="turn 2").first.wait_for()
    assert page.evaluate(UNNAMED) == [] and page.evaluate(ALTLESS) == [] and page.errors == []


def test_a_run_fits_a_small_screen_and_what_is_opened_stands_beside_the_list(page):
    """At 1280 x 800 with JupyterLab's sidebar open."""
    page.set_viewport_size({"width": 1280, "height": 800})
    browser = output(page, "rl.inspect_run(run)")
    opens = browser.get_by_role("button", name=re.compile("Open rollout")).first
    opens.click()
    heading = browser.get_by_role("heading", name=re.compile("Rollout")).first
    heading.wait_for()
    assert browser.bounding_box()["height"] < 900
    list_, shown = opens.bounding_box(), heading.bounding_box()
    assert shown["x"] > list_["x"] + list_["width"] and shown["y"] < list_["y"]
    page.set_viewport_size({"width": 1400, "height": 1000})


def test_a_logged_curve_is_chosen_by_name(page):
    browser = output(page, "rl.inspect_run(run)")
    browser.get_by_role("listbox", name="Curves").select_option(["reward", "tool calls"])
    browser.locator(".legendtext", has_text="tool calls").wait_for()
    assert browser.locator(".js-plotly-plot").count() == 1 and page.errors == []
    browser.get_by_role("listbox", name="Curves").select_option(["vision"])
    browser.locator(".legendtext", has_text="vision").wait_for()


def test_a_filter_a_rollout_its_group_and_new_weights(page):
    browser = output(page, "rl.inspect_run(run)")
    browser.get_by_role("button", name="All steps").click()
    browser.get_by_role("combobox", name="Show").select_option("crashed: the final code drew nothing")
    crashed = re.search(r"'crashed': (\d+)", output(page, "print(run.counts())").inner_text()).group(1)
    assert int(crashed) > 0
    browser.get_by_role("status").filter(has_text=re.compile(rf"^{crashed} of 16 rollouts")).wait_for()
    browser.get_by_role("button", name="Open rollout").first.click()
    browser.get_by_role("heading", name="Its group, by advantage").wait_for()
    assert browser.locator("ol > li").count() == 8
    browser.get_by_role("button", name="Weigh this step anew").click()
    browser.get_by_role("spinbutton", name="Tool weight").wait_for()
    assert page.evaluate(UNNAMED) == [] and page.evaluate(ALTLESS) == [] and page.errors == []
    assert page.locator(ERRORS).count() == 0


def test_a_live_run_is_followed_survives_the_kernel_and_is_stopped(lab, chromium):
    start = ("import rrvf_lab as rl; rl.start('demo', output='live', steps=500, prompts=1, group=4, "
             "micro_batch=4, save_steps=1, test_images=None)")
    page = opened(lab, chromium, "live.ipynb", notebook(start, "rl.watch('live')"))
    pid = int((lab[0] / "live" / "pid").read_text())
    try:
        watched = output(page, "rl.watch('live')")
        two = re.compile(r"running; step ([2-9]|\d\d+) of 500")
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
        watched = output(page, "# again")
        watched.get_by_role("status").filter(has_text="running; step").wait_for()
        os.kill(pid, 0)
        watched.get_by_role("button", name="Stop the run").click()
        watched.get_by_role("status").filter(has_text="stopped; step").wait_for()
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
        expect(watched.get_by_role("button", name="Resume it")).to_be_enabled()  # drawn after the status
        assert page.errors == []
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    page.close()
