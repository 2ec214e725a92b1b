"""Training through TRL: the same rollouts as `play`, everything recorded, no silent blindness, resumed
where it stood."""
import json
import math
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tiny import GOOD, OTHER, STREAMS, config
from trl import GRPOTrainer

import rrvf_lab as rl
from rrvf_lab.environment import Episode
from rrvf_lab.judge import PixelJudge, Verdict
from rrvf_lab.reward import reward
from rrvf_lab.talk import write_turn
from rrvf_lab.train import make_trainer, run
from rrvf_lab.training import advantages
from rrvf_lab.training.report import PHASES
from rrvf_lab.training.sampling import merged
from rrvf_lab.training.trainer import check_images, last_checkpoint, step_values


@pytest.mark.slow
def test_the_same_tokens_give_the_same_rollouts_in_trl_and_in_play_and_all_are_recorded(scripted, tmp_path):
    trainer = scripted(steps=2)
    trainer.train()
    recorded = rl.load_rollouts(tmp_path / "run")
    rows = [row for row in trainer.state.log_history if "reward" in row]
    for step, row in zip((1, 2), rows, strict=True):  # the second batch reuses the environments of the first
        group = recorded.where(step=step)
        for stream, trained in zip(STREAMS, group, strict=True):
            image = {"image": trained.target, "id": trained.id}
            played = rl.play(rl.Recording(stream), image, max_turns=2, difference=True)
            assert [_seen(turn) for turn in played.turns] == [_seen(turn) for turn in trained.turns]
            assert (played.answer, played.choice) == (trained.answer, trained.choice)
            assert played.reward == trained.reward
        told = advantages([r.reward.total for r in group], 8)
        assert [r.info["advantage"] for r in group] == pytest.approx(told, abs=1e-3)
        assert row["exec_rate"] == pytest.approx(6 / 8) and row["zero_spread_groups"] == 0.0
        assert row["tool_calls"] == pytest.approx(5 / 8) and row["score/turn_1"] > 0
        assert all(row[f"seconds/{phase}"] >= 0 for phase in PHASES)


def _seen(turn):
    picture = turn.rendering.image.tobytes() if turn.ran else None
    return turn.text, turn.thought, turn.code, turn.action, turn.error, turn.verdict, picture


class Slow:
    """A judge that takes a while, as one behind an endpoint does, and counts how many calls are under way."""

    concurrency = 8

    def __init__(self):
        self.under_way, self.most, self.lock = 0, [], threading.Lock()

    def __call__(self, target, image, error=None) -> Verdict:
        with self.lock:
            self.under_way += 1
            self.most.append(self.under_way)
        time.sleep(0.5)
        with self.lock:
            self.under_way -= 1
        return Verdict(0.5, "Slow.")


def mine(target, image):
    return 0.25


@pytest.mark.slow
@pytest.mark.parametrize(("judge", "name"), [(None, "PixelJudge"), (mine, "mine")])
def test_each_rollout_says_which_judge_scored_it(scripted, tmp_path, judge, name):
    scripted(judge=judge).train()
    assert {rollout.info["judge"] for rollout in rl.load_rollouts(tmp_path / "run")} == {name}


@pytest.mark.slow
def test_the_verdicts_of_a_turn_are_sought_together(scripted):
    judge = Slow()
    scripted(judge=judge).train()
    assert len(judge.most) == 8                   # 5 programs in the first turn, 3 new ones in the second
    assert max(judge.most[:5]) >= 4 and max(judge.most[5:]) == 3


def test_a_turn_that_trl_cut_is_read_again(scripted, monkeypatch):
    trainer = scripted([[write_turn("a", GOOD), write_turn("b", answer=OTHER)]] * 2)
    said, starts, taken = GRPOTrainer._generate_single_turn, [], []

    def cut(self, prompt_ids, *args, **kwargs):
        starts.append(len(prompt_ids[0]))
        if len(starts) == 2:                      # the reply is in; the answer breaks off after four tokens
            self.max_completion_length = starts[1] - starts[0] + 4
        return said(self, prompt_ids, *args, **kwargs)

    monkeypatch.setattr(GRPOTrainer, "_generate_single_turn", cut)
    monkeypatch.setattr(Episode, "take", _counting(taken, Episode.take))
    trainer.train()
    for rollout in trainer.rollouts:
        assert [turn.code for turn in rollout.drafts] == [GOOD] and rollout.answer is None
    assert len(taken) == 2 * (2 + 2)              # as written, and as cut


def _counting(taken, take):
    def counted(self, text):
        taken.append(text)
        return take(self, text)

    return counted


