"""ChartMimic's scores: against the values of the official evaluators, and one property a test."""
import importlib.util
import itertools
import json
import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rrvf_lab import chartmimic, metrics
from rrvf_lab.chartmimic import (F1, Facts, LowLevel, as_harness, ciede2000, color_f1, lab, low_level, similarities,
                                 summarise)
from rrvf_lab.judge import Verdict
from rrvf_lab.render import Renderer

HERE = Path(__file__).parent / "pairs" / "chartmimic"
OFFICIAL = json.loads((HERE / "official.json").read_text())["pairs"]
HEAD = "import matplotlib.pyplot as plt\n"
QUICK = ("barh", "pie", "scatter_cmap", "layout_gridspec", "candidate_crashes", "bug_recoloured_by_name")


def halves(name):
    return (HERE / f"{name}.py").read_text().split("# ----- candidate -----\n")


@pytest.fixture(scope="module")
def renderer():
    with Renderer(workers=2) as renderer:
        yield renderer


def installed(name):
    """Whether the library that this pair's programs import is there."""
    code = "".join(halves(name))
    return all(importlib.util.find_spec(library) for library in ("squarify", "matplotlib_venn", "networkx", "pandas")
               if f"import {library}" in code or f"from {library}" in code)


def check(names, renderer, copy=False):
    """Each of the four scores is the official one to 1e-6, or the recorded difference has the name of an official
    bug."""
    names = [name for name in names if installed(name)]
    items = [(*halves(name), name.startswith("graph")) for name in names]
    scores = chartmimic.low_levels(items, subclasses=copy, renderer=renderer)
    for name, score in zip(names, scores, strict=True):
        row = OFFICIAL[name]
        assert (score.error is None) == row["ran"], (name, score.error)
        for part in chartmimic.PARTS:
            ours = getattr(score, part)
            expected = row["ours"][part] if part in row.get("bugs", {}) else row[part]
            if copy:
                expected = row.get("copy", {}).get(part, expected)
            assert np.allclose([ours.precision, ours.recall, ours.f1], expected, rtol=0, atol=1e-6), (name, part, ours)


def test_a_few_pairs_score_as_the_official_code(renderer):
    check(QUICK, renderer)


@pytest.mark.slow
def test_all_pairs_score_as_the_official_code(renderer):
    assert len(OFFICIAL) >= 40
    check(list(OFFICIAL), renderer)


def test_subclasses_count_as_in_the_copy_when_asked(renderer):
    differing = [name for name, row in OFFICIAL.items() if "copy" in row]
    assert differing
    check(differing, renderer, copy=True)


def test_every_difference_has_the_name_of_a_bug_in_the_docstring():
    named = {bug for row in OFFICIAL.values() for bug in row.get("bugs", {}).values()}
    assert named and all(f"    {bug} " in chartmimic.__doc__ for bug in named)


