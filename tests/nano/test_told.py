"""What sentences tell is read, written and followed: obeying all of them turns one chart into the other."""
from dataclasses import replace

import numpy as np
import pytest
from makers import maker

from rrvf_lab.nano.dialect import KIND_WORDS, Chart, Look, basic, plain
from rrvf_lab.nano.told import NEW, Told, changed, changes

lessons = maker("nano/lessons")
DRAFT = plain(Chart("bar", ("red",), ((1, 9, 9),), "Speed", "week", "units"))


def pairs(n=300):
    """Drafts, and the charts that they should be."""
    rng = np.random.default_rng(4)
    for _ in range(n):
        truth = lessons.sample(rng, str(rng.choice([kind for kind in KIND_WORDS if kind != "pie"])))
        draft = lessons.spoil(truth, rng)
        if draft.kind != "pie":
            yield draft, truth


def told_of(chart):
    """What sentences can tell of a chart."""
    return chart.kind, tuple(map(basic, chart.colours)), bool(chart.grid), chart.series


def test_telling_makes_the_truth_of_any_draft():
    for draft, truth in pairs():
        made = Told.between(draft, truth, "telling").follow(draft)
        assert told_of(made) == told_of(truth)


def test_pointing_makes_the_truth_but_for_marks_that_are_new():
    for draft, truth in pairs():
        told = Told.between(draft, truth, "pointing")
        made = told.follow(draft)
        if told.changes is None or not any("new" in row for row in told.changes):
            assert told_of(made) == told_of(truth)
        assert [len(row) for row in made.series] == [len(row) for row in truth.series]
        again = Told.between(made, truth, "pointing").follow(made)  # what was new is now corrected
        assert told_of(again) == told_of(truth)


def test_what_no_sentence_names_stays_as_it_is_drawn():
    look = Look(font="STIXGeneral", paper="ivory")
    other = replace(DRAFT, title="Heat", ticks="Rome", top="300", look=look)
    told = Told.parse("Type line, not bar. Colour teal, not red. Grid on. Change +1, 0, -7 of 10.")
    assert told.follow(other) == replace(other, kind="line", colours=("teal",), grid="both -",
                                         series=((2, 9, 2),))


def test_a_colour_and_a_grid_that_are_right_keep_their_shade_and_their_lines():
    draft = Chart("group", ("darkred", "gold"), ((1, 9), (2, 3)), "Speed", grid="value :")
    told = Told.parse("Colour blue; brown, not brown; gold. Grid on.")
    assert told.follow(draft) == plain(replace(draft, colours=("blue", "darkred")))


def test_colours_are_told_in_basic_words():
    told = Told.between(replace(DRAFT, colours=("tab:cyan",)), replace(DRAFT, colours=("coral",)))
    assert told.sentences() == ["Colour salmon, not teal."]
    assert Told.between(replace(DRAFT, colours=("teal",)), replace(DRAFT, colours=("tab:cyan",))) == Told()


def test_of_a_pie_nothing_is_told():
    pie = Chart("pie", ("red", "blue", "gold"), ((9, 3, 5),), "Speed", ticks="A")
    assert Told.between(pie, DRAFT) == Told.between(DRAFT, pie) == Told()


def test_what_is_said_is_what_is_read():
    for draft, truth in pairs():
        for register in ("pointing", "telling"):
            told = Told.between(draft, truth, register)
            said = " ".join(["Score 0.41.", "Title differs.", *told.sentences()])
            assert Told.parse(said) == told
            assert told.only(*told.named) == told


def test_equal_charts_tell_nothing():
    assert Told.between(DRAFT, DRAFT).named == [] and Told.between(DRAFT, DRAFT).sentences() == []


@pytest.mark.parametrize("text", ["", "Score 0.41. Title differs. Too small.", "Type differs. Grid differs.",
                                  "Failed: ValueError: Change the shape of 10.", "Change many of 10."])
def test_other_words_name_nothing(text):
    assert Told.parse(text).follow(DRAFT) == DRAFT


def test_changes_are_said_mark_by_mark_and_undone_by_their_sums():
    words = changes(((1, 9, 9),), ((2, 9, 2, 7),))
    assert words == (("+1", "0", "-7", "new"),)
    assert changed(((1, 9, 9),), words) == ((2, 9, 2, NEW),)
    assert changed(((1, 9, 9),), (("-3", "+5", "None"),)) == ((1, 9, 0),)


def test_a_kind_that_the_dialect_lacks_keeps_the_draft_s_and_its_one_row():
    told = Told.parse("Type donut, not bar. Colour teal; gold, not red. Values 3, 4 / 5, 6 of 10.")
    assert told.follow(DRAFT) == replace(DRAFT, colours=("teal",), series=((3, 4),))


def test_a_chart_becomes_one_of_another_shape():
    scatter = Told.parse("Type scatter, not bar. Change None, -2, new, 0 of 10.").follow(DRAFT)
    assert scatter.kind == "scatter" and scatter.series == ((0, 7, NEW, NEW, 0, 0, 0, 0, 0),)
    said = "Type group, not bar. Colour red; blue, not red. Values 1, 2 / 3, 4 of 10."
    group = Told.parse(said).follow(DRAFT)
    assert group.series == ((1, 2), (3, 4)) and group.colours == ("red", "blue")
    assert Told.parse("Type bar, not group.").follow(group).series == ((1, 2),)
