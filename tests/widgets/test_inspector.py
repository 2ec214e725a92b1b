"""The inspector without a browser: it steps, edits, branches, and shows hostile text as what it is."""
import time
from dataclasses import replace

import pytest
from painting import until

import rrvf_lab as rl
from rrvf_lab.talk import write_turn
from rrvf_lab.widgets import inspector


def test_a_step_shows_the_next_turn_against_the_one_before(played):
    seen = rl.inspect(played)
    assert seen.turn == 1 and "turn 1: " in seen.strip.value and seen.editor.code.value == "salmon"
    seen.step(1)
    assert seen.turn == 2 and seen.editor.code.value == "blue" and "<del" in seen.written.value
    seen.step(5)
    assert seen.turn == 3 and seen.on.disabled


def test_an_edited_turn_becomes_a_branch_beside_the_original(played, painter):
    seen = rl.inspect(played, renderer=painter)
    seen.step(1)
    seen.rejudge()
    assert "Nothing was changed" in seen.status.value
    seen.editor.code.value = "red"
    seen.rejudge()
    seen.wait(20)
    assert len(seen.rollouts) == 2 and seen.rollouts[0] is played and seen.shown.reward.vision == 1.0
    assert "branch" in seen.strip.value and "-&gt; 1.000" in seen.status.value
    seen.which.value = 0
    assert seen.shown is played and seen.turn == 3


def test_edits_can_be_undone(played):
    seen = rl.inspect(played)
    seen.editor.code.value = "red"
    assert seen.changes() == {"code": "red"}
    seen.editor.undo()
    assert seen.changes() == {} and seen.editor.code.value == "salmon"


def test_any_function_of_two_pictures_rejudges(played, painter):
    seen = rl.inspect(played, renderer=painter, judge=lambda target, image: 0.5)
    seen.editor.code.value = "red"
    seen.rejudge()
    seen.wait(20)
    assert seen.shown.turns[0].score == 0.5 and "-&gt; 0.500" in seen.status.value


def test_the_policy_continues_and_both_are_saved(played, painter, tmp_path):
    seen = rl.inspect(played, rl.Recording(["", "", write_turn("c", answer="red")]), renderer=painter)
    seen.step(1)
    seen.editor.feedback.value = "Red, please."
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
    assert "RuntimeError: no such &lt;model&gt;" in seen.status.value
    assert not seen.busy and len(seen.rollouts) == 1


@pytest.mark.parametrize("code", ["x" * 300_000, "a\u202eb", "a\ud800", "\x1b[2J"])
def test_a_text_too_long_or_with_hidden_signs_is_not_put_in_its_field_nor_called_changed(painter, red, code):
    rollout = rl.play(rl.Recording([write_turn("a", code)]), red, max_turns=1, renderer=painter)
    seen = rl.inspect(rollout)
    field = seen.editor.code
    assert field.disabled and field.value == "" and seen.changes() == {} and "rl.branch" in field.placeholder
    assert len(str(field.get_state())) + len(seen.written.value) < 100_000


def test_a_rollout_without_turns_has_nothing_to_step_to_or_to_change(played, painter):
    seen = rl.inspect(replace(played, turns=(), choice=None, reward=None), renderer=painter)
    seen.step(1)
    assert seen.turn is None and seen.back.disabled and seen.on.disabled and seen.written.value == ""
    seen.resume()
    assert "There is no turn to change yet." in seen.status.value and not seen.busy


def test_play_fills_it_turn_by_turn(played, painter):
    seen, lengths = rl.inspect(replace(played, turns=(), choice=None, reward=None)), []

    def on_turn(rollout):
        seen.show(rollout)
        lengths.append(seen.turn)

    turns = [write_turn("a", "blue"), write_turn("b", answer="red")]
    rl.play(rl.Recording(turns), played.target, renderer=painter, on_turn=on_turn)
    assert lengths == [1, 2] and seen.shown.code == "red"


def test_a_page_without_a_kernel_shows_the_strip(played):
    assert "turn 2: " in rl.inspect(played)._repr_mimebundle_()["text/html"]


def test_a_recorded_rollout_opens_and_is_edited_in_time():
    first, second = rl.load_rollouts("data/rollouts")[:3:2]
    rl.inspect(first)  # the first look loads tables of colours
    started = time.process_time()
    seen = rl.inspect(second)
    opened = time.process_time() - started
    seen.editor.code.value += "\nplt.title('Members')\n"
    seen.rejudge()
    seen.wait(30)
    edited = time.process_time() - started - opened
    # this process's CPU time; the render's own is tested with it
    assert opened < 0.5 and edited < 0.5, (opened, edited)
    assert seen.shown.turns[0].rendering.cpu_seconds < 0.7 and len(seen.rollouts) == 2


def test_a_changed_sentence_alone_is_not_rendered_and_it_says_why(played):
    seen = rl.inspect(played)
    seen.editor.feedback.value = "Red, please."
    assert seen.change.again.disabled and "Render needs changed code" in seen.change.why.value
    seen.rejudge()
    assert "Render needs changed code" in seen.status.value and not seen.busy
    seen.editor.code.value = "red"
    assert not seen.change.again.disabled


def test_it_jumps_to_the_first_program_that_changed(played, painter):
    turns = ["", "", write_turn("c", "green"), write_turn("d", answer="turn 3")]
    seen = rl.inspect(played, rl.Recording(turns), 4, renderer=painter)
    seen.step(1)
    seen.editor.feedback.value = "Green, please."
    seen.resume()
    seen.wait(20)
    assert seen.turn == 3 and seen.shown.turns[2].code == "green"
    assert "Turn 3: answer -&gt; " in seen.status.value and "since turn 2" in seen.pictures.parts.value


def test_without_a_policy_the_embedded_one_is_loaded_to_continue(played, painter, monkeypatch):
    asked = []
    monkeypatch.setattr(inspector, "load_policy", lambda name: asked.append(name) or rl.Recording([]))
    seen = rl.inspect(played, renderer=painter)
    assert not asked and seen.change.on.description == "Load nano and continue"
    seen.resume()
    seen.wait(20)
    assert asked == ["nano"] and len(seen.rollouts) == 2


def test_where_no_policy_can_continue_it_says_why(played):
    seen = rl.inspect(replace(played, language="svg"))
    assert seen.change.on.disabled and "Continue is grey" in seen.change.why.value
    seen = rl.inspect(played)
    seen.step(2)  # it only answers
    assert seen.change.on.disabled and "This turn wrote no code" in seen.change.why.value


def test_an_answer_shows_what_the_final_program_drew(played):
    seen = rl.inspect(played)
    seen.step(2)
    assert "turn 2 drew counts" in seen.pictures.said.value and "<img" in seen.pictures.both.value
    assert "&lt;answer" not in seen.strip.value + seen.pictures.pair.value


def test_a_person_takes_the_policys_chair_and_leaves_it(played, painter):
    seen = rl.inspect(played, max_turns=4, renderer=painter)
    seen.sit()
    until(lambda: "Write the next turn" in seen.status.value)
    assert seen.change.fields.layout.display == "none" and seen.change.seat.program.value == "salmon"
    seen.change.seat.send("red")
    until(lambda: seen.turn == 2 and "Write the next turn" in seen.status.value)
    seen.stop()
    seen.wait(20)
    assert "you left the chair" in seen.status.value and seen.change.seat.layout.display == "none"
    assert [turn.code for turn in seen.shown.turns] == ["salmon", "red"] and seen.shown.reward.vision == 1.0
