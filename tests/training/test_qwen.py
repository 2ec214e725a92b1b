"""The GPU recipe on a tiny Qwen2.5-VL with random weights, on the CPU: the same code path as the real
model's."""
import pytest
import torch
from bench_gpu import program, scripted
from PIL import Image
from safetensors.torch import load_file
from tiny import GOOD, OTHER, config, say

import rrvf_lab as rl
from rrvf_lab.nano import load_model
from rrvf_lab.talk import write_turn
from rrvf_lab.train import make_trainer
from rrvf_lab.training import TrainConfig
from rrvf_lab.training.trainer import RRVFTrainer, last_checkpoint


def qlora(model, tmp_path, **changes):
    return TrainConfig.load("qwen2.5-vl-7b-qlora", **{
        "model": model, "output": str(tmp_path / "run"), "steps": 1, "prompts": 1, "group": 2, "max_turns": 2,
        "max_new_tokens": 150, "test_images": None, "warmup_steps": 0} | changes)


def test_a_picture_never_has_more_tokens_than_allowed(tiny_qwen):
    for most in (64, 512):
        images = load_model(tiny_qwen, max_image_tokens=most)[1].image_processor
        for size in ((640, 480), (3000, 2000), (100, 4000)):
            grid = images(images=[Image.new("RGB", size)], return_tensors="pt")["image_grid_thw"]
            assert int(grid.prod()) // 4 <= most
    chart = images(images=[Image.new("RGB", (640, 480))], return_tensors="pt")["image_grid_thw"]
    assert int(chart.prod()) // 4 == 391


@pytest.mark.slow
def test_qlora_trains_the_language_half_in_four_bit(tiny_qwen, tmp_path):
    trainer = make_trainer(qlora(tiny_qwen, tmp_path))
    quantised = [name for name, m in trainer.model.named_modules() if type(m).__name__ == "Linear4bit"]
    trained = [name for name, p in trainer.model.named_parameters() if p.requires_grad]
    assert quantised and not any("visual" in name or "lm_head" in name for name in quantised)
    assert len(trained) == 2 * 7 * 2 and all("language_model" in name and "lora_" in name for name in trained)
    pushed = {name: p for name, p in trainer.model.named_parameters() if "lora_B" in name}
    before = {name: p.detach().clone() for name, p in pushed.items()}
    state, undo = scripted(trainer, 150)
    trainer.train()
    undo()
    assert state["calls"] == 2 and len(trainer.rollouts) == 2
    assert all(len(r.drafts) == 2 for r in trainer.rollouts)
    spread = {r.reward.total for r in trainer.rollouts}
    moved = any(not torch.equal(before[name], p) for name, p in pushed.items())
    assert moved == (len(spread) > 1)


@pytest.mark.slow
@pytest.mark.parametrize("family", ["tiny_qwen", "tiny_qwen3"])
def test_three_steps_in_four_bit_go_on_after_a_kill_as_if_there_had_been_none(family, request, tmp_path,
                                                                              monkeypatch):
    streams = [[write_turn("a", GOOD), write_turn("b", answer=OTHER)], [write_turn("a", OTHER), "gibberish"]]
    left = []
    for name in ("straight", "killed"):
        settings = qlora(request.getfixturevalue(family), tmp_path / name, steps=3, save_steps=1,
                         learning_rate=1e-3)
        trainer = say(monkeypatch, make_trainer(settings), streams)
        assert trainer.args.gradient_checkpointing and trainer.model.is_loaded_in_4bit
        if name == "killed":
            monkeypatch.setattr(RRVFTrainer, "_record", killed_in_step_3(RRVFTrainer._record))
            with pytest.raises(KeyboardInterrupt):
                trainer.train()
            monkeypatch.undo()
            trainer = say(monkeypatch, make_trainer(settings), streams)
            trainer.train(str(last_checkpoint(settings.folder)))
        else:
            trainer.train()
        assert all(r.turns[0].ran for r in trainer.rollouts) and trainer.state.global_step == 3
        steps = [row["info"]["step"] for row in rl.load_rollouts(settings.folder).rows]
        assert steps == [1, 1, 2, 2, 3, 3]
        left.append(load_file(trainer.save_policy() / "adapter_model.safetensors"))
    assert any(float(p.abs().max()) > 1e-3 for n, p in left[0].items() if "lora_B" in n)
    for name in left[0]:
        torch.testing.assert_close(left[0][name], left[1][name], rtol=0, atol=1e-7)


def killed_in_step_3(record):
    def recorded(self, advantages):
        record(self, advantages)
        if self.state.global_step == 2:
            raise KeyboardInterrupt

    return recorded


@pytest.mark.slow
def test_all_weights_can_be_trained_and_loaded_again(tiny_qwen, tmp_path):
    all_weights = {"four_bit": False, "lora_rank": 0, "learning_rate": 1e-4, "max_turns": 1}
    trainer = make_trainer(qlora(tiny_qwen, tmp_path, **all_weights))
    _, undo = scripted(trainer, 150)
    trainer.train()
    undo()
    saved = trainer.save_policy()
    assert saved.name == "model"
    again = load_model(str(saved))[0]
    for (name, a), b in zip(trainer.model.named_parameters(), again.parameters(), strict=True):
        assert torch.equal(a.detach().to(b.dtype), b), name  # a GPU loads bf16 of what trained as float32


@pytest.mark.slow
def test_four_bit_weights_of_nano_train_and_generate(tmp_path):
    trainer = make_trainer(config(tmp_path, four_bit=True, steps=2, group=4, micro_batch=4, warmup_steps=0))
    assert "Linear4bit" in {type(m).__name__ for m in trainer.model.modules()}
    before = [p.detach().clone() for p in trainer.model.parameters() if p.requires_grad]
    trainer.train()
    after = [p for p in trainer.model.parameters() if p.requires_grad]
    assert len(trainer.rollouts) == 4
    assert any(not torch.equal(a, b) for a, b in zip(before, after, strict=True))


def test_programs_of_the_benchmark_differ_and_run(tiny_qwen):
    tokenizer = load_model(tiny_qwen)[1].tokenizer
    turns = [program(tokenizer, 150, i) for i in range(2)]
    assert turns[0] != turns[1] and all(len(tokenizer(t)["input_ids"]) < 150 for t in turns)
    assert rl.play(rl.Recording(turns[:1]), Image.new("RGB", (320, 240), "white"), max_turns=1).ran
