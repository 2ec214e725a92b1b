"""Run a policy over images, and say what it scored and how sure that is: execution, vision, every turn, with n.

An evaluation can be stopped at any moment. What is played is on disk, batch by batch, in files that are whole or
absent; with `resume` only what is missing is played. An item whose policy fails (an endpoint that is down) is named and
stays undone, it never counts as 0. A policy with a `concurrency` above 1 (an endpoint) plays that many items at once,
each on its own; any other plays `batch` items in step, so that a model generates for all of them together.

Intervals are 95 % percentile bootstraps over items, with a fixed seed (of execution rates: Wilson's, as a bootstrap of
48 successes in 48 would claim certainty): what another draw of images would give, not another training run. Gains are
paired by image and split into crashes repaired and quality gained, because the paper's gain is mostly executability.

Items with a `reference` program can be measured by the benchmarks' own metrics, after playing. `reconcile` shows what
the same outputs score under other conventions.

Left out: variation between training seeds or between samples of one policy; corrections for many comparisons; two
processes that write one recording; the figure's size in the prompt, which ChartMimic's prompt tells (our loop shows
nothing but the image).
"""

from __future__ import annotations

import functools
import glob
import html
import json
import math
import threading
import warnings
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from .environment import play_many
from .rollout import Recorder, Rollout, Rollouts, _atomic
from .judge.vlm import JudgeStopped

DRAWS, SEED = 4000, 0      # of the bootstrap
STYLES = {"execution rate": "{:.1%}", "ended with an answer": "{:.1%}", "malformed turns, share": "{:.1%}",
          "renders": "{:.2f}", "tool calls": "{:.2f}"}
MEASURED_AT_ONCE = 16      # items between two writes of their metrics


# ------------------------------------------------------------------------------------------------------------- playing

def evaluate(policy, images, max_turns: int = 3, record=None, name: str = "evaluation", resume: bool = False,
             batch: int = 32, metrics=(), raters=None, **environment) -> Report:
    """Play one rollout for each image and add them up.

    Args:
        policy: anything with `write`; with `concurrency` above 1 it is asked from so many threads.
        images: what `load_images` or `load_benchmark` gives, or any sequence of its rows or of PIL images.
        record: a folder to store the rollouts in, as `name`.jsonl; each one's `info` has the name, max_turns and kind.
        resume: keep what is recorded there under this name and play the rest; without it, what is there is replaced.
        metrics: of "chartmimic", "plot2code", "pages": see `measure`. Rows need a `reference`.
        raters: {metric: `VLMJudge`}, the benchmark's judge; its `swap` asks in both orders.
        environment: goes to `Environment` (`judge`, `renderer`, `blind`, ...).

    Raises ValueError for ids that occur twice, and when resuming what was recorded for other pictures or turns;
    RuntimeError when the policy failed on every item.

        evaluate(load_policy("nano"), load_images("data/charts/test"), max_turns=2, record="runs/e", resume=True)
    """
    from tqdm.auto import tqdm

    ids = _ids(images)
    store = _Recording(record, name, resume) if record is not None else None
    done = store.done(set(ids)) if store else {}
    for i, id in enumerate(ids):
        if id in done:
            _check(done[id], _row(images, i, id), max_turns, store)
    missing = [i for i, id in enumerate(ids) if id not in done]
    at_once = getattr(policy, "concurrency", 1)
    size = 1 if at_once > 1 else batch
    groups = [missing[k:k + size] for k in range(0, len(missing), size)]

    def work(group):
        rollouts, failed = _played(policy, [_row(images, i, ids[i]) for i in group], max_turns, environment)
        for rollout in rollouts:
            rollout.info.update(name=name, max_turns=max_turns)
        if store and rollouts:
            store.add(rollouts)
        return rollouts, failed

    undone = {}
    with tqdm(total=len(ids), initial=len(done), desc=name) as bar:
        for rollouts, failed in _results(work, groups, at_once):
            done |= {rollout.id: rollout for rollout in rollouts}
            undone |= failed
            bar.update(len(rollouts) + len(failed))
    undone = {id: undone[id] for id in ids if id in undone}  # threads end in any order
    if store:
        store.join(ids)
    if ids and not done:
        first = next(iter(undone.values()))
        raise RuntimeError(f"the policy failed on all {len(ids)} items; the first: {_line(first)}") from first
    if undone:
        how = (f"To play only these: evaluate(..., record={str(record)!r}, name={name!r}, resume=True)" if store else
               "With record=FOLDER and resume=True they could be played alone")
        warnings.warn(f"{len(undone)} of {len(ids)} items are undone: {_some(undone)}. The first: "
                      f"{_line(next(iter(undone.values())))}. {how}", stacklevel=2)
    rollouts = [done[id] for id in ids if id in done]
    for metric in metrics:
        rows = {id: i for i, id in enumerate(ids)}
        measure(rollouts, lambda id: _row(images, rows[id], id), metric, (raters or {}).get(metric), store)
    return Report(rollouts, undone={id: _line(error) for id, error in undone.items()})


