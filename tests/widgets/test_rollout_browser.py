"""The views of one rollout where people use them, in a real JupyterLab."""
import pytest
from in_lab import ALTLESS, ERRORS, UNNAMED, notebook, opened, output
from playwright.sync_api import expect

from rrvf_lab.records import load_rollouts

pytestmark = [pytest.mark.browser, pytest.mark.slow]
VIEWS = '''
import time
import rrvf_lab as rl
from rrvf_lab.talk import write_turn

class Slow(rl.Recording):
    def stream(self, talk, on_text=None, stop=None):
        text = self.write([talk])[0]
        for end in range(1, len(text) + 1):
            if stop is not None and stop.is_set():
                return text[:end]
            on_text(text[:end])
            time.sleep(0.01)
        return text

rollouts = rl.load_rollouts("data/rollouts")
rollout, code = rollouts[0], "import matplotlib.pyplot as plt\\nplt.bar(list('abc'), [1, 2, 3])"
slow = Slow([write_turn("slowly " * 30, code)])
'''


@pytest.fixture(scope="module")
def page(lab, chromium):
    cells = [VIEWS, "rl.inspect(rollout)", "rl.live(slow, rollout.target, max_turns=1)",
             "rl.sit_as_policy(rollout.target, max_turns=3)", "rl.sit_as_judge(rollouts)"]
    page = opened(lab, chromium, "rollout.ipynb", notebook(*cells))
    output(page, "rl.sit_as_judge").get_by_role("button", name="Reveal").wait_for()
    yield page
    page.close()


def test_every_control_has_a_name_and_every_picture_an_alt_text(page):
    assert page.evaluate(UNNAMED) == [] and page.evaluate(ALTLESS) == [] and page.errors == []
    assert page.locator(".jp-OutputArea img").count() == 9  # else one of the views is empty
    tree = page.locator(".jp-Notebook").aria_snapshot()
    for line in ('button "Next turn"', 'combobox "Turn"', 'combobox "Compare"', 'textbox "Code"',
                 'textbox "Feedback"', 'button "Render and judge"', 'textbox "Folder"', 'textbox "Program"',
                 'spinbutton "My score"', f'img "target image {load_rollouts("data/rollouts")[0].id}"'):
        assert line in tree, line


def test_a_step_shows_the_next_turn(page):
    inspector = output(page, "rl.inspect(rollout)")
    first = inspector.get_by_role("textbox", name="Code").input_value()
    inspector.get_by_role("button", name="Next turn").click()
    inspector.locator("img[alt*='of target and turn 2']").wait_for()
    assert inspector.get_by_role("textbox", name="Code").input_value() != first
    assert inspector.get_by_role("combobox", name="Turn").evaluate("e => e.value").startswith("turn 2:")


def test_pictures_can_be_wiped_with_the_keyboard(page):
    inspector = output(page, "rl.inspect(rollout)")
    inspector.get_by_role("combobox", name="Compare").select_option("wipe")
    place = inspector.get_by_role("spinbutton", name="At percent")
    before = inspector.locator("img[alt*='wipe of target']").get_attribute("src")
    place.focus()
    page.keyboard.press("ArrowUp")
    changed = "([e, old]) => ![null, undefined, old].includes(e.querySelector('img[alt*=wipe]')?.src)"
    page.wait_for_function(changed, arg=[inspector.element_handle(), before])  # between two there is none


def test_edited_code_gets_a_new_score_beside_the_original(page):
    inspector = output(page, "rl.inspect(rollout)")
    field = inspector.get_by_role("textbox", name="Code")
    field.fill(field.input_value() + "\nplt.title('Latency')\n")
    inspector.get_by_role("button", name="Render and judge").click()
    inspector.get_by_role("status").filter(has_text="reward").wait_for()
    inspector.get_by_text("code changed at turn").wait_for()
    choices = inspector.get_by_role("combobox", name="Rollout").locator("option").all_inner_texts()
    assert len(choices) == 2 and "branch" in choices[1] and "reward" in choices[1]


def test_what_changed_is_in_sight_of_the_button_that_changed_it(page):
    """At 1280 x 800 with JupyterLab's sidebar open."""
    page.set_viewport_size({"width": 1280, "height": 800})
    inspector = output(page, "rl.inspect(rollout)")
    pictures = [inspector.locator(f"img[alt{alt}]").last.bounding_box()
                for alt in ("^='target image'", "*=' of target and turn'", "^='render of turn'")]
    acts = inspector.get_by_role("button", name="Render and judge").bounding_box()
    assert max(acts["y"] + acts["height"], *(one["y"] + one["height"] for one in pictures)) \
        - min(one["y"] for one in pictures) < 690  # what the notebook's own bars leave
    page.set_viewport_size({"width": 1400, "height": 1000})


NAME = """() => { const e = document.activeElement;
    return (e.getAttribute('aria-label') || e.labels?.[0]?.textContent || e.textContent).trim() }"""


def test_the_whole_inspector_goes_by_keyboard(page):
    inspector = output(page, "rl.inspect(rollout)")
    choices, seen, key = inspector.get_by_role("combobox", name="Rollout"), [], page.keyboard
    choices.focus()
    for _ in range(16):
        key.press("Tab")
        seen.append(page.evaluate(NAME))
    wanted = ["Turn", "Code", "Thought", "Feedback", "Load nano and continue", "Sit in the policy's chair",
              "Undo the edits", "Folder", "Save", "Compare"]
    assert [name for name in seen if name in wanted][:len(wanted)] == wanted, seen
    inspector.get_by_role("textbox", name="Code").focus()
    key.press("Control+End")
    key.type("\nplt.title('By hand')")
    expect(inspector.get_by_role("button", name="Render and judge")).to_be_enabled()
    for _ in range(3):  # past the thought and the feedback
        key.press("Tab")
    assert page.evaluate(NAME) == "Render and judge"
    key.press("Space")
    choices.locator("option", has_text="branch 2").wait_for(state="attached")
    assert page.errors == [] and page.locator(ERRORS).count() == 0


def test_a_live_rollout_stops_while_it_is_written_and_is_written_again(page):
    live = output(page, "rl.live")
    live.get_by_role("button", name="Play").click()
    live.locator("pre", has_text="<think>").first.wait_for()
    live.get_by_role("button", name="Stop", exact=True).first.click()
    live.get_by_role("status").filter(has_text="Stopped.").wait_for()
    live.get_by_role("button", name="Play").click()
    live.get_by_role("status").filter(has_text="Done. 1 turns, reward").wait_for()
    assert page.errors == []


def test_the_judges_score_comes_after_ones_own(page):
    chair = output(page, "rl.sit_as_judge")
    assert "judge" not in chair.inner_text()
    chair.get_by_role("spinbutton", name="My score").fill("0.4")
    chair.get_by_role("button", name="Reveal").click()
    chair.get_by_text("you 0.40").wait_for()


def test_a_person_can_be_the_policy(page):
    chair = output(page, "rl.sit_as_policy")
    program = "import matplotlib.pyplot as plt\nplt.fill_between([1, 2, 3], [5, 1, 3])"
    chair.get_by_role("textbox", name="Program").fill(program)
    chair.get_by_role("button", name="Render my program").click()
    chair.get_by_role("status").filter(has_text="Your turn 2 of 3").wait_for()
    chair.get_by_role("button", name="Answer with my best").click()
    chair.get_by_role("status").filter(has_text="Done. 2 turns").wait_for()
    assert page.errors == [] and page.locator(ERRORS).count() == 0
