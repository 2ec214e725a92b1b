"""Rollouts from wherever they come, one at a time, and the weights that their rewards were made with.

A recording whose picture of a render is gone (a copy without `images/`, a full disk) still gives its
rollouts: such a turn has code, and neither picture nor error.

Left out: targets that are gone. Without one there is nothing to compare with.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..records.store import Rollouts, load_rollouts
from ..records.weights import weights_said
from ..reward import RewardWeights
from ..rollout import Rollout
from ..training.runs import Run


def rollouts_of(some) -> Sequence:
    """The rollouts of a folder, a `Run`, a `Report`, a list, or one `Rollout`, as a sequence.

    Raises FileNotFoundError for a folder without any, TypeError for something else, ValueError for none.

    Example: `rollouts_of("data/rollouts/group")[0]`.
    """
    if isinstance(some, (str, Path)):
        some = load_rollouts(some)
    some = [some] if isinstance(some, Rollout) else getattr(some, "rollouts", some)  # of a Report
    if not isinstance(some, Sequence):
        raise TypeError("give a folder of recorded rollouts, a Run, a Report or a list of rollouts, not "
                        f"{type(some).__name__}")
    if not len(some):
        raise ValueError("no rollouts; record some with: python -m rrvf_lab.train demo")
    return some


def rollout_at(rollouts, i: int) -> Rollout:
    """Rollout i of `rollouts`; where the picture of a render is gone, its turn has none (see `lost`).

    Raises FileNotFoundError where its target is gone.
    """
    try:
        return rollouts[i]
    except FileNotFoundError:
        row = dict(rollouts.row(i) if isinstance(rollouts, Run) else rollouts.rows[i])
    there = {path.stem for path in (rollouts.folder / "images").glob("*.png")}
    if row["target"] not in there:
        raise FileNotFoundError(f"the target of rollout {i} ({row['id']}) is gone: {rollouts.folder}/images/"
                                f"{row['target']}.png; copy the recording with its images/")
    row["turns"] = [_known(turn, there) for turn in row["turns"]]
    return Rollouts([row], rollouts.folder)[0]


def _known(turn, there):
    """A stored turn, its picture taken away where it is not there."""
    rendering = turn.get("rendering")
    gone = rendering and rendering["image"] is not None and rendering["image"] not in there
    return turn | {"rendering": rendering | {"image": None}} if gone else turn


def lost(turn) -> bool:
    """Whether a turn's picture is missing: it wrote code, and there is neither picture nor error."""
    return turn.code is not None and not turn.ran and not (turn.rendering and turn.rendering.error)


def weights_of(rollouts) -> RewardWeights:
    """The weights that recorded rewards were made with: a run's settings', else what the sentences of the
    first reward say (all but `enough`), else the defaults.

    Example: `weights_of(Run("runs/demo")).tool`.
    """
    if isinstance(rollouts, Run) and rollouts.config:
        return RewardWeights(**rollouts.config.reward)
    rows = rollouts.rows if isinstance(rollouts, Rollouts) else None
    rewards = (row["reward"] for row in rows) if rows else (rollout.reward for rollout in rollouts)
    first = next(filter(None, rewards), None)
    reasons = (first["reasons"] if rows else first.reasons) if first else ()
    return RewardWeights(**weights_said(reasons))


def group_of(rollout):
    """What tells groups apart across steps: the step and group of a training, else the image's id."""
    if "group" in rollout.info:
        return rollout.info.get("step"), rollout.info["group"]
    return rollout.id
