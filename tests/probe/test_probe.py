"""A probe tells policies apart that read, that look and that ignore everything, by paired numbers."""
from dataclasses import replace

import numpy as np
import pytest
from painting import Painter
from scripted import Ignores, LooksAtRender, LooksAtTarget, Reads, judge

import rrvf_lab as rl
from rrvf_lab.judge import Verdict
from rrvf_lab.probe.interventions import INTERVENTIONS

LOOKS = ["blank render", "another's render", "another target"]
READS = ["no text", "generic text", "another's text", "other colour"]


def changed(probe):
    """{intervention: share of programs that changed}."""
    return probe.table().droplevel("question")["code"].to_dict()


def test_one_that_ignores_everything_changes_nothing(probed):
    probe = probed(Ignores())
    assert set(changed(probe).values()) == {0.0}
    assert "No sign that it looks" in probe.says("looks") and "No sign that it reads" in probe.says("reads")


def test_one_that_reads_changes_with_the_words_alone(probed):
    probe = probed(Reads())
    found = changed(probe)
    assert [found[name] for name in LOOKS] == [0, 0, 0] and [found[name] for name in READS] == [1, 1, 1, 1]
    assert "No sign that it looks" in probe.says("looks")
    assert "It reads what it is told" in (said := probe.says("reads")) and "score depends on it" in said


def test_one_that_looks_changes_with_the_pictures_alone(probed):
    found = changed(probed(LooksAtTarget()))
    assert found["another target"] == 1 and [found[name] for name in READS] == [0, 0, 0, 0]


def test_which_picture_is_looked_at_shows(probed):
    render, target = (changed(probed(policy())) for policy in (LooksAtRender, LooksAtTarget))
    assert (render["blank render"], render["another target"]) == (1, 0)
    assert (target["blank render"], target["another target"]) == (0, 1)


def test_looking_without_a_gain_is_said_as_that(probed):
    assert "with none of it gone or false the score is worse" in probed(LooksAtRender()).says("looks")


def test_the_change_of_the_score_is_of_the_true_image(probed):
    row = probed(LooksAtTarget()).table().loc[("looks", "another target")]
    assert row["score"] == pytest.approx(-0.5) and row["score n"] == 12  # 1 for its own


def test_nothing_changed_is_the_floor(probed):
    row = probed(Reads()).table().loc[("floor", "nothing")]
    assert (row["code"], row["score"], row["score se"]) == (0, 0, 0)


def test_the_same_seed_gives_the_same_probe_and_another_other_stand_ins(probed):
    first, again, other = (probed(Reads(), seed=seed) for seed in (1, 1, 2))
    assert first.text() == again.text() and [row["code"] for row in first.rows] == [
        row["code"] for row in again.rows] != [row["code"] for row in other.rows]


def test_a_policy_without_a_model_tells_no_logprobs_and_that_is_said(probed):
    probe = probed(Reads())
    assert probe.table()["logprob"].isna().all() and (probe.table()["logprob n"] == 0).all()
    assert "does not tell log-probabilities" in probe.text()


def test_a_sentence_counts_as_followed_by_the_next_draft_and_by_luck_without_it(probed):
    reads, looks = (probed(policy()).obedience().loc["colour"] for policy in (Reads, LooksAtTarget))
    assert (reads["value"], reads["untold value"], reads["n"]) == (1, 0, 12)
    assert (looks["value"], looks["untold value"]) == (1, 1)
    assert 0.7 < reads["low"] < 1 and reads["high"] == pytest.approx(1)


class Keeps(Reads):
    """Answers with its first draft."""

    def second(self, pictures, text):
        return "turn 1"


class Mumbles(Reads):
    """Says nothing that can be read."""

    def _turn(self, message):
        return "hm"


def test_keeping_the_draft_follows_nothing_and_is_told_from_gibberish(probed):
    keeps, mumbles = probed(Keeps()), probed(Mumbles())
    assert keeps.obedience()["value"].to_dict() == {"drew again": 0, "colour": 0}
    assert "12 of 12 turns kept an earlier program and 0 could not be read" in keeps.text()
    assert "0 of 12 turns kept an earlier program and 12 could not be read" in mumbles.text()
    assert "12 of 12 turns could not be read" in mumbles.says("looks")
    assert "could not be read" not in probed(Reads()).text()


def test_an_unscored_picture_is_in_no_mean(rollouts):
    def silent(target, image, error=None):
        return Verdict.unscored("asleep")

    probe = rl.probe(Reads(), rollouts, judge=silent, renderer=Painter())
    assert (probe.table()["score n"] == 0).all() and "have no score" in probe.text()


def test_of_one_image_nothing_else_stands_in(probed, rollouts):
    frame = probed(Reads(), rollouts[:1]).table().droplevel("question")
    assert list(frame.index[frame["code n"] == 0]) == ["another's render", "another target", "another's text"]
    assert np.isnan(frame["score low"]).all()


def test_no_more_turns_than_asked_for(probed):
    assert probed(Reads(), most=5).situations == 5


def test_third_turns_are_asked_for_too(probed):
    class Slowly(Reads):
        def _turn(self, message):
            return super()._turn(message).replace("<answer>", "<tool_call>\n" + CALL).replace(
                "</answer>", '"}}\n</tool_call>')

    images = [{"image": Painter().render(colour).image, "id": colour} for colour in ("red", "blue")]
    rollouts = rl.play_many(Slowly(), images, 3, renderer=Painter(), judge=judge)
    assert sorted({row["turn"] for row in probed(Slowly(), rollouts).rows}) == [2, 3]


CALL = '{"name": "render", "arguments": {"code": "'


def test_blind_rollouts_and_single_turns_are_left_out_and_said(probed, rollouts):
    blind = replace(rollouts[0], info={"blind": True})
    short = replace(rollouts[1], turns=rollouts[1].turns[:1], choice=0)
    probe = probed(Reads(), [*rollouts[2:], blind, short])
    assert probe.situations == 10
    assert "1 rollouts played blind" in probe.text() and "1 rollouts without a second turn" in probe.text()


def test_rollouts_without_a_second_turn_are_refused(probed, rollouts):
    with pytest.raises(ValueError, match="none of 1 rollouts has a second turn"):
        probed(Reads(), [replace(rollouts[0], turns=rollouts[0].turns[:1], choice=0)])


@pytest.mark.parametrize(("policy", "given", "error", "says"), [
    (object(), {}, TypeError, "object is no policy"), (Reads(), {"most": 0}, ValueError, "most=0"),
    (Reads(), {"rollouts": None}, TypeError, "no rollouts to probe on"),
    (Reads(), {"rollouts": 3}, TypeError, "not int")])
def test_bad_input_is_refused_in_words(probed, policy, given, error, says):
    with pytest.raises(error, match=says):
        probed(policy, **given)


def test_every_intervention_has_a_line_in_the_text(probed):
    text = probed(Reads()).text()
    assert all(one.name in text for one in INTERVENTIONS) and "nan" not in text
