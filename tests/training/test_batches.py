"""What a step costs less, and what that changes: sampling a few rows at a time, micro-batches without common
padding, adapters in full precision."""
import pytest
import torch
from tiny import config
from trl import GRPOTrainer

import rrvf_lab as rl
from rrvf_lab.nano.loading import load_model
from rrvf_lab.train import make_trainer
from rrvf_lab.training.batches import in_full_precision, trainable, trimmed
from rrvf_lab.training.sampling import some_rows


def a_batch():
    """Two rollouts, prompts of 2 and 1 tokens in 4 columns, completions of 3 and 1 in 5."""
    kept = torch.tensor([[1, 1, 1, 0, 0], [1, 0, 0, 0, 0]])
    return {"prompt_ids": torch.tensor([[0, 0, 8, 9], [0, 0, 0, 9]]),
            "prompt_mask": torch.tensor([[0, 0, 1, 1], [0, 0, 0, 1]]), "completion_ids": 4 * kept,
            "completion_mask": kept, "tool_mask": kept, "old_per_token_logps": -1.0 * kept,
            "importance_sampling_ratio": torch.ones(2, 1), "mm_token_type_ids": torch.arange(18).view(2, 9),
            "advantages": torch.ones(2), "num_images": [1, 1], "pixel_values": torch.ones(8, 9)}


def test_columns_that_are_padding_in_every_row_go_and_nothing_else():
    kept = trimmed(a_batch())
    assert kept["prompt_ids"].tolist() == [[8, 9], [0, 9]]
    assert kept["completion_ids"].tolist() == [[4, 4, 4], [4, 0, 0]]
    assert kept["mm_token_type_ids"].tolist() == [[2, 3, 4, 5, 6], [11, 12, 13, 14, 15]]
    shapes = {name: tuple(value.shape) for name, value in kept.items() if torch.is_tensor(value)}
    assert shapes["tool_mask"] == shapes["old_per_token_logps"] == (2, 3)
    assert shapes["importance_sampling_ratio"] == (2, 1) and shapes["advantages"] == (2,)
    assert shapes["pixel_values"] == (8, 9) and kept["num_images"] == [1, 1]


def test_a_micro_batch_of_which_nothing_counts_keeps_one_column():
    batch = a_batch()
    batch["completion_mask"] = batch["completion_mask"] * 0
    assert trimmed(batch)["completion_ids"].shape == (2, 1)


@pytest.mark.slow
def test_a_trimmed_micro_batch_gives_the_same_gradient(scripted, monkeypatch):
    seen = []
    trainer = scripted(steps=1, warmup_steps=0)
    take = GRPOTrainer._prepare_inputs

    def both(self, batch):
        inputs = take(self, batch)
        for one in (inputs, trimmed(inputs)):
            self.model.zero_grad()
            self._compute_loss(self.model, one).backward()
            seen.append({n: p.grad.clone() for n, p in self.model.named_parameters() if p.grad is not None})
            width = one["prompt_ids"].shape[1] + one["completion_ids"].shape[1]
        self.model.zero_grad()
        assert width < inputs["prompt_ids"].shape[1] + inputs["completion_ids"].shape[1]
        return inputs

    # all eight share a micro-batch here: make some of what they share padding
    score = GRPOTrainer._generate_and_score_completions
    monkeypatch.setattr(GRPOTrainer, "_generate_and_score_completions",
                        lambda self, inputs: padded(score(self, inputs)))
    monkeypatch.setattr(GRPOTrainer, "_prepare_inputs", both)
    trainer.train()
    whole, cut = seen
    scale = max(float(g.abs().max()) for g in whole.values())
    assert scale > 0 and all(float((whole[n] - cut[n]).abs().max()) < 1e-5 * scale for n in whole)


def padded(batch):
    """Eight more columns of padding on either side."""
    for name, value in list(batch.items()):
        if name in ("prompt_ids", "prompt_mask"):
            batch[name] = torch.nn.functional.pad(value, (8, 0))
        elif name in ("completion_ids", "completion_mask", "tool_mask"):
            batch[name] = torch.nn.functional.pad(value, (0, 8))
        elif name == "mm_token_type_ids":
            batch[name] = torch.nn.functional.pad(value, (8, 8))
    return batch


def test_rows_come_with_their_own_pictures():
    images = [["a"], ["b", "c"], ["d"]]
    grid = torch.tensor([[1, 2, 2], [1, 2, 1], [1, 1, 1], [1, 3, 1]])
    fields = {"pixel_values": torch.arange(10), "image_grid_thw": grid, "mm_token_type_ids": [[0], [1], [2]]}
    parts = list(some_rows(2, ["p", "q", "r"], images, fields))
    assert [(first, prompts, some) for first, prompts, some, _ in parts] == [
        (0, ["p", "q"], [["a"], ["b", "c"]]), (2, ["r"], [["d"]])]
    assert [part["pixel_values"].tolist() for *_, part in parts] == [list(range(7)), [7, 8, 9]]
    assert [len(part["image_grid_thw"]) for *_, part in parts] == [3, 1]
    assert [part["mm_token_type_ids"] for *_, part in parts] == [[[0], [1]], [[2]]]
    assert next(some_rows(None, ["p", "q", "r"], images, fields))[3] is fields


@pytest.mark.slow
def test_rows_sampled_a_few_at_a_time_are_those_sampled_together(tmp_path):
    made = []
    for at_once in (None, 3):                    # greedy, so that the order of sampling has no part
        folder = tmp_path / str(at_once)
        trainer = make_trainer(config(folder, sample_batch=at_once))
        trainer.generation_config.do_sample = False
        trainer.train()
        made.append([[turn.text for turn in r.turns] for r in rl.load_rollouts(folder / "run")])
    assert made[0] == made[1] and len(made[0]) == 8 and max(map(len, made[0])) == 2


def test_adapters_train_in_full_precision_with_the_numbers_that_were_loaded():
    layer = torch.nn.Linear(3, 3)
    layer.bias.requires_grad = False
    given, exact = trainable(layer), layer.weight.detach().clone()
    layer.to(torch.bfloat16)
    in_full_precision(layer, given)
    assert layer.weight.dtype == torch.float32 and torch.equal(layer.weight, exact)
    assert layer.bias.dtype == torch.bfloat16 and list(given) == ["weight"]


@pytest.mark.slow
def test_small_steps_on_four_bit_weights_are_not_lost(tmp_path):
    trainer = make_trainer(config(tmp_path, four_bit=True, group=4, micro_batch=4, learning_rate=1e-6,
                                  warmup_steps=0, steps=2))
    pushed = {n: p for n, p in trainer.model.named_parameters() if "lora_A" in n}
    before = {n: p.detach().clone() for n, p in pushed.items()}
    assert {p.dtype for p in pushed.values()} == {torch.float32}
    trainer.train()
    # after the first step only B is not zero, in the second A gets a gradient
    assert any(float((p != before[n]).float().mean()) > 0.9 for n, p in pushed.items())


def test_all_weights_train_as_float32(tmp_path, monkeypatch):
    asked = {}

    def loading(name, **options):
        asked.update(options)
        return load_model(name, **options)

    monkeypatch.setattr("rrvf_lab.train.load_model", loading)
    trainer = make_trainer(config(tmp_path, lora_rank=0))
    assert asked["dtype"] == "float32" and {p.dtype for p in trainer.model.parameters()} == {torch.float32}
