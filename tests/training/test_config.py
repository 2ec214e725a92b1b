"""Settings of a run: files with comments in, what cannot work refused before anything is loaded."""
import json
from types import SimpleNamespace

import pytest
from PIL import Image
from tiny import config

from rrvf_lab import train
from rrvf_lab.nano.loading import load_processor_of
from rrvf_lab.talk import reply
from rrvf_lab.training import TrainConfig
from rrvf_lab.training.arguments import grpo_arguments, lora
from rrvf_lab.training.checks import make_judge
from rrvf_lab.training.config import HOME, from_words


@pytest.mark.parametrize("name", TrainConfig.names())
def test_every_shipped_configuration_loads_divides_and_comments_its_numbers(name):
    config = TrainConfig.load(name)
    assert config.divide(1) * config.micro_batch == config.batch
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
    ("qwen2.5-vl-7b-qlora", {"vllm": "colocate"}, "four_bit=true: merging.*four_bit=false, or vllm=null"),
    ("demo", {"report_to": "mlflow"}, "report_to='mlflow' is not one of null, trackio, wandb, tensorboard"),
    ("demo", {"language": "latex"}, "language='latex' is not one of null, matplotlib, html, svg, plotly"),
    ("demo", {"judge": 3}, "judge=3 should be dict or str or null"),
    ("demo", {"eval_steps": 0}, "eval_steps=0: at least 1"),
    ("demo", {"lora_rank": 0, "lora": {"lora_alpha": 4}}, "lora=.* with lora_rank=0: all weights train"),
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


REFUSED = [
    ({"vllm": "colocate", "model": "Qwen/X"}, ImportError, "vllm='colocate' needs vLLM.*or set vllm=null"),
    ({"report_to": "wandb"}, ImportError, "report_to='wandb' needs wandb.*pip install wandb"),
    ({"trl": {"betta": 0.1}}, ValueError, "trl: GRPOConfig has no field 'betta'; did you mean 'beta'"),
    ({"trl": {"max_steps": 3}}, ValueError, "trl={'max_steps': 3}: set steps instead"),
    ({"trl": {"save_total_limit": 9}}, ValueError, "set keep_checkpoints instead"),
    ({"trl": {"bf16": True}}, ValueError, "trl={'bf16': True} cannot be changed"),
    ({"lora": {"r": 4}}, ValueError, "lora={'r': 4}: set lora_rank instead"),
    ({"lora": {"alpha": 4}}, ValueError, "lora: LoraConfig has no field 'alpha'"),
    ({"max_completion_length": 300}, ValueError, "max_completion_length=300 does not hold max_turns=2"),
    ({"micro_batch": 7}, ValueError, "micro_batch=7 does not divide the 64 rollouts"),
    ({"train_images": "no/where"}, FileNotFoundError, "no folder of images at '.*no/where'"),
    ({"test_images": "no/where"}, FileNotFoundError, "no folder of images at '.*no/where'"),
    ({"judge": "no_such_module:score"}, ImportError, "judge='no_such_module:score': No module named"),
    ({"judge": "math:score"}, ValueError, "judge='math:score': .* has no 'score'"),
    ({"model": "nanno"}, FileNotFoundError, "no model 'nanno'"),
    ({"start_from": "no/where"}, FileNotFoundError, "start_from='no/where' holds no adapter"),
    ({"eval_steps": 2, "eval_images": 1000}, ValueError, "eval_images=1000 of .* training images leave 0"),
]


@pytest.mark.parametrize(("changes", "kind", "message"), REFUSED, ids=[str(row[0]) for row in REFUSED])
def test_what_is_wrong_is_said_before_anything_is_loaded_or_emptied(tmp_path, monkeypatch, changes, kind,
                                                                   message):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.json").write_text("{}")
    monkeypatch.setattr(train, "load_policy", None)
    monkeypatch.setattr(train, "load_model", None)
    with pytest.raises(kind, match=message):
        train.run(config(tmp_path, **{"prompts": 8, "group": 8} | changes))
    assert (tmp_path / "run" / "config.json").read_text() == "{}"


def test_further_settings_of_trl_and_peft_arrive(tmp_path):
    processor = load_processor_of("nano-base")[0]
    made = config(tmp_path, trl={"beta": 0.01, "loss_type": "grpo"}, lora={"lora_dropout": 0.1},
                  report_to="tensorboard")
    arguments = grpo_arguments(made, processor, 1, on_gpu=False)
    assert (arguments.beta, arguments.loss_type, arguments.report_to) == (0.01, "grpo", ["tensorboard"])
    assert lora(made).lora_dropout == 0.1 and lora(made).r == 16


@pytest.mark.parametrize(("changes", "kept"), [({}, 2), ({"keep_checkpoints": 7}, 7),
                                               ({"keep_checkpoints": None}, None)])
def test_as_many_checkpoints_stay_as_the_settings_say(tmp_path, changes, kept):
    processor = load_processor_of("nano-base")[0]
    made = config(tmp_path, **changes)
    assert grpo_arguments(made, processor, 1, on_gpu=False).save_total_limit == kept


def test_images_of_your_own_leave_no_held_out_images_of_the_toy_charts(tmp_path):
    (tmp_path / "mine.yaml").write_text("train_images: mine")
    for name, changes in (("demo", {"train_images": "mine"}), (tmp_path / "mine.yaml", {})):
        with pytest.warns(UserWarning, match="train_images='mine' are yours.*nothing is evaluated"):
            assert TrainConfig.load(name, **changes).test_images is None
    both = {"train_images": "mine", "test_images": "data/charts/test"}
    assert TrainConfig.load("demo", **both).test_images == "data/charts/test"
    assert TrainConfig.load("demo", train_images="data/charts/train").test_images == "data/charts/test"


def test_a_judge_of_your_own_is_named_by_its_module(tmp_path, monkeypatch):
    (tmp_path / "my_judges.py").write_text("def score(target, picture):\n    return 0.25\n")
    monkeypatch.syspath_prepend(tmp_path)
    judge = make_judge(TrainConfig(judge="my_judges:score"))
    picture = Image.new("RGB", (40, 30), "white")
    assert judge(picture, picture).score == 0.25


def test_a_judge_behind_an_endpoint_can_be_named_in_the_settings():
    named = {"model": "m", "base_url": "http://localhost:1/v1", "on_unscored": "pixel"}
    judge = make_judge(TrainConfig(judge=named))
    assert judge.on_unscored == "pixel" and judge.judge.model == "m"


@pytest.mark.parametrize(("said", "told"), [(None, False), ("all", True), ("text", "text")])
def test_what_replies_leave_out_is_a_setting_and_the_environments_know_it(tmp_path, said, told):
    trainer = train.make_trainer(config(tmp_path, blind=said))
    assert trainer.environment_factories[None]().episode.blind == told


def test_a_reply_without_the_difference_picture_keeps_the_others():
    pages = [Image.new("RGB", (4, 3), colour) for colour in ("red", "blue", "green")]
    drawn = SimpleNamespace(image=pages[1])
    shown = reply(pages[0], drawn, SimpleNamespace(score=0.5, feedback=""), pages[2], "difference")
    colours = [block["image"].getpixel((0, 0)) for block in shown if block["type"] == "image"]
    assert colours == [(0, 0, 255), (255, 255, 255), (255, 0, 0)]
