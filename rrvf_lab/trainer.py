"""TRL's GRPOTrainer with eyes: what was sampled, rendered, judged and rewarded in each step, and how long each took.

A subclass because TRL 1.16 has no hook at these four places: after a turn is generated (renders start early), when the
images of a batch are matched to image tokens (TRL drops a whole batch's pixels on a mismatch, silently), when advantages
are known (rollouts are recorded with them), and around the update.

Left out: everything about the algorithm. Advantages, loss and sampling are TRL's.
"""

from __future__ import annotations

import contextlib
import json
import math
import time
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import torch
from transformers import TrainerCallback
from trl import GRPOTrainer

from .rollout import Recorder


class RRVFTrainer(GRPOTrainer):
    """`GRPOTrainer` over our environment; `make_trainer` builds it. `self.rollouts` holds the last step's rollouts."""

    def __init__(self, config, **kwargs):
        self.config, self.rollouts = config, []
        self.recorder = Recorder(config.folder / "rollouts")
        self.seconds = defaultdict(float)
        super().__init__(reward_funcs=self._rewards, **kwargs)
        self.add_callback(_ForgetLater(self.recorder))

    def _rewards(self, completion_ids, environments, **columns):
        """Close each rollout from its raw tokens; an unscored one gets None, which TRL keeps out of the baseline."""
        decode = self.processing_class.tokenizer.decode
        self.rollouts = [env._close(assistant_turns(decode(ids))) for env, ids in zip(environments, completion_ids, strict=True)]
        return [rollout.reward.total if rollout.reward.scored else None for rollout in self.rollouts]

    _rewards.__name__ = "rrvf"  # a bound method has no settable name; TRL logs this one

    def _generate_single_turn(self, *args, **kwargs):
        started = time.perf_counter()
        with merged(self.model):
            ids, logprobs = super()._generate_single_turn(*args, **kwargs)
        self.seconds["generate"] += time.perf_counter() - started
        speaking = [env for env in self.environments if env._speaks]
        if len(speaking) == len(ids):  # later turns hold an unnamed part of the batch: those that called the tool
            for env, row in zip(speaking, ids):
                env._expect(self.processing_class.tokenizer.decode(row))
        return ids, logprobs

    def _generate_and_score_completions(self, inputs):
        started = time.perf_counter()
        output = super()._generate_and_score_completions(inputs)
        check_images(output, self.processing_class)
        for key in ("render", "judge"):
            self.seconds[key] += sum(env._seconds[key] for env in self.environments)
        for env in self.environments:
            env._seconds.update(render=0.0, judge=0.0)
        self._record(output["advantages"].tolist())
        self.seconds["rollouts"] += time.perf_counter() - started
        return output

    def _record(self, advantages):
        step, group = self.state.global_step + 1, self.config.group
        self.rollouts = [replace(r, info={"step": step, "group": i // group, "advantage": round(a, 5)})
                         for i, (r, a) in enumerate(zip(self.rollouts, advantages, strict=True))]
        self.recorder.write(f"step-{step:06d}", self.rollouts)
        for name, value in step_metrics(self.rollouts, group).items():
            self._metrics["train"][name].append(value)

    def training_step(self, *args, **kwargs):
        started, rollouts = time.perf_counter(), self.seconds["rollouts"]
        loss = super().training_step(*args, **kwargs)
        self.seconds["update"] += time.perf_counter() - started - (self.seconds["rollouts"] - rollouts)
        return loss

    def log(self, logs, start_time=None):
        if self.model.training and self.seconds:
            for key in ("generate", "render", "judge", "update"):
                self._metrics["train"][f"seconds/{key}"].append(self.seconds[key])
            self.seconds.clear()
        super().log(logs, start_time)
        with open(self.config.folder / "log.jsonl", "a") as file:  # TRL writes its log only with a checkpoint
            file.write(json.dumps(self.state.log_history[-1]) + "\n")


class _ForgetLater(TrainerCallback):
    """On resume, what was recorded after the checkpoint is dropped: those steps are about to be made again."""

    def __init__(self, recorder):
        self.recorder = recorder

    def on_train_begin(self, args, state, control, **kwargs):
        self.recorder.drop_after(state.global_step)


@contextlib.contextmanager
def merged(model):
    """LoRA inside the weights while sampling, which writes many small steps; only where adding it loses no precision."""
    if next(model.parameters()).dtype != torch.float32 or getattr(model, "is_loaded_in_4bit", False):
        yield
        return
    before = {name: p.data.clone() for name, p in model.named_parameters() if name.endswith("base_layer.weight")}
    model.merge_adapter()
    try:
        yield
    finally:
        model.unmerge_adapter()
        for name, p in model.named_parameters():  # not by subtraction, which would add a rounding error each step
            if name in before:
                p.data.copy_(before[name])


def assistant_turns(text: str) -> list[str]:
    """The raw text of each assistant turn in a decoded completion (which starts inside the first one)."""
    first, *later = text.split("<|im_start|>")
    return [first, *(part.removeprefix("assistant\n") for part in later if part.startswith("assistant\n"))]


def check_images(batch, processor) -> None:
    """Raise when image tokens and image features disagree; TRL would train on, blind, without a word."""
    ids = batch["prompt_ids"], batch["completion_ids"]
    tokens = sum(int((part == processor.image_token_id).sum()) for part in ids)
    grid = batch.get("image_grid_thw")
    features = 0 if grid is None else int(grid.prod(-1).sum()) // processor.image_processor.merge_size ** 2
    if tokens != features or "pixel_values" not in batch:
        raise RuntimeError(
            f"{tokens} image tokens but {features} image features in this batch: the policy would be trained without its "
            "images. The completion was probably cut inside a tool reply; raise max_completion_length.")


def step_metrics(rollouts, group: int) -> dict[str, float]:
    """What one step of training looked like: reward parts, execution, scores by turn, tool use, copies, dead groups."""
    def mean(values):
        values = [v for v in values if not math.isnan(v)]
        return sum(values) / len(values) if values else math.nan

    drafts = [r.drafts for r in rollouts]
    out = {f"reward/{part}": mean([getattr(r.reward, part) for r in rollouts]) for part in ("vision", "format", "tool")}
    out["exec_rate"] = mean([float(r.final is not None and r.final.ran) for r in rollouts])
    out["tool_calls"] = mean([float(sum(t.action == "render" for t in r.turns[:-1])) for r in rollouts])
    out["renders"] = mean([float(len(d)) for d in drafts])
    out["copy_rate"] = mean([float(a.code == b.code) for d in drafts for a, b in zip(d, d[1:])])
    totals = [[r.reward.total for r in rollouts[i:i + group]] for i in range(0, len(rollouts), group)]
    out["zero_spread_groups"] = mean([float(max(t) - min(t) < 1e-6) for t in totals])
    for k in range(max((len(d) for d in drafts), default=0)):
        out[f"score/turn_{k + 1}"] = mean([d[k].score for d in drafts if len(d) > k])
    return out


def last_checkpoint(folder: Path) -> Path | None:
    """The newest checkpoint that was written whole; one that a kill interrupted lacks a readable trainer state."""
    for path in sorted(Path(folder).glob("checkpoint-*"), key=lambda p: int(p.name.split("-")[1]), reverse=True):
        try:
            json.loads((path / "trainer_state.json").read_text())
        except (OSError, ValueError):
            continue
        return path
    return None
