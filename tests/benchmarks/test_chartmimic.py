"""ChartMimic's scores: against the values of the official evaluators, and one property a test."""
import importlib.util
import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rrvf_lab.benchmarks.chartmimic import (
    F1,
    PARTS,
    color_f1,
    high_level,
    low_level,
    low_levels,
    score,
    similarities,
)
from rrvf_lab.benchmarks.colours import lab
from rrvf_lab.benchmarks.heard import Facts, observe, program_as_harness
from rrvf_lab.judge import Verdict
from rrvf_lab.render import Renderer

HERE = Path(__file__).parents[1] / "pairs" / "chartmimic"
OFFICIAL = json.loads((HERE / "official.json").read_text())["pairs"]
HEAD = "import matplotlib.pyplot as plt\n"
QUICK = ("barh", "pie", "scatter_cmap", "layout_gridspec", "candidate_crashes", "bug_recoloured_by_name")


def halves(name):
    return (HERE / f"{name}.py").read_text().split("# ----- candidate -----\n")


@pytest.fixture(scope="module")
def impatient():
    """A process for each program, which is ended after three seconds."""
    with Renderer(workers=0, timeout=3) as renderer:
        yield renderer


def installed(name):
    """Whether the library that this pair's programs import is there."""
    code = "".join(halves(name))
    libraries = "squarify", "matplotlib_venn", "networkx", "pandas"
    return all(importlib.util.find_spec(library) for library in libraries
               if f"import {library}" in code or f"from {library}" in code)


def check(names, copy=False):
    """Each score is the official one to 1e-6, or the recorded one where an official bug has a name."""
    names = [name for name in names if installed(name)]
    items = [(*halves(name), name.startswith("graph")) for name in names]
    scores = low_levels(items, subclasses=copy)
    for name, found in zip(names, scores, strict=True):
        row = OFFICIAL[name]
        assert (found.error is None) == row["ran"], (name, found.error)
        for part in PARTS:
            ours = getattr(found, part)
            expected = row["ours"][part] if part in row.get("bugs", {}) else row[part]
            if copy:
                expected = row.get("copy", {}).get(part, expected)
            values = ours.precision, ours.recall, ours.f1
            assert np.allclose(values, expected, rtol=0, atol=1e-6), (name, part, ours)


def test_a_few_pairs_score_as_the_official_code():
    check(QUICK)


@pytest.mark.slow
def test_all_pairs_score_as_the_official_code():
    assert len(OFFICIAL) >= 40
    check(list(OFFICIAL))


def test_subclasses_count_as_in_the_copy_when_asked():
    differing = [name for name, row in OFFICIAL.items() if "copy" in row]
    assert differing
    check(differing, copy=True)


def test_every_difference_has_the_name_of_a_bug_in_the_docstring():
    named = {bug for row in OFFICIAL.values() for bug in row.get("bugs", {}).values()}
    module = importlib.import_module("rrvf_lab.benchmarks.chartmimic")
    assert named and all(f"    {bug} " in module.__doc__ for bug in named)


def test_white_and_black_have_the_lab_values_of_their_name():
    assert lab([255, 255, 255])[0] == pytest.approx(100, abs=1e-3)
    assert lab([0, 0, 0]) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("sizes", [(1, 5), (4, 4), (5, 3), (6, 6)])
def test_the_assignment_finds_what_all_permutations_find(sizes):
    rng = np.random.default_rng(sum(sizes))
    first, second = (["#{:02X}{:02X}{:02X}".format(*rng.integers(0, 256, 3)) for _ in range(n)]
                     for n in sizes)
    few, many = sorted((first, second), key=len)
    alike = similarities(few, many)
    best = max(sum(alike[i, j] for i, j in enumerate(chosen))
               for chosen in itertools.permutations(range(len(many)), len(few)))
    found = color_f1([("bar", c) for c in first], [("bar", c) for c in second])
    assert found.recall * len(first) == pytest.approx(best, abs=1e-12)


def test_colours_are_only_compared_inside_their_call():
    assert color_f1([("bar", "#FF0000")], [("line", "#FF0000")]).f1 == 0


def test_the_order_of_many_colours_does_not_matter():
    colours = [("line", f"#{k:02X}{255 - k:02X}80") for k in range(0, 256, 12)]
    assert color_f1(colours, colours[:9]) == color_f1(colours[::-1], colours[8::-1])


def test_colours_too_many_to_compare_are_refused_at_once():
    code = HEAD + "import numpy as np\nplt.hlines(range(9000), 0, 1, colors=np.random.rand(9000, 3))"
    facts, = observe([code])
    assert "at most 5000 are compared" in facts.error


def test_a_failed_candidate_scores_zero_and_says_why():
    code = HEAD + "plt.plot([1, 2])"
    found = low_level(code, code + "\nraise RuntimeError('no ink')")
    assert found.average == 0 and "no ink" in found.error and "line 3" in found.error


def test_a_failed_reference_is_an_error_in_one_line():
    with pytest.raises(ValueError, match="reference program does not run here: ZeroDivisionError") as raised:
        low_level("1 / 0", HEAD + "plt.plot([1, 2])")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("program", [
    "import os; os._exit(0)", "raise SystemExit(0)",
    pytest.param(HEAD + "while True: pass", marks=pytest.mark.slow),
    "import sys\nframe = sys._getframe(1)\nframe.f_locals['facts'].clear()",
    HEAD + "import json, numpy\njson.dumps = lambda *_: '{\"error\": null, \"texts\": 3}'\nplt.plot([1, 2])",
    HEAD + "import json\njson.dumps = lambda *_: '{\"error\": null, \"texts\": [], \"places\": [],"
           " \"types\": {}, \"unread\": [], \"colours\": [[\"bar\", \"#GGGGGG\"]]}'\nplt.plot([1, 2])",
])
def test_a_hostile_candidate_is_a_failure_and_nothing_worse(program, impatient):
    found = low_level(HEAD + "plt.plot([1, 2])", program, renderer=impatient)
    assert found.error and found.average == 0


def test_candidates_are_cut_where_the_harness_cuts():
    assert program_as_harness("a = 1\nplt.show()\nb = 2") == 'a = 1\nplt.savefig("chart.pdf")'
    kept = "a = 1\nfig.savefig('x')"
    assert program_as_harness(kept + "\nplt.savefig('y')\nb") == kept + '\nplt.savefig("chart.pdf")'


def test_without_the_cut_what_follows_counts():
    code = HEAD + "plt.plot([1, 2])\nplt.show()\nplt.bar([1], [2])"
    cut, whole = (observe([code], cut=c)[0].types for c in (True, False))
    assert cut == {"plot": 1} and whole == {"plot": 1, "bar": 1}


def test_a_graph_only_counts_its_axes():
    reference, candidate = Facts(places=((1, 1, 0, 0, 0, 0),)), Facts(places=((2, 2, 0, 0, 0, 0), None))
    assert score(reference, candidate).layout.f1 == 0
    assert score(reference, candidate, graph=True).layout == F1(0.5, 1.0)


def test_the_judge_is_shown_the_reference_first():
    seen = []

    def judge(target, image):
        seen.extend((target, image))
        return Verdict(0.7, "", {"type": 1.0}, "well")

    reference, candidate = Image.new("RGB", (9, 9)), Image.new("RGB", (9, 9), "red")
    assert high_level(judge, reference, candidate)["score"] == pytest.approx(70)
    assert seen == [reference, candidate]
    assert high_level(judge, reference, None)["score"] == 0
