"""Before a training: could this run learn at all? One batch of the untrained policy, seen from all sides.

    rl.preflight("demo")                  # a table: what was found, ok, warn or stop, and what to do

A run that cannot learn looks much like one that does, for hours: rewards that never differ within a group,
turns that all end at their length limit, pictures that never reach the update. Each is visible in one batch.
So a training looks first, and ends there where a line says stop (`preflight: false` skips it).

The batch is sampled, rendered, judged and rewarded by the trainer itself, at most `MOST` groups of it, and
its loss is the trainer's. Nothing is recorded, no weight moves, and what is sampled afterwards is the same as
without a look.

Left out: whether it will learn. A run that passes may still have too high a learning rate.
"""

from __future__ import annotations

import contextlib
import math
import random
import time
from dataclasses import dataclass

import numpy as np
from PIL import ImageOps

from ..records import cut_share
from .advantages import FLAT
from .memory import GB, estimate

MOST = 4            # groups that are looked at
NUMBERS = 20e6      # of a gradient, that two are compared in
BLIND = 1e-5        # a log-probability or a gradient that changes by less does not depend on the picture
HARDLY = 0.01       # nats a token, or a share of the gradient
VERDICTS = ("ok", "warn", "stop")
SEES = "does the update see its images?"
IMITATE = "imitate good rollouts first (start_from, see configs/sft-nano.yaml)"


class NotReady(RuntimeError):
    """A training that was not started, because a line of its pre-flight says stop."""


@dataclass(frozen=True)
class Line:
    """One question of a pre-flight: what was `found`, the `verdict` ("ok", "warn", "stop"), what to do."""

    question: str
    found: str
    verdict: str = "ok"
    advice: str = ""


@dataclass(frozen=True)
class Preflight:
    """What was found before a training, line by line; it shows itself as a table."""

    lines: tuple[Line, ...]

    @property
    def verdict(self) -> str:
        """The worst of the lines' verdicts."""
        return max((line.verdict for line in self.lines), key=VERDICTS.index)

    def __str__(self):
        return "\n".join(f"{line.verdict:5} {line.question}: {line.found}"
                         + (f"\n      -> {line.advice}" if line.advice else "") for line in self.lines)

    def require(self) -> None:
        """Raises NotReady where a line says stop."""
        if self.verdict == "stop":
            raise NotReady(f"this run would not learn:\n{self}\nTo train all the same: --set preflight=false")


