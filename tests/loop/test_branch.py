"""Branches, watching and stopping, people as policies: what the widgets stand on, without any."""
import threading

import pytest
from painting import Listener, Slow

import rrvf_lab as rl
from rrvf_lab.play import conversations
from rrvf_lab.records import Recorder
from rrvf_lab.talk import write_turn


def _told(conversation):
    return [part["text"] for part in conversation[-1]["content"] if part["type"] == "text"][0]


# ---- branch

def test_a_branch_keeps_what_was_before_and_judges_what_was_changed(played, painter):
    made = rl.branch(played, 2, code="red", renderer=painter)
    assert [t.code for t in made.turns] == ["salmon", "red"] and made.choice == 1
    assert made.reward.vision == 1.0
    assert made.turns[0] == played.turns[0] and set(painter.drawn) == {"red"}
    assert made.info["branch"] == {"turn": 2, "changed": ["code"]} and len(played.turns) == 3


def test_the_policy_goes_on_from_the_changed_turn(played, painter):
    policy = Listener(write_turn("I see", answer="red"))
    made = rl.branch(played, 1, policy, code="green", thought="other", renderer=painter)
    assert [t.code for t in made.turns] == ["green", "red"] and made.code == "red"
    assert made.turns[0].thought == "other"
    assert "green" in str(policy.heard[0][-2]["content"])
    assert _told(policy.heard[0]).startswith("Score 0.")


def test_changed_feedback_is_what_the_policy_reads_and_what_the_record_says(played, painter):
    policy = Listener(write_turn("done", answer="turn 1"))
    made = rl.branch(played, 1, policy, feedback="Make it red.", renderer=painter)
    assert _told(policy.heard[0]) == f"Score {played.turns[0].score:.2f}. Make it red."
    assert made.turns[0].verdict.feedback == "Make it red." and made.turns[0].score == played.turns[0].score
    assert made.turns[0].text == played.turns[0].text


def test_changed_feedback_leaves_an_earlier_turn_with_the_same_code_alone(painter, red):
    turns = [write_turn("a", "blue"), write_turn("b", "blue"), write_turn("c", answer="turn 1")]
    twice = rl.play(rl.Recording(turns), red, renderer=painter)
    policy = Listener(write_turn("c", answer="turn 1"))
    made = rl.branch(twice, 2, policy, feedback="Other.", renderer=painter)
    assert made.turns[0] == twice.turns[0] and made.turns[1].verdict.feedback == "Other."
    replies = [m for m in policy.heard[0] if m["role"] == "tool"]
    assert "Other." not in str(replies[0]) and "Other." in str(replies[1])


def test_an_edited_answer_stays_an_answer(painter, red):
    one = rl.play(rl.Recording([write_turn("a", answer="blue")]), red, renderer=painter)
    made = rl.branch(one, 1, code="red", renderer=painter)
    assert made.turns[0].action == "answer" and made.answer == "red" and made.reward.vision == 1.0


def test_two_calls_in_one_message_are_one_message(painter, red):
    message = write_turn("a", "salmon") + write_turn("", "blue").partition("</think>\n")[2]
    rollout = rl.play(rl.Recording([message, write_turn("b", "green")]), red, renderer=painter, max_turns=2)
    assert [t.code for t in rollout.turns] == ["salmon", "blue", "green"]
    made = rl.branch(rollout, 3, code="red", renderer=painter)
    assert [t.code for t in made.turns] == ["salmon", "blue", "red"]
    assert [t.code for t in rl.branch(rollout, 2, code="red", renderer=painter).turns] == ["red"]


def test_branching_where_nothing_can_be_is_named(played, painter):
    with pytest.raises(ValueError, match="turn=4: this rollout has turns 1 to 3"):
        rl.branch(played, 4, code="red")
    with pytest.raises(ValueError, match=r"turn 3 wrote no code; give some: branch\(rollout, 3, code="):
        rl.branch(played, 3, thought="x")