def _ids(images):
    """The id of each item; its place where it has none."""
    if hasattr(images, "column_names"):
        given = list(images["id"]) if "id" in images.column_names else [""] * len(images)
    else:
        given = [image.get("id", "") if isinstance(image, dict) else "" for image in images]
    ids = [str(id) if id != "" else str(i) for i, id in enumerate(given)]
    twice = [id for id, times in Counter(ids).items() if times > 1]
    if twice:
        raise ValueError(f"{len(twice)} ids occur more than once, {twice[0]!r} the first; items are recorded and "
                         "paired by id: give each its own")
    return ids


def _row(images, i, id):
    row = images[i]
    return (row if isinstance(row, dict) else {"image": row}) | {"id": id}


def _check(rollout, row, max_turns, store):
    """What is resumed must be this evaluation: two folders may use the same ids."""
    image, target = row["image"].convert("RGB"), rollout.target
    other = (f"a picture of {target.size[0]} x {target.size[1]} pixels that is not the item's"
             if (image.size, image.tobytes()) != (target.size, target.tobytes()) else
             f"max_turns={rollout.info['max_turns']}, not {max_turns}"
             if rollout.info.get("max_turns", max_turns) != max_turns else None)
    if other:
        raise ValueError(f"cannot resume: {store.path} has {rollout.id!r} with {other}; give another name or record "
                         "folder, or resume=False to replace it")


def _played(policy, rows, max_turns, environment):
    """(rollouts, {id: exception}) of some rows; where a batch fails its items are tried alone."""
    try:
        rollouts = play_many(policy, rows, max_turns, **environment)
    except JudgeStopped:
        raise
    except Exception as error:
        if len(rows) == 1:
            return [], {rows[0]["id"]: error}
        alone = [_played(policy, [row], max_turns, environment) for row in rows]
        return [r for made, _ in alone for r in made], {id: e for _, failed in alone for id, e in failed.items()}
    for rollout, row in zip(rollouts, rows, strict=True):
        if row.get("kind") is not None:
            rollout.info["kind"] = row["kind"]
    return rollouts, {}


def _results(work, groups, at_once):
    if at_once == 1:
        yield from map(work, groups)
        return
    pool = ThreadPoolExecutor(at_once, thread_name_prefix="rrvf-evaluate")
    try:
        for made in as_completed([pool.submit(work, group) for group in groups]):
            yield made.result()
    finally:
        pool.shutdown(cancel_futures=True)


def _line(error):
    return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no message'}"


def _some(ids, most=5):
    ids = list(ids)
    return ", ".join(ids[:most]) + (f" and {len(ids) - most} more" if len(ids) > most else "")


