"""The policies that a run left behind, by step, each loaded when it is asked for.

Left out: choosing rollouts that a later policy would have played; a curve asks all of them about the same.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from dataclasses import replace

from ..policy import load_policy
from ..records.store import load_rollouts
from ..training.runs import Run


def checkpoints_of(run: Run) -> dict[int, Callable]:
    """{step: function that loads the policy}: untrained (0), then every whole checkpoint; where none is left,
    the adapter or model that the run ended with. A run keeps the last `keep_checkpoints` of its settings.

    Raises FileNotFoundError for a folder without settings or without any trained weights.

    Example: `checkpoints_of(Run("runs/demo"))[0]()`.
    """
    config = run.config
    if config is None:
        raise FileNotFoundError(f"{run.path} has no config.json, so it is no run folder; probe a policy on "
                                "its rollouts: rl.probe(rl.load_policy(name), folder)")
    saved = {int(path.name.split("-")[1]): path for path in run.path.glob("checkpoint-*") if _whole(path)}
    last = run.path / ("adapter" if config.lora_rank else "model")
    if not saved and last.is_dir():
        saved = {config.steps: last}
    if not saved:
        raise FileNotFoundError(f"no checkpoint in {run.path}; one is written every save_steps="
                                f"{config.save_steps} steps: python -m rrvf_lab.train {run.path} --resume")
    start = replace(config, start_from=config.first.output) if config.first else config
    found = {0: functools.partial(_loaded, config, start.adapter)}
    return found | {step: functools.partial(_loaded, config, path) for step, path in sorted(saved.items())}


def gone(run: Run, steps) -> tuple[str, ...]:
    """What to mind of a curve over `steps`: how many checkpoints the run wrote and did not keep.

    Example: `gone(Run("runs/demo"), [0, 60, 64])`.
    """
    config, last = run.config, max(steps)
    wrote = len({*range(config.save_steps, last + 1, config.save_steps), last})
    there = len([step for step in steps if step])
    if there >= wrote or config.keep_checkpoints is None:
        return ()
    return (f"The run wrote {wrote} checkpoints and {there} of them are left; a run with "
            "keep_checkpoints=null keeps all (rl.start(..., keep_checkpoints=None)).",)


def _whole(checkpoint) -> bool:
    """Whether a checkpoint was written to its end."""
    try:
        json.loads((checkpoint / "trainer_state.json").read_text())
    except (OSError, ValueError):
        return False
    return True


def _loaded(config, weights):
    """The policy of a run with these weights, an adapter or with `lora_rank` 0 a model; None: untrained.

    The adapter of a checkpoint names its base by where that lay; the run's settings name it for good.
    """
    whole = weights is not None and not config.lora_rank
    policy = load_policy(str(weights) if whole else config.model, None, config.four_bit,
                         max_new_tokens=config.max_new_tokens, max_image_tokens=config.max_image_tokens)
    if weights is not None and not whole:
        from peft import PeftModel

        policy.model = PeftModel.from_pretrained(policy.model, weights).eval()
    return policy


def rollouts_of_run(run: Run):
    """The held-out rollouts that were evaluated before a run, else those that it sampled.

    Example: `rollouts_of_run(Run("runs/demo"))`.
    """
    try:
        before = load_rollouts(run.path / "evaluation").where(name="before")
    except FileNotFoundError:
        before = ()
    return before or run
