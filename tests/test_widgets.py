"""Branches, watching, people as policies, and the widgets around them, without a browser."""
import math
import threading
import time
from dataclasses import replace

import pytest
from PIL import Image

import rrvf_lab as rl
from rrvf_lab import widgets
from rrvf_lab.environment import conversations, write_turn
from rrvf_lab.judge import Verdict
from rrvf_lab.render import Rendering


class Painter:
    """A renderer of one-word programs: a colour name paints a square of it, anything else fails. Counts its work."""

    def __init__(self):
        self.drawn = []

    def render(self, code, language="matplotlib", size=None):
        self.drawn.append(code)
        image = Image.new("RGB", (64, 48), "white")
        try:
            image.paste(Image.new("RGB", (32, 24), code), (16, 12))
        except ValueError:
            return Rendering(None, f"Traceback\nValueError: no colour {code}")
        return Rendering(image)

    def prefetch(self, codes, language="matplotlib", size=None):
        for code in codes:
            self.render(code)


class Listener:
    """A policy that keeps what it is shown and says what it was given."""

    def __init__(self, *turns):
        self.turns, self.heard = list(turns), []

    def write(self, conversations):
        self.heard.append(conversations[0])
        return [self.turns.pop(0)]


class Slow:
    """A streaming policy that writes forever until it is stopped."""

    difference = False

    def stream(self, conversation, on_text=None, stop=None):
        text = "<think>"
        while not stop.is_set():
            text += "word "
            on_text(text)
            time.sleep(0.01)
        return text

    def write(self, conversations):
        raise AssertionError("a policy that can stream was not asked to")


@pytest.fixture
def painter():
    return Painter()


@pytest.fixture
def played(painter):
    turns = [write_turn("one", "salmon"), write_turn("two", "blue"), write_turn("three", answer="turn 2")]
    return rl.play(rl.Recording(turns), Painter().render("red").image, renderer=painter)


def _told(conversation):
    return [part["text"] for part in conversation[-1]["content"] if part["type"] == "text"][0]


# ---- branch ----------------------------------------------------------------------------------------------------

def test_a_branch_keeps_what_was_before_and_judges_what_was_changed(played, painter):
    painter.drawn.clear()
    made = rl.branch(played, 2, code="red", renderer=painter)
    assert [t.code for t in made.turns] == ["salmon", "red"] and made.reward.vision == 1.0 and made.choice == 1
    assert made.turns[0] == played.turns[0] and set(painter.drawn) == {"red"}
    assert made.info["branch"] == {"turn": 2, "changed": ["code"]} and len(played.turns) == 3


def test_the_policy_goes_on_from_the_changed_turn(played, painter):
    policy = Listener(write_turn("I see", answer="red"))
    made = rl.branch(played, 1, policy, code="green", thought="other", renderer=painter)
    assert [t.code for t in made.turns] == ["green", "red"] and made.turns[0].thought == "other" and made.code == "red"
    assert "green" in str(policy.heard[0][-2]["content"]) and _told(policy.heard[0]).startswith("Score 0.")


def test_changed_feedback_is_what_the_policy_reads_and_what_the_record_says(played, painter):
    policy = Listener(write_turn("done", answer="turn 1"))
    made = rl.branch(played, 1, policy, feedback="Make it red.", renderer=painter)
    assert _told(policy.heard[0]) == f"Score {played.turns[0].score:.2f}. Make it red."
    assert made.turns[0].verdict.feedback == "Make it red." and made.turns[0].score == played.turns[0].score
    assert made.turns[0].text == played.turns[0].text


def test_changed_feedback_leaves_an_earlier_turn_with_the_same_code_alone(painter):
    twice = rl.play(rl.Recording([write_turn("a", "blue"), write_turn("b", "blue"), write_turn("c", answer="turn 1")]),
                    Painter().render("red").image, renderer=painter)
    policy = Listener(write_turn("c", answer="turn 1"))
    made = rl.branch(twice, 2, policy, feedback="Other.", renderer=painter)
    assert made.turns[0] == twice.turns[0] and made.turns[1].verdict.feedback == "Other."
    replies = [m for m in policy.heard[0] if m["role"] == "tool"]
    assert "Other." not in str(replies[0]) and "Other." in str(replies[1])


def test_an_edited_answer_stays_an_answer(painter):
    one = rl.play(rl.Recording([write_turn("a", answer="blue")]), Painter().render("red").image, renderer=painter)
    made = rl.branch(one, 1, code="red", renderer=painter)
    assert made.turns[0].action == "answer" and made.answer == "red" and made.reward.vision == 1.0


