"""What the rollouts of one evaluation add up to: execution, score, every turn, each measured number, with
intervals.

Failures count 0 unless a line says otherwise; rollouts without a verdict are left out of every mean and
counted.

Left out: pictures and pages of a report (`show`), benchmarks' own tables (`benchmarks`).
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..rollout import Rollout
from ..talk import CUT
from .comparison import Comparison
from .metrics import numbers_of
from .statistics import estimate, frame, interval, known, mean, share, standard_error

STYLES = {"execution rate": "{:.1%}", "ended with an answer": "{:.1%}", "malformed turns, share": "{:.1%}",
          "turns cut off at the length limit, share": "{:.1%}", "renders": "{:.2f}", "tool calls": "{:.2f}"}


@dataclass
class Report:
    """Rollouts of one policy over one set of images, and what they add up to.

    `summary` has exec, vision (mean over all, failures count 0), vision_executed, se, n, the score after each
    turn, the shares answered (rollouts that ended with an answer), malformed (turns) and cut (turns that the
    length limit kept from being read, a part of the malformed ones), and the split of later turns. Unscored
    rollouts (NaN) are counted in `unscored` and left out of the means. `undone` maps the ids that the policy
    failed on to why; they are in no number.

    Example: `Report(load_rollouts("runs/demo/evaluation").where(name="after")).numbers()`.
    """

    rollouts: list[Rollout]
    summary: dict = field(default_factory=dict)
    undone: dict = field(default_factory=dict)

    def __post_init__(self):
        self.rollouts = list(self.rollouts)  # a recording decodes its pictures each time it is read
        self.summary = self.summary or _summary(self.rollouts)

    def table(self):
        """A pandas frame, one row for each rollout: id, language, kind, final and turns' scores, renders,
        metrics."""
        import pandas as pd

        rows = [{"id": r.id, "language": r.language, "kind": r.info.get("kind"), "vision": r.reward.vision,
                 "exec": float(r.ran), "renders": len(r.drafts)}
                | {f"turn {k}": turn.score for k, turn in enumerate(r.drafts, 1)} | numbers_of(r)
                for r in self.rollouts]
        table = pd.DataFrame(rows)
        has_kinds = "kind" in table and table["kind"].notna().any()
        return table if has_kinds else table.drop(columns="kind", errors="ignore")

    def numbers(self):
        """A pandas frame: each measure's value, 95 % interval (low, high) and n; shares and scores in [0, 1].
        """
        rs = self.rollouts
        shares = {"execution rate": [r.ran for r in rs], "ended with an answer": [_answered(r) for r in rs]}
        rows = {"vision score": [r.reward.vision for r in rs],
                "vision score, executed only": [r.reward.vision if r.ran else math.nan for r in rs]}
        rows |= {
            f"vision score after turn {k}": [score_after(r, k) for r in rs] for k in range(1, turns(rs) + 1)
        }
        rows |= {"renders": [len(r.drafts) for r in rs], "tool calls": [_tool_calls(r) for r in rs]}
        measured = [numbers_of(r) for r in rs]
        for name in dict.fromkeys(name for row in measured for name in row):
            rows[name] = [row.get(name, math.nan) for row in measured]
        rows["malformed turns, share"] = [_malformed(r) for r in rs]
        if self.summary["cut"]:
            rows["turns cut off at the length limit, share"] = [cut_share([r]) for r in rs]
        return frame([{"measure": name} | share(hits) for name, hits in shares.items()]
                     + [{"measure": name} | estimate(values) for name, values in rows.items()], "measure")

    def per(self, what="kind"):
        """A pandas frame of scores with 95 % intervals and n, for each "kind", "turn" or "part", or
        key(rollout).

        By turn: the score so far, how many wrote a program in that turn, how many were malformed, and the
        paired change to the turn before. By part: the judge's parts of the final render, over those that ran.
        Raises ValueError where no rollout has a kind.

        Example: `report.per(lambda r: r.id[:4])`.
        """
        if what == "turn":
            return self._per_turn()
        if what == "part":
            return self._per_part()
        if what == "kind":
            if not any("kind" in r.info for r in self.rollouts):
                raise ValueError(
                    "these rollouts have no kind (the images had no such column); give a function: "
                    "report.per(lambda r: r.id[:4])"
                )
            return self._per_key(lambda r: r.info.get("kind"))
        if not callable(what):
            raise ValueError(f"per({what!r}): give 'kind', 'turn', 'part' or a function of a rollout")
        return self._per_key(what)

    def _per_turn(self):
        rows, before = [], None
        for k in range(1, turns(self.rollouts) + 1):
            so_far = np.array([score_after(r, k) for r in self.rollouts])
            there = [r.turns[k - 1] for r in self.rollouts if len(r.turns) >= k]
            change = estimate(so_far - before if before is not None else [])
            rows.append(
                {"turn": k}
                | estimate(so_far)
                | {
                    "wrote": sum(turn.code is not None for turn in there),
                    "malformed": sum(map(_unread, there)),
                    "change": change["value"],
                    "change_low": change["low"],
                    "change_high": change["high"],
                }
            )
            before = so_far
        return frame(rows, "turn")

    def _per_part(self):
        parts = [r.final.verdict.parts if r.ran else {} for r in self.rollouts]
        names = dict.fromkeys(name for row in parts for name in row)
        return frame(
            [{"part": name} | estimate([row.get(name, math.nan) for row in parts]) for name in names], "part"
        )

    def _per_key(self, key):
        groups = {}
        for r in self.rollouts:
            groups.setdefault(str(key(r)), []).append(r)
        return frame(
            [
                {"kind": name}
                | estimate([r.reward.vision for r in some])
                | {"exec": mean([r.ran for r in some])}
                for name, some in sorted(groups.items())
            ],
            "kind",
        )

    def compare(self, other: Report) -> Comparison:
        """What changed from this report to `other`, paired by image id; see `Comparison`.

        Raises ValueError when they share no id. Example: `before.compare(after).effect`.
        """
        return Comparison.of(self, other)

    def shown(self):
        """`numbers` as text: measure, value, 95 % interval, n."""
        import pandas as pd

        rows = []
        for name, row in self.numbers().iterrows():
            style = STYLES.get(name, "{:.3f}")
            sure = "" if math.isnan(row.low) else f"{style.format(row.low)} to {style.format(row.high)}"
            value = style.format(row.value) if row.n else "none"
            rows.append({"measure": name, "value": value, "95 % interval": sure, "n": int(row.n)})
        return pd.DataFrame(rows)

    def to_csv(self, path) -> Path:
        """One row for each item, for other tools. Example: `report.to_csv("scores.csv")`."""
        self.table().to_csv(path, index=False)
        return Path(path)

    def to_markdown(self) -> str:
        """The numbers with intervals and n, as a Markdown table."""
        shown = self.shown()
        rows = [list(shown.columns), ["---"] * len(shown.columns), *shown.astype(str).values.tolist()]
        return "\n".join("| " + " | ".join(row) + " |" for row in rows) + "\n"

    def to_latex(self) -> str:
        """The numbers with intervals and n, as a LaTeX tabular with booktabs' rules."""
        return self.shown().to_latex(index=False, escape=True, column_format="lrlr")

    def __repr__(self):
        s, (low, high) = self.summary, interval([r.reward.vision for r in self.rollouts])
        undone = f", {len(self.undone)} undone" if self.undone else ""
        vision = f"{s['vision']:.3f} [{low:.3f}, {high:.3f}]"
        return f"Report(n={s['n']}, exec {s['exec']:.0%}, vision {vision}{undone})"


