"""The published metrics as `evaluate` takes them: their numbers, and the tables as worked out by hand."""
import math
import warnings

import pytest
from PIL import Image

from rrvf_lab.benchmarks import ChartMimic, Plot2Code, chartmimic, design2code, plot2code
from rrvf_lab.evaluate import evaluate
from rrvf_lab.judge import Verdict
from rrvf_lab.records import Report
from rrvf_lab.reward import Reward
from rrvf_lab.rollout import Rollout
from rrvf_lab.talk import write_turn

BARS = ("import matplotlib.pyplot as plt\nplt.figure(figsize=(3, 2))\nplt.bar([1, 2], [3, 4], color='red')\n"
        "plt.title('A')")
BLUE, BROKEN, WHITE = BARS.replace("'red'", "'blue'"), "1 / 0", BARS.partition("plt.bar")[0]


def half(target, image, error=None):
    return Verdict(0.5, "")


def items(codes, reference=BARS, language="matplotlib"):
    """One item for each code that `Answers` will write; its shade tells which."""
    return [{"id": f"i{k}", "image": Image.new("RGB", (300, 200), (k, 0, 0)), "language": language,
             "reference": reference} for k in range(len(codes))]


class Answers:
    """Answers at once, with the code of the item that it is shown; `asked` counts how often."""

    def __init__(self, codes):
        self.codes, self.asked = codes, 0

    def write(self, talks):
        self.asked += len(talks)
        shades = [talk[1]["content"][0]["image"].getpixel((0, 0))[0] for talk in talks]
        return [write_turn("", answer=self.codes[shade]) for shade in shades]


def played(codes, *metrics, **more):
    return evaluate(Answers(codes), items(codes), 1, metrics=metrics, judge=half, **more)


def report_of(metric, *rows):
    """A report whose rollouts have these numbers of a metric."""
    infos = [{"metrics": {metric.name: row}} for row in rows]
    return Report([Rollout(None, "matplotlib", id=f"r{k}", reward=Reward(0.0, 0.0, 0.0, 0.0), info=info)
                   for k, info in enumerate(infos)])


def four(value, ran=1.0, **more):
    return dict.fromkeys(("text", "layout", "type", "color", "average"), value) | {"ran": ran} | more


# -------------------------------------------------------------------------------------------------- numbers

def test_scores_are_recorded_once_and_read_back(tmp_path):
    codes = [BARS, BROKEN, BLUE]
    first = played(codes, chartmimic, plot2code, record=tmp_path)
    again = evaluate(Answers(codes), items(codes, reference=BROKEN), 1, record=tmp_path, resume=True,
                     metrics=[chartmimic, plot2code], judge=half)  # these references would fail if they ran
    assert chartmimic.table(again) == chartmimic.table(first)
    assert again.numbers().loc["chartmimic text", "value"] == pytest.approx(2 / 3)


def test_what_failed_is_zero_in_every_number_and_says_that_it_did_not_run():
    report = played([BARS, BROKEN, BLUE], ChartMimic(rater=half), Plot2Code(rater=half))
    right, failed, wrong = (r.info["metrics"] for r in report.rollouts)
    assert set(failed["chartmimic"].values()) == set(failed["plot2code"].values()) == {0.0}
    assert right["chartmimic"] == pytest.approx(dict.fromkeys(right["chartmimic"], 1.0) | {"gpt": 0.5})
    assert right["plot2code"] == {"text": 1.0, "rating": 5.0, "ran": 1.0}
    assert wrong["chartmimic"]["type"] == 1 and 0 < wrong["chartmimic"]["color"] < 1


def test_the_rater_is_shown_what_ran_and_nothing_else():
    seen = []

    def rater(target, image):
        seen.append(image)
        return math.nan

    report = played([BARS, BROKEN, WHITE], ChartMimic(rater=rater), Plot2Code(rater=rater))
    right, failed, white = (r.info["metrics"] for r in report.rollouts)
    assert len(seen) == 3, "the white picture ran for ChartMimic, not for Plot2Code"
    assert math.isnan(right["chartmimic"]["gpt"]) and math.isnan(right["plot2code"]["rating"])
    assert math.isnan(white["chartmimic"]["gpt"])
    assert white["plot2code"] == {"text": 0, "rating": 0, "ran": 0}
    assert failed["chartmimic"]["gpt"] == failed["plot2code"]["rating"] == 0


def test_a_rater_that_is_no_judge_is_refused_before_anything_is_played():
    for metric in (ChartMimic, Plot2Code):
        with pytest.raises(TypeError, match="a judge is called with"):
            metric(rater="gpt-4o")


def test_a_reference_that_does_not_run_is_left_out_and_the_others_are_measured():
    rows = [row | {"reference": code} for row, code in zip(items("ab"), (BROKEN, BARS), strict=True)]
    report = evaluate(Answers([BARS, BARS]), rows, 1, metrics=[chartmimic, plot2code], judge=half)
    left_out = report.rollouts[0].info["metrics"]
    assert all("ZeroDivisionError" in left_out[name]["unscored"] for name in ("chartmimic", "plot2code"))
    for metric, column in ((chartmimic, "average"), (plot2code, "text")):
        table = metric.table(report)
        assert table["n"] == 1 and table[column] == pytest.approx(100)


