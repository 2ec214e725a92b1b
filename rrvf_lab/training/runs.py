"""A training run as a folder that can be looked into: an index of its recorded rollouts, its curves, its process.

`Run(folder)` reads each recorded file once and keeps a table of numbers (about 100 bytes for a rollout); pictures and
texts stay on disk until a rollout is asked for. It works while the run goes on: `refresh` reads only what is new.
`start` trains in a process of its own, which outlives the notebook that asked for it; a run started in a terminal looks
and stops the same.

Left out: other machines, several trainers in one folder, evaluations (`load_rollouts` reads those). `stop` ends the
process at once; what came after the last checkpoint is made again by `resume`.
"""

from __future__ import annotations

import base64
import html
import json
import math
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..show.groups import FLAT
from ..rollout import Rollout, Rollouts
from ..train import ROOT, TrainConfig, prepare, trained_by
from ..show.rollout import plain, text_html

KINDS = {"all": "every rollout", "crashed": "the final code drew nothing",
         "copied": "a turn repeats the code before it", "regressed": "the final score is below the first draft's",
         "flagged": "the code looks like forging pixels",
         "unscored": "the judge gave no score", "zero spread": "all rewards of its group are equal"}
ORDERS = {"worst": ("total", 1), "best": ("total", -1), "newest": ("step", -1), "oldest": ("step", 1),
          "highest advantage": ("advantage", -1), "lowest advantage": ("advantage", 1)}
CURVES = {"vision": ("#1f77b4", "solid"), "first draft": ("#ff7f0e", "dash"), "execution rate": ("#2ca02c", "dot"),
          "copied": ("#8c564b", "dashdot"), "zero spread": ("#7f7f7f", "longdash")}
PLOT_TEXT = "curves of the run; the table below has the numbers"
PHASES = ("generate", "render", "judge", "update")

_ROW = np.dtype([("file", "i4"), ("offset", "i8"), ("length", "i4"), ("step", "i4"), ("group", "i4"), ("id", "O"),
                 ("vision", "f8"), ("format", "f8"), ("tool", "f8"), ("total", "f8"), ("advantage", "f8"),
                 ("first", "f8"), ("crashed", "?"), ("copied", "?"), ("flagged", "?"), ("calls", "i2")])


