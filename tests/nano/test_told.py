"""What sentences tell is read, written and followed: obeying all of them turns one chart into the other."""
from dataclasses import replace

import numpy as np
import pytest
from makers import maker

from rrvf_lab.nano.dialect import Chart
from rrvf_lab.nano.told import NEW, Told, changed, changes

following = maker("nano/following")
DRAFT = Chart("bar", ("red",), ((1, 9, 9),), "Speed", "week", "units")


def pairs(n=300):
    rng = np.random.default_rng(4)
    for _ in range(n):
        truth = following.wide(rng)
        draft = following.spoil(truth, rng)
        yield draft, replace(truth, title=draft.title)


def test_telling_makes_the_truth_of_any_draft():
    for draft, truth in pairs():
        made = Told.between(draft, truth, "telling").follow(draft)
        assert replace(made, colours=()) == replace(truth, colours=())
        assert set(made.colours) == set(truth.colours)


def test_pointing_makes_the_truth_but_for_marks_that_are_new():
    for draft, truth in pairs():
        told = Told.between(draft, truth, "pointing")
        made = told.follow(draft)
        assert [len(row) for row in made.series] == [len(row) for row in truth.series]
        again = Told.between(made, truth, "pointing").follow(made)  # what was new is now corrected
        assert replace(again, colours=()) == replace(truth, colours=())


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
    told = Told.parse("Type stacked, not bar. Colour teal; gold, not red. Values 3, 4 / 5, 6 of 10.")
    assert told.follow(DRAFT) == replace(DRAFT, colours=("teal",), series=((3, 4),))


def test_a_chart_becomes_one_of_another_shape():
    scatter = Told.parse("Type scatter, not bar. Change None, -2, new, 0 of 10.").follow(DRAFT)
    assert scatter.kind == "scatter" and scatter.series == ((0, 7, NEW, NEW, 0, 0, 0, 0, 0),)
    said = "Type group, not bar. Colour red; blue, not red. Values 1, 2 / 3, 4 of 10."
    group = Told.parse(said).follow(DRAFT)
    assert group.series == ((1, 2), (3, 4)) and group.colours == ("red", "blue")
    assert Told.parse("Type bar, not group.").follow(group).series == ((1, 2),)
