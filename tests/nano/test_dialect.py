"""The dialect: every chart survives being written as a program, and nothing else is taken for one."""
from dataclasses import replace

import numpy as np
import pytest
from makers import maker

import rrvf_lab as rl
from rrvf_lab.judge.shades import COLOUR_NAMES
from rrvf_lab.nano.dialect import (
    COLOUR_WORDS,
    HEIGHTS,
    KIND_WORDS,
    NAME_WORDS,
    SHADES,
    TWO_ROWS,
    Chart,
    Look,
    basic,
    parse_program,
    pieces,
    plain,
    program,
    thought,
)
from rrvf_lab.render import shared

sample = maker("nano/lessons").sample


@pytest.fixture(scope="module")
def charts():
    rng = np.random.default_rng(5)
    return [sample(rng) for _ in range(300)]


def test_every_chart_survives_its_program(charts):
    assert {chart.kind for chart in charts} == set(KIND_WORDS)
    for chart in charts:
        assert parse_program(program(chart)) == chart


def test_thought_and_program_agree_on_the_kind_the_colours_and_the_number_of_marks(charts):
    for chart in charts:
        kind, *colours, count = thought(chart).removesuffix(".").split("; ")
        drawn = parse_program(program(chart))
        assert kind == drawn.kind and colours == [basic(colour) for colour in drawn.colours]
        assert {int(count)} == {sum(value > 0 for value in row) for row in drawn.series}


def test_a_thought_is_short():
    bars = Chart("bar", ("darkred",), ((9, 3, 5),), "Speed", "week", "units")
    assert thought(bars) == "bar; brown; 3."
    points = replace(bars, kind="scatter", series=((0, 9, 0, 0, 3, 0, 0, 0, 0),))
    assert thought(points) == "scatter; brown; 2."


def test_pieces_are_the_program(charts):
    for chart in charts:
        assert "".join(pieces(chart)) == program(chart)


@pytest.mark.slow
def test_every_program_runs_and_is_as_wide_and_as_high_as_its_look_says(charts):
    some = charts[::4]
    for chart, rendering in zip(some, shared().map(list(map(program, some))), strict=True):
        assert rendering.error is None, (chart, rendering.error)
        assert rendering.image.size == (400, int(100 * float(HEIGHTS[chart.look.aspect]) + 1e-6))


@pytest.mark.parametrize("kind", KIND_WORDS)
def test_the_plainest_of_each_kind_runs(kind):
    rows = ((3, 9, 5),) * (2 if kind in TWO_ROWS else 1)
    rows = ((3, 0, 0, 9, 0, 0, 0, 0, 5),) if kind == "scatter" else rows
    colours = ("red", "blue", "gold")[:3 if kind == "pie" else len(rows)]
    rendering = rl.render(program(plain(Chart(kind, colours, rows, "Speed"))))
    assert rendering.error is None and rendering.image.size == (400, 300)


def test_what_a_kind_does_not_draw_stays_at_its_default(charts):
    """So that two charts of one picture are equal."""
    look = Look(edge="white", width="0.5", line=":", line_width="2", marker="s", steps="10",
                legend=("A", "B"), hole=True, percent=True, start=90, spines="none")
    for chart in charts:
        assert plain(chart) == chart
        busy = plain(replace(chart, look=look))
        assert parse_program(program(busy)) == busy


@pytest.mark.parametrize("code", ["", "plt.bar([1, 2], [3, 4])", "ax.bar(x, a, 0.8, color='red')",
                                  "a = top / 10 * array([1, 2])\nax.hexbin(x, a, color='red')",
                                  "a = top / 10 * array([1, 2])\nax.bar(x, a, 0.8, color='crimson')",
                                  "a = top / 10 * array([1, 12])\nax.bar(x, a, 0.8, color='red')",
                                  "a = top / 10 * array([1, 2])\nax.bar(x, b, 0.4, color='red')"])
def test_a_program_of_another_language_is_no_chart(code):
    assert parse_program(code) is None


def test_rows_of_unequal_length_are_a_chart_for_the_renderer_to_refuse():
    lines = Chart("lines", ("red", "blue"), ((9, 3, 5), (1, 2)), "Speed")
    assert parse_program(program(lines)).series == lines.series


def test_an_unknown_kind_is_refused_by_name():
    with pytest.raises(ValueError, match="unknown kind 'donut'; known: bar, barh, line, scatter, area, hist"):
        program(Chart("donut", ("red",), ((9, 3, 5),), "Speed"))


def test_the_basic_names_are_the_judge_s():
    assert set(COLOUR_WORDS) <= set(COLOUR_NAMES)
    assert not set(SHADES) & set(COLOUR_WORDS) and all(basic(word) == word for word in COLOUR_WORDS)


def test_each_shade_is_nearest_to_the_name_it_stands_for():
    from matplotlib.colors import to_rgb
    from skimage.color import deltaE_ciede2000, rgb2lab

    def lab(words):
        return rgb2lab(np.array([[to_rgb(word)] for word in words]))[:, 0]

    anchors = lab(COLOUR_WORDS)
    for (word, stands_for), seen in zip(SHADES.items(), lab(SHADES), strict=True):
        assert COLOUR_WORDS[deltaE_ciede2000(seen[None], anchors).argmin()] == stands_for == basic(word), word


def test_no_word_is_said_twice():
    words = [*COLOUR_WORDS, *SHADES]
    assert len(set(NAME_WORDS)) == len(NAME_WORDS) and len(set(words)) == len(words)