class Run(Sequence):
    """A run folder; `run[i]` is its i-th recorded `Rollout`, in the order they were made.

    `path` is a run folder or any folder of recorded rollouts, looked for here and then in the repository.
    `index` is a numpy table of what `find` and `curves` use: step, group, id, vision, format, tool, total, advantage,
    first (the first draft's score), crashed, copied, flagged, calls. Raises FileNotFoundError where there
    is no such folder.

    Example: `run = Run("runs/demo"); run[run.find("crashed", "newest")[0]]`.
    """

    def __init__(self, path):
        self.path = next((p for p in (Path(path), ROOT / path) if p.is_dir()), None)
        if self.path is None:
            raise FileNotFoundError(f"no run folder {path}; start a run with: python -m rrvf_lab.train demo")
        self.index, self._files, self._names = np.empty(0, _ROW), {}, []
        self.refresh()

    @property
    def folder(self) -> Path:
        """Where the recorded rollouts lie."""
        inner = self.path / "rollouts"
        return inner if inner.is_dir() else self.path

    def __len__(self):
        return len(self.index)

    def __getitem__(self, i):
        if isinstance(i, slice):
            return [self[k] for k in range(*i.indices(len(self)))]
        return Rollouts([self.row(i)], self.folder)[0]

    def row(self, i: int) -> dict:
        """The stored JSON of one rollout, without its pictures."""
        entry = self.index[i]
        with open(self.folder / self._names[entry["file"]], "rb") as file:
            file.seek(entry["offset"])
            return json.loads(file.read(entry["length"]))

    def refresh(self) -> int:
        """Read what was recorded, or dropped by a resumed run, since the last look; returns the change in their number.

        Files are written whole and replaced whole, so half a step is never seen.
        """
        files = {}
        for path in sorted(self.folder.glob("*.jsonl")):
            if self.folder == self.path and path.name == "log.jsonl":
                continue
            try:
                stat = path.stat()
                key = stat.st_mtime_ns, stat.st_size
                known = self._files.get(path.name)
                files[path.name] = known if known and known[0] == key else (key, _read(path))
            except FileNotFoundError:  # dropped between listing and reading
                continue
        if {n: f[0] for n, f in files.items()} == {n: f[0] for n, f in self._files.items()}:
            return 0
        before = len(self)
        self._files, self._names = files, list(files)
        for number, (_, rows) in enumerate(files.values()):
            rows["file"] = number
        self.index = np.concatenate([rows for _, rows in files.values()]) if files else np.empty(0, _ROW)
        return len(self) - before

    def find(self, kind: str = "all", order: str = "newest", steps=None, image: str = "") -> np.ndarray:
        """Positions of the rollouts of one kind, in order, without reading any of them.

        `kind` is a key of `KINDS`, `order` one of `ORDERS`; `steps` is one step or (first, last); `image` is a part of
        the image's id. Unscored ones come last in an order by reward. Raises ValueError for an unknown kind or order.

        Example: `run.find("regressed", "worst", steps=(10, 20))[:12]`.
        """
        for value, known in ((kind, KINDS), (order, ORDERS)):
            if value not in known:
                raise ValueError(f"unknown {value!r}; known: {', '.join(known)}")
        keep = self._is(kind)
        if steps is not None:
            first, last = (steps, steps) if isinstance(steps, int) else steps
            keep = keep & (self.index["step"] >= first) & (self.index["step"] <= last)
        found = np.flatnonzero(keep)
        if image:
            found = found[[image in name for name in self.index["id"][found]]]
        column, sign = ORDERS[order]
        return found[np.argsort(sign * self.index[column][found], kind="stable")]

    def counts(self) -> dict[str, int]:
        """How many rollouts are of each kind."""
        return {kind: int(self._is(kind).sum()) for kind in KINDS}

    def _is(self, kind):
        index = self.index
        if kind == "all":
            return np.ones(len(index), bool)
        if kind == "regressed":
            return index["vision"] < index["first"] - FLAT
        if kind == "unscored":
            return np.isnan(index["total"])
        if kind == "zero spread":
            return self._flat()
        return index[kind]

    def _group_numbers(self):
        """A number for each rollout's group, and how many groups there are; rollouts without one stand alone."""
        step, group = self.index["step"].astype("i8"), self.index["group"].astype("i8")
        keys = np.where(group >= 0, (step << 24) + group, -1 - np.arange(len(group)))
        names, of = np.unique(keys, return_inverse=True)
        return of, len(names)

    def _flat(self):
        of, n = self._group_numbers()
        low, high, size = np.full(n, np.inf), np.full(n, -np.inf), np.bincount(of, minlength=n)
        np.fmin.at(low, of, self.index["total"])
        np.fmax.at(high, of, self.index["total"])
        return ((high - low < FLAT) & (size > 1))[of]

    def group(self, i: int) -> list[Rollout]:
        """All rollouts of rollout i's group, in the order they were sampled."""
        entry = self.index[i]
        if entry["group"] < 0:
            return [self[i]]
        same = (self.index["step"] == entry["step"]) & (self.index["group"] == entry["group"])
        return [self[k] for k in np.flatnonzero(same)]

    def step(self, number: int) -> list[Rollout]:
        """All rollouts of one training step: the batch whose spread TRL's `scale_rewards="batch"` divides by."""
        return [self[k] for k in np.flatnonzero(self.index["step"] == number)]

    def latest(self) -> list[Rollout]:
        """The first group of the newest recorded step; [] when nothing is recorded yet."""
        return self.group(int(np.flatnonzero(self.index["step"] == self.index["step"].max())[0])) if len(self) else []

    def highlights(self, each: int = 2) -> list[Rollout]:
        """A few rollouts of each kind; `info["why"]` says which. For `export(run.highlights(), "run.html")`."""
        picks = [(order, self.find("all", order)[:each]) for order in ("best", "worst")]
        picks += [(kind, self.find(kind, "newest")[:each]) for kind in KINDS if kind != "all"]
        return [replace(r, info=r.info | {"why": why}) for why, found in picks for r in (self[i] for i in found)]

    def curves(self) -> dict[str, np.ndarray]:
        """Means over each step's rollouts, from the recordings: "step" and one array per curve (NaN: no values)."""
        steps, of = np.unique(self.index["step"], return_inverse=True)

        def mean(values):
            good = ~np.isnan(values)
            n = np.bincount(of[good], minlength=len(steps))
            return np.where(n, np.bincount(of[good], values[good], len(steps)) / np.maximum(n, 1), np.nan)

        index = self.index
        return {"step": steps, "reward": mean(index["total"]), "vision": mean(index["vision"]),
                "first draft": mean(index["first"]), "execution rate": mean(1.0 - index["crashed"]),
                "tool calls": mean(index["calls"].astype(float)),
                "copied": mean(index["copied"].astype(float)), "zero spread": mean(self._flat().astype(float))}

    def plot(self):
        """The curves as a matplotlib figure."""
        import matplotlib.pyplot as plt

        curves = self.curves()
        figure, ax = plt.subplots(figsize=(9, 2.8), layout="constrained")
        styles = {"longdash": (5, (8, 3)), "dash": "dashed", "dot": "dotted"}  # plotly's names that matplotlib lacks
        for name, (colour, dash) in CURVES.items():
            ax.plot(curves["step"], curves[name], color=colour, ls=styles.get(dash, dash), marker=".", label=name)
        ax.set(xlabel="step", ylabel="mean over the step's rollouts")
        ax.legend(frameon=False, ncols=len(CURVES), loc="lower center", bbox_to_anchor=(0.5, 1.0))
        ax.grid(alpha=0.3)
        plt.close(figure)
        return figure

    def log(self) -> list[dict]:
        """TRL's log, a row per step (loss, entropy, seconds/generate, ...); steps made again by a resume count once."""
        rows = []
        path = self.path / "log.jsonl"
        for line in path.read_text().splitlines() if path.exists() else ():
            try:
                row = json.loads(line)
            except json.JSONDecodeError:  # the line being written now
                continue
            if "reward" in row:
                while rows and rows[-1]["step"] >= row["step"]:
                    rows.pop()
                rows.append(row)
        return rows

    def seconds(self) -> dict[str, float]:
        """Mean wall seconds of a step by phase; {} when nothing was logged."""
        rows = self.log()
        return {p: sum(r.get(f"seconds/{p}", 0.0) for r in rows) / len(rows) for p in PHASES} if rows else {}

    # ---------------------------------------------------------------------------------------------- the process

    @property
    def config(self) -> TrainConfig | None:
        """The run's settings; None for a bare folder of rollouts."""
        path = self.path / "config.json"
        return TrainConfig.load(path) if path.is_file() else None

    @property
    def state(self) -> str:
        """ "running", "finished" (the report is written), "stopped", or "recording" (rollouts without a run)."""
        if trained_by(self.path):
            return "running"
        if (self.path / "report.json").exists():
            return "finished"
        return "stopped" if (self.path / "config.json").exists() else "recording"

    def stop(self, wait: float = 10.0) -> None:
        """End the training process and what it started; returns when it is gone. `wait` seconds, then it is killed.

        Raises RuntimeError when no process trains into this folder.
        """
        import psutil

        process = trained_by(self.path)
        if process is None:
            raise RuntimeError(f"no process trains into {self.path} (it is {self.state})")
        family = [process, *process.children(recursive=True)]
        process.terminate()
        _, left = psutil.wait_procs(family, wait)
        for one in left:
            one.kill()
        psutil.wait_procs(left, wait)

    def resume(self) -> None:
        """Go on from the last whole checkpoint in a new process. Raises RuntimeError unless the run is stopped."""
        if self.state != "stopped":
            raise RuntimeError(f"{self.path} is {self.state}; only a stopped run can be resumed")
        _launch(self.path)

    def output(self, lines: int = 20) -> str:
        """The end of what the process printed; "" for a run started in a terminal."""
        path = self.path / "output.txt"
        text = path.read_text(errors="replace") if path.exists() else ""
        return "\n".join(line.rpartition("\r")[2] for line in text.splitlines(keepends=False)[-lines:])

    def summary(self) -> str:
        """One sentence: state, steps, rollouts, the last step's mean vision and execution rate."""
        config, curves = self.config, self.curves()
        of = f" of {config.steps}" if config else ""
        if not len(self):
            return f"{self.state}; no step recorded yet"
        last = f"vision {curves['vision'][-1]:.3f}, execution {curves['execution rate'][-1]:.0%}"
        return f"{self.state}; step {curves['step'][-1]}{of}; {len(self):,} rollouts; last step: {last}"

    def __repr__(self):
        return f"Run({str(self.path)!r}: {self.summary()})"

    def _repr_html_(self):
        from ..show.plots import show

        head = f"<p><b>{html.escape(str(self.path))}</b>: {html.escape(self.summary())}</p>"
        curves = show(self.plot(), PLOT_TEXT, 720)._repr_html_() if len(self) else ""
        return head + curves + numbers(self) + phases(self)