@pytest.mark.parametrize("metric", [chartmimic, plot2code, design2code])
def test_an_item_without_a_reference_is_refused_before_anything_is_played(metric):
    policy = Answers([BARS])
    with pytest.raises(ValueError, match="'i0' has none; load_benchmark"):
        evaluate(policy, items([BARS], reference=None), 1, metrics=[metric], judge=half)
    assert policy.asked == 0


@pytest.mark.slow
@pytest.mark.browser
def test_pages_are_measured_by_the_blocks_of_the_reference():
    page = "<html><body><h1>Hello</h1><p>some words</p></body></html>"
    codes = ["<html><body></body></html>", page]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # CLIP's weights may be missing
        report = evaluate(Answers(codes), items(codes, page, "html"), 1, metrics=[design2code], judge=half)
    empty, right = (r.info["metrics"]["design2code"] for r in report.rollouts)
    assert right["text"] == 1 and right["block"] == pytest.approx(1)
    assert empty["text"] == 0 and empty["ran"] == 1
    assert design2code.table(report)["text"] == 50 and report.numbers().loc["design2code text", "n"] == 2


@pytest.mark.slow
@pytest.mark.browser
def test_a_reference_page_that_cannot_be_drawn_is_left_out():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        report = evaluate(Answers(["a"]), items(["a"], " ", "html"), 1, metrics=[design2code], judge=half)
    assert "the page is empty" in report.rollouts[0].info["metrics"]["design2code"]["unscored"]


# --------------------------------------------------------------------------------------------------- tables

def test_failures_count_or_are_left_out_as_asked():
    report = report_of(chartmimic, four(1.0), four(0.0, ran=0.0))
    zero, drop = chartmimic.table(report), chartmimic.table(report, failures="drop")
    assert (zero["n"], zero["average"], zero["text"]) == (2, 50, 50)
    assert (drop["n"], drop["average"], drop["text"]) == (1, 100, 100)
    assert zero["exec"] == drop["exec"] == 50


def test_the_judges_share_of_the_table_leaves_unread_answers_out_or_counts_them():
    failed = four(0.0, ran=0.0, gpt=0.0)
    table = chartmimic.table(report_of(chartmimic, four(1.0, gpt=0.8), failed))
    assert table["gpt"] == 40 and table["overall"] == 45
    three = report_of(chartmimic, four(1.0, gpt=0.8), failed, four(1.0, gpt=math.nan))
    assert chartmimic.table(three)["gpt"] == 40
    assert chartmimic.table(three, unscored="zero")["gpt"] == pytest.approx(80 / 3)
    assert "gpt" not in chartmimic.table(report_of(chartmimic, four(1.0, gpt=0.8), four(1.0))), "one has none"


def test_plot2code_is_over_all_or_over_what_ran_and_was_rated():
    rows = [{"text": 0.5, "rating": 4.0, "ran": 1.0}, {"text": 1.0, "rating": math.nan, "ran": 1.0},
            {"text": 0.0, "rating": 0.0, "ran": 0.0}]
    zero, drop = (plot2code.table(report_of(plot2code, *rows), failures) for failures in ("zero", "drop"))
    assert zero == pytest.approx({"exec": 200 / 3, "text": 50, "rating": 4 / 3, "n": 3})
    assert drop == pytest.approx({"exec": 200 / 3, "text": 75, "rating": 4, "n": 3})
    assert "rating" not in plot2code.table(report_of(plot2code, {"text": 1.0, "ran": 1.0})), "nobody rated"


def test_design2code_counts_failed_pages_as_white_unless_dropped():
    page = {"block": 0.5, "text": 1.0, "position": 0.5, "color": 1.0}
    failed = dict.fromkeys(page, 0.0) | {"ran": 0.0}
    report = report_of(design2code, page | {"ran": 1.0}, failed)
    zero, drop = design2code.table(report), design2code.table(report, failures="drop")
    assert (zero["n"], zero["exec"], zero["text"], zero["block"]) == (2, 50, 50, 25)
    assert (drop["n"], drop["exec"], drop["text"], drop["block"]) == (1, 50, 100, 50)
    assert math.isnan(zero["clip"]) and math.isnan(zero["total"])


def test_clip_is_in_the_table_where_all_have_it():
    page = {"block": 0.5, "text": 1.0, "position": 0.5, "color": 1.0, "ran": 1.0}
    seen = page | {"clip": 0.5, "total": 0.7}
    table = design2code.table(report_of(design2code, seen, seen | {"clip": 0.7, "total": 0.74}))
    assert table["clip"] == pytest.approx(60) and table["total"] == pytest.approx(72)
    assert math.isnan(design2code.table(report_of(design2code, seen, page))["clip"])


@pytest.mark.parametrize("metric", [chartmimic, plot2code, design2code])
def test_a_table_of_nothing_or_by_an_unknown_word_is_an_error(metric):
    with pytest.raises(ValueError, match=rf"no rollout has the metric '{metric.name}'; evaluate\("):
        metric.table(report_of(metric, {"unscored": "why"}))
    with pytest.raises(ValueError, match="failures='none': it is 'zero' or 'drop'"):
        metric.table(report_of(metric, four(1.0)), failures="none")
    with pytest.raises(ValueError, match="unscored='none': it is 'zero' or 'drop'"):
        chartmimic.table(report_of(chartmimic, four(1.0)), unscored="none")
