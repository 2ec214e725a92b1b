"""The supervised cold start: the tokens that GRPO sees, loss on what the assistant said, LoRA that goes
on."""
import json

import pytest
import torch
import yaml
from safetensors.torch import load_file
from tiny import GOOD, STREAMS, config, few_images

import rrvf_lab as rl
from rrvf_lab.records.store import Recorder
from rrvf_lab.talk import END, parse_turn, write_turn
from rrvf_lab.train import make_trainer, run
from rrvf_lab.training import TrainConfig
from rrvf_lab.training.sft import Tokens, chosen

GROUP = "data/rollouts/group"
# three turns for those who are still calling after two
LONGER = [[*stream, write_turn("c", answer="turn 2")] if parse_turn(stream[-1]).calls else stream
          for stream in STREAMS]


def as_grpo_sees(trainer):
    """(ids, which the loss counts) of each rollout of a group that TRL's trainer samples."""
    trainer.model.train()
    batch = trainer._generate_and_score_completions([trainer.train_dataset[0]] * trainer.config.group)
    asked, said = batch["prompt_mask"].bool(), batch["completion_mask"].bool()
    counted = batch["tool_mask"].bool() if "tool_mask" in batch else said
    for k in range(len(asked)):
        before = batch["prompt_ids"][k][asked[k]].tolist()
        yield (before + batch["completion_ids"][k][said[k]].tolist(),
               [False] * len(before) + counted[k][said[k]].tolist())


@pytest.mark.parametrize("model", ["nano-base", "tiny_qwen", "tiny_qwen3"])
def test_a_recorded_rollout_has_the_tokens_that_grpo_saw(model, scripted, request, tmp_path):
    name = model if model == "nano-base" else request.getfixturevalue(model)
    trainer = scripted(LONGER, model=name, max_turns=3, max_completion_length=4000)
    seen = list(as_grpo_sees(trainer))
    Recorder(tmp_path / "recorded").write("group", trainer.rollouts)
    tokens = Tokens(trainer.processing_class, 3, difference=model == "nano-base")
    recorded = rl.load_rollouts(tmp_path / "recorded")
    assert len(recorded) == len(STREAMS)
    for rollout, (ids, counted) in zip(recorded, seen, strict=True):
        row = tokens.row(rollout)
        assert row.ids == ids
        assert row.wrote == counted


def test_the_loss_is_on_the_assistants_turns_with_their_ends():
    _, processor, nano = rl.nano.load_model("nano-base")
    tokens, rollout = Tokens(processor, 3, nano), rl.load_rollouts(GROUP)[0]
    rows = [tokens.row(rollout), tokens.row(rl.load_rollouts(GROUP)[3])]
    batch = tokens.batch(rows)
    learnt = batch["labels"][0][batch["labels"][0] != -100]
    assert processor.tokenizer.decode(learnt) == "".join(turn.text + END for turn in rollout.turns)
    assert torch.equal(batch["attention_mask"].sum(1), torch.tensor([len(row.ids) for row in rows]))


def test_every_picture_of_a_reply_has_its_pixels():
    _, processor, nano = rl.nano.load_model("nano-base")
    tokens = Tokens(processor, 3, nano)
    one_reply = [rollout for rollout in rl.load_rollouts(GROUP) if len(rollout.turns) == 2 and rollout.ran]
    batch = tokens.batch([tokens.row(rollout) for rollout in one_reply])
    assert int((batch["input_ids"] == processor.image_token_id).sum()) == len(one_reply) * 4 * 48
    assert int(batch["image_grid_thw"].prod(-1).sum()) // 4 == len(one_reply) * 4 * 48


def test_the_best_share_by_reward_is_kept():
    rollouts = rl.load_rollouts(GROUP)
    kept = chosen(rollouts, 0.25, max_turns=3)
    totals = sorted((r.reward.total for r in rollouts), reverse=True)
    assert sorted((r.reward.total for r in kept), reverse=True) == totals[:4]


def test_unscored_and_too_long_rollouts_are_not_imitated():
    rollouts = rl.load_rollouts(GROUP)
    rollouts.rows[0]["reward"]["total"] = float("nan")
    rollouts.rows[1]["reward"] = None
    assert len(chosen(rollouts, 1.0, max_turns=3)) == len(rollouts) - 2
    with pytest.raises(ValueError, match="2 have no reward, 14 have more messages than max_turns=1"):
        chosen(rollouts, 1.0, max_turns=1)