# -------------------------------------------------------------------------------------------- of the rollouts

def turns(rollouts) -> int:
    """The most turns of any rollout."""
    return max((len(r.turns) for r in rollouts), default=0)


def score_after(rollout: Rollout, k: int) -> float:
    """The score after k turns: a rollout that ended earlier keeps what it had; 0 before the first draft."""
    if k >= len(rollout.turns):
        return rollout.reward.vision
    drafts = [turn for turn in rollout.turns[:k] if turn.code is not None]
    return drafts[-1].score if drafts else 0.0


def _answered(rollout):
    return float(rollout.answer is not None)


def _tool_calls(rollout):
    return sum(turn.action == "render" for turn in rollout.turns)


def _malformed(rollout):
    return sum(map(_unread, rollout.turns)) / max(1, len(rollout.turns))


def _unread(turn):
    return (turn.error or "").startswith("parse:")


def cut_share(rollouts) -> float:
    """The share of turns that their length limit kept from being read; 0 without turns."""
    turns = [turn for rollout in rollouts for turn in rollout.turns]
    return sum((turn.error or "").startswith(CUT) for turn in turns) / max(1, len(turns))


def warn_of_cuts(rollouts, where: str, fix: str, most: float = 0.1) -> bool:
    """Warn where more than `most` of the turns was cut off at the length limit; whether it did.

    Example: `warn_of_cuts(trainer.rollouts, "step 3", "set max_new_tokens=1024")`.
    """
    share = cut_share(rollouts)
    if share > most:
        warnings.warn(f"{share:.0%} of the turns of {where} were cut off at their length limit before they "
                      f"could be read, and count as failures: {fix}", stacklevel=3)
    return share > most


def _summary(rollouts):
    vision = [r.reward.vision for r in rollouts]
    executed = known([r.reward.vision for r in rollouts if r.ran])
    out = {
        "vision": mean(known(vision)),
        "se": standard_error(known(vision)),
        "exec": mean([r.ran for r in rollouts]),
        "n": len(rollouts),
        "unscored": int(np.isnan(vision).sum()) if rollouts else 0,
        "vision_executed": mean(executed),
        "n_executed": len(executed),
        "renders": mean([len(r.drafts) for r in rollouts]),
        "tool_calls": mean(list(map(_tool_calls, rollouts))),
        "answered": mean(list(map(_answered, rollouts))),
        "malformed": mean(list(map(_malformed, rollouts))),
        "cut": cut_share(rollouts),
    }
    for k in range(1, turns(rollouts) + 1):
        out[f"vision_turn_{k}"] = mean(known([score_after(r, k) for r in rollouts]))
    return out | {"second_turn": later_turns(rollouts)}


def later_turns(rollouts) -> dict:
    """What came of the turns after the first draft: how many crashes were repaired, how many got better,
    worse, copied.

    `gain_ran` is the paired gain, with its standard error, over rollouts whose first draft already ran.
    """
    fates = dict.fromkeys(("repaired", "still_broken", "broken", "better", "worse", "copied", "kept"), 0)
    for r in rollouts:
        if r.drafts:
            fates[_fate(r)] += 1
    gains = known([r.reward.vision - r.drafts[0].score for r in rollouts if r.drafts and r.drafts[0].ran])
    return fates | {"gain_ran": mean(gains), "gain_ran_se": standard_error(gains), "n_ran": len(gains)}


def _fate(rollout):
    first, final = rollout.drafts[0], rollout.final
    if not first.ran:
        return "repaired" if final.ran else "still_broken"
    if final is first:
        return "kept"
    if final.code == first.code:
        return "copied"
    if not final.ran:
        return "broken"
    return "better" if final.score > first.score else "worse"