def compare(runs, curve: str = "vision"):
    """One curve of several runs in a matplotlib figure; the legend names the settings in which they differ.

    `runs` are `Run`s or folders; `curve` is a key of `Run.curves()`. Raises ValueError for another one.

    Example: `compare(["runs/a", "runs/b"], "execution rate")`.
    """
    import matplotlib.pyplot as plt

    runs = [run if isinstance(run, Run) else Run(run) for run in runs]
    settings = [vars(run.config) if run.config else {} for run in runs]
    differing = [key for key in settings[0] if key != "output" and any(s.get(key) != settings[0][key] for s in settings)]
    figure, ax = plt.subplots(figsize=(8, 3), layout="constrained")
    for run, own, dash in zip(runs, settings, ["-", "--", "-.", ":"] * len(runs)):
        curves = run.curves()
        if curve not in curves:
            raise ValueError(f"unknown curve {curve!r}; known: {', '.join(list(curves)[1:])}")
        label = ", ".join(f"{key}={own.get(key)}" for key in differing) or run.path.name
        ax.plot(curves["step"], curves[curve], dash, marker=".", label=label)
    ax.set(xlabel="step", ylabel=f"{curve}, mean of a step")
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.legend(frameon=False)
    ax.grid(alpha=0.3)
    plt.close(figure)
    return figure


