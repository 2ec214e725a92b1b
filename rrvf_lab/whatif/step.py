"""One recorded step of GRPO under another rule: advantages and each token's part of the loss, side by side.

Nothing is sampled, rendered or judged. So it says what the same rollouts would have been worth to the update,
not what the policy would have written next.

Left out: several updates on one step's rollouts. In the first one every ratio is 1 and clipping does nothing;
with a later policy (`after`) the ratios are real.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from ..nano.loading import load_processor_of
from ..records.statistics import SEED
from ..records.store import Rollouts
from ..reward import RewardWeights, reward
from ..training.runs import Run
from .recorded import group_of, rollout_at, rollouts_of, weights_of
from .setting import Setting, scale_of, sign, terms
from .tokens import holding, spoken, token_logprobs, tokens_of

DRAWS = 200  # of smaller groups
OTHER = {"loss_type": "dapo", "beta": 0.0, "delta": None, "num_iterations": 1,
         "importance_sampling_level": "token", "multi_objective_aggregation": "sum_then_normalize"}


def what_if(run, step: int | None = None, *, weights: RewardWeights | None = None, scale: str | None = None,
            baseline: str | None = None, clip=None, group: int | None = None, policy=None,
            after=None) -> WhatIf:
    """A recorded step as it was trained on, and under a changed rule; what is not given stays as recorded.

    Args:
        run: a `Run`, its folder, or rollouts of one step; `step` is its last one by default.
        weights: of the reward, computed again from the recorded turns.
        scale, baseline: of `advantages` ("group", "batch", "none"; "mean", "leave-one-out", "batch", "none").
        clip: how far a ratio may fall below and rise above 1, one number or (low, high).
        group: rollouts of a group, at least 2, fewer than recorded; means over 200 draws of so many.
        policy, after: `ModelPolicy`s, the one that wrote and a later one; their ratio is each token's.
            Without `after` it is 1, as in a step's first update. Without `policy` tokens are counted with the
            run's tokenizer, and a bare recording has none.

    Raises ValueError for no such step, rollouts of several, an unknown scale or baseline, a group that is too
    large.

    Example: `what_if("runs/demo", 3, scale="none", baseline="leave-one-out").table()`.
    """
    run = Run(run) if isinstance(run, (str, Path)) else run
    rollouts = _of_step(run, step)
    config = run.config if isinstance(run, Run) else None
    groups = [group_of(rollout) for rollout in rollouts]
    old, notes = _recorded(run, config, rollouts, groups)
    clip = (clip, clip) if isinstance(clip, (int, float)) else clip
    given = {"weights": weights, "scale": scale, "baseline": baseline, "clip": clip, "group": group}
    new = replace(old, **{name: value for name, value in given.items() if value is not None})
    tokens, more = _tokens(config, rollouts, policy, after)
    ratios = tokens and [np.ones(len(one)) if one.before is None else np.exp(one.change) for one in tokens]
    if clip is not None and ratios and all((one == 1).all() for one in ratios):
        more.append("Every ratio is 1, as in a step's first update: clipping changes nothing. Give policy= "
                    "and after= (two checkpoints) to see where it would.")
    totals = np.array([rollout.reward.total if rollout.reward else np.nan for rollout in rollouts])
    told = [rollout.info.get("advantage") for rollout in rollouts]
    was = _outcome(old, totals, groups, ratios, None if None in told else np.array(told))
    if weights is not None:
        totals = np.array([reward(rollout, weights).total for rollout in rollouts])
    now, flips = _changed(new, totals, groups, ratios, was.advantages)
    return WhatIf(rollouts, groups, was, now, flips, tokens, notes + more)


@dataclass(frozen=True)
class Outcome:
    """What one setting makes of a step: `totals` (rewards) and `advantages` of its rollouts, `terms` (each
    token's part of the loss) and `stopped` (whether clipping takes its gradient away), an array for each
    rollout or None where tokens are not known."""

    setting: Setting
    totals: np.ndarray
    advantages: np.ndarray
    terms: list | None = None
    stopped: list | None = None

    @property
    def loss(self) -> float:
        """The loss of the step; NaN where tokens are not known. Where every ratio is 1 its value says little:
        a token's part, turned round, is what its log-probability is pushed by."""
        return float(sum(map(np.sum, self.terms))) if self.terms else np.nan


@dataclass(frozen=True, repr=False)
class WhatIf:
    """What `what_if` found: `recorded` and `changed` outcomes of the same `rollouts`, `flips` (the share of
    draws in which a rollout's push turns round: 0 or 1 where no smaller group is drawn), `tokens`
    (`TokenLogprobs` of each, or None), `notes` on what to mind."""

    rollouts: list
    groups: list
    recorded: Outcome
    changed: Outcome
    flips: np.ndarray
    tokens: list | None
    notes: list = field(default_factory=list)

    def __repr__(self):
        return (f"WhatIf({len(self.rollouts)} rollouts, {self.flips.mean():.0%} pushed the other way, loss "
                f"{self.recorded.loss:.4f} -> {self.changed.loss:.4f})")

    @property
    def formulas(self) -> str:
        """Both rules as Markdown with LaTeX; what did not change stands once."""
        lines = []
        old, new = self.recorded.setting.formulas(), self.changed.setting.formulas()
        for name in old:
            same = old[name] == new[name]
            lines += [f"**{name}**" + (" (both)" if same else ", recorded"), f"$${old[name]}$$"]
            lines += [] if same else [f"**{name}**, changed", f"$${new[name]}$$"]
        return "\n\n".join(lines)

    def table(self):
        """A frame, one row for each rollout: rewards, advantages, share of draws in which the push turns
        round, tokens written, and the loss of its tokens; "new" is under the changed setting."""
        import pandas as pd

        old, new = self.recorded, self.changed
        nothing = [np.nan] * len(self.rollouts)

        def sums(outcome):
            return [part.sum() for part in outcome.terms] if outcome.terms else nothing

        return pd.DataFrame({
            "group": self.groups, "id": [rollout.id for rollout in self.rollouts],
            "reward": old.totals, "reward new": new.totals,
            "advantage": old.advantages, "advantage new": new.advantages, "turned round": self.flips,
            "tokens": [len(one) for one in self.tokens] if self.tokens else nothing,
            "loss": sums(old), "loss new": sums(new)})

    def of_tokens(self, i: int):
        """A frame, one row for each token that rollout i wrote: its ratio, its part of the loss under both
        settings, and whether clipping stops it. Raises ValueError where tokens are not known."""
        if self.tokens is None:
            raise ValueError("the tokens of a bare recording are not known; give the policy that wrote them: "
                             "what_if(..., policy=load_policy('nano'))")
        frame = self.tokens[i].table()
        frame["ratio"] = np.exp(frame["change"]) if "change" in frame else 1.0
        for name, outcome in (("", self.recorded), (" new", self.changed)):
            frame[f"loss{name}"], frame[f"stopped{name}"] = outcome.terms[i], outcome.stopped[i]
        return frame


# ---- the recorded step

def _of_step(run, step):
    """The rollouts of one step."""
    if isinstance(run, Run):
        if not len(run):
            raise ValueError(f"{run.path} has recorded no rollouts yet")
        steps = run.index["step"]
        step = int(steps.max()) if step is None else step
        found = [rollout_at(run, int(k)) for k in np.flatnonzero(steps == step)]
    else:
        some = run.where(step=step) if isinstance(run, Rollouts) and step is not None else rollouts_of(run)
        found = [rollout_at(some, i) for i in range(len(some))]
        found = [one for one in found if step is None or one.info.get("step") == step]
    if not found:
        raise ValueError(f"no rollouts of step {step} were recorded")
    steps = sorted({one.info.get("step", 0) for one in found})
    if len(steps) > 1:
        raise ValueError(f"rollouts of {len(steps)} steps, which share no baseline; choose one: "
                         f"what_if(rollouts, step={steps[0]})")
    return found


def _recorded(run, config, rollouts, groups):
    """(the setting of the recorded step, notes): a run's own, else what its numbers tell."""
    weights, notes = weights_of(run if isinstance(run, Run) else rollouts), []
    if config:
        low = config.trl.get("epsilon", 0.2)
        high = config.trl.get("epsilon_high")
        other = [f"{name}={config.trl[name]}" for name, usual in OTHER.items()
                 if config.trl.get(name, usual) != usual]
        if other:
            notes.append(f"The run was trained with {', '.join(other)}, which these loss terms leave out.")
        return Setting(weights, config.scale_rewards, clip=(low, low if high is None else high)), notes
    told = [rollout.info.get("advantage") for rollout in rollouts]
    if None in told or not all(rollout.reward for rollout in rollouts):
        return Setting(weights), ["No advantages were recorded; those of GRPO's own rule stand for them."]
    scale = scale_of([rollout.reward.total for rollout in rollouts], groups, told)
    if scale is None:
        notes.append("The recorded advantages do not follow from these rewards by any scale known here: "
                     "rollouts may be missing, or the rewards are not those it was trained with.")
    return Setting(weights, scale or "group"), notes


def _tokens(config, rollouts, policy, after):
    """(`TokenLogprobs` of each rollout or None, notes)."""
    if after is not None and policy is None:
        raise ValueError("after= needs policy=, the one that wrote: a ratio is of two")
    heat = config.temperature if config else policy and holding(policy).temperature or 1.0
    turns = config.max_turns if config else None
    if policy is not None:
        turns = tokens_of(holding(policy).processor, rollouts, turns).max_turns
        old = [token_logprobs(policy, one, heat, turns) for one in rollouts]
        if after is None:
            return old, []
        return [token_logprobs(after, one, heat, turns).since(before)
                for one, before in zip(rollouts, old, strict=True)], []
    if config is None:
        return None, ["Tokens are not known without a policy: give policy=load_policy(...) for the loss."]
    try:
        processor, nano = load_processor_of(config.model, config.max_image_tokens)
    except (OSError, ValueError) as error:
        return None, [f"Tokens are not known: {error}"]
    tokens = tokens_of(processor, rollouts, turns, nano)
    return [spoken(processor, tokens.row(one)) for one in rollouts], []


# ---- what a setting makes of it

def _outcome(setting, totals, groups, ratios, told=None):
    """The outcome of one setting, with the advantages that were `told` where they are known."""
    pushes = setting.advantages(totals, groups) if told is None else told
    parts, stopped = (None, None) if ratios is None else terms(pushes, ratios, setting.clip)
    return Outcome(setting, totals, pushes, parts, stopped)


def _changed(setting, totals, groups, ratios, before):
    """(the outcome of the changed setting, the share of draws in which each push turns round)."""
    if setting.group is None:
        now = _outcome(setting, totals, groups, ratios)
        return now, (sign(now.advantages) * sign(before) < 0).astype(float)
    members = [np.flatnonzero([label == one for label in groups]) for one in dict.fromkeys(groups)]
    smallest = min(map(len, members))
    if not 2 <= setting.group <= smallest:
        raise ValueError(f"group={setting.group}: the recorded groups have {smallest} rollouts; choose from "
                         f"2 to {smallest}")
    random, n = np.random.default_rng(SEED), len(totals)
    drawn, pushes, turned = np.zeros(n), np.zeros(n), np.zeros(n)
    parts = ratios and [np.zeros(len(one)) for one in ratios]
    stopped = ratios and [np.zeros(len(one)) for one in ratios]
    for _ in range(DRAWS):
        some = np.concatenate([random.choice(one, setting.group, replace=False) for one in members])
        here = _outcome(setting, totals[some], [groups[i] for i in some],
                        ratios and [ratios[i] for i in some])
        drawn[some] += 1
        pushes[some] += here.advantages
        turned[some] += sign(here.advantages) * sign(before[some]) < 0
        for place, i in enumerate(some if ratios else ()):
            parts[i] += here.terms[place]
            stopped[i] += here.stopped[place]
    drawn = np.maximum(drawn, 1)
    if ratios:
        parts, stopped = ([one / count for one, count in zip(some, drawn, strict=True)]
                          for some in (parts, stopped))
    return Outcome(setting, totals, pushes / drawn, parts, stopped), turned / drawn
