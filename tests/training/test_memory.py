"""The estimate counts what is there, each saving lowers it, and the shipped recipes fit the GPUs they
name."""
import pytest

from rrvf_lab.nano import load_model
from rrvf_lab.training import TrainConfig
from rrvf_lab.training.memory import SHAPES, estimate, shapes_of


def test_the_estimate_counts_the_weights_there_are(tiny_qwen):
    model = load_model(tiny_qwen)[0]
    guess = estimate(TrainConfig.load("qwen2.5-vl-7b-qlora", model=tiny_qwen, four_bit=False), gpu=False)
    assert guess.parts["weights"] * 1e9 == sum(p.numel() * 4 for p in model.parameters())


@pytest.mark.parametrize("change", [{"four_bit": True}, {"gradient_checkpointing": True}, {"prompts": 1},
                                    {"max_completion_length": 600}, {"optimizer": "paged_adamw_8bit"}])
def test_each_saving_lowers_the_estimate(change):
    base = dict(four_bit=False, gradient_checkpointing=False, prompts=2, optimizer="adamw_torch")
    real = shapes_of(*SHAPES["Qwen/Qwen2.5-VL-7B-Instruct"])
    before, after = (estimate(TrainConfig.load("qwen2.5-vl-7b-qlora", **options), real, gpu=True)
                     for options in (base, base | change))
    assert sum(after.parts.values()) < sum(before.parts.values()) and after.peak <= before.peak


def test_the_recipes_are_predicted_to_fit_their_gpus():
    names = "qwen2.5-vl-7b-qlora", "qwen2.5-vl-7b"
    four, full = (estimate(TrainConfig.load(name), gpu=True) for name in names)
    assert 8.25e9 < full.parts["weights"] * 1e9 / 2 < 8.35e9       # the published model has 8.29 billion
    assert four.peak <= 24 and full.peak <= 80


def test_an_estimate_is_a_table_whose_peak_is_what_one_moment_holds():
    made = estimate(TrainConfig.load("nano"), gpu=False)
    held = {phase: sum(value for _, when, value in made.rows() if when == phase)
            for phase in ("always", "sampling", "update")}
    assert made.peak == pytest.approx(held["always"] + max(held["sampling"], held["update"]))
    assert len(str(made).splitlines()) == len(made.rows()) + 1 and f"{made.peak:.2f} GB" in str(made)


def test_eyes_that_train_keep_what_they_saw_and_others_nothing():
    real = shapes_of(*SHAPES["Qwen/Qwen2.5-VL-7B-Instruct"])
    kept = [estimate(TrainConfig.load("qwen2.5-vl-7b-qlora", **change), real, gpu=True)
            .parts["activations of the eyes"]
            for change in ({}, {"lora_targets": "all-linear"}, {"lora_targets": r".*visual.*qkv"},
                           {"lora_targets": "all-linear", "gradient_checkpointing": False})]
    assert kept[0] == 0 < kept[1] == kept[2] < kept[3]