def test_the_colour_difference_has_the_published_values():
    """Rows of the test data in Sharma, Wu and Dalal, 2005, table 1."""
    rows = [((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425), ((50, -1, 2), (50, 0, 0), 2.3669),
            ((50, 2.49, -0.001), (50, -2.49, 0.0009), 7.1792), ((50, 2.49, -0.001), (50, -2.49, 0.0011), 7.2195),
            ((2.0776, 0.0795, -1.135), (0.9033, -0.0636, -0.5514), 0.9082),
            ((22.7233, 20.0904, -46.694), (23.0331, 14.973, -42.5619), 2.0373)]
    for first, second, expected in rows:
        assert ciede2000(first, second) == pytest.approx(expected, abs=5e-5)
        assert ciede2000(second, first) == pytest.approx(expected, abs=5e-5)


def test_white_and_black_have_the_lab_values_of_their_name():
    assert lab([255, 255, 255])[0] == pytest.approx(100, abs=1e-3) and lab([0, 0, 0]) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("sizes", [(1, 5), (4, 4), (5, 3), (6, 6)])
def test_the_assignment_finds_what_all_permutations_find(sizes):
    rng = np.random.default_rng(sum(sizes))
    first, second = (["#{:02X}{:02X}{:02X}".format(*rng.integers(0, 256, 3)) for _ in range(n)] for n in sizes)
    few, many = sorted((first, second), key=len)
    alike = similarities(few, many)
    best = max(sum(alike[i, j] for i, j in enumerate(chosen))
               for chosen in itertools.permutations(range(len(many)), len(few)))
    score = color_f1([("bar", c) for c in first], [("bar", c) for c in second])
    assert score.recall * len(first) == pytest.approx(best, abs=1e-12)


def test_colours_are_only_compared_inside_their_call():
    assert color_f1([("bar", "#FF0000")], [("line", "#FF0000")]).f1 == 0


def test_the_order_of_many_colours_does_not_matter():
    colours = [("line", f"#{k:02X}{255 - k:02X}80") for k in range(0, 256, 12)]
    assert color_f1(colours, colours[:9]) == color_f1(colours[::-1], colours[8::-1])


def test_colours_too_many_to_compare_are_refused_at_once(renderer):
    code = HEAD + "import numpy as np\nplt.hlines(range(9000), 0, 1, colors=np.random.rand(9000, 3))"
    facts, = chartmimic.observe([code], renderer=renderer)
    assert "at most 5000 are compared" in facts.error


def test_a_failed_candidate_scores_zero_and_says_why(renderer):
    code = HEAD + "plt.plot([1, 2])"
    score = low_level(code, code + "\nraise RuntimeError('no ink')", renderer=renderer)
    assert score.average == 0 and "no ink" in score.error and "line 3" in score.error


def test_a_failed_reference_is_an_error_in_one_line(renderer):
    with pytest.raises(ValueError, match="reference program does not run here: ZeroDivisionError") as raised:
        low_level("1 / 0", HEAD + "plt.plot([1, 2])", renderer=renderer)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("program", [
    "import os; os._exit(0)", "raise SystemExit(0)", HEAD + "while True: pass",
    "import sys\nframe = sys._getframe(1)\nframe.f_locals['facts'].clear()",
    HEAD + "import json, numpy\njson.dumps = lambda *_: '{\"error\": null, \"texts\": 3}'\nplt.plot([1, 2])",
    HEAD + "import json\njson.dumps = lambda *_: '{\"error\": null, \"texts\": [], \"places\": [], \"types\": {},"
           " \"unread\": [], \"colours\": [[\"bar\", \"#GGGGGG\"]]}'\nplt.plot([1, 2])",
])
def test_a_hostile_candidate_is_a_failure_and_nothing_worse(program):
    with Renderer(workers=0, timeout=3) as renderer:
        score = low_level(HEAD + "plt.plot([1, 2])", program, renderer=renderer)
    assert score.error and score.average == 0


def test_candidates_are_cut_where_the_harness_cuts():
    assert as_harness("a = 1\nplt.show()\nb = 2") == 'a = 1\nplt.savefig("chart.pdf")'
    kept = "a = 1\nfig.savefig('x')"
    assert as_harness(kept + "\nplt.savefig('y')\nb") == kept + '\nplt.savefig("chart.pdf")'


def test_without_the_cut_what_follows_counts(renderer):
    code = HEAD + "plt.plot([1, 2])\nplt.show()\nplt.bar([1], [2])"
    cut, whole = (chartmimic.observe([code], cut=c, renderer=renderer)[0].types for c in (True, False))
    assert cut == {"plot": 1} and whole == {"plot": 1, "bar": 1}


def test_a_graph_only_counts_its_axes():
    reference, candidate = Facts(places=((1, 1, 0, 0, 0, 0),)), Facts(places=((2, 2, 0, 0, 0, 0), None))
    assert chartmimic.score(reference, candidate).layout.f1 == 0
    assert chartmimic.score(reference, candidate, graph=True).layout == F1(0.5, 1.0)


def test_failures_count_or_are_left_out_as_asked():
    scores = [LowLevel(F1(1, 1), F1(1, 1), F1(1, 1), F1(1, 1)), LowLevel(error="broken")]
    assert summarise(scores)["average"] == 50 and summarise(scores, failures="drop")["average"] == 100
    assert summarise(scores)["exec"] == summarise(scores, failures="drop")["exec"] == 50
    table = summarise(scores, [80.0, 90.0])
    assert table["gpt"] == 40 and table["overall"] == 45, "the judge's score of what did not run is 0"
    three = [*scores, scores[0]]
    assert summarise(three, [80.0, 0, math.nan])["gpt"] == 40
    assert summarise(three, [80.0, 0, math.nan], unscored="zero")["gpt"] == pytest.approx(80 / 3)


def test_the_judge_is_shown_the_reference_first():
    seen = []

    def judge(target, image):
        seen.extend((target, image))
        return Verdict(0.7, "", {"type": 1.0}, "well")

    reference, candidate = Image.new("RGB", (9, 9)), Image.new("RGB", (9, 9), "red")
    assert chartmimic.high_level(judge, reference, candidate)["score"] == pytest.approx(70)
    assert seen == [reference, candidate]
    assert chartmimic.high_level(judge, reference, None)["score"] == 0


def test_plot2code_wants_equal_words_near_their_place(renderer):
    reference = HEAD + "plt.figure(figsize=(4, 3))\nplt.figtext(0, 0, 'Heat')\nplt.figtext(1, 1, 'here')"
    changes = (("'Heat'", "'HEAT'"), ("1, 1,", "1, 90,"), ("here", "there"))
    same, far, other = (reference.replace(a, b) for a, b in changes)
    found = [metrics.plot2code_text(reference, code, renderer) for code in (same, far, other)]
    assert found == [1.0, pytest.approx(1 / 3), pytest.approx(1 / 3)]
    assert math.isnan(metrics.plot2code_text(reference, "1 / 0", renderer))
    assert metrics.plot2code_text(HEAD + "plt.figure()", HEAD + "plt.figure()", renderer) == 1


def test_plot2code_ratings_run_from_1_to_10_and_white_has_none():
    def judge(score):
        return lambda target, image: Verdict(score, "")

    white, red = Image.new("RGB", (9, 9), "white"), Image.new("RGB", (9, 9), "red")
    rated = [metrics.plot2code_rating(judge(s), white, red) for s in (0.0, 0.55, 1.0)]
    assert rated == [1.0, 5.5, 10.0]
    assert all(math.isnan(metrics.plot2code_rating(*case)) for case in (
        (judge(1.0), red, white), (judge(1.0), red, None), (judge(math.nan), white, red)))
