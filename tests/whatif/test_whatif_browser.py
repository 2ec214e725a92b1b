"""Judges and changed steps where people look at them, in a real JupyterLab."""
import pytest
from in_lab import ALTLESS, UNNAMED, notebook, opened, output
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.slow]
SETUP = '''
import rrvf_lab as rl
rollouts = rl.load_rollouts("data/rollouts/group")
scores = iter([k / 20 for k in range(20)] * 2)
found = rl.compare_judges(rollouts, {"recorded": None, "rising": lambda target, image: next(scores)})
'''


@pytest.fixture(scope="module")
def page(lab, chromium):
    cells = [SETUP, "rl.inspect_judges(found)", "rl.what_if(rollouts, scale='none')"]
    page = opened(lab, chromium, "judges.ipynb", notebook(*cells))
    page.locator(".js-plotly-plot").wait_for()
    yield page
    page.close()


def test_a_clicked_point_opens_its_rollout(page):
    view = output(page, "rl.inspect_judges")
    told = view.get_by_role("status").filter(has_text="Advantage by judge")
    before = told.inner_text()
    points = view.locator(".scatterlayer .point")
    points.last.dispatch_event("mousemove")
    points.last.hover(force=True)
    points.last.click(force=True)
    expect(told).not_to_have_text(before)


def test_the_formulas_are_typeset(page):
    assert output(page, "rl.what_if").locator("mjx-container").count() >= 5


def test_every_control_has_a_name_and_every_picture_an_alt_text(page):
    assert page.evaluate(UNNAMED) == [] and page.evaluate(ALTLESS) == [] and page.errors == []