class _Recording:
    """One evaluation on disk: `name`.jsonl, and while it is under way `name`~000000.jsonl, ... with a batch in each.

    Files are written whole or not at all, so `load_rollouts` can read the folder at any time. What a failing disk or a
    copy cut short left behind (half a line, half a picture) is passed over, and its items count as undone.
    """

    def __init__(self, folder, name, resume):
        self.recorder, self.name, self.parts, self._lock = Recorder(folder), name, 0, threading.Lock()
        self.folder, self.path = self.recorder.folder, self.recorder.folder / f"{name}.jsonl"
        if resume:
            self.join([])
        else:
            for path in self._files():
                path.unlink()

    def _files(self):
        parts = sorted(self.folder.glob(f"{glob.escape(self.name)}~[0-9]*.jsonl"))
        return [self.path] * self.path.exists() + parts

    def _lines(self):
        """{id: line} of what can be read."""
        lines = {}
        for path in self._files():
            for line in path.read_bytes().splitlines():
                try:
                    lines.setdefault(json.loads(line)["id"], line)
                except (ValueError, TypeError, KeyError):
                    continue
        return lines

    def done(self, ids) -> dict[str, Rollout]:
        found = {}
        for id, line in self._lines().items():
            if id in ids:
                try:
                    found[id] = Rollouts([json.loads(line)], self.folder)[0]
                except (OSError, KeyError, TypeError, ValueError):
                    self._forget(id)
        return found

    def _forget(self, id):
        """Take out an item that cannot be read, and its broken pictures, which would be taken for good ones."""
        lines = self._lines()
        row = json.loads(lines.pop(id))
        for name in [row.get("target"), *((turn.get("rendering") or {}).get("image") for turn in row.get("turns", []))]:
            path = self.folder / "images" / f"{name}.png"
            try:
                with Image.open(path) as image:
                    image.load()
            except (OSError, SyntaxError):
                path.unlink(missing_ok=True)
        self._write(lines)

    def add(self, rollouts):
        with self._lock:
            self.recorder.write(f"{self.name}~{self.parts:06d}", rollouts)
            self.parts += 1

    def join(self, ids):
        """All parts into one file, in the order of `ids`; killed before the parts are gone, it is done again."""
        files = self._files()
        if files and (len(files) > 1 or files[0] != self.path or ids):
            lines = self._lines()
            self._write({id: lines[id] for id in [*ids, *lines] if id in lines})
        for path in files:
            if path != self.path:
                path.unlink()

    def update(self, rollouts):
        """Write these rollouts' `info` again."""
        lines = self._lines()
        for rollout in rollouts:
            lines[rollout.id] = json.dumps(json.loads(lines[rollout.id]) | {"info": rollout.info}).encode()
        self._write(lines)

    def _write(self, lines):
        _atomic(self.path, b"".join(line + b"\n" for line in lines.values()))


# ------------------------------------------------------------------------------------------------- benchmarks' metrics

def measure(rollouts, row_of, metric: str, rater=None, store=None) -> None:
    """Put a benchmark's scores of the final code into `info["metrics"][metric]` of each rollout that has none yet.

    `row_of(id)` gives the item with its `reference` program. "chartmimic": the four F1 scores with precision and recall
    (`chartmimic.low_levels`; kind "graph" counts axes alone). "plot2code": the text match, NaN where the harness drops
    the item. "pages": Design2Code's scores, with CLIP where its weights are at hand. A `rater` adds the benchmark's
    judge: `gpt` (0 to 100) or `rating` (1 to 10). A reference that does not run leaves `unscored`, a reason, and the
    item is left out of every mean. Raises ValueError for an unknown metric or an item without reference.
    """
    ways = {"chartmimic": _chartmimic, "plot2code": _plot2code, "pages": _pages}
    if metric not in ways:
        raise ValueError(f"unknown metric {metric!r}; known: {', '.join(ways)}")
    missing = [r for r in rollouts if metric not in r.info.get("metrics", {})]
    for k in range(0, len(missing), MEASURED_AT_ONCE):
        some = missing[k:k + MEASURED_AT_ONCE]
        rows = [row_of(r.id) for r in some]
        bare = [row["id"] for row in rows if not row.get("reference")]
        if bare:
            raise ValueError(f"{metric} compares with reference code, and {bare[0]!r} has none; load_benchmark gives "
                             "items with a `reference`")
        if any("target" in row for row in rows):
            raise ValueError("these are customized items, another task than reproducing the image, and `evaluate` does "
                             "not play it; see load_benchmark")
        for rollout, scores in zip(some, ways[metric](some, rows, rater), strict=True):
            rollout.info.setdefault("metrics", {})[metric] = scores
        if store:
            store.update(some)