def test_branches_are_recorded_like_any_rollout(played, painter, tmp_path):
    made = rl.branch(played, 1, code="red", renderer=painter)
    Recorder(tmp_path).write("branch", [played, made])
    old, new = rl.load_rollouts(tmp_path)
    assert old.code == "blue" and new.code == "red" and new.info["branch"]["changed"] == ["code"]
    assert rl.branch(new, 1, code="blue", renderer=painter).reward.vision < 1


def test_the_rebuilt_conversation_is_the_one_that_was_held(painter, red):
    policy = Listener(write_turn("a", "blue"), write_turn("b", "broken"), write_turn("c", answer="turn 1"))
    rollout = rl.play(policy, red, renderer=painter, difference=True)
    rebuilt = conversations(rollout, 3, difference=True)
    assert len(rebuilt) == 3
    for mine, theirs in zip(rebuilt, policy.heard, strict=True):
        assert [m["role"] for m in mine] == [m["role"] for m in theirs][:len(mine)]
        assert repr(mine[1:]).partition("<PIL")[0] == repr(theirs[1:len(mine)]).partition("<PIL")[0]


# ---- watching and stopping

def test_on_turn_gets_each_prefix_of_the_rollout(painter, red):
    seen = []
    turns = [write_turn("a", "blue"), write_turn("b", "red"), write_turn("c", answer="turn 2")]
    last = rl.play(rl.Recording(turns), red, renderer=painter, on_turn=seen.append)
    assert [len(r.turns) for r in seen] == [1, 2, 3] and seen[2].turns == last.turns
    assert seen[1].reward.vision == 1.0
    assert len(last.info["seconds"]) == 3


def test_stopping_keeps_what_was_said_and_rewards_it(painter, red):
    stop, texts = threading.Event(), []

    def on_text(text):
        texts.append(text)
        if len(texts) == 5:
            stop.set()

    rollout = rl.play(Slow(), red, on_text=on_text, stop=stop, renderer=painter)
    assert rollout.turns[0].text == texts[-1].rstrip() and rollout.info["stopped"]
    assert rollout.reward.vision == 0.0


@pytest.mark.slow
def test_a_streamed_model_says_what_it_says_unwatched_and_stops_when_told(chart):
    policy, texts = rl.load_policy("nano"), []
    plain = rl.play(policy, chart, max_turns=2)
    watched = rl.play(policy, chart, max_turns=2, on_text=texts.append)
    assert [t.text for t in watched.turns] == [t.text for t in plain.turns]
    assert len(texts) > 10 and texts[-1] == watched.turns[-1].text and texts[0] != texts[5]

    stop = threading.Event()
    half = rl.play(policy, chart, on_text=lambda text: stop.set(), stop=stop)
    assert len(half.turns) == 1 and 0 < len(half.turns[0].text) < len(plain.turns[0].text)


# ---- a person

def test_a_person_is_a_policy_like_any_other(painter, red):
    codes, shown = iter(["blue", "red", "green", ""]), []
    human = rl.Human(lambda talk: (shown.append(talk), next(codes))[1])
    rollout = rl.play(human, red, max_turns=4, renderer=painter)
    assert [t.code for t in rollout.turns] == ["blue", "red", "green", None] and rollout.answer == "turn 2"
    assert rollout.reward.vision == 1.0 and len([m for m in shown[3] if m["role"] == "tool"]) == 3


@pytest.mark.parametrize("said", [None, ""])
def test_a_silent_person_leaves_a_malformed_turn_not_an_exception(painter, red, said):
    rollout = rl.play(rl.Human(lambda talk: said), red, renderer=painter)
    assert len(rollout.turns) == 1 and rollout.reward.vision == 0.0 and rollout.turns[0].error


def test_a_person_without_widgets_types_lines(painter, monkeypatch, capsys, red):
    lines = iter(["red", ".", "."])
    monkeypatch.setattr("builtins.input", lambda *_: next(lines))
    rollout = rl.play(rl.Human(), red, renderer=painter)
    assert rollout.code == "red" and rollout.answer == "turn 1" and "Score 1.00." in capsys.readouterr().out