def start(config, **changes) -> Run:
    """Train in a process of its own and return its `Run` at once; closing or restarting the notebook does not end it.

    `config` is a preset, a JSON file or a `TrainConfig`; `changes` override settings. A finished or stopped run in the
    same folder is replaced, as on the command line. Raises RuntimeError while a process trains into that folder, and
    FileExistsError for a folder that is not a run.

    Example: `run = start("demo", steps=10); watch(run)`.
    """
    if isinstance(config, TrainConfig):
        config = TrainConfig(**vars(config) | changes)
    else:
        config = TrainConfig.load(config, **changes)
    folder = prepare(config)
    _launch(folder)
    return Run(folder)


def _launch(folder):
    # The folder is prepared, so the process resumes: from a checkpoint, or from nothing. A relative output in
    # config.json was meant from where the run was first started, which may be elsewhere.
    folder = folder.resolve()
    with open(folder / "output.txt", "ab") as output:
        process = subprocess.Popen([sys.executable, "-m", "rrvf_lab.train", str(folder / "config.json"), "--resume",
                                    "--set", f"output={json.dumps(str(folder))}"],
                                   stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                                   start_new_session=True)
    (folder / "pid").write_text(str(process.pid))


# --------------------------------------------------------------------------------------------------------------------

def _read(path):
    """The index rows of one recorded file."""
    rows, offset = [], 0
    for line in path.read_bytes().splitlines(keepends=True):
        if line.strip():
            rows.append((0, offset, len(line), *_facts(json.loads(line))))
        offset += len(line)
    return np.array(rows, _ROW)


