"""Trackers get the numbers and, as pictures, the rollouts; the best of a run is kept by images set aside."""
import json
import sys
from types import SimpleNamespace

import pytest
from safetensors.torch import load_file
from tiny import STREAMS, config, say

import rrvf_lab as rl
from rrvf_lab.train import make_trainer
from rrvf_lab.training.trackers import HEIGHT, send_rollouts, strip
from rrvf_lab.training.validation import KeepBest


@pytest.fixture
def rollouts():
    """Recorded ones of a step."""
    return rl.load_rollouts("data/rollouts/group")[:8]


@pytest.mark.parametrize("name", ["wandb", "trackio"])
def test_a_tracker_with_tables_gets_a_row_with_a_picture_for_each_rollout(name, rollouts, monkeypatch):
    sent = []
    monkeypatch.setitem(sys.modules, name, SimpleNamespace(
        Image=lambda picture: picture.size, log=sent.append, Table=lambda dataframe: dataframe))
    send_rollouts(name, rollouts, 7)
    table = sent[0]["rollouts"]
    assert len(table) == 8 and set(table["step"]) == {7}
    assert table["turn 1"].tolist() == [r.turns[0].text for r in rollouts]
    assert table["reward"].tolist() == [r.reward.total for r in rollouts]
    assert table["image"].tolist() == [strip(r).size for r in rollouts]


def test_a_writer_of_tensorboard_gets_pictures_and_words(rollouts):
    seen = []
    writer = SimpleNamespace(add_image=lambda name, array, *_, **__: seen.append((name, array.shape[2])),
                             add_text=lambda name, text, step: seen.append((name, step)))
    send_rollouts("tensorboard", rollouts[:1], 1, [object(), SimpleNamespace(tb_writer=writer)])
    assert seen == [("rollouts/00", 3), ("rollouts/00", 1)]


def test_a_strip_has_a_place_for_every_turn_also_for_one_that_crashed(rollouts):
    for rollout in rollouts:
        each = rollout.target.width * HEIGHT // rollout.target.height
        assert strip(rollout).height == HEIGHT
        assert strip(rollout).width >= (1 + len(rollout.drafts)) * each * 0.8


@pytest.mark.slow
def test_the_weights_that_did_best_on_images_kept_aside_are_those_a_run_leaves(tmp_path, monkeypatch):
    settings = config(tmp_path, steps=3, eval_steps=1, eval_images=1, warmup_steps=0)
    trainer = say(monkeypatch, make_trainer(settings), STREAMS)
    keeper = next(one for one in trainer.callback_handler.callbacks if isinstance(one, KeepBest))
    scores, seen = iter([0.2, 0.5, 0.3]), []

    def validate(model):
        seen.append({n: p.detach().clone() for n, p in model.named_parameters() if "lora_B" in n})
        assert not model.training
        return next(scores)

    keeper.validate = validate
    trainer.train()
    saved = load_file(trainer.save_policy() / "adapter_model.safetensors")
    best = {n.replace(".default", ""): p for n, p in seen[1].items()}
    assert all((saved[n] == p).all() for n, p in best.items()) and len(best) == len(seen[2])
    assert any((seen[1][n] != seen[2][n]).any() for n in seen[2])
    assert json.loads((settings.folder / "best" / "best.json").read_text()) == {"step": 2, "vision": 0.5}
    rows = [row for row in trainer.state.log_history if "reward" in row]
    assert [row["validation/vision"] for row in rows] == [0.2, 0.5, 0.3]
