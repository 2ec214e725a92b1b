"""The widgets where people use them: notebook 04 in a real JupyterLab in a real Chromium, and hostile rollouts beside it."""
from pathlib import Path

import nbformat
import pytest
from in_lab import ERRORS, UNNAMED, opened

ROOT = Path(__file__).resolve().parent.parent
pytestmark = [pytest.mark.browser, pytest.mark.slow]
HOSTILE = '''
from dataclasses import replace
from PIL import Image
import rrvf_lab as rl
from rrvf_lab.judge import Verdict
from rrvf_lab.render import Rendering
from rrvf_lab.reward import reward
evil = ("</pre></textarea></script><script>window.pwned = 1</script><img src=x onerror='window.pwned = 2'>"
        "<svg onload='window.pwned = 3'></svg><a href='javascript:window.pwned = 4'>x</a><iframe srcdoc='<script>top.pwned = 5</script>'>"
        "</iframe><img src='data:text/html,<script>1</script>'>\\x1b[31m\\x1b[2J\\x07\\x00 \\u202egnp.exe \\u2066 \\ud800 ")
long = evil + "A" * 1_000_000
image = Image.new("RGB", (60, 40), "red")
def turn(text):
    return rl.Turn(text, text, Rendering(image, None, 0.1), Verdict(0.5, text, {text[:40]: 0.5}, text), text, "render")
bad = rl.Turn(evil, evil, Rendering(None, evil, 0.1), Verdict(0.0, evil, {}, evil), evil, "render", "run: " + evil)
rollout = rl.Rollout(image, "html", (turn(evil), turn(long), bad), evil, 0, None, evil, {"model": evil})
rollout = replace(rollout, reward=reward(rollout))
'''


@pytest.fixture(scope="module")
def page(lab, chromium):
    notebook = nbformat.read(ROOT / "notebooks" / "04_one_rollout.ipynb", 4)
    page = opened(lab, chromium, "04.ipynb", notebook)
    yield page
    page.close()


def _widget(page, name):
    """The widget in the output of the cell that holds `name`."""
    return page.locator(".jp-CodeCell", has_text=name).locator(".jp-OutputArea")


def test_notebook_04_runs_without_an_error_in_the_console(page):
    assert not page.locator(ERRORS).count()
    assert page.get_by_role("button", name="Render and judge").count() == 2  # the inspector, and the one under Play
    assert page.errors == []


def test_every_control_has_a_name_and_every_picture_an_alt_text(page):
    assert page.evaluate(UNNAMED) == []
    assert page.evaluate("() => [...document.querySelectorAll('.jp-OutputArea img')].filter(e => !e.alt).length") == 0
    assert page.evaluate("() => document.querySelectorAll('.jp-OutputArea img').length") > 10
    tree = page.locator(".jp-Notebook").aria_snapshot()
    for line in ('button "Next turn"', 'combobox "Turn"', 'combobox "Compare"', 'textbox "Code"', 'textbox "Feedback"',
                 'button "Render and judge"', 'spinbutton "My score"', 'textbox "Program"', 'img "target image test-0025"'):
        assert line in tree, line


def test_a_step_shows_the_next_turn(page):
    inspector = _widget(page, "rl.inspect(rollout)")
    first = inspector.get_by_role("textbox", name="Code").input_value()
    inspector.get_by_role("button", name="Next turn").click()
    inspector.locator("img[alt*='of target and turn 2']").wait_for()
    assert inspector.get_by_role("textbox", name="Code").input_value() != first
    assert inspector.get_by_role("combobox", name="Turn").evaluate("e => e.value").startswith("turn 2:")


def test_pictures_can_be_wiped_with_the_keyboard(page):
    inspector = _widget(page, "rl.inspect(rollout)")
    inspector.get_by_role("combobox", name="Compare").select_option("wipe")
    place = inspector.get_by_role("spinbutton", name="At percent")
    before = inspector.locator("img[alt*='wipe of target']").get_attribute("src")
    place.focus()
    page.keyboard.press("ArrowUp")
    page.wait_for_function("([e, old]) => e.querySelector(\"img[alt*='wipe of target']\").src !== old",
                           arg=[inspector.element_handle(), before])


