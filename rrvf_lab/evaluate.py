"""Run a policy over images, and say what it scored: execution and vision after each turn, with n and standard errors.

Gains between turns are split the way they matter: a crash repaired, better, worse, or the same code again. The paper's
gain is mostly executability, so quality is also given over executed renders alone.

Left out: the benchmarks' own metrics, which need reference code.
"""

from __future__ import annotations

import html
import math
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from .environment import play_many
from .rollout import Recorder, Rollout, load_rollouts


@dataclass
class Report:
    """Rollouts of one policy over one set of images, and what they add up to.

    `summary` has exec, vision (mean over all, failures count 0), vision_executed, se, n, score and exec after each turn,
    and the split of later turns. Unscored rollouts (NaN) are counted in `unscored` and left out of the means.
    """

    rollouts: list[Rollout]
    summary: dict = field(default_factory=dict)

    def table(self):
        """A pandas frame, one row for each rollout: id, language, score after each turn, final score, renders."""
        import pandas as pd

        rows = []
        for r in self.rollouts:
            row = {"id": r.id, "language": r.language, "vision": r.reward.vision, "exec": ran(r), "renders": len(r.drafts)}
            row |= {f"turn {k}": turn.score for k, turn in enumerate(r.drafts, 1)}
            rows.append(row)
        return pd.DataFrame(rows)

    def by(self, key) -> dict:
        """The summary of each part of the rollouts: `report.by(lambda r: r.id[:4])`."""
        groups = {}
        for r in self.rollouts:
            groups.setdefault(key(r), []).append(r)
        return {name: summarise(part) for name, part in sorted(groups.items())}

    def plot(self):
        """A matplotlib figure: the distribution of final scores, and the mean score after each turn."""
        from .plots import scores

        return scores(self)

    def __repr__(self):
        s = self.summary
        return f"Report(n={s['n']}, exec {s['exec']:.0%}, vision {s['vision']:.3f} +- {s['se']:.3f})"

    def _repr_html_(self):
        worst = sorted(self.rollouts, key=lambda r: r.reward.vision)
        shown = [worst[0], worst[len(worst) // 2], worst[-1]] if len(worst) > 2 else worst
        strip = "".join(r._repr_html_() for r in shown)
        rows = "".join(f"<tr><td>{html.escape(str(k))}</td><td>{html.escape(_short(v))}</td></tr>" for k, v in self.summary.items())
        return (f"<p><b>{html.escape(repr(self))}</b>; below: the lowest, the median and the highest score</p>{strip}"
                f"<details><summary>all numbers</summary><table>{rows}</table></details>")


def _short(value):
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def ran(rollout: Rollout) -> float:
    """1.0 when the final code drew a picture, else 0.0."""
    return float(rollout.final is not None and rollout.final.ran)


def evaluate(policy, images, max_turns: int = 3, record=None, name: str = "evaluation", resume: bool = False,
             batch: int = 32, **environment) -> Report:
    """Play one rollout for each image and add them up.

    `images` is what `load_images` gives, or any sequence of its rows. `record` is a folder to store the rollouts in;
    with `resume` a finished recording there is read instead of played again. `environment` goes to `Environment`.

    Example: `evaluate(load_policy("nano"), load_images("data/charts/test"), max_turns=2).summary["vision"]`.
    """
    from tqdm.auto import tqdm

    if record is not None and resume and (Path(record) / f"{name}.jsonl").exists():
        rollouts = [r for r in load_rollouts(record) if r.info.get("name") == name]
        return Report(rollouts, summarise(rollouts))
    rollouts = []
    with tqdm(total=len(images), desc=name) as bar:
        for start in range(0, len(images), batch):
            rows = [images[i] for i in range(start, min(start + batch, len(images)))]
            rollouts += play_many(policy, rows, max_turns, **environment)
            bar.update(len(rows))
    if record is not None:
        for rollout in rollouts:
            rollout.info["name"] = name
        Recorder(record).write(name, rollouts)
    return Report(rollouts, summarise(rollouts))


def summarise(rollouts) -> dict:
    """Means over rollouts; see `Report`."""
    vision = np.array([r.reward.vision for r in rollouts])
    scored = vision[~np.isnan(vision)]
    executed = np.array([r.reward.vision for r in rollouts if ran(r) and not math.isnan(r.reward.vision)])
    out = {"vision": _mean(scored), "se": _se(scored), "exec": _mean([ran(r) for r in rollouts]), "n": len(rollouts),
           "unscored": int(np.isnan(vision).sum()), "vision_executed": _mean(executed), "n_executed": len(executed),
           "renders": _mean([len(r.drafts) for r in rollouts]),
           "tool_calls": _mean([sum(t.action == "render" for t in r.turns) for r in rollouts])}
    turns = max((len(r.turns) for r in rollouts), default=0)
    for k in range(turns):
        # the score so far: a rollout that ended earlier keeps what it had
        so_far = np.array([_score_after(r, k) for r in rollouts])
        out[f"vision_turn_{k + 1}"] = _mean(so_far[~np.isnan(so_far)])
    out["second_turn"] = second_turn(rollouts)
    return out


def _score_after(rollout, k):
    drafts = [turn for turn in rollout.turns[:k + 1] if turn.code is not None]
    if k >= len(rollout.turns) - 1:
        return rollout.reward.vision
    return drafts[-1].score if drafts else 0.0


def second_turn(rollouts) -> dict:
    """What came of the turns after the first draft: how many crashes were repaired, how many got better, worse, copied.

    `gain_ran` is the paired gain, with its standard error, over rollouts whose first draft already ran.
    """
    counts = dict.fromkeys(("repaired", "still_broken", "broken", "better", "worse", "copied", "kept"), 0)
    gains = []
    for r in rollouts:
        if not r.drafts:
            continue
        first, final = r.drafts[0], r.final
        if not first.ran:
            counts["repaired" if final.ran else "still_broken"] += 1
            continue
        gains.append(r.reward.vision - first.score)
        if final is first:
            counts["kept"] += 1
        elif final.code == first.code:
            counts["copied"] += 1
        elif not final.ran:
            counts["broken"] += 1
        else:
            counts["better" if final.score > first.score else "worse"] += 1
    gains = np.array([g for g in gains if not math.isnan(g)])
    return counts | {"gain_ran": _mean(gains), "gain_ran_se": _se(gains), "n_ran": len(gains)}


def paired(before, after) -> dict:
    """The paired gain of `after` over `before` (lists of rollouts of the same images) with its standard error and n."""
    after = {r.id: r for r in after}
    gain = np.array([after[r.id].reward.vision - r.reward.vision for r in before if r.id in after])
    gain = gain[~np.isnan(gain)]
    return {"gain": _mean(gain), "gain_se": _se(gain), "gain_n": len(gain)}


def compare(before: Report, after: Report) -> dict:
    """Two reports over the same images, side by side: their summaries and the paired gain."""
    return {"before": before.summary, "after": after.summary} | paired(before.rollouts, after.rollouts)


def _mean(values):
    return float(np.mean(values)) if len(values) else math.nan


def _se(values):
    return float(np.std(values, ddof=1) / math.sqrt(len(values))) if len(values) > 1 else math.nan