def _chartmimic(rollouts, rows, rater):
    from .benchmarks.chartmimic import high_level, low_levels

    def scored(items):
        try:
            return [asdict(score) for score in low_levels(items)]
        except ValueError as error:
            return [{"unscored": str(error)}] if len(items) == 1 else [s for item in items for s in scored([item])]

    out = scored([(row["reference"], r.code or "", row.get("kind") == "graph")
                  for r, row in zip(rollouts, rows, strict=True)])
    if rater is not None:
        for scores, r in zip(out, rollouts, strict=True):
            scores["gpt"] = high_level(rater, r.target, _picture(r))["score"]
    return out


def _plot2code(rollouts, rows, rater):
    from .benchmarks.metrics import plot2code_rating, plot2code_text

    out = []
    for r, row in zip(rollouts, rows, strict=True):
        try:
            white = _picture(r) is None or _picture(r).convert("L").getextrema()[0] == 255
            out.append({"text": math.nan if white else plot2code_text(row["reference"], r.code)})
        except ValueError as error:
            out.append({"unscored": str(error)})
            continue
        if rater is not None:
            out[-1]["rating"] = plot2code_rating(rater, r.target, _picture(r))
    return out


def _pages(rollouts, rows, rater):
    from .render.chromium import PageError
    from .benchmarks.design2code import Pages, page_score

    clip, out = _clip(), []
    with Pages() as pages:
        for r, row in zip(rollouts, rows, strict=True):
            try:
                out.append(asdict(page_score(row["reference"], r.code or "", pages, clip)))
            except PageError as error:
                out.append({"unscored": str(error)})
    return out


@functools.cache
def _clip():
    from .benchmarks.design2code import Clip

    return Clip.load()


def _picture(rollout):
    return rollout.final.rendering.image if ran(rollout) else None


# ------------------------------------------------------------------------------------------------------------ adding up

def ran(rollout: Rollout) -> float:
    """1.0 when the final code drew a picture, else 0.0."""
    return float(rollout.final is not None and rollout.final.ran)


def _answered(rollout):
    return float(rollout.answer is not None)


def _malformed(rollout):
    return sum(map(_unread, rollout.turns)) / max(1, len(rollout.turns))


def _unread(turn):
    return (turn.error or "").startswith("parse:")


