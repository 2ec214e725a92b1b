"""TRL's GRPOTrainer with eyes: what was sampled, rendered, judged and rewarded in each step, and how long
it took.

A subclass because TRL 1.16 has no hook at these four places: when a turn is written (its render starts at
once), when the images of a batch are matched to image tokens (TRL drops a whole batch's pixels on a
mismatch, silently), when advantages are known (rollouts are recorded with them), and around the update.

Of several processes each records its own rollouts (step-000012-1.jsonl is process 1's), and the metrics are
those of all of them. A step that runs out of memory or disk, or whose judge fails alike on every picture,
ends the run with what would help; the last checkpoint stays whole.

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

from ..judge import PixelJudge
from ..judge import judge as pixel_judge
from ..judge.protocol import JudgeStopped, name_of, stop_where_none_scored
from ..nano.tokens import written
from ..records import cut_share, warn_of_cuts
from ..records.store import Recorder
from ..talk import BAD_CALL
from .advantages import FLAT, apart, without_rounding
from .batches import in_full_precision, trainable, trimmed
from .engine import mend
from .memory import estimate
from .publish import save_processor
from .report import PHASES
from .sampling import merged, some_rows, told_of_ends
from .trackers import send_rollouts
from .validation import KeepBest


class InRunFolder:
    """What every training of ours does around TRL's trainer: `config`'s run folder gets the log and what was
    trained, a finished run is left alone, a full memory or disk is explained.

    `memory` holds the measured peak beside the predicted one, in GB, once it has trained.
    """

    memory = None

    def train(self, resume_from_checkpoint: str | None = None):
        """TRL's, but a finished run is not trained further, and a full memory or disk is named with what
        would help (RuntimeError)."""
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
        except Exception as error:
            if not _disk_is_full(self.config.folder, error):
                raise
            raise RuntimeError(out_of_disk(self.config.folder, self.state.global_step + 1)) from error
        if self.accelerator.is_main_process:
            self.memory = {"measured": peak_memory(), "predicted": estimate(self.config).peak}
            print("peak of memory {measured:.2f} GB, predicted {predicted:.2f} GB beside libraries, rendered "
                  "pictures and freed memory that is kept (up to 4 GB of a process, 0.5 GB of a GPU)"
                  .format(**self.memory))

    def log(self, logs, start_time=None):
        """TRL's, and a row in log.jsonl: TRL writes its log only with a checkpoint."""
        super().log(logs, start_time)
        if self.accelerator.is_main_process:
            with open(self.config.folder / "log.jsonl", "a") as file:
                file.write(json.dumps(self.state.log_history[-1]) + "\n")

    def save_policy(self) -> Path:
        """Save what was trained for `load_policy`: the LoRA weights in adapter/, or all weights in model/; of
        a validated run those that did best."""
        folder = self.config.folder / ("adapter" if self.config.lora_rank else "model")
        if (best := self.config.folder / "best" / folder.name).is_dir():
            shutil.copytree(best, folder, dirs_exist_ok=True)
            return folder
        return self.save_weights(folder)

    def save_weights(self, folder: Path) -> Path:
        """Save what trains as it is now; returns `folder`."""
        if self.config.lora_rank:  # the shipped models are known by name, wherever they lie
            model = self.accelerator.unwrap_model(self.model)
            model.peft_config["default"].base_model_name_or_path = self.config.model
        self.save_model(str(folder))
        if not self.config.lora_rank and self.accelerator.is_main_process:  # stock classes load it then
            save_processor(self.config, folder)
        return folder


