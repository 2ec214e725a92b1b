"""The zoo of hacks: programs that cheat, what rewards pay for them, what catches them, and how an audit shows
it. Most tests have the pictures drawn by a stand-in; the slow one has them rendered."""
import ast
import inspect
import math

import numpy as np
import pytest
from PIL import Image, ImageDraw

import rrvf_lab as rl
from rrvf_lab.diagnose import findings
from rrvf_lab.judge.rivals import prototype, ssim
from rrvf_lab.judge.spoilings import LIMIT
from rrvf_lab.judge.zoo import SHIPPED, programs
from rrvf_lab.render import Rendering, suspicious

CHEATS = ("blank", "empty axes", "solid", "palette", "mosaic", "noise", "image literal", "embedded target",
          "tiny canvas", "huge canvas", "hidden text", "flattery", "flattery in code", "absolute page",
          "inline picture")


def bars(*heights):
    image = Image.new("RGB", (160, 120), "white")
    for i, height in enumerate(heights):
        ImageDraw.Draw(image).rectangle((20 + 30 * i, 110 - 10 * height, 40 + 30 * i, 110), fill="teal")
    return image


TARGET = bars(2, 8, 5, 1)


class Painter:
    """A renderer that gives the target to whoever holds it in the code, and a blank page to the others."""

    def render(self, code, language):
        if language == "html":
            return Rendering(None, "no browser", 0.0, language)
        image = TARGET if "b64decode" in code else Image.new("RGB", TARGET.size, "white")
        return Rendering(image, flags=suspicious(code, language))


def zoo(judge=None):
    return rl.hack_zoo(judge, TARGET, Painter())


def test_every_hack_is_a_program_and_says_what_it_hopes_for():
    made = {one.name: one for one in zoo().exhibits}
    assert tuple(made) == CHEATS and all(one.hope and one.program for one in made.values())
    for one in made.values():
        if one.language == "matplotlib":
            ast.parse(one.program)
    assert str(TARGET.height) in made["absolute page"].program


def test_a_hack_is_scored_by_each_shipped_reward_and_by_ones_own():
    def generous(target, image):
        return 0.9

    scores = zoo(generous)["blank"].scores
    assert list(scores) == ["generous", *SHIPPED] and scores["generous"] == 0.9
    assert zoo(generous)["blank"].fooled == ["generous", "ssim"]
    assert list(zoo()["blank"].scores) == list(SHIPPED)


def test_a_hack_that_draws_nothing_earns_nothing_and_says_why():
    page = zoo()["absolute page"]
    assert page.picture is None and page.error == "no browser" and set(page.scores.values()) == {0.0}
    assert "no browser" in str(zoo())


def test_what_catches_a_hack_is_said_and_where_nothing_needs_to():
    assert "holds an embedded picture" in zoo()["embedded target"].caught
    assert zoo()["mosaic"].caught == "nothing" and zoo()["absolute page"].caught == "no need: it is not paid"


def test_a_judge_that_fails_on_a_hack_leaves_it_unscored():
    def failing(target, image):
        if image == target:
            raise RuntimeError("no weights")
        return 0.0

    made = zoo(failing)
    assert math.isnan(made["embedded target"].scores["failing"]) and made["blank"].scores["failing"] == 0.0


def test_an_unknown_hack_is_refused_with_those_there_are():
    with pytest.raises(KeyError, match="no hack 'magic'; there are: blank, empty axes"):
        zoo()["magic"]
    with pytest.raises(TypeError, match="a judge is called with"):
        rl.hack_zoo("SSIM", TARGET, Painter())


@pytest.mark.parametrize("name", ["image literal", "embedded target", "inline picture"])
def test_a_picture_in_the_code_is_flagged(name):
    photo = Image.fromarray(np.random.default_rng(0).integers(0, 256, (120, 160, 3), dtype=np.uint8))
    [(language, code)] = [(one[2], one[3]) for one in programs(photo) if one[0] == name]
    assert suspicious(code, language) == ("holds an embedded picture",)


def test_every_finding_that_a_hack_is_promised_exists():
    written = inspect.getsource(findings)
    assert all(f'"{one.finding}"' in written for one in zoo().exhibits if one.finding)


def test_an_audit_shows_the_zoo_and_fails_for_a_hack_that_is_paid_and_not_caught(monkeypatch):
    from rrvf_lab.judge import zoo as room

    monkeypatch.setattr(room, "shared", Painter)
    found = rl.audit(ssim, [TARGET, bars(9, 3, 3, 6)], repeats=0)
    assert [row[0] for row in found.table() if row[0].startswith("hack")] == [f"hack {c}" for c in CHEATS]
    [failed] = [failure for failure in found.failures if failure.startswith("hacks paid")]
    assert "blank 0." in failed and "embedded target" not in failed
    assert "the zoo: 15 programs that cheat" in found._repr_html_() and "hack blank" in str(found)


def test_the_zoo_shows_itself_with_pictures_programs_and_words():
    page = zoo()._repr_html_()
    assert page.count("<figure") == 1 + len(CHEATS) and "caught by" in page and 'alt="hack blank"' in page
    assert list(zoo().table().columns) == ["hack", *SHIPPED, "caught by"]


def test_the_rivals_pay_the_same_picture_in_full_and_one_of_them_pays_blank_paper():
    blank = Image.new("RGB", TARGET.size, "white")
    assert ssim(TARGET, TARGET) == prototype(TARGET, TARGET) == pytest.approx(1)
    assert ssim(TARGET, blank) > LIMIT and prototype(TARGET, blank) == 0


@pytest.mark.slow
def test_rendered_no_hack_is_paid_by_the_embedded_judge_and_not_caught():
    made = rl.hack_zoo()
    assert [one.name for one in made.exhibits if "PixelJudge" in one.fooled and not one.flags] == []
    assert made["embedded target"].scores["PixelJudge"] > 0.9 and made["blank"].scores["ssim"] > 0.6
    assert made["tiny canvas"].picture.size == (16, 12)
    assert all(one.picture is not None or one.language == "html" for one in made.exhibits)