def _facts(row):
    info, reward, turns = row["info"], row["reward"], row["turns"]
    drafts = [turn for turn in turns if turn["code"] is not None]
    final = None if row["choice"] is None else turns[row["choice"]]
    parts = [reward[k] for k in ("vision", "format", "tool", "total")] if reward else [math.nan] * 4
    first = drafts[0]["verdict"]["score"] if drafts else math.nan
    return (info.get("step", -1), info.get("group", -1), row["id"], *parts, info.get("advantage", math.nan), first,
            final is None or final["rendering"]["image"] is None,
            any(a["code"] == b["code"] for a, b in zip(drafts, drafts[1:])),
            any(turn["rendering"].get("flags") for turn in drafts), sum(turn["action"] == "render" for turn in turns))


def numbers(run: Run) -> str:
    """The curves as an HTML table (every step, or twenty of them)."""
    curves = run.curves()
    if not len(curves["step"]):
        return ""
    shown = np.unique(np.linspace(0, len(curves["step"]) - 1, 20).round().astype(int))
    head = "".join(f'<th scope="col">{name}</th>' for name in curves)
    body = "".join(f'<tr><th scope="row">{curves["step"][i]}</th>'
                   + "".join(f"<td>{curves[name][i]:.3f}</td>" for name in curves if name != "step") + "</tr>"
                   for i in shown)
    return ("<details><summary>the curves as numbers</summary>"
            f'<table style="line-height:1.3"><tr>{head}</tr>{body}</table></details>')


def phases(run: Run) -> str:
    """Seconds of a step by phase, as an HTML table with bars; "" when nothing was logged."""
    seconds = run.seconds()
    if not seconds:
        return ""
    longest = max(seconds.values()) or 1.0
    rows = "".join(f'<tr><th scope="row" style="text-align:left">{phase}</th><td style="text-align:right">{value:.2f} s'
                   '</td><td><div aria-hidden="true" style="height:10px;background:#4682b4;'
                   f'width:{max(1, round(240 * value / longest))}px"></div></td></tr>'
                   for phase, value in seconds.items())
    return (f'<table style="line-height:1.3"><caption style="text-align:left">mean seconds of a step</caption>{rows}'
            "</table>")


def thumbnail(run: Run, i: int, width: int = 150) -> str:
    """Target and final render of rollout i with its numbers, as HTML; the stored PNG files are not decoded."""
    row, entry = run.row(i), run.index[i]
    final = None if row["choice"] is None else row["turns"][row["choice"]]
    target = _stored(run, row["target"], f"target {row['id']}", width)
    if entry["crashed"]:
        why = (final or row["turns"][-1])["error"] if row["turns"] else None
        render = (f'<div style="width:{width - 12}px;min-height:80px;padding:5px;border:1px dashed #c0392b">'
                  "<b>no picture</b><br>"
                  f'<code style="font-size:12px">{text_html(why or "no code", total=90)}</code></div>')
    else:
        render = _stored(run, final["rendering"]["image"], f"final render. {final['verdict']['feedback']}", width)
    marks = [kind for kind in ("copied", "flagged") if entry[kind]]
    marks += ["regressed"] * bool(entry["vision"] < entry["first"] - FLAT)
    total = "unscored" if np.isnan(entry["total"]) else f"reward {entry['total']:.3f}"
    advantage = "" if np.isnan(entry["advantage"]) else f", advantage {entry['advantage']:+.2f}"
    return (f'<figure style="margin:0;width:{2 * width + 8}px;line-height:1.35">'
            f'<div style="display:flex;gap:4px;align-items:flex-start">{target}{render}</div>'
            f'<figcaption style="font-size:13px">step {entry["step"]}, {text_html(row["id"], total=60)}<br>'
            f"<b>{total}</b>{advantage}"
            f"{''.join(f', <b>{mark}</b>' for mark in marks)}</figcaption></figure>")


def _stored(run, name, alt, width):
    data = base64.b64encode((run.folder / "images" / f"{name}.png").read_bytes()).decode()
    return (f'<img src="data:image/png;base64,{data}" alt="{html.escape(plain(alt, total=300))}" '
            f'style="width:{width}px;border:1px solid #ccc;background:#fff">')