def look(trainer) -> Preflight:
    """Look at one batch of `trainer`, an `RRVFTrainer` that has not trained yet; of several processes all
    take part, and the first one's findings count for all.

    Example: `look(make_trainer(TrainConfig.load("nano"))).verdict`.
    """
    from accelerate.utils import broadcast_object_list, gather_object

    config, processes = trainer.config, trainer.accelerator.num_processes
    groups = min(MOST, config.prompts // processes)
    with _as_it_was(trainer):
        started = time.perf_counter()
        batch, fault = _batch(trainer, groups)
        fault = next(filter(None, gather_object([fault])), None)  # what follows is done by all or by none
        sampled = time.perf_counter() - started
        lines = [*_of_rollouts(trainer.rollouts, config)]
        if fault:
            lines.append(Line(SEES, fault, "stop", "raise max_completion_length"))
            updated = math.nan
        else:
            lines.append(_picture(trainer, batch, groups))
            line, updated = _update(trainer, batch)
            lines.append(line)
    lines += [_memory(config, trainer.model), _time(config, processes, groups, sampled, updated)]
    found = [Preflight(tuple(lines))]
    broadcast_object_list(found)
    return found[0]


def _batch(trainer, groups):
    """(the trainer's own batch for `groups` images, None), or (None, why there is none to update with)."""
    images, processes = trainer.train_dataset, trainer.accelerator.num_processes
    places = np.linspace(0, len(images), groups * processes, endpoint=False).astype(int)
    own = places[trainer.accelerator.process_index::processes]
    examples = [images[int(i)] for i in own for _ in range(trainer.config.group)]
    try:
        return trainer._generate_and_score_completions(examples), None
    except RuntimeError as error:
        if "image features" not in str(error):
            raise
        return None, str(error)


@contextlib.contextmanager
def _as_it_was(trainer):
    """The trainer samples and computes inside; afterwards it is as if it had not."""
    import torch

    chance = random.getstate(), np.random.get_state(), torch.get_rng_state(), _gpu_chance()
    seen, trained = trainer.state.num_input_tokens_seen, trainer.model.training
    trackers, trainer.args.report_to = trainer.args.report_to, []  # TRL would time itself into them
    trainer._record = lambda advantages: None
    trainer.current_gradient_accumulation_steps = trainer.args.gradient_accumulation_steps
    trainer.model.train()
    try:
        yield
    finally:
        del trainer._record
        trainer.args.report_to = trackers
        trainer.model.train(trained)
        trainer.model.zero_grad(set_to_none=True)
        trainer.state.num_input_tokens_seen = seen
        trainer.seconds.clear()
        for counted in trainer._metrics.values():
            counted.clear()
        for logged in trainer._logs.values():
            for one in logged.values() if isinstance(logged, dict) else [logged]:
                one.clear()
        random.setstate(chance[0])
        np.random.set_state(chance[1])
        torch.set_rng_state(chance[2])
        if chance[3]:
            torch.cuda.set_rng_state_all(chance[3])


def _gpu_chance():
    import torch

    return torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []


# ---- what the rollouts say

def _of_rollouts(rollouts, config):
    """The lines on what was sampled."""
    turns = [turn for rollout in rollouts for turn in rollout.turns]
    drafts = [turn for turn in turns if turn.code is not None]
    read = [not (turn.error or "").startswith("parse:") for turn in turns]
    cut = cut_share(rollouts)
    yield _spread(rollouts, config)
    yield _share("do its turns parse?", read, 0.5, f"{IMITATE}; where turns are cut off, raise "
                 f"max_new_tokens={config.max_new_tokens}", "none is a tool call or an answer")
    yield _share("do its programs run?", [turn.ran for turn in drafts], 0.3,
                 f"{IMITATE}, or lower temperature={config.temperature}", "no program drew a picture")
    yield Line("are turns cut off by their length?", f"{cut:.0%} of {len(turns)} end at max_new_tokens="
               f"{config.max_new_tokens}", "ok" if cut <= 0.1 else "warn" if cut <= 0.5 else "stop",
               "" if cut <= 0.1 else f"set max_new_tokens={2 * config.max_new_tokens} and "
               "max_completion_length to match")


def _spread(rollouts, config):
    """Does the judged term differ within groups? Only differences are learnt from."""
    question, each = "does the judge's score vary within groups?", config.group
    spreads = []
    for start in range(0, len(rollouts), each):
        known = [r.reward.vision for r in rollouts[start:start + each] if not math.isnan(r.reward.vision)]
        if len(known) > 1:
            spreads.append(max(known) - min(known))
    alive = sum(spread > FLAT for spread in spreads)
    if not spreads:
        return Line(question, "no group has two scored rollouts", "stop", "the judge gave no scores: try it "
                    "alone, rl.judge(...)")
    found = f"in {alive} of {len(spreads)} groups, by {sum(spreads) / len(spreads):.3f} on average"
    if not alive:
        return Line(question, found, "stop", f"raise temperature={config.temperature}, or {IMITATE}: equal "
                    "scores teach nothing")
    dull = alive < len(spreads) / 2
    return Line(question, found, "warn" if dull else "ok", f"raise temperature={config.temperature} or "
                f"group={config.group}: the other groups teach nothing" if dull else "")


def _share(question, hits, enough, advice, none):
    share = sum(hits) / len(hits) if hits else 0.0
    if not share:
        return Line(question, none, "stop", advice)
    return Line(question, f"{share:.0%} of {len(hits)}", "ok" if share >= enough else "warn",
                "" if share >= enough else advice)


# ---- what the model makes of pictures

def _picture(trainer, batch, groups):
    """Swap the target for another group's wherever a rollout shows it: what becomes of its own words?"""
    first, later = [], []
    for group in range(groups):
        row = max(range(group * trainer.config.group, (group + 1) * trainer.config.group),
                  key=lambda i: batch["num_images"][i])
        one = _rows(batch, [row])
        changed = (_said(trainer, one) - _said(trainer, _swapped(trainer, one, row))).abs()[0]
        for k, turn in enumerate(_turns(one)):
            (later if k else first).append(changed[turn].mean().item())
    question = "do its words depend on the picture?"
    means = [sum(some) / len(some) for some in (first, later) if some]
    found = "; ".join(f"{name} change by {mean:.3f} nats a token" for name, mean in
                      zip(("first turns", "later turns"), means, strict=False)) + " with another target"
    if max(means) < BLIND:
        return Line(question, found, "stop", "the picture does not reach the model: check its processor and "
                    "chat template")
    return Line(question, found, "warn" if min(means) < HARDLY else "ok",
                "the policy hardly looks; expect little from feedback in pictures" if min(means) < HARDLY
                else "")


def _rows(batch, rows):
    """Some rows of a batch, without columns that are padding in all of them."""
    from trl.trainer.utils import split_pixel_values_by_grid, unsplit_pixel_values_by_grid

    from .batches import trimmed

    size, split = len(batch["prompt_ids"]), split_pixel_values_by_grid(batch)
    some = {}
    for name, value in split.items():
        if isinstance(value, list):
            some[name] = [value[i] for i in rows]
        else:
            some[name] = value[rows] if getattr(value, "ndim", 0) and len(value) == size else value
    return trimmed(unsplit_pixel_values_by_grid(some))


def _swapped(trainer, one, row):
    """A rollout whose target is another picture, wherever it is shown."""
    target = trainer.rollouts[row].target
    others = (r.target for r in trainer.rollouts if r.target.tobytes() != target.tobytes())
    other = next(others, ImageOps.invert(target)).resize(target.size)
    pixels = one["pixel_values"].clone()
    new = trainer.processing_class.image_processor(images=[other], return_tensors="pt")["pixel_values"]
    first = pixels[:len(new)].clone()
    start = 0
    for patches in one["image_grid_thw"].prod(-1).tolist():
        if patches == len(first) and bool((pixels[start:start + patches] == first).all()):
            pixels[start:start + patches] = new.to(pixels)
        start += patches
    return one | {"pixel_values": pixels}


def _said(trainer, one):
    """The log-probability of each token of the completions."""
    import torch

    ids, mask = (torch.cat([one[f"prompt_{what}"], one[f"completion_{what}"]], 1) for what in ("ids", "mask"))
    shown = {name: one[name] for name in ("pixel_values", "image_grid_thw", "num_images", "mm_token_type_ids")
             if name in one}
    with torch.no_grad():
        return trainer._get_per_token_logps_and_entropies(
            trainer.model, ids, mask, one["completion_ids"].shape[1], **shown)[0]


def _turns(one):
    """Which tokens of a completion each turn wrote, as masks, turn by turn."""
    wrote = (one["completion_mask"] * one.get("tool_mask", 1)).bool()[0]
    starts = wrote & ~wrote.roll(1)
    starts[0] = wrote[0]
    number = starts.cumsum(0)
    return [wrote & (number == k) for k in range(1, int(number[-1]) + 1)]


def _update(trainer, batch):
    """(the line, seconds of a backward pass): the gradient of the longest micro-batch, with and without
    pixels."""
    import torch

    order = sorted(range(len(batch["num_images"])), key=lambda i: -batch["num_images"][i])
    part = _rows(batch, order[:trainer.config.micro_batch])
    part["advantages"] = torch.ones_like(part["advantages"])  # of equal rewards there would be no gradient
    blind = {name: value for name, value in part.items() if name not in ("pixel_values", "image_grid_thw")}
    blind["mm_token_type_ids"] = torch.zeros_like(part["mm_token_type_ids"])
    started = time.perf_counter()
    seeing = _gradient(trainer, part)
    seconds = time.perf_counter() - started
    unseeing = _gradient(trainer, blind)
    size = max(seeing.norm().item(), unseeing.norm().item()) or 1.0
    change = (seeing - unseeing).norm().item() / size
    found = f"without pixels the gradient changes by {change:.0%} of its size"
    if not change >= BLIND:
        return Line(SEES, found, "stop", "pixels do not reach the loss: check the versions of trl and "
                    "transformers"), seconds
    return Line(SEES, found, "ok" if change >= HARDLY else "warn",
                "" if change >= HARDLY else "the pictures hardly matter to what is learnt"), seconds


def _gradient(trainer, part):
    """The gradient of the trainer's loss, its first numbers, as one vector."""
    import torch

    model, checkpointing = trainer.model, trainer.args.gradient_checkpointing
    model.zero_grad(set_to_none=True)
    if checkpointing:
        model.gradient_checkpointing_enable(trainer.args.gradient_checkpointing_kwargs)
    with trainer.compute_loss_context_manager():
        trainer.compute_loss(model, part).backward()
    if checkpointing:
        model.gradient_checkpointing_disable()
    parts, numbers = [], 0
    for weight in model.parameters():
        if weight.requires_grad and numbers < NUMBERS:
            gradient = torch.zeros_like(weight) if weight.grad is None else weight.grad
            parts.append(gradient.float().flatten())
            numbers += weight.numel()
    return torch.cat(parts)


# ---- what it will cost

def _memory(config, model):
    import psutil
    import torch

    peak = estimate(config, model.config).peak
    there = (torch.cuda.get_device_properties(model.device).total_memory if model.device.type == "cuda"
             else psutil.virtual_memory().total) / GB
    found = f"{peak:.1f} GB predicted of {there:.0f} GB"
    if peak < 0.9 * there:
        return Line("will it fit the memory?", found)
    return Line("will it fit the memory?", found, "warn", "rrvf_lab.training.memory.estimate says which part "
                "is large; sample_batch and micro_batch help first")


def _time(config, processes, groups, sampled, updated):
    passes = config.divide(processes)
    step = sampled * config.prompts / (processes * groups) + (0 if math.isnan(updated) else updated) * passes
    found = (f"about {step / 60:.1f} minutes a step, {config.steps * step / 3600:.1f} hours for "
             f"{config.steps} steps without evaluations (measured: {sampled:.0f} s for "
             f"{groups * config.group} rollouts, {updated:.1f} s a backward pass)")
    return Line("how long will it take?", found)