def test_edited_code_gets_a_new_score_beside_the_original(page):
    inspector = _widget(page, "rl.inspect(rollout)")
    field = inspector.get_by_role("textbox", name="Code")
    field.fill(field.input_value().replace("Crime", "Latency"))
    inspector.get_by_role("button", name="Render and judge").click()
    inspector.get_by_role("status").filter(has_text="reward").wait_for()
    inspector.get_by_text("code changed at turn").wait_for()
    choices = inspector.get_by_role("combobox", name="Rollout").locator("option").all_inner_texts()
    assert len(choices) == 2 and "branch" in choices[1] and "reward" in choices[1]


SLOW = """
import time
import rrvf_lab as rl
from rrvf_lab import widgets
from rrvf_lab.environment import write_turn

class Slow(rl.Recording):
    def stream(self, talk, on_text=None, stop=None):
        text = self.write([talk])[0]
        for end in range(1, len(text) + 1):
            if stop is not None and stop.is_set():
                return text[:end]
            on_text(text[:end])
            time.sleep(0.05)
        return text

code = "import matplotlib.pyplot as plt\\nplt.bar(list('abc'), [1, 2, 3])"
widgets.live(Slow([write_turn("slowly " * 60, code)]), rl.load_rollouts("data/rollouts")[0].target, max_turns=1)
"""


def test_a_live_rollout_stops_while_it_is_written(lab, chromium):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(SLOW)], metadata={
        "kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}})
    page = opened(lab, chromium, "slow.ipynb", notebook)
    live = _widget(page, "widgets.live")
    live.get_by_role("button", name="Play").click()
    live.locator("pre", has_text="<think>").first.wait_for()
    live.get_by_role("button", name="Stop", exact=True).first.click()
    live.get_by_role("status").filter(has_text="Stopped.").wait_for()
    assert page.errors == []
    page.close()


def test_a_live_rollout_of_the_model_shows_itself(page):
    live = _widget(page, "watched = widgets.live")
    live.get_by_role("button", name="Play").click()
    live.get_by_role("status").filter(has_text="Done. 2 turns, reward").wait_for()


def test_the_judges_score_comes_after_ones_own(page):
    chair = _widget(page, "sit_as_judge(rollouts)")
    assert "judge" not in chair.inner_text()
    chair.get_by_role("spinbutton", name="My score").fill("0.4")
    chair.get_by_role("button", name="Reveal").click()
    chair.get_by_text("you 0.40").wait_for()


def test_a_person_can_be_the_policy(page):
    chair = _widget(page, "sit_as_policy(images[8]")
    chair.get_by_role("textbox", name="Program").fill("import matplotlib.pyplot as plt\nplt.fill_between([1, 2, 3], [5, 1, 3])")
    chair.get_by_role("button", name="Render my program").click()
    chair.get_by_role("status").filter(has_text="Your turn 2 of 3").wait_for()
    chair.get_by_role("button", name="Answer with my best").click()
    chair.get_by_role("status").filter(has_text="Done. 2 turns").wait_for()
    assert page.errors == []


def test_hostile_text_runs_no_script(lab, chromium, tmp_path):
    cells = [HOSTILE + "rollout", "rollout.turns[0]", "rl.inspect(rollout)", "rl.export(rollout, 'evil.html', title=evil); print('the', 'end')"]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}}
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells], metadata=kernel)
    page = opened(lab, chromium, "evil.ipynb", notebook)
    inspector = _widget(page, "rl.inspect(rollout)")
    for turn in (2, 3):
        inspector.get_by_role("button", name="Next turn").click()
        inspector.get_by_text(f"turn {turn}: ").first.wait_for()
        page.wait_for_timeout(500)
    for summary in page.locator(".jp-OutputArea summary").all():
        summary.click()
    page.wait_for_timeout(500)
    assert page.evaluate("window.pwned") is None and page.errors == []
    assert page.locator(".jp-OutputArea script, .jp-OutputArea iframe, .jp-OutputArea [onerror], .jp-OutputArea [onload]").count() == 0
    shown = page.locator(".jp-Notebook").inner_text()
    shown += page.evaluate("() => [...document.querySelectorAll('textarea, select')].map(e => e.value).join('|')")
    assert "‹U+202E›" in shown and "‹U+001B›[31m" in shown and "\u202e" not in shown and "more characters" in shown
    page.close()

    exported = chromium.new_page()
    exported.goto((lab[0] / "evil.html").as_uri())
    exported.wait_for_timeout(500)
    assert exported.evaluate("window.pwned") is None and exported.locator("script, iframe").count() == 0
    assert exported.locator("img").count() > 3 and exported.locator("img:not([alt])").count() == 0
    exported.close()