def interval(values, level: float = 0.95) -> tuple[float, float]:
    """The percentile bootstrap interval of a mean over items, NaN left out; (nan, nan) for fewer than two values.

    For few items (below 20 or so) such intervals are a little too narrow.

        interval([0.2, 0.4, 0.9])
    """
    from scipy.stats import bootstrap

    values = _known(values)
    if len(values) < 2:
        return math.nan, math.nan
    found = bootstrap((values,), np.mean, n_resamples=DRAWS, confidence_level=level, method="percentile",
                      batch=max(1, 4_000_000 // len(values)), rng=np.random.default_rng(SEED)).confidence_interval
    return float(found.low), float(found.high)


def _estimate(values):
    low, high = interval(values)
    return {"value": _mean(_known(values)), "low": low, "high": high, "n": len(_known(values))}


def _share(hits):
    """The estimate of a rate, from a 0 or 1 of each item."""
    from scipy.stats import binomtest

    if not len(hits):
        return {"value": math.nan, "low": math.nan, "high": math.nan, "n": 0}
    found = binomtest(int(sum(hits)), len(hits)).proportion_ci(method="wilson")
    return {"value": _mean(hits), "low": float(found.low), "high": float(found.high), "n": len(hits)}


def _frame(rows, index):
    import pandas as pd

    return pd.DataFrame(rows, columns=None if rows else [index, "value", "low", "high", "n"]).set_index(index)


@dataclass
class Report:
    """Rollouts of one policy over one set of images, and what they add up to.

    `summary` has exec, vision (mean over all, failures count 0), vision_executed, se, n, the score after each turn, the
    shares answered (rollouts that ended with an answer) and malformed (turns), and the split of later turns. Unscored
    rollouts (NaN) are counted in `unscored` and left out of the means. `undone` maps the ids that the policy failed on
    to why; they are in no number.

        Report(load_rollouts("runs/demo/evaluation").where(name="after")).numbers()
    """

    rollouts: list[Rollout]
    summary: dict = field(default_factory=dict)
    undone: dict = field(default_factory=dict)

    def __post_init__(self):
        self.rollouts = list(self.rollouts)  # a recording decodes its pictures each time it is read
        self.summary = self.summary or summarise(self.rollouts)

    def table(self):
        """A pandas frame, one row for each rollout: id, language, kind, final and turns' scores, renders, metrics."""
        import pandas as pd

        rows = []
        for r in self.rollouts:
            row = {"id": r.id, "language": r.language, "kind": r.info.get("kind"), "vision": r.reward.vision,
                   "exec": ran(r), "renders": len(r.drafts)}
            row |= {f"turn {k}": turn.score for k, turn in enumerate(r.drafts, 1)}
            for metric in r.info.get("metrics", {}):
                row |= {f"{metric} {name}": value for name, value in _scores(r, metric).items()}
            rows.append(row)
        frame = pd.DataFrame(rows)
        return frame if "kind" in frame and frame["kind"].notna().any() else frame.drop(columns="kind", errors="ignore")

    def numbers(self):
        """A pandas frame: each measure's value, 95 % interval (low, high) and n; shares and scores in [0, 1]."""
        rs = self.rollouts
        rows = {"vision score": [r.reward.vision for r in rs],
                "vision score, executed only": [r.reward.vision if ran(r) else math.nan for r in rs]}
        rows |= {f"vision score after turn {k}": [_score_after(r, k - 1) for r in rs] for k in range(1, _turns(rs) + 1)}
        rows |= {"renders": [len(r.drafts) for r in rs],
                 "tool calls": [sum(t.action == "render" for t in r.turns) for r in rs]}
        for metric in dict.fromkeys(m for r in rs for m in r.info.get("metrics", {})):
            names = dict.fromkeys(name for r in rs for name in _scores(r, metric))
            rows |= {f"{metric} {name}": [_scores(r, metric).get(name, math.nan) for r in rs] for name in names}
        shares = {"execution rate": [ran(r) for r in rs], "ended with an answer": [_answered(r) for r in rs]}
        rows["malformed turns, share"] = [_malformed(r) for r in rs]
        return _frame([{"measure": name} | _share(hits) for name, hits in shares.items()]
                      + [{"measure": name} | _estimate(values) for name, values in rows.items()], "measure")

    def per(self, what="kind"):
        """A pandas frame of scores with 95 % intervals and n, for each "kind", "turn" or "part", or key(rollout).

        By turn: the score so far, how many wrote a program in that turn, how many were malformed, and the paired change
        to the turn before. By part: the judge's parts of the final render, over those that ran. Raises ValueError where
        no rollout has a kind.

            report.per(lambda r: r.id[:4])
        """
        if what == "turn":
            return self._per_turn()
        if what == "part":
            parts = [r.final.verdict.parts if ran(r) else {} for r in self.rollouts]
            names = dict.fromkeys(name for row in parts for name in row)
            values = {name: [row.get(name, math.nan) for row in parts] for name in names}
            return _frame([{"part": name} | _estimate(some) for name, some in values.items()], "part")
        if what == "kind":
            if not any("kind" in r.info for r in self.rollouts):
                raise ValueError("these rollouts have no kind (the images had no such column); give a function: "
                                 "report.per(lambda r: r.id[:4])")
            what = lambda r: r.info.get("kind")  # noqa: E731
        elif not callable(what):
            raise ValueError(f"per({what!r}): give 'kind', 'turn', 'part' or a function of a rollout")
        groups = {}
        for r in self.rollouts:
            groups.setdefault(str(what(r)), []).append(r)
        return _frame([{"kind": name} | _estimate([r.reward.vision for r in some])
                       | {"exec": _mean([ran(r) for r in some])} for name, some in sorted(groups.items())], "kind")

    def _per_turn(self):
        rows, before = [], None
        for k in range(_turns(self.rollouts)):
            so_far = np.array([_score_after(r, k) for r in self.rollouts])
            row = {"turn": k + 1} | _estimate(so_far)
            row["wrote"] = sum(len(r.turns) > k and r.turns[k].code is not None for r in self.rollouts)
            row["malformed"] = sum(len(r.turns) > k and _unread(r.turns[k]) for r in self.rollouts)
            change = _estimate(so_far - before if before is not None else [])
            rows.append(row | {"change": change["value"], "change_low": change["low"], "change_high": change["high"]})
            before = so_far
        return _frame(rows, "turn")

    def by(self, key) -> dict:
        """The summary of each part of the rollouts: `report.by(lambda r: r.id[:4])`."""
        groups = {}
        for r in self.rollouts:
            groups.setdefault(key(r), []).append(r)
        return {name: summarise(part) for name, part in sorted(groups.items())}

    def compare(self, other: Report) -> Comparison:
        """What changed from this report to `other`, paired by image id; see `Comparison`.

        Raises ValueError when they share no id.

            before.compare(after).effect
        """
        return Comparison.of(self, other)

    def benchmark(self, metric: str, failures: str = "zero", unscored: str = "drop") -> dict:
        """A benchmark's own table from recorded metrics, 0 to 100 (Plot2Code's rating 1 to 10), with n.

        `failures`: "zero" counts what failed as 0 over all items (ChartMimic as published), "drop" takes what ran
        (Plot2Code as published); both give `exec`, the code pass rate. Pages that fail count as white pages, as in
        Design2Code, unless dropped. `unscored` is what ChartMimic's table does with an unread judge.
        """
        found = [r.info["metrics"][metric] for r in self.rollouts if metric in r.info.get("metrics", {})]
        found = [row for row in found if "unscored" not in row]
        if not found:
            raise ValueError(f"no rollout has the metric {metric!r}; evaluate(..., metrics=({metric!r},)) on items "
                             "with a reference")
        if metric == "chartmimic":
            from .benchmarks.chartmimic import summarise as chartmimic_table

            judged = [row["gpt"] for row in found] if all("gpt" in row for row in found) else None
            return chartmimic_table([low_level_of(row) for row in found], judged, failures, unscored)
        if metric == "pages":
            from .benchmarks.design2code import PageScore
            from .benchmarks.design2code import summarise as pages_table

            out = pages_table(PageScore(**row) for row in found if failures == "zero" or row["error"] is None)
            return out | {"exec": 100 * _mean([row["error"] is None for row in found])}
        out = {"exec": 100 * _mean([not math.isnan(row["text"]) for row in found])}
        for name, scale in (("text", 100), ("rating", 1)):
            values = np.array([row[name] for row in found if name in row])
            if len(values):
                out[name] = scale * _mean(np.nan_to_num(values) if failures == "zero" else _known(values))
        return out | {"n": len(found)}

    def plot(self):
        """A matplotlib figure: the distribution of final scores, and the mean score after each turn."""
        from .show.plots import scores

        return scores(self)

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
        frame = self.shown()
        rows = [list(frame.columns), ["---"] * len(frame.columns), *frame.astype(str).values.tolist()]
        return "\n".join("| " + " | ".join(row) + " |" for row in rows) + "\n"

    def to_latex(self) -> str:
        """The numbers with intervals and n, as a LaTeX tabular with booktabs' rules."""
        return self.shown().to_latex(index=False, escape=True, column_format="lrlr")

    def to_html(self, path, title: str = "Evaluation") -> Path:
        """One self-contained page: numbers, turns, kinds, parts, figures and a gallery of failures and scores."""
        from .show.pages import write_evaluation

        return write_evaluation(self, path, title)

    def __repr__(self):
        s, (low, high) = self.summary, interval([r.reward.vision for r in self.rollouts])
        undone = f", {len(self.undone)} undone" if self.undone else ""
        return f"Report(n={s['n']}, exec {s['exec']:.0%}, vision {s['vision']:.3f} [{low:.3f}, {high:.3f}]{undone})"

    def _repr_html_(self):
        worst = sorted(self.rollouts, key=lambda r: r.reward.vision)
        shown = [worst[0], worst[len(worst) // 2], worst[-1]] if len(worst) > 2 else worst
        strip = "".join(r._repr_html_() for r in shown)
        return (f"<p><b>{html.escape(repr(self))}</b>; below: the lowest, the median and the highest score</p>{strip}"
                f"<details><summary>all numbers</summary>{self.shown().to_html(index=False, border=0)}</details>")


def low_level_of(row):
    """A recorded ChartMimic score as `chartmimic.LowLevel`."""
    from .benchmarks.chartmimic import F1, PARTS, LowLevel

    return LowLevel(**{part: F1(**row[part]) for part in PARTS}, error=row["error"])


def _scores(rollout, metric):
    """{name: number} of one rollout, shares in [0, 1] (Plot2Code's rating 1 to 10); what failed is 0."""
    row = rollout.info.get("metrics", {}).get(metric, {})
    if not row or "unscored" in row:
        return {}
    if metric == "chartmimic":
        from .benchmarks.chartmimic import PARTS

        low = low_level_of(row)
        return {part: getattr(low, part).f1 for part in PARTS} | {"average": low.average} | (
            {"gpt": row["gpt"] / 100} if "gpt" in row else {})
    if metric == "plot2code":
        return {name: 0.0 if math.isnan(row["text"]) else row[name] for name in ("text", "rating") if name in row}
    return {name: value for name, value in row.items() if name != "error" and not math.isnan(value)}


def summarise(rollouts) -> dict:
    """Means over rollouts; see `Report`."""
    vision = np.array([r.reward.vision for r in rollouts])
    scored = vision[~np.isnan(vision)]
    executed = np.array([r.reward.vision for r in rollouts if ran(r) and not math.isnan(r.reward.vision)])
    out = {"vision": _mean(scored), "se": _se(scored), "exec": _mean([ran(r) for r in rollouts]), "n": len(rollouts),
           "unscored": int(np.isnan(vision).sum()), "vision_executed": _mean(executed), "n_executed": len(executed),
           "renders": _mean([len(r.drafts) for r in rollouts]),
           "tool_calls": _mean([sum(t.action == "render" for t in r.turns) for r in rollouts]),
           "answered": _mean([_answered(r) for r in rollouts]), "malformed": _mean([_malformed(r) for r in rollouts])}
    for k in range(_turns(rollouts)):
        out[f"vision_turn_{k + 1}"] = _mean(_known([_score_after(r, k) for r in rollouts]))
    out["second_turn"] = second_turn(rollouts)
    return out


def _turns(rollouts):
    return max((len(r.turns) for r in rollouts), default=0)


def _score_after(rollout, k):
    """The score so far: a rollout that ended earlier keeps what it had."""
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
    gains = _known(gains)
    return counts | {"gain_ran": _mean(gains), "gain_ran_se": _se(gains), "n_ran": len(gains)}


# ------------------------------------------------------------------------------------------------------------ comparing

SPLIT = {(False, True): "crash repaired", (True, True): "quality (both ran)", (True, False): "newly broken",
         (False, False): "failed in both"}


@dataclass(frozen=True)
class Comparison:
    """Two reports over the same images, item by item. `effect` is the mean change of the vision score over the `n`
    pairs that have two scores, with its standard error `se` and 95 % bootstrap interval `low`, `high`.

    `pairs` is a frame with id, before, after, change and `split`: "crash repaired", "quality (both ran)", "newly
    broken", "failed in both". `unpaired` counts the rollouts whose id the other report has not.
    """

    pairs: object
    effect: float
    low: float
    high: float
    se: float
    n: int
    unpaired: int

    @classmethod
    def of(cls, before: Report, after: Report) -> Comparison:
        pairs = _pairs(before.rollouts, after.rollouts)
        if pairs.empty:
            raise ValueError(f"the reports share no image id ({_some([r.id for r in before.rollouts], 2)}; "
                             f"{_some([r.id for r in after.rollouts], 2)}); evaluate both on the same images")
        known = _known(pairs["change"])
        low, high = interval(known)
        unpaired = len(before.rollouts) + len(after.rollouts) - 2 * len(pairs)
        return cls(pairs, _mean(known), low, high, _se(known), len(known), unpaired)

    def split(self):
        """A frame: where the effect comes from. `contribution` (with its interval) sums up to the effect; `change` is
        the mean over the row's own `n` items."""
        known = self.pairs.dropna(subset="change")
        rows = []
        for name in SPLIT.values():
            here = known["split"] == name
            part = _estimate(np.where(here, known["change"], 0.0))
            rows.append({"split": name, "n": int(here.sum()), "change": _mean(known["change"][here]),
                         "contribution": part["value"], "low": part["low"], "high": part["high"]})
        return _frame(rows, "split")

    def __repr__(self):
        unpaired = f", {self.unpaired} unpaired" if self.unpaired else ""
        return (f"Comparison(effect {self.effect:+.3f} [{self.low:+.3f}, {self.high:+.3f}], se {self.se:.3f}, "
                f"n={self.n}{unpaired})")

    def _repr_html_(self):
        return f"<p><b>{html.escape(repr(self))}</b></p>{self.split().round(3).to_html(border=0, na_rep='')}"


def _pairs(before, after):
    import pandas as pd

    after = {r.id: r for r in after}
    both = [(r, after[r.id]) for r in before if r.id in after]
    rows = [{"id": a.id, "before": a.reward.vision, "after": b.reward.vision,
             "change": b.reward.vision - a.reward.vision, "split": SPLIT[bool(ran(a)), bool(ran(b))]} for a, b in both]
    return pd.DataFrame(rows, columns=["id", "before", "after", "change", "split"])


def paired(before, after) -> dict:
    """The paired gain of `after` over `before` (lists of rollouts of the same images): standard error, interval, n."""
    gain = _known(_pairs(before, after)["change"])
    low, high = interval(gain)
    return {"gain": _mean(gain), "gain_se": _se(gain), "gain_low": low, "gain_high": high, "gain_n": len(gain)}


def compare(before: Report, after: Report) -> dict:
    """Two reports over the same images, side by side: their summaries and the paired gain."""
    return {"before": before.summary, "after": after.summary} | paired(before.rollouts, after.rollouts)


def _known(values):
    values = np.asarray(values, float)
    return values[~np.isnan(values)]


def _mean(values):
    return float(np.mean(values)) if len(values) else math.nan


def _se(values):
    return float(np.std(values, ddof=1) / math.sqrt(len(values))) if len(values) > 1 else math.nan
