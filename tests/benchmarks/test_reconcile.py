"""One set of outputs under several conventions: each line is what a person would work out by hand."""
import math
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageDraw

from rrvf_lab.benchmarks import Reconciliation, chartmimic, reconcile
from rrvf_lab.benchmarks.reconcile import ssim
from rrvf_lab.judge import Verdict
from rrvf_lab.records import Report
from rrvf_lab.render import Rendering
from rrvf_lab.reward import Reward
from rrvf_lab.rollout import Rollout, Turn

TARGET = Image.new("RGB", (40, 30), "white")
ImageDraw.Draw(TARGET).rectangle((5, 10, 20, 29), fill="red")
WHITE = Image.new("RGB", (40, 30), "white")


def rollout(id, *scores, picture=TARGET, choice=None, kind="bar", **metrics):
    """Turns with these scores; None is a crash."""
    turns = tuple(map(turn, "abc", scores, [picture] * len(scores)))
    choice = len(turns) - 1 if choice is None else choice
    reward = Reward(scores[choice] or 0.0, 0, 0, 0)
    return Rollout(TARGET, "matplotlib", turns, None, choice, reward, id, {"kind": kind, "metrics": metrics})


def turn(code, score, picture):
    rendering = Rendering(None, "E") if score is None else Rendering(picture, None)
    return Turn("", code, rendering, Verdict(score or 0.0, ""), "", "render")


REPORT = Report([rollout("a", None, 0.6), rollout("b", 0.4, None, kind="pie"),
                 rollout("c", 0.8, 0.2, choice=0), rollout("d", 0.0, picture=WHITE)], undone={"e": "down"})


def numbers(value, ran=1.0):
    """What ChartMimic's metric gives where text, layout and type are `value` and half of it the colours."""
    f1 = dict.fromkeys(("text", "layout", "type"), value) | {"color": 2 * value / 3}
    found = {f"{part}_{side}": value for part in f1 for side in ("precision", "recall")}
    return f1 | found | {"color_recall": value / 2, "average": sum(f1.values()) / 4, "ran": ran}


def test_each_convention_of_the_vision_score_is_what_it_says():
    table = reconcile(REPORT, judges={})
    values = {"final turn, failures 0": 1.4 / 4, "executed only": 1.4 / 3, "first turn": 1.2 / 4,
              "best turn": 1.8 / 4, "last program": 0.8 / 4, "mean over kinds": (1.4 / 3 + 0) / 2,
              "undone as 0": 1.4 / 5}
    for convention, value in values.items():
        assert table.value("vision score", convention) == pytest.approx(value), convention
    first = table.frame.iloc[0]
    assert first["difference"] == 0 and first["n"] == 4 and first["low"] < first["value"] < first["high"]
    with pytest.raises(KeyError, match="no 'median' of 'vision score'; there are: .*best turn"):
        table.value("vision score", "median")


def test_a_white_picture_ran_here_and_failed_there():
    table = reconcile(REPORT, judges={})
    assert table.value("execution rate", "final program") == 3 / 4
    assert table.value("execution rate", "white is failed") == 2 / 4
    assert table.value("execution rate", "first program") == 3 / 4


def test_other_judges_see_the_same_pictures_and_failures_stay_zero():
    seen = []

    def blind(target, image):
        seen.append(image)
        return Verdict(1.0, "")

    table = reconcile(REPORT, judges={"blind": blind, "SSIM": ssim})
    assert table.value("vision score", "blind") == 3 / 4 and len(seen) == 3
    assert table.value("vision score", "SSIM") == pytest.approx((2 + ssim(TARGET, WHITE)) / 4)


def test_ssim_below_zero_is_zero_as_scores_are_not_negative():
    stripes = Image.fromarray(np.tile(np.array([[0, 255]], np.uint8).repeat(4, 1), (168, 28)))
    assert ssim(stripes, Image.eval(stripes, lambda value: 255 - value)) == 0 and ssim(stripes, stripes) == 1


def test_an_unscored_item_is_left_out_or_zero():
    report = Report([rollout("a", 0.6), rollout("b", math.nan)])
    table = reconcile(report, judges={})
    assert table.value("vision score", "final turn, failures 0") == pytest.approx(0.6)
    assert table.value("vision score", "unscored as 0") == pytest.approx(0.3)


