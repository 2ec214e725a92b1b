"""The record: stored and read back whole."""
import math
from dataclasses import replace

import pytest
from PIL import Image

from rrvf_lab.judge import Verdict
from rrvf_lab.records import Recorder, load_rollouts
from rrvf_lab.render import Rendering
from rrvf_lab.reward import reward
from rrvf_lab.rollout import Rollout, Turn

EVIL = "<script>alert(1)</script>"


def _rollout(id="a", score=0.5):
    image = Image.new("RGB", (20, 10), "red")
    good = Turn(
        EVIL, EVIL, Rendering(image, None, 0.1), Verdict(score, EVIL, {"colour": 0.5}, "why"), EVIL, "render"
    )
    bad = Turn(
        "",
        "oops",
        Rendering(None, "SyntaxError", 0.1),
        Verdict(0.0, "Failed", {}, "why"),
        "t",
        "answer",
        "run: x",
    )
    rollout = Rollout(
        Image.new("RGB", (20, 10)), "matplotlib", (good, bad), "turn 1", 0, None, id, {"step": 3}
    )
    return replace(rollout, reward=reward(rollout))


def test_a_stored_rollout_reads_back_equal(tmp_path):
    made = [_rollout("a"), _rollout("b", math.nan)]
    Recorder(tmp_path / "rollouts").write("step-000003", made)
    read = load_rollouts(tmp_path)
    assert len(read) == 2 and read.where(step=4).rows == []
    for old, new in zip(made, read, strict=True):
        assert (
            new.target.tobytes() == old.target.tobytes() and new.info == old.info and new.choice == old.choice
        )
        assert new.turns[0].rendering.image.tobytes() == old.turns[0].rendering.image.tobytes()
        assert [t.text for t in new.turns] == [t.text for t in old.turns]
        assert repr(new.reward) == repr(old.reward) and repr(new.turns[0].verdict) == repr(
            old.turns[0].verdict
        )


def test_equal_pictures_are_stored_once(tmp_path):
    Recorder(tmp_path).write("step-000001", [_rollout(), _rollout()])
    assert len(list((tmp_path / "images").iterdir())) == 2


def test_resuming_drops_what_was_recorded_after_the_checkpoint(tmp_path):
    recorder = Recorder(tmp_path)
    for step in (1, 2, 3):
        recorder.write(f"step-{step:06d}", [_rollout()])
    recorder.drop_after(1)
    assert [p.name for p in tmp_path.glob("*.jsonl")] == ["step-000001.jsonl"]


def test_a_missing_run_is_named_with_the_command_that_makes_one(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no recorded rollouts in .*python -m rrvf_lab.train"):
        load_rollouts(tmp_path)


def test_copied_compares_the_code_of_neighbouring_drafts():
    a = _rollout()
    assert not a.copied and replace(a, turns=(a.turns[0], a.turns[0])).copied


def recorded(folder, change=lambda data: data):
    """Two recorded rollouts, their file changed."""
    path = Recorder(folder).write("step-000001", [_rollout("a"), _rollout("b")])
    path.write_bytes(change(path.read_bytes()))
    return folder


@pytest.mark.parametrize("change", [
    lambda data: b"\xef\xbb\xbf" + data, lambda data: data.replace(b"\n", b"\r\n"),
    lambda data: b"\n" + data.replace(b"\n", b"\n\n"),
    lambda data: data.replace(b"why", "a\u2028b\u2029c\x85d".encode())])
def test_a_recording_that_went_through_an_editor_is_read_whole(change, tmp_path):
    assert [r.id for r in load_rollouts(recorded(tmp_path, change))] == ["a", "b"]


@pytest.mark.parametrize("change, said", [
    (lambda data: data[:-9], "step-000001.jsonl, line 2: no JSON .cut short"),
    (lambda data: data + b'{"loss": 0.5}\n', "line 3: no rollout, it has no 'id'"),
    (lambda data: data.replace(b'"turns"', b'"tunrs"', 1), "line 1: no rollout, it has no 'turns'")])
def test_a_line_that_is_no_rollout_is_left_out_by_name(change, said, tmp_path):
    with pytest.warns(UserWarning, match=said):
        assert len(load_rollouts(recorded(tmp_path, change))) in (1, 2)


def test_a_recording_of_which_nothing_can_be_read_says_so(tmp_path):
    with pytest.raises(ValueError, match="nothing in .* can be read as a rollout: step-000001.jsonl, line 1"):
        load_rollouts(recorded(tmp_path, lambda data: data[:20]))


def test_a_picture_with_alpha_is_recorded_as_it_was_judged(tmp_path):
    clear = Image.new("RGBA", (20, 10), (0, 0, 0, 0))
    Recorder(tmp_path).write("step-000001", [replace(_rollout(), target=clear)])
    assert load_rollouts(tmp_path)[0].target.getpixel((5, 5)) == (255, 255, 255)
