"""Sentences of the judge are known by kind, and followed where the judge no longer says them."""
import pytest

from rrvf_lab.judge import PixelJudge
from rrvf_lab.probe.sentences import followed, sentences_of


def test_every_sentence_has_its_kind():
    said = ("Aspect differs. Type line, not bar. Colour teal; gold, not red. Grid on. Too small. "
            "Shifted left. Missing teal. Extra red. Title differs. X label differs. Extra legend. "
            "Y ticks differ. Missing ink top left. Extra ink right. Colour differs centre. "
            "Change 0, +3, new of 10.")
    assert [kind for kind, _ in sentences_of(said)] == [
        "aspect", "type", "colour", "grid", "size", "place", "missing colour", "extra colour", "title",
        "axis label", "legend", "ticks", "missing ink", "extra ink", "colour of ink", "values"]


def test_another_judges_words_are_no_sentences():
    assert sentences_of("The bars should be a bit taller, I think.") == []


def test_what_the_judge_says_of_two_charts_is_known(chart):
    said = PixelJudge().feedback(chart, chart.resize((300, 300)))
    assert ("aspect", "") in sentences_of(said)


@pytest.mark.parametrize(("feedback", "drew", "expected"), [
    ("Title differs.", True, True), ("Grid off.", True, False), ("Failed: NameError: x", False, False),
    ("Blank.", True, False), ("No difference seen.", True, True)])
def test_a_sentence_is_followed_when_it_is_no_longer_said(feedback, drew, expected):
    assert followed(("grid", ""), feedback, drew) is expected


def test_a_colour_by_name_is_followed_though_another_is_missing():
    assert followed(("missing colour", "teal"), "Missing gold.", True) is True


def test_a_full_reply_leaves_open_what_it_had_no_room_for():
    full = ("Aspect differs. Type line, not bar. Colour red, not blue. Title differs. X label differs. "
            "Y label differs. Values 3, 4 of 10.")
    assert [followed((kind, ""), full, True) for kind in ("legend", "grid", "values")] == [None, True, False]
    assert followed(("values", ""), full.replace("Values 3, 4 of 10.", "X ticks differ."), True) is True


def test_a_failed_draft_is_one_sentence():
    assert sentences_of("Failed: ValueError: Grid on. is no colour") == [("failed", "")]
