"""What goes wrong in a long run: a full disk, a full memory, hopeless prompts, a judge that only fails. Said
clearly, survived."""
import errno
import json
import math
from pathlib import Path

import pytest
import torch
from tiny import CRASH, GOOD, OTHER, config

import rrvf_lab as rl
from rrvf_lab.judge import Fallback, JudgeStopped, Verdict
from rrvf_lab.talk import write_turn
from rrvf_lab.train import make_trainer, run
from rrvf_lab.training.images import split_images
from rrvf_lab.training.trainer import RRVFTrainer, out_of_memory

SMALL = dict(steps=3, group=4, micro_batch=4)


def test_a_prompt_whose_every_rollout_crashes_teaches_nothing_and_breaks_nothing(scripted):
    trainer = scripted([[write_turn("a", CRASH), write_turn("b", CRASH)]] * 4)
    trainer.args.warmup_steps = 0  # else the first step has no learning rate, and nothing would move
    weights = [p.detach().clone() for p in trainer.model.parameters() if p.requires_grad]
    trainer.train()
    row = next(r for r in trainer.state.log_history if "reward" in r)
    assert row["exec_rate"] == 0 and row["zero_spread_groups"] == 1 and math.isfinite(row["loss"])
    assert all(r.info["advantage"] == 0 for r in trainer.rollouts)
    trained = [p for p in trainer.model.parameters() if p.requires_grad]
    assert all(torch.equal(a, b) for a, b in zip(weights, trained, strict=True))


PROGRAMS = [[write_turn("a", code), write_turn("b", answer="turn 1")] for code in (GOOD, OTHER, CRASH, GOOD)]


def broken(target, image):
    raise OSError(f"picture {id(image)}: no route to the judge")


def down(target, image, error=None) -> Verdict:
    return Verdict.unscored("the endpoint is down")


@pytest.mark.parametrize(("judge", "message"), [
    (broken, "failed the same way on all 3 pictures.*OSError: picture .* no route to the judge"),
    (Fallback(down, "stop"), "the endpoint is down"),
], ids=["fails", "stops"])
def test_a_judge_that_only_fails_ends_the_run_in_step_1_in_its_own_words(scripted, tmp_path, judge, message):
    trainer = scripted(PROGRAMS, judge, steps=3)
    with pytest.raises(JudgeStopped, match=message):
        trainer.train()
    assert trainer.state.global_step == 0 and not list((tmp_path / "run" / "rollouts").glob("*.jsonl"))


def test_a_judge_that_fails_on_some_pictures_leaves_those_out_and_the_run_goes_on(scripted):
    def moody(target, image):
        if image.getpixel((image.width // 2, image.height // 2))[0] > 200:  # the red bars of OTHER
            raise ValueError("I do not like red")
        return 0.5

    trainer = scripted(PROGRAMS, moody)
    trainer.train()
    assert [r.reward.scored for r in trainer.rollouts] == [True, False, True, True]
    assert trainer.rollouts[1].info["advantage"] == 0 and trainer.state.global_step == 1


def test_a_target_that_cannot_be_decoded_is_left_out_by_name(tmp_path):
    good = rl.load_images("data/charts/test")[0]["image"]
    for name in ("a", "b"):
        good.save(tmp_path / f"{name}.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "a.png").read_bytes()[:400])
    with pytest.warns(UserWarning, match="left out cut.png"):
        assert split_images(config(tmp_path, train_images=str(tmp_path)))[0]["id"] == ["a", "b"]


@pytest.mark.slow
def test_a_full_disk_ends_the_run_clearly_and_a_resume_completes_it(tmp_path, monkeypatch):
    write = Path.write_bytes

    def full(self, data):
        if self.name.startswith("step-000003"):
            write(self, data[:len(data) // 2])
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(self, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(RuntimeError, match="no room left on the disk of .*run in step 3; .*--resume"):
        run(config(tmp_path, **SMALL))
    assert not list((tmp_path / "run" / "rollouts").glob("*.tmp"))
    monkeypatch.undo()
    run(config(tmp_path, **SMALL), resume=True)
    steps = [row["info"]["step"] for row in rl.load_rollouts(tmp_path / "run").rows]
    assert steps == [1] * 4 + [2] * 4 + [3] * 4
    log = json.loads((tmp_path / "run" / "report.json").read_text())["log"]
    assert [row["step"] for row in log] == [1, 2, 3]


def test_a_step_out_of_memory_names_what_helps(tmp_path, monkeypatch):
    def burst(self, *args, **kwargs):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9.00 GiB.")

    monkeypatch.setattr(RRVFTrainer, "_generate_and_score_completions", burst)
    helps = "sample_batch=4 .*micro_batch=4 instead of 8 .*gradient_checkpointing=true"
    with pytest.raises(RuntimeError, match=f"out of memory in step 1 .*9.00 GiB.* {helps}"):
        make_trainer(config(tmp_path)).train()


def test_the_knobs_named_are_not_already_turned(tmp_path):
    text = out_of_memory(config(tmp_path, gradient_checkpointing=True, four_bit=True), 3, "x")
    assert "four_bit=true" not in text and "gradient_checkpointing=true" not in text
    assert "max_completion_length" in text
