"""What each message cost adds up, and what nobody counted is a dash."""
from dataclasses import replace

import pytest
from hostile import EVIL, Tags, rollout, turn

from rrvf_lab.diagnose import ledger_of
from rrvf_lab.diagnose.evidence import evidence_of
from rrvf_lab.policy import load_policy
from rrvf_lab.rollout import Turn
from rrvf_lab.show.ledger import ledger, ledger_html, turns_html
from rrvf_lab.talk import write_turn

SAID = [write_turn("a", "plt"), write_turn("b", answer="turn 1")]
PLAYED = rollout(replace(turn(code="plt"), text=SAID[0]), Turn("b", None, None, None, SAID[1], "answer"))


def test_characters_and_seconds_are_those_of_the_record():
    rows = ledger(replace(PLAYED, info={"seconds": [1.5]}))
    assert [row["characters"] for row in rows] == [len(text) for text in SAID]
    assert [(row["writing s"], row["rendering s"]) for row in rows] == [(1.5, 0.1), (None, 0.0)]


def test_a_message_with_two_calls_is_one_line():
    text = write_turn("a", "plt") + write_turn("", "plt.bar").partition("</think>")[2]
    both = replace(turn(code="plt"), text=text), replace(turn(code="plt.bar"), text=text)
    assert [row["rendering s"] for row in ledger(rollout(*both))] == [0.2]


@pytest.mark.slow
def test_tokens_are_counted_with_the_policys_own_tokenizer():
    policy = load_policy("nano")
    first, second = ledger(PLAYED, policy)
    assert first["tokens written"] == len(policy.processor.tokenizer(SAID[0])["input_ids"])
    assert first["tokens read"] > 48  # the target's image tokens
    # and once more in the reply
    assert second["tokens read"] > first["tokens read"] + first["tokens written"] + 48


def test_what_was_not_recorded_is_a_dash():
    words = Tags(ledger_html(ledger(rollout(turn())))).words
    assert words[6:] == ["1", "3", "-", "-", "-", "0.100"] and ledger_html([]) == ""


def test_a_runs_ledger_is_a_table_of_measures_by_turn():
    found = ledger_of(evidence_of("data/rollouts/evaluation"))
    words = Tags(turns_html(found)).words
    assert words[:2] == ["turn 1", "turn 2"] and "drafts" in words
    assert all(line.name in words for _, lines in found.sections() for line in lines)


def test_what_a_judge_calls_its_parts_is_no_html():
    page = turns_html(ledger_of(evidence_of([rollout(turn(EVIL))])))
    assert "<script" not in page and "onerror=" not in page.replace("onerror=&#x27;", "")
