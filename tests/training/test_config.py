"""Settings of a run: files with comments in, what cannot work refused before anything is loaded."""
import json

import pytest

from rrvf_lab.train import make_judge, make_trainer
from rrvf_lab.training import TrainConfig
from rrvf_lab.training.config import HOME, from_words


@pytest.mark.parametrize("name", TrainConfig.names())
def test_every_shipped_configuration_loads_divides_and_comments_its_numbers(name):
    config = TrainConfig.load(name)
    assert config.divide(1) * config.micro_batch == config.prompts * config.group
    assert config.output == f"runs/{name}"
    text = (HOME / f"{name}.yaml").read_text()
    assert text.startswith("# ") and text.count("#") >= 5


def test_a_yaml_and_a_json_file_read_alike(tmp_path):
    (tmp_path / "a.yaml").write_text("# mine\nsteps: 7\nlearning_rate: 3e-3\nfour_bit: true\n")
    (tmp_path / "b.json").write_text(json.dumps({"steps": 7, "learning_rate": 0.003, "four_bit": True}))
    assert TrainConfig.load(tmp_path / "a.yaml") == TrainConfig.load(tmp_path / "b.json")


def test_changes_override_the_file():
    assert TrainConfig.load("nano", steps=3, learning_rate="1e-4").learning_rate == 1e-4
    words = from_words(["steps=3", "test_images=null", "output=runs/x"])
    assert words == {"steps": 3, "test_images": None, "output": "runs/x"}


@pytest.mark.parametrize(("name", "changes", "message"), [
    ("demmo", {}, "no configuration or file 'demmo'; shipped: demo, nano"),
    ("demo", {"stepps": 3}, "unknown setting 'stepps'; did you mean 'steps'"),
    ("demo", {"steps": 2.5}, "steps=2.5 should be int"),
    ("demo", {"steps": True}, "steps=True should be int"),
    ("demo", {"steps": float("inf")}, "steps=inf should be int"),
    ("demo", {"learning_rate": "fast"}, "learning_rate='fast' should be float"),
    ("demo", {"test_limit": "some"}, "test_limit='some' should be int or null"),
    ("demo", {"group": 1}, "group=1: an advantage compares"),
    ("demo", {"max_turns": 0}, "max_turns=0: at least 1"),
    ("demo", {"scale_rewards": "std"}, "scale_rewards='std' is not one of group, batch, none"),
    ("demo", {"vllm": "colocate"}, "cannot serve 'nano-base'"),
    ("qwen2.5-vl-7b", {"vllm": "server"}, "a server needs its address"),
    ("demo", {"four_bit": True, "lora_rank": 0}, "four_bit weights cannot be trained"),
    ("demo", {"reward": {"beauty": 1.0}}, "unknown reward weight 'beauty'; known: vision"),
])
def test_what_cannot_work_is_one_clear_line(name, changes, message):
    with pytest.raises((FileNotFoundError, ValueError), match=message):
        TrainConfig.load(name, **changes)


@pytest.mark.parametrize(("text", "message"), [("steps: [", "not valid YAML"), ("- 3", "holds no settings"),
                                               ("stps: 3", "unknown setting 'stps'")])
def test_a_broken_file_is_named(tmp_path, text, message):
    (tmp_path / "x.yaml").write_text(text)
    with pytest.raises(ValueError, match=message):
        TrainConfig.load(tmp_path / "x.yaml")


@pytest.mark.parametrize(("changes", "processes", "message"), [
    ({"micro_batch": 5}, 1, "micro_batch=5 does not divide the 64 rollouts of a process"),
    ({"prompts": 3}, 2, "prompts=3 do not divide among 2 processes"),
    ({"prompts": 2}, 2, "micro_batch=16 does not divide the 8 rollouts"),
])
def test_batches_that_do_not_divide_are_refused(changes, processes, message):
    with pytest.raises(ValueError, match=message):
        TrainConfig.load("demo", **changes).divide(processes)


def test_vllm_that_is_not_installed_is_said_at_once(tmp_path):
    with pytest.raises(ImportError, match="vllm='colocate' needs vLLM.*or set vllm=null"):
        make_trainer(TrainConfig.load("qwen2.5-vl-7b", vllm="colocate", output=str(tmp_path)))


def test_a_judge_behind_an_endpoint_can_be_named_in_the_settings():
    named = {"model": "m", "base_url": "http://localhost:1/v1", "on_unscored": "pixel"}
    judge = make_judge(TrainConfig(judge=named))
    assert judge.on_unscored == "pixel" and judge.judge.model == "m"
