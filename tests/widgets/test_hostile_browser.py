"""Rollouts that mean harm, in every view, in a real JupyterLab: nothing of theirs runs, hides or reorders."""
import pytest
from in_lab import ALTLESS, ERRORS, notebook, opened, output

pytestmark = [pytest.mark.browser, pytest.mark.slow]
EVIL = '''
from dataclasses import replace
from PIL import Image
import rrvf_lab as rl
from rrvf_lab.reward import reward
evil = ("</pre></textarea></script><script>window.pwned = 1</script>"
        "<img src=x onerror='window.pwned = 2'>\\x22>"
        "<svg onload='window.pwned = 3'></svg><a href='javascript:window.pwned = 4'>x</a>"
        "<iframe srcdoc='<script>top.pwned = 5</script>'></iframe>"
        "<img src='data:text/html,<script>1</script>'>"
        "\\x1b[31m\\x1b[2J\\x07\\x00 \\u202egnp.exe \\u2066 \\ud800 ")
image = Image.new("RGB", (60, 40), "red")

def good(text, score):
    verdict = rl.Verdict(score, text, {text[:40]: 0.5}, text)
    return rl.Turn(text, text, rl.Rendering(image, None, 0.1, flags=(evil,)), verdict, text, "render")

failed = rl.Rendering(None, evil, 0.1), rl.Verdict(0.0, evil, {}, evil)
bad = rl.Turn(evil, evil, *failed, evil, "render", "run: " + evil)

def made(k):
    """Its final program failed in every other one."""
    turns = good(evil, k / 4), good(evil + "A" * (10**6 if k == 2 else 10), k / 4), bad
    info = {"step": 1, "group": 0, "advantage": k - 1.5, "model": evil}
    rollout = rl.Rollout(image, "html", turns, evil, 2 * (k % 2), None, evil, info)
    return replace(rollout, reward=reward(rollout))

rollouts = [made(k) for k in range(4)]
rl.Recorder("evil/rollouts").write("step-000001", rollouts)
rollout = rollouts[2]
rollout'''
VIEWS = ["rollout.turns[0]", "rl.inspect(rollout)", "rl.inspect_run('evil')", "rl.inspect_group(rollouts)",
         "rl.watch('evil')", "rl.sit_as_judge(rollout)", "rl.export(rollout, 'evil.html', title=evil)"]


@pytest.fixture(scope="module")
def page(lab, chromium):
    """All views, with what is folded unfolded."""
    page = opened(lab, chromium, "evil.ipynb", notebook(EVIL, *VIEWS))
    inspector, browser = output(page, "rl.inspect(rollout)"), output(page, "rl.inspect_run")
    for turn in (2, 3):
        inspector.get_by_role("button", name="Next turn").click()
        chosen = inspector.get_by_role("combobox", name="Turn").locator("option:checked")
        chosen.filter(has_text=f"turn {turn}: ").wait_for(state="attached")
    output(page, "rl.sit_as_judge").get_by_role("button", name="Reveal").click()
    browser.get_by_role("button", name="Open rollout 2").click()
    browser.get_by_role("heading", name="Its group, by advantage").wait_for()
    browser.get_by_role("button", name="Weigh this step anew").click()
    browser.get_by_role("spinbutton", name="Tool weight").wait_for()
    browser.get_by_role("button", name="Show what may be wrong").click()
    page.evaluate("document.querySelectorAll('.jp-OutputArea details').forEach(one => one.open = true)")
    page.wait_for_timeout(500)
    yield page
    page.close()


def test_no_script_runs(page):
    assert page.evaluate("window.pwned") is None
    assert page.errors == [] and page.locator(ERRORS).count() == 0
    live = ", ".join(f".jp-OutputArea {what}" for what in ("script", "iframe", "[onerror]", "[onload]"))
    assert page.locator(live).count() == 0


def test_signs_that_act_or_hide_are_shown_and_a_megabyte_is_cut(page):
    shown = page.locator(".jp-Notebook").inner_text()
    shown += "|".join(page.locator("textarea, select").evaluate_all("all => all.map(e => e.value)"))
    assert "‹U+202E›" in shown and "‹U+001B›[31m" in shown and "more characters" in shown
    assert "\u202e" not in shown and "\x1b" not in shown


def test_every_picture_keeps_its_alt_text(page):
    assert page.evaluate(ALTLESS) == []


def test_an_exported_page_holds_no_script(page, lab, chromium):
    exported = chromium.new_page()
    exported.goto((lab[0] / "evil.html").as_uri())
    exported.wait_for_timeout(500)
    assert exported.evaluate("window.pwned") is None and exported.locator("script, iframe").count() == 0
    assert exported.locator("img").count() > 3 and exported.locator("img:not([alt])").count() == 0
    exported.close()
