"""TRL's GRPOTrainer with eyes: what was sampled, rendered, judged and rewarded in each step, and how long each took.

A subclass because TRL 1.16 has no hook at these four places: when a turn is written (its render starts at once), when the
images of a batch are matched to image tokens (TRL drops a whole batch's pixels on a mismatch, silently), when advantages
are known (rollouts are recorded with them), and around the update.

Of several processes each records its own rollouts (step-000012-1.jsonl is process 1's), and the metrics are those of
all of them. A step that runs out of memory or disk ends the run with what would help; the last checkpoint stays whole.

Left out: everything about the algorithm. Advantages, loss and sampling are TRL's.
"""

from __future__ import annotations

import contextlib
import errno
import json
import math
import resource
import shutil
import sys
import time
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import torch
from accelerate.utils import gather_object
from transformers import TrainerCallback, TrainerState
from trl import GRPOTrainer

from ..rollout import Recorder


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

    def _generate_single_turn(self, prompt_ids, *args, **kwargs):
        started = time.perf_counter()
        # later turns hold an unnamed part of the batch: those that called the tool
        speaking = [env for env in self.environments if env._speaks]

        def wrote(row, ids):
            if len(speaking) == len(prompt_ids):
                speaking[row]._expect(self.processing_class.tokenizer.decode(ids))

        # On a CPU sampling and rendering want the same cores, and both together take longer than one after the other.
        overlap = self.model.device.type != "cpu" or getattr(self.environments[0]._judge_pair, "concurrency", 1) > 1
        with merged(self.model), told_of_ends(self.model, self.eos_token_ids, wrote) if overlap else contextlib.nullcontext():
            ids, logprobs = super()._generate_single_turn(prompt_ids, *args, **kwargs)
        self.seconds["generate"] += time.perf_counter() - started
        for row, written in enumerate(ids):  # those that hit the bound, or that another engine sampled
            wrote(row, written)
        return ids, logprobs

    def _generate_and_score_completions(self, inputs):
        started = time.perf_counter()
        output = super()._generate_and_score_completions(inputs)
        check_images(output, self.processing_class)
        for key in ("render", "judge"):
            self.seconds[key] += sum(env._seconds[key] for env in self.environments)
        for env in self.environments:
            env._seconds.update(render=0.0, judge=0.0)
        # Equal rewards leave rounding errors, which TRL divides by 1e-4 and Adam scales up to whole steps.
        output["advantages"][output["advantages"].abs() < 1e-3] = 0.0
        self._record(output["advantages"].tolist())
        self.seconds["rollouts"] += time.perf_counter() - started
        return output

    def _record(self, advantages):
        step, group, rank = self.state.global_step + 1, self.config.group, self.accelerator.process_index
        first = rank * len(self.rollouts) // group  # groups stay whole: TrainConfig.divide
        self.rollouts = [replace(r, info={"step": step, "group": first + i // group, "advantage": round(a, 5)})
                         for i, (r, a) in enumerate(zip(self.rollouts, advantages, strict=True))]
        self.recorder.write(f"step-{step:06d}" + (f"-{rank}" if self.accelerator.num_processes > 1 else ""), self.rollouts)
        seen = gather_object([step_values(self.rollouts, group)])
        for name in dict.fromkeys(name for part in seen for name in part):
            values = [value for part in seen for value in part.get(name, []) if not math.isnan(value)]
            self._metrics["train"][name].append(sum(values) / len(values) if values else math.nan)

    def train(self, resume_from_checkpoint: str | None = None):
        """TRL's, but a finished run is not trained further, and a full memory or disk is named with what would help
        (RuntimeError)."""
        if resume_from_checkpoint:
            state = TrainerState.load_from_json(str(Path(resume_from_checkpoint) / "trainer_state.json"))
            if state.global_step >= self.args.max_steps:  # transformers would make one step more
                self._load_from_checkpoint(resume_from_checkpoint)
                self.state = state
                return
        try:
            super().train(resume_from_checkpoint=resume_from_checkpoint)
        except torch.OutOfMemoryError as error:
            raise RuntimeError(out_of_memory(self.config, self.state.global_step + 1, error)) from error
        except Exception as error:  # torch and safetensors do not say that the disk is full, and each uses its own error
            if getattr(error, "errno", None) != errno.ENOSPC and shutil.disk_usage(self.config.folder).free > 2**24:
                raise
            raise RuntimeError(f"no room left on the disk of {self.config.folder} in step {self.state.global_step + 1}; "
                               f"make some (du -sh {self.config.folder}/*) and go on with --resume; up to the last "
                               "checkpoint nothing is lost") from error

    def training_step(self, *args, **kwargs):
        started, rollouts = time.perf_counter(), self.seconds["rollouts"]
        loss = super().training_step(*args, **kwargs)
        self.seconds["update"] += time.perf_counter() - started - (self.seconds["rollouts"] - rollouts)
        return loss

    def log(self, logs, start_time=None):
        if self.model.training and self.seconds:
            spent = {f"seconds/{key}": self.seconds[key] for key in ("generate", "render", "judge", "update")}
            all_spent = gather_object([spent | {"memory_gb": peak_memory()}])
            for key in all_spent[0]:  # the slowest process decides
                self._metrics["train"][key].append(max(part[key] for part in all_spent))
            self.seconds.clear()
        super().log(logs, start_time)
        if self.accelerator.is_main_process:
            with open(self.config.folder / "log.jsonl", "a") as file:  # TRL writes its log only with a checkpoint
                file.write(json.dumps(self.state.log_history[-1]) + "\n")

    def save_policy(self) -> Path:
        """Save what was trained for `load_policy`: the LoRA weights in adapter/, or all weights in model/."""
        folder = self.config.folder / ("adapter" if self.config.lora_rank else "model")
        if self.config.lora_rank:  # the shipped models are known by name, wherever they lie
            self.accelerator.unwrap_model(self.model).peft_config["default"].base_model_name_or_path = self.config.model
        self.save_model(str(folder))
        return folder


class _ForgetLater(TrainerCallback):
    """On resume, what was recorded after the checkpoint is dropped: those steps are about to be made again."""

    def __init__(self, recorder):
        self.recorder = recorder

    def on_train_begin(self, args, state, control, **kwargs):
        if state.is_world_process_zero:  # the others record nothing before the first rewards are gathered
            self.recorder.drop_after(state.global_step)


@contextlib.contextmanager
def merged(model):
    """LoRA inside the weights while sampling, which writes many small steps; only where adding it loses no precision."""
    whole = not hasattr(model, "merge_adapter")
    if whole or next(model.parameters()).dtype != torch.float32 or getattr(model, "is_loaded_in_4bit", False):
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


@contextlib.contextmanager
def told_of_ends(model, ends, wrote):
    """Within, `model.generate` calls `wrote(row, token ids)` as soon as a row has ended, while the others go on: its
    program is rendered and judged in the meantime."""
    generate = model.generate

    def watched(*args, **kwargs):
        return generate(*args, stopping_criteria=[_Ends(kwargs["input_ids"].shape[1], ends, wrote)], **kwargs)

    model.generate = watched
    try:
        yield
    finally:
        del model.generate


class _Ends:
    """A stopping criterion of transformers that stops nothing and looks on."""

    def __init__(self, start, ends, wrote):
        self.start, self.ends, self.wrote, self.known = start, torch.tensor(ends), wrote, set()

    def __call__(self, ids, scores, **_):
        self.ends = self.ends.to(ids.device)
        last = torch.isin(ids[:, -1], self.ends)
        for row in last.nonzero().flatten().tolist():
            if row not in self.known:  # afterwards it is filled up
                self.known.add(row)
                self.wrote(row, ids[row, self.start:].tolist())
        return torch.zeros(len(ids), dtype=torch.bool, device=ids.device)


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


def peak_memory() -> float:
    """The most memory this process has held, in GB (1e9 bytes): of its GPU, or without one of the process."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / 1e9
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9


def out_of_memory(config, step: int, error) -> str:
    """What to say when a step does not fit: where it stood, and the three settings that help most, with their effect."""
    smaller = max(1, config.micro_batch // 2)
    return (f"out of memory in step {step} ({str(error).splitlines()[0][:200]}). What helps: "
            f"micro_batch={smaller} instead of {config.micro_batch} (half the activations and logits of the update, the "
            f"same gradient, more passes); prompts={max(1, config.prompts // 2)} instead of {config.prompts} (half the "
            "keys and values while sampling); "
            + ("gradient_checkpointing=true (activations of one layer at a time, a third more time)"
               if not config.gradient_checkpointing else "four_bit=true (a third of the weights' memory)"
               if not config.four_bit else "fewer max_turns or max_new_tokens with a smaller max_completion_length "
                                           "(logits and keys grow with it)")
            + ". Then go on with --resume; `rrvf_lab.memory.estimate` predicts each.")


def step_values(rollouts, group: int) -> dict[str, list[float]]:
    """What one step looked like, as lists to average: reward parts, execution, scores by turn, tool use, copies, dead
    groups. NaN stands for an unscored rollout and counts in no mean."""
    drafts = [r.drafts for r in rollouts]
    out = {f"reward/{part}": [getattr(r.reward, part) for r in rollouts] for part in ("vision", "format", "tool")}
    out["exec_rate"] = [float(r.final is not None and r.final.ran) for r in rollouts]
    out["tool_calls"] = [float(sum(t.action == "render" for t in r.turns[:-1])) for r in rollouts]
    out["renders"] = [float(len(d)) for d in drafts]
    out["copy_rate"] = [float(a.code == b.code) for d in drafts for a, b in zip(d, d[1:])]
    totals = [[r.reward.total for r in rollouts[i:i + group]] for i in range(0, len(rollouts), group)]
    out["zero_spread_groups"] = [float(max(t) - min(t) < 1e-6) for t in totals]
    for k in range(max((len(d) for d in drafts), default=0)):
        out[f"score/turn_{k + 1}"] = [d[k].score for d in drafts if len(d) > k]
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