def test_chartmimic_published_executed_pooled_and_the_fixed_denominator():
    report = Report([rollout("a", 0.6, chartmimic=numbers(1.0) | {"gpt": 0.8}),
                     rollout("b", None, chartmimic=numbers(0.0, ran=0.0) | {"gpt": 0.0}),
                     rollout("c", 0.6, chartmimic=numbers(0.3333) | {"gpt": math.nan})])
    table = reconcile(report, judges={})
    average = [(3 + 2 / 3) / 4, 0, 0.3333 * (3 + 2 / 3) / 4]
    values = {"as published": np.mean(average), "executed only": sum(average) / 2,
              "divided by 500": sum(average) / 500, "F1 of the means": np.mean(average)}  # equal on multiples
    for convention, value in values.items():
        assert table.value("ChartMimic average", convention) == pytest.approx(value), convention
    assert abs(table.value("ChartMimic average", "rounded first") - np.mean(average)) <= 5e-5
    dropped, zero = (table.value("ChartMimic overall", f"unread answers {how}") for how in ("dropped", "0"))
    assert dropped == pytest.approx((np.mean(average) + 0.4) / 2)
    assert zero == pytest.approx((np.mean(average) + 0.8 / 3) / 2)
    assert chartmimic.table(report)["average"] / 100 == pytest.approx(np.mean(average))


def test_plot2code_drops_what_failed_and_pages_count_it_as_white():
    page = {"block": 0.5, "text": 1.0, "position": 0.5, "color": 1.0}
    report = Report([rollout("a", 0.6, plot2code={"text": 0.5, "ran": 1.0}, design2code=page | {"ran": 1.0}),
                     rollout("b", None, plot2code={"text": 0.0, "ran": 0.0},
                             design2code=dict.fromkeys([*page, "ran"], 0.0))])
    table = reconcile(report, judges={})
    assert table.value("Plot2Code text", "as published") == 0.5
    assert table.value("Plot2Code text", "failures 0") == 0.25
    assert table.value("Design2Code, four of five", "as published") == 0.375
    assert table.value("Design2Code, four of five", "executed only") == 0.75


def test_references_run_again_with_the_other_choices():
    start = "import matplotlib.pyplot as plt\nplt.bar([1, 2], [3, 4])\nplt.title('a')\n"
    late, save = "plt.plot([1, 2])\n", "plt.savefig('a.png')\n"
    made = rollout("a", 0.6, chartmimic=numbers(1.0))
    made = replace(made, turns=(replace(made.turns[0], code=start + save + late),))  # the end is cut off
    table = reconcile(Report([made]), judges={}, references={"a": start + late + save})
    assert table.value("ChartMimic average", "programs run whole") == pytest.approx(1.0)
    assert table.value("ChartMimic average", "subclasses counted") < 1.0


def test_a_gain_is_paired_line_by_line_and_may_depend_on_the_convention():
    better = Report([rollout("d", 0.5), rollout("a", 0.2, 0.6), rollout("c", 0.9),
                     rollout("b", 0.4, kind="pie")])
    table = reconcile(better, before=REPORT, judges={})
    effects = {"final turn, failures 0": (0.5 + 0 + 0.1 + 0.4) / 4, "executed only": (0.5 + 0 + 0.1) / 3,
               "first turn": (0.5 + 0.2 + 0.1 + 0) / 4,
               "mean over kinds": (2.0 / 3 + 0.4) / 2 - (1.4 / 3 + 0) / 2}
    for convention, effect in effects.items():
        assert table.value("vision score", convention, "effect") == pytest.approx(effect), convention
    assert table.value("vision score", "executed only", "pairs") == 3
    assert table.value("execution rate", "final program", "effect") == pytest.approx(1 / 4)
    found = REPORT.compare(better)
    first = table.frame.iloc[0]
    assert [first["effect"], first["effect_low"], first["effect_high"]] == pytest.approx(
        [found.effect, found.low, found.high])


def test_every_line_says_why_and_the_table_shows_itself():
    table = reconcile(REPORT, judges={"<b>": lambda target, image: 1.0})
    assert isinstance(table, Reconciliation) and all(len(why) > 30 for why in table.frame["why"])
    page = table._repr_html_()
    assert "&lt;b&gt;" in page and "<b>" not in page and all(why in page for why in table.frame["why"])
    assert table.to_markdown().count("\n") == len(table.frame) + 2 and "executed only" in repr(table)


def test_a_line_that_the_other_report_has_not_is_shown_without_an_effect():
    report = Report([rollout("a", 0.6, plot2code={"text": 0.5, "ran": 1.0})])
    table = reconcile(report, before=Report([rollout("a", 0.5)]), judges={})
    assert "nan" not in table.to_markdown()
    assert math.isnan(table.value("Plot2Code text", "failures 0", "effect"))