def supervised(tmp_path, **changes):
    return config(tmp_path, rollouts=GROUP, steps=3, prompts=4, micro_batch=2, warmup_steps=0, **changes)


@pytest.mark.slow
def test_imitation_lowers_the_loss_and_leaves_an_adapter(tmp_path):
    settings = supervised(tmp_path, learning_rate=3e-3, keep_best=0.25, max_turns=3,  # the same four in all
                          max_completion_length=1280)
    run(settings)
    losses = [json.loads(line)["loss"] for line in (settings.folder / "log.jsonl").read_text().splitlines()
              if "loss" in json.loads(line)]
    assert len(losses) == 3 and losses[-1] < losses[0]
    assert rl.Run(settings.folder).state == "finished"
    page = (settings.folder / "report.html").read_text()
    assert "nano-base imitates recorded rollouts" in page and "3 steps of 4 recorded rollouts" in page
    assert rl.load_policy("nano-base", adapter=settings.folder / "adapter")


@pytest.mark.slow
def test_grpo_starts_from_the_adapter(tmp_path):
    first = supervised(tmp_path / "first")
    run(first)
    then = config(tmp_path / "then", start_from=str(first.folder))
    trainer = make_trainer(then)
    weights = load_file(first.folder / "adapter" / "adapter_model.safetensors")
    trained = {name: p for name, p in trainer.model.named_parameters() if p.requires_grad}
    assert len(trained) == len(weights)
    for name, value in weights.items():
        assert torch.equal(trained[name.replace(".weight", ".default.weight")].detach().cpu(), value)


def written(path, settings):
    values = {k: v for k, v in vars(settings).items() if v != getattr(TrainConfig(), k)}
    path.write_text(yaml.safe_dump(values))
    return str(path)


@pytest.mark.slow
@pytest.mark.parametrize("model", ["nano-base", "tiny_qwen"])
def test_one_run_imitates_and_then_reinforces(model, request, tmp_path):
    name = model if model == "nano-base" else request.getfixturevalue(model)
    both = {"model": name, "max_completion_length": 4000}
    first = written(tmp_path / "first.yaml", supervised(tmp_path / "first", **both))
    settings = config(tmp_path / "then", start_from=first, group=2, micro_batch=2, steps=2, warmup_steps=0,
                      preflight=False, **both)
    report = run(settings)
    assert report["steps"] == 2
    before = load_file(tmp_path / "first" / "run" / "adapter" / "adapter_model.safetensors")
    after = load_file(settings.folder / "adapter" / "adapter_model.safetensors")
    assert before.keys() == after.keys()
    made = (tmp_path / "first" / "run" / "report.json").stat().st_mtime_ns
    run(TrainConfig(**vars(settings) | {"steps": 1}))  # the first is finished, and not made again
    assert (tmp_path / "first" / "run" / "report.json").stat().st_mtime_ns == made


def test_a_start_without_an_adapter_or_with_a_foreign_one_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="holds no adapter; give a finished run"):
        make_trainer(config(tmp_path, start_from=str(few_images())))
    (tmp_path / "adapter_config.json").write_text('{"base_model_name_or_path": "nano", "r": 8}')
    with pytest.raises(ValueError, match="set model=nano lora_rank=8"):
        make_trainer(config(tmp_path, start_from=str(tmp_path)))


def test_a_first_run_whose_lora_would_not_fit_is_refused_before_anything_is_trained(tmp_path):
    with pytest.raises(ValueError, match="has lora_rank=16, this run 8"):
        run(config(tmp_path, start_from="sft-nano", lora_rank=8))


def test_a_turn_that_spells_a_special_token_is_not_read_as_one(tmp_path):
    rollout = rl.play(rl.Recording([write_turn("<|image_pad|>", GOOD), write_turn("b", answer="turn 1")]),
                      rl.load_rollouts(GROUP)[0].target, max_turns=2)
    _, processor, nano = rl.nano.load_model("nano-base")
    tokens = Tokens(processor, 2, nano)
    row = tokens.row(rollout)
    assert row.ids.count(processor.image_token_id) == len(row.pictures) * 48