def test_two_calls_in_one_message_are_one_message(painter):
    message = write_turn("a", "salmon") + write_turn("", "blue").partition("</think>\n")[2]
    rollout = rl.play(rl.Recording([message, write_turn("b", "green")]), Painter().render("red").image, renderer=painter, max_turns=2)
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
    from rrvf_lab.rollout import Recorder

    made = rl.branch(played, 1, code="red", renderer=painter)
    Recorder(tmp_path).write("branch", [played, made])
    old, new = rl.load_rollouts(tmp_path)
    assert old.code == "blue" and new.code == "red" and new.info["branch"]["changed"] == ["code"]
    assert rl.branch(new, 1, code="blue", renderer=painter).reward.vision < 1


def test_the_rebuilt_conversation_is_the_one_that_was_held(painter):
    policy = Listener(write_turn("a", "blue"), write_turn("b", "broken"), write_turn("c", answer="turn 1"))
    rollout = rl.play(policy, Painter().render("red").image, renderer=painter, difference=True)
    rebuilt = conversations(rollout, 3, difference=True)
    assert len(rebuilt) == 3
    for mine, theirs in zip(rebuilt, policy.heard):
        assert [m["role"] for m in mine] == [m["role"] for m in theirs][:len(mine)]
        assert repr(mine[1:]).partition("<PIL")[0] == repr(theirs[1:len(mine)]).partition("<PIL")[0]


# ---- watching and stopping -------------------------------------------------------------------------------------

def test_on_turn_gets_each_prefix_of_the_rollout(painter):
    seen = []
    turns = [write_turn("a", "blue"), write_turn("b", "red"), write_turn("c", answer="turn 2")]
    last = rl.play(rl.Recording(turns), Painter().render("red").image, renderer=painter, on_turn=seen.append)
    assert [len(r.turns) for r in seen] == [1, 2, 3] and seen[1].reward.vision == 1.0 and seen[2].turns == last.turns
    assert len(last.info["seconds"]) == 3


def test_stopping_keeps_what_was_said_and_rewards_it(painter):
    stop, texts = threading.Event(), []

    def on_text(text):
        texts.append(text)
        if len(texts) == 5:
            stop.set()

    rollout = rl.play(Slow(), Painter().render("red").image, on_text=on_text, stop=stop, renderer=painter)
    assert rollout.turns[0].text == texts[-1].rstrip() and rollout.info["stopped"] and rollout.reward.vision == 0.0


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


# ---- a person ---------------------------------------------------------------------------------------------------

def test_a_person_is_a_policy_like_any_other(painter):
    codes, shown = iter(["blue", "red", "green", ""]), []
    human = rl.Human(lambda talk: (shown.append(talk), next(codes))[1])
    rollout = rl.play(human, Painter().render("red").image, max_turns=4, renderer=painter)
    assert [t.code for t in rollout.turns] == ["blue", "red", "green", None] and rollout.answer == "turn 2"
    assert rollout.reward.vision == 1.0 and len([m for m in shown[3] if m["role"] == "tool"]) == 3


def test_a_silent_person_leaves_a_malformed_turn_not_an_exception(painter):
    for said in (None, ""):
        rollout = rl.play(rl.Human(lambda talk: said), Painter().render("red").image, renderer=painter)
        assert len(rollout.turns) == 1 and rollout.reward.vision == 0.0 and rollout.turns[0].error


def test_a_person_without_widgets_types_lines(painter, monkeypatch, capsys):
    lines = iter(["red", ".", "."])
    monkeypatch.setattr("builtins.input", lambda *_: next(lines))
    rollout = rl.play(rl.Human(), Painter().render("red").image, renderer=painter)
    assert rollout.code == "red" and rollout.answer == "turn 1" and "Score 1.00." in capsys.readouterr().out


# ---- widgets ----------------------------------------------------------------------------------------------------

def test_the_inspector_steps_edits_and_branches(played, painter):
    seen = rl.inspect(played, renderer=painter)
    assert seen.turn == 1 and "turn 1: " in seen._beside.value and seen._code.value == "salmon"
    seen.step(1)
    assert seen.turn == 2 and seen._code.value == "blue" and "<del" in seen._detail.value
    seen.rejudge()
    assert "Nothing was changed" in seen._status.value
    seen._code.value = "red"
    seen.rejudge()
    seen.wait(20)
    assert len(seen.rollouts) == 2 and seen.shown.reward.vision == 1.0 and "branch" in seen._beside.value
    assert seen.rollouts[0] is played and "-&gt; 1.000" in seen._status.value
    seen._which.value = 0
    assert seen.shown is played and seen.turn == 3


def test_the_policy_continues_in_the_inspector_and_both_are_saved(played, painter, tmp_path):
    seen = rl.inspect(played, rl.Recording(["", "", write_turn("c", answer="red")]), renderer=painter)
    seen.step(1)
    seen._feedback.value = "Red, please."
    seen.resume()
    seen.wait(20)
    assert seen.shown.code == "red" and seen.shown.turns[1].verdict.feedback == "Red, please."
    seen.save(tmp_path)
    assert [r.code for r in rl.load_rollouts(tmp_path)] == ["blue", "red"]