@pytest.mark.slow
def test_the_same_seed_makes_the_same_first_steps_whether_rows_are_told_early_or_late(tmp_path, monkeypatch):
    taken, made = [], []
    monkeypatch.setattr(Episode, "take", _counting(taken, Episode.take))
    for concurrency in (1, 2):                    # with 2, a row is taken while others are still sampled
        judge = PixelJudge()
        judge.concurrency = concurrency
        folder = tmp_path / str(concurrency)
        make_trainer(config(folder, steps=2, group=4, micro_batch=4, seed=7), judge=judge).train()
        made.append([[turn.text for turn in r.turns] for r in rl.load_rollouts(folder / "run")])
    assert made[0] == made[1] and len(made[0]) == 8
    assert len(taken) == 2 * sum(map(len, made[0]))  # each once


def test_an_image_mismatch_stops_the_run():
    images = type("I", (), {"merge_size": 2})
    processor = type("P", (), {"image_processor": images, "image_token_id": 7})
    good = {"prompt_ids": torch.tensor([[7, 7, 1]]), "completion_ids": torch.tensor([[2, 3]]),
            "pixel_values": 0, "image_grid_thw": torch.tensor([[1, 4, 2]])}
    check_images(good, processor)
    blind = {key: value for key, value in good.items() if key != "pixel_values"}
    for bad in (good | {"prompt_ids": torch.tensor([[7, 1, 1]])}, blind):
        with pytest.raises(RuntimeError, match="image tokens but 2 image features.*max_completion_length"):
            check_images(bad, processor)


def test_sampling_with_merged_adapters_leaves_the_weights_as_they_were(tmp_path):
    model = make_trainer(config(tmp_path)).model
    for name, p in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(p, std=0.02)
    ids = torch.arange(100, 130)[None]
    before, weights = model(input_ids=ids).logits, {n: p.clone() for n, p in model.named_parameters()}
    with merged(model):
        inside = model(input_ids=ids).logits
        changed = sum(not torch.equal(p, weights[n]) for n, p in model.named_parameters())
    assert changed > 20 and torch.allclose(before, inside, atol=1e-3)
    assert all(torch.equal(p, weights[n]) for n, p in model.named_parameters())


@pytest.mark.parametrize("totals", [(math.nan, 0.3, 0.3), (0.3, math.nan, 0.3), (0.3, 0.3, math.nan)])
def test_an_unscored_rollout_hides_no_dead_group(totals):
    empty = rl.Rollout(None, "matplotlib")
    rollouts = [replace(empty, reward=replace(reward(empty), total=total)) for total in totals]
    assert step_values(rollouts, 3)["zero_spread_groups"] == [1.0]


def test_a_half_written_checkpoint_is_passed_over(tmp_path):
    for step, state in ((5, '{"global_step": 5}'), (10, '{"glob'), (15, None)):
        (tmp_path / f"checkpoint-{step}").mkdir()
        if state is not None:
            (tmp_path / f"checkpoint-{step}" / "trainer_state.json").write_text(state)
    assert last_checkpoint(tmp_path).name == "checkpoint-5"
    assert last_checkpoint(tmp_path / "none") is None


@pytest.mark.slow
def test_a_whole_run_reports_a_paired_comparison_and_its_adapter_reproduces_it(tmp_path):
    held_out = {"test_images": "data/charts/test", "test_limit": 12}
    result = run(config(tmp_path, steps=2, prompts=2, micro_batch=16, **held_out))
    stored = json.loads((tmp_path / "run" / "report.json").read_text())
    gain = stored["after"]["vision"] - stored["before"]["vision"]
    assert stored["after"]["n"] == 12 and stored["gain"] == pytest.approx(gain)
    assert set(stored["seconds_by"]) == set(PHASES) and stored["steps"] == 2
    images = rl.load_images("data/charts/test").select(range(12))
    again = rl.evaluate(rl.load_policy("nano-base", adapter=result["adapter"]), images, max_turns=2)
    assert again.summary["vision"] == pytest.approx(stored["after"]["vision"], abs=1e-6)


@pytest.mark.slow
def test_resuming_a_finished_run_trains_no_further(tmp_path):
    first = run(config(tmp_path, group=4, micro_batch=4))
    weights = (Path(first["adapter"]) / "adapter_model.safetensors").read_bytes()
    again = run(config(tmp_path, group=4, micro_batch=4), resume=True)
    assert again["steps"] == 1 and len(again["log"]) == 1
    assert len(rl.load_rollouts(tmp_path / "run")) == 4
    assert (Path(again["adapter"]) / "adapter_model.safetensors").read_bytes() == weights