class RRVFTrainer(InRunFolder, GRPOTrainer):
    """`GRPOTrainer` over our environment; `make_trainer` builds it.

    `rollouts` holds the last step's rollouts of this process.
    """

    def __init__(self, config, validate=None, **kwargs):
        self.config, self.rollouts, self.warned = config, [], False
        self.recorder = Recorder(config.folder / "rollouts")
        self.seconds = defaultdict(float)
        given = trainable(kwargs["model"]) if hasattr(kwargs["model"], "peft_config") else {}
        super().__init__(reward_funcs=self._rewards, **kwargs)
        in_full_precision(self.model, given)
        if self.use_vllm:
            self._together = mend(self.vllm_generation, self.processing_class, config.max_turns)
        self.add_callback(_ForgetLater(self.recorder))
        if validate:
            self.add_callback(KeepBest(self, validate))

    # ---- the rollouts of a step

    def _generate_single_turn(self, prompt_ids, images, fields, num_generations, has_tool_images=False):
        """TRL's, for a few rows at a time, and each turn is handed to its episode once, as early as it
        pays."""
        started = time.perf_counter()
        # later turns hold an unnamed part of the batch: those that called the tool
        speaking = [env.episode for env in self.environments if env.episode.speaks]
        told, ids = set(), []

        def wrote(row, sampled):
            # Where TRL left out a rollout whose reply found no room, nobody says which; `settle` reads them.
            if len(speaking) == len(prompt_ids) and row not in told:
                told.add(row)
                speaking[row].take(written(self.processing_class, sampled, self.config.max_new_tokens))

        with contextlib.nullcontext() if self.use_vllm else merged(self.model):
            at_once = None if self.use_vllm else self.config.sample_batch  # vLLM sees to that itself
            for first, *some in some_rows(at_once, prompt_ids, images, fields):
                with contextlib.ExitStack() as around:
                    if self._overlaps() and not self.use_vllm:
                        around.enter_context(told_of_ends(self.model, self.eos_token_ids, wrote, first))
                    more, logprobs = super()._generate_single_turn(*some, num_generations, has_tool_images)
                ids += more
        self.seconds["generate"] += time.perf_counter() - started
        for row, sampled in enumerate(ids):  # those that hit the bound, or that another engine sampled
            wrote(row, sampled)
        return ids, logprobs

    def _tool_call_loop(self, *args):
        """TRL's; then takes part in what other processes still ask of an engine they share."""
        result = super()._tool_call_loop(*args)
        if self.use_vllm:
            self._together.finish()
        return result

    def _prepare_inputs(self, batch):
        """TRL's, without columns that are padding in the whole micro-batch."""
        inputs = super()._prepare_inputs(batch)
        return trimmed(inputs) if self.model.training else inputs

    def _get_tool_suffix_ids(self, tool_messages):
        """TRL's, but a call that it found at fault is answered in the words of `play`."""
        fault = str({"error": BAD_CALL})
        return super()._get_tool_suffix_ids([
            message | {"content": fault} if isinstance(message["content"], str) else message
            for message in tool_messages])

    def _overlaps(self):
        """Whether to render and judge while others still write. On a CPU both want the same cores, and
        together take longer than one after the other, unless the judge only waits for an endpoint."""
        judge = self.environments[0].episode.judge
        return self.model.device.type != "cpu" or getattr(judge, "concurrency", 1) > 1

    def _rewards(self, completion_ids, environments, **columns):
        """Close each rollout from its raw tokens; an unscored one gets None, which TRL keeps out of the
        baseline."""
        decode = self.processing_class.tokenizer.decode
        self.rollouts = [env.episode.settle(assistant_turns(decode(ids)))
                         for env, ids in zip(environments, completion_ids, strict=True)]
        drawn = [turn for rollout in self.rollouts for turn in rollout.drafts if turn.ran]
        stop_where_none_scored([turn.verdict for turn in drawn])
        return [rollout.reward.total if rollout.reward.scored else None for rollout in self.rollouts]

    _rewards.__name__ = "rrvf"  # a bound method has no settable name; TRL logs this one

    def _generate_and_score_completions(self, inputs):
        started = time.perf_counter()
        try:
            output = super()._generate_and_score_completions(inputs)
        except Exception:
            if stopped := _stopped_judge(self.environments):
                raise stopped from None
            raise
        check_images(output, self.processing_class)
        for env in self.environments:
            for phase, spent in env.episode.seconds.items():
                self.seconds[phase] += spent
                env.episode.seconds[phase] = 0.0
        totals = [rollout.reward.total for rollout in self.rollouts]
        self._record(without_rounding(output["advantages"], totals, self.config.group).tolist())
        self.seconds["rollouts"] += time.perf_counter() - started
        return output

    def _record(self, advantages):
        """Write the step's rollouts, and hand TRL the metrics of all processes."""
        step, group, rank = self.state.global_step + 1, self.config.group, self.accelerator.process_index
        first = rank * len(self.rollouts) // group  # groups stay whole: TrainConfig.divide
        judge = self.environments[0].episode.judge
        told = {"judge": PixelJudge.__name__ if judge is pixel_judge else name_of(judge)}
        self.rollouts = [
            replace(rollout, info={"step": step, "group": first + i // group, "advantage": round(value, 5)}
                    | told)
            for i, (rollout, value) in enumerate(zip(self.rollouts, advantages, strict=True))]
        name = f"step-{step:06d}" + (f"-{rank}" if self.accelerator.num_processes > 1 else "")
        self.recorder.write(name, self.rollouts)
        if self.accelerator.is_main_process:
            send_rollouts(self.config.report_to, self.rollouts, step, self.callback_handler.callbacks)
            self.warned = self.warned or warn_of_cuts(  # once in a run; its log has the share of each step
                self.rollouts, f"step {step}",
                f"max_new_tokens={self.config.max_new_tokens} is too little for this policy")
        seen = gather_object([step_values(self.rollouts, group)])
        for name in dict.fromkeys(name for part in seen for name in part):
            values = [value for part in seen for value in part.get(name, []) if not math.isnan(value)]
            self._metrics["train"][name].append(sum(values) / len(values) if values else math.nan)

    # ---- the update

    def _get_per_token_logps_and_entropies(self, *args, **kwargs):
        """TRL's, remembered for `surprise`."""
        self._told = super()._get_per_token_logps_and_entropies(*args, **kwargs)
        return self._told

    def _compute_loss(self, model, inputs):
        """TRL's, and how far the update's view of the tokens is from the sampler's (`surprise`)."""
        loss = super()._compute_loss(model, inputs)
        seen = self.accelerator.gather(surprise(*self._told[:2], inputs))
        self._metrics["train"]["surprise"].append(seen.mean().item())
        return loss

    # ---- the run around them

    def training_step(self, *args, **kwargs):
        """TRL's, timed; the rollouts, which it makes before the first backward pass of a step, have their
        own time."""
        started, rollouts = time.perf_counter(), self.seconds["rollouts"]
        loss = super().training_step(*args, **kwargs)
        self.seconds["update"] += time.perf_counter() - started - (self.seconds["rollouts"] - rollouts)
        return loss

    def log(self, logs, start_time=None):
        """TRL's, with the seconds of each phase and the peak of memory."""
        if self.model.training and self.seconds:
            spent = {f"seconds/{phase}": self.seconds[phase] for phase in PHASES}
            all_spent = gather_object([spent | {"memory_gb": peak_memory()}])
            for key in all_spent[0]:  # the slowest process decides
                self._metrics["train"][key].append(max(part[key] for part in all_spent))
            self.seconds.clear()
        super().log(logs, start_time)


class _ForgetLater(TrainerCallback):
    """On resume, what was recorded after the checkpoint is dropped: those steps are about to be made
    again."""

    def __init__(self, recorder):
        self.recorder = recorder

    def on_train_begin(self, args, state, control, **kwargs):
        if state.is_world_process_zero:  # the others record nothing before the first rewards are gathered
            self.recorder.drop_after(state.global_step)


def _stopped_judge(environments):
    """The `JudgeStopped` of a batch, or None. TRL takes it for an error of the tool, and where every call
    of a batch ends in one it trips over replies without a picture, before rewards are asked for."""
    for env in environments or ():
        try:
            env.episode.close()
        except JudgeStopped as stopped:
            return stopped
    return None


def assistant_turns(text: str) -> list[str]:
    """The raw text of each assistant turn in a decoded completion (which starts inside the first one)."""
    first, *later = text.split("<|im_start|>")
    return [first, *(part.removeprefix("assistant\n") for part in later if part.startswith("assistant\n"))]


def check_images(batch, processor) -> None:
    """Raise when image tokens and image features disagree; TRL would train on, blind, without a word."""
    ids = batch["prompt_ids"], batch["completion_ids"]
    tokens = sum(int((part == processor.image_token_id).sum()) for part in ids)
    grid = batch.get("image_grid_thw")
    features = 0 if grid is None else int(grid.prod(-1).sum()) // processor.image_processor.merge_size**2
    if tokens != features or "pixel_values" not in batch:
        raise RuntimeError(
            f"{tokens} image tokens but {features} image features in this batch: the policy would be trained "
            "without its images. The completion was probably cut inside a tool reply; raise "
            "max_completion_length.")


def surprise(logps, entropies, inputs):
    """How much less likely the tokens the policy wrote are in the update than tokens it would sample there,
    in nats a token. Its mean is 0 where the update reads what the sampler read with the same weights."""
    mask = inputs["completion_mask"] * inputs.get("tool_mask", 1)
    return -((logps + entropies).detach() * mask).sum() / mask.sum().clamp(min=1)


def step_values(rollouts, group: int) -> dict[str, list[float]]:
    """What one step looked like, as lists to average: reward parts, execution, scores by turn, tool use,
    turns cut off at their length limit, copies, dead groups. NaN stands for an unscored rollout and counts in
    no mean."""
    drafts, out = [r.drafts for r in rollouts], {}
    for part in ("vision", "format", "tool"):
        out[f"reward/{part}"] = [getattr(r.reward, part) for r in rollouts]
    out["exec_rate"] = [float(r.ran) for r in rollouts]
    out["tool_calls"] = [float(sum(t.action == "render" for t in r.turns[:-1])) for r in rollouts]
    out["renders"] = [float(len(d)) for d in drafts]
    out["cut_turns"] = [cut_share([r]) for r in rollouts if r.turns]
    out["copy_rate"] = [float(a.code == b.code) for d in drafts for a, b in zip(d, d[1:], strict=False)]
    totals = [[r.reward.total for r in rollouts[i:i + group]] for i in range(0, len(rollouts), group)]
    out["zero_spread_groups"] = [float(apart(t) < FLAT) for t in totals]
    for k in range(max((len(d) for d in drafts), default=0)):
        out[f"score/turn_{k + 1}"] = [d[k].score for d in drafts if len(d) > k]
    return out


def last_checkpoint(folder: Path) -> Path | None:
    """The newest checkpoint that was written whole; one that a kill interrupted lacks a readable trainer
    state."""
    steps = {int(path.name.split("-")[1]): path for path in Path(folder).glob("checkpoint-*")}
    for _, path in sorted(steps.items(), reverse=True):
        try:
            json.loads((path / "trainer_state.json").read_text())
        except (OSError, ValueError):
            continue
        return path
    return None


def peak_memory() -> float:
    """The most memory this process has held, in GB (1e9 bytes): of its GPU, or without one of the process."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / 1e9
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9


def out_of_memory(config, step: int, error) -> str:
    """What to say when a step does not fit: where it stood, and the three settings that help most, with their
    effect."""
    micro_batch = max(1, config.micro_batch // 2)
    at_once = max(1, (config.sample_batch or config.batch) // 2)
    if not config.gradient_checkpointing:
        third = "gradient_checkpointing=true (activations of one layer at a time, a third more time)"
    elif not config.four_bit:
        third = "four_bit=true (a third of the weights' memory)"
    else:
        third = "fewer max_turns or max_new_tokens with a smaller max_completion_length (all grows with it)"
    return (f"out of memory in step {step} ({str(error).splitlines()[0][:200]}). What helps: "
            f"sample_batch={at_once} (half the keys and values while sampling, the same step, more time); "
            f"micro_batch={micro_batch} instead of {config.micro_batch} (half the activations of the update, "
            f"the same gradient, more passes); {third}. Then go on with --resume; "
            "`rrvf_lab.training.memory.estimate` predicts each.")


def _disk_is_full(folder, error) -> bool:
    """Torch and safetensors do not say that the disk is full, and each uses its own error."""
    return getattr(error, "errno", None) == errno.ENOSPC or shutil.disk_usage(folder).free <= 2**24


def out_of_disk(folder, step: int) -> str:
    """What to say when the disk of a run is full."""
    return (f"no room left on the disk of {folder} in step {step}; make some (du -sh {folder}/*) and go on "
            "with --resume; up to the last checkpoint nothing is lost")
