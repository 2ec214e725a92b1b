"""A run folder's checkpoints are probed in their order, on the same turns."""
import json
from dataclasses import replace

import pytest
from painting import Painter
from scripted import Ignores, Reads, judge

import rrvf_lab as rl
from rrvf_lab.probe import checkpoints
from rrvf_lab.records import Recorder
from rrvf_lab.training.config import TrainConfig


@pytest.fixture
def run(tmp_path, rollouts, monkeypatch):
    """A run folder with two whole checkpoints and a broken one; only the later one has learnt to read."""
    folder = tmp_path / "run"
    config = TrainConfig.load("demo", output=str(folder))
    Recorder(folder / "rollouts").write("step-000001", rollouts)
    (folder / "config.json").write_text(json.dumps(vars(config)))
    for step in (2, 10):
        (folder / f"checkpoint-{step}").mkdir()
        (folder / f"checkpoint-{step}" / "trainer_state.json").write_text("{}")
    (folder / "checkpoint-12").mkdir()
    monkeypatch.setattr(checkpoints, "_loaded", lambda config, weights:
                        Reads() if weights and weights.name == "checkpoint-10" else Ignores())
    return folder


def test_a_run_gives_a_row_for_each_checkpoint_from_the_untrained_policy_on(run):
    table = rl.probe(run, judge=judge, renderer=Painter()).table()
    assert list(table.index) == [0, 2, 10]
    assert table["no text", "code"].tolist() == [0, 0, 1]
    assert table["obedience", "value"].tolist() == [0, 0, 1]


def test_a_curve_says_which_setting_would_have_kept_more_checkpoints(run):
    config = TrainConfig.load("demo", output=str(run), save_steps=2)
    (run / "config.json").write_text(json.dumps(vars(config)))
    few = rl.probe(run, judge=judge, renderer=Painter(), most=2)
    assert "wrote 5 checkpoints and 2 of them are left" in few.notes[0]
    assert "keep_checkpoints=null" in few.text() and "keep_checkpoints=null" in few._repr_html_()


def test_all_checkpoints_are_asked_about_the_same_turns(run):
    curve = rl.probe(rl.Run(run), judge=judge, renderer=Painter(), most=5, seed=3)
    asked = [{row["rollout"] for row in probe.rows} for probe in curve.probes.values()]
    assert asked[0] == asked[1] == asked[2] and len(asked[0]) == 5
    assert "step 10: " in curve.text()


def test_held_out_rollouts_from_before_training_come_first(run, rollouts):
    held_out = [replace(one, info={"name": "before"}) for one in rollouts if one.id.endswith("-1")]
    Recorder(run / "evaluation").write("before", held_out)
    assert len(checkpoints.rollouts_of_run(rl.Run(run))) == len(held_out) == 6


def test_a_run_without_checkpoints_takes_what_it_ended_with(run):
    for path in run.glob("checkpoint-*/trainer_state.json"):
        path.unlink()
    with pytest.raises(FileNotFoundError, match="no checkpoint in .*; one is written every save_steps="):
        rl.probe(run)
    (run / "adapter").mkdir()
    assert list(checkpoints.checkpoints_of(rl.Run(run))) == [0, TrainConfig.load("demo").steps]


def test_a_folder_of_rollouts_is_no_run(run):
    with pytest.raises(FileNotFoundError, match="has no config.json, so it is no run folder"):
        rl.probe(run / "rollouts")