def test_what_fails_in_the_thread_is_said(played, painter):
    class Broken:
        def write(self, conversations):
            raise RuntimeError("no such <model>")

    seen = rl.inspect(played, Broken(), renderer=painter)
    seen.resume()
    seen.wait(20)
    assert "RuntimeError: no such &lt;model&gt;" in seen._status.value and not seen.busy and len(seen.rollouts) == 1


@pytest.mark.parametrize("code", ["x" * 300_000, "a\u202eb", "a\ud800", "\x1b[2J"])
def test_a_program_too_long_or_with_hidden_signs_is_neither_put_in_the_field_nor_called_changed(painter, code):
    rollout = rl.play(rl.Recording([write_turn("a", code)]), Painter().render("red").image, max_turns=1,
                      renderer=painter)
    seen = rl.inspect(rollout, renderer=painter)
    assert seen._code.disabled and seen._code.value == "" and seen.changes() == {} and "rl.branch" in seen._code.placeholder
    assert len(str(seen.get_state())) + len(seen._detail.value) < 100_000


def test_live_streams_stops_and_does_not_block(painter):
    watched = widgets.live(Slow(), Painter().render("red").image, renderer=painter)
    started = time.monotonic()
    watched.play()
    assert time.monotonic() - started < 1 and watched.busy
    for _ in range(500):
        if "word" in watched._stream.value:
            break
        time.sleep(0.01)
    assert "&lt;think&gt;word" in watched._stream.value and not watched._stop.disabled
    watched.stop()
    watched.wait(20)
    assert "Stopped." in watched._status.value and watched.rollout.info["stopped"] and watched._stream.value == ""


def test_play_fills_an_inspector_turn_by_turn(played, painter):
    seen, lengths = rl.inspect(replace(played, turns=(), choice=None, reward=None)), []
    turns = [write_turn("a", "blue"), write_turn("b", answer="red")]
    rl.play(rl.Recording(turns), played.target, renderer=painter, on_turn=lambda r: (seen.show(r), lengths.append(seen.turn)))
    assert lengths == [1, 2] and seen.shown.code == "red"


def test_the_policys_chair_plays_a_whole_rollout_and_starts_again(played, painter):
    chair = widgets.sit_as_policy(played.target, renderer=painter)
    chair.send("blue")
    chair.send("red")
    chair.send("")
    chair.wait(20)
    assert chair.rollout.answer == "turn 2" and chair.rollout.reward.vision == 1.0 and "Done. 3 turns" in chair._status.value
    chair.send("late")
    assert "This rollout is over" in chair._status.value
    chair._again()
    assert chair.busy and chair.rollout.turns == ()
    chair.stop()
    chair.wait(20)
    assert not chair.busy


def test_the_judges_chair_hides_the_score_until_it_was_given_one(played):
    chair = widgets.sit_as_judge([played])
    scores = [turn.score for turn in played.drafts]
    assert len(chair.pairs) == 2 and f"{scores[0]:.3f}" not in chair._pictures.value + chair._answer.value
    chair._score.value = 0.25
    chair.reveal()
    chair.reveal()
    assert chair.mine == [0.25] and chair.theirs == scores[:1] and f"{scores[0]:.3f}" in chair._answer.value
    chair.next()
    assert chair.at == 1 and chair._answer.value == "" and f"{scores[1]:.3f}" not in chair._pictures.value
    chair._score.value = 0.1
    chair.reveal()
    assert "tau" in chair._answer.value and chair._next.disabled


def test_agreement_of_judges():
    assert widgets.agreement([0.1, 0.5, 0.9], [0.2, 0.4, 0.8]) == {"n": 3, "gap": pytest.approx(0.1), "tau": pytest.approx(1.0)}
    assert widgets.agreement([0.1, 0.9], [0.9, 0.1])["tau"] == pytest.approx(-1)
    assert math.isnan(widgets.agreement([0.1], [0.9])["tau"])


def test_unscored_renders_are_not_put_before_a_judge(played):
    unscored = replace(played, turns=(replace(played.turns[0], verdict=Verdict(math.nan, "")),), choice=0)
    with pytest.raises(ValueError, match="no scored renders"):
        widgets.sit_as_judge(unscored)


def test_a_recorded_rollout_opens_and_is_edited_in_time():
    rollout = rl.load_rollouts("data/rollouts")[0]
    rl.inspect(rollout)  # the first look loads tables of colours
    started = time.process_time()
    seen = rl.inspect(rl.load_rollouts("data/rollouts")[2])
    opened = time.process_time() - started
    seen._code.value = seen._code.value.replace("Votes", "Members")
    seen.rejudge()
    seen.wait(30)
    edited = time.process_time() - started - opened
    assert opened < 0.5 and edited < 0.5, (opened, edited)  # this process's CPU time; the render's own is tested with it
    assert seen.shown.turns[0].rendering.cpu_seconds < 0.7 and len(seen.rollouts) == 2
