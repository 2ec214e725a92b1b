"""A training run as a folder that can be looked into: an index of its recorded rollouts, its log, its
process.

`Run(folder)` reads each recorded file once and keeps a table of numbers (about 200 bytes for a rollout);
pictures and texts stay on disk until a rollout is asked for. It works while the run goes on: `refresh` reads
only what is new. `start` trains in a process of its own, which outlives the notebook that asked for it; a run
started in a terminal looks and stops the same.

Left out: other machines, several trainers in one folder, evaluations (`load_rollouts` reads those), every
look (`show.runs`). `stop` ends the process at once; what came after the last checkpoint is made again by
`resume`. """

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..leaves.files import found, json_lines, lines_of
from ..records.facts import FACTS, facts, group_labels
from ..records.store import Rollouts
from ..rollout import Rollout
from .advantages import FLAT
from .config import TrainConfig, changed
from .process import launch, prepare, state, stop
from .report import PHASES

ROLLOUT_KINDS = {
    "all": "every rollout",
    "crashed": "the final code drew nothing",
    "copied": "a turn repeats the code before it",
    "regressed": "the final score is below the first draft's",
    "flagged": "the code looks like forging pixels",
    "unscored": "the judge gave no score",
    "zero spread": "all rewards of its group are equal",
}
ORDERS = {  # the column of the index, and 1 for the smallest first
    "worst": ("total", 1), "best": ("total", -1), "newest": ("step", -1), "oldest": ("step", 1),
    "highest advantage": ("advantage", -1), "lowest advantage": ("advantage", 1),
}

_ROW = np.dtype([("file", "i4"), ("offset", "i8"), ("size", "i4"), *FACTS])


def start(config, **changes) -> Run:
    """Train in a process of its own and return its `Run` at once; closing or restarting the notebook does
    not end it.

    `config` is a shipped configuration, a YAML or JSON file, or a `TrainConfig`; `changes` override
    settings. A finished or stopped run in the same folder is replaced, as on the command line. Raises
    RuntimeError while a process trains into that folder, and FileExistsError for a folder that is not a
    run.

    Example: `run = start("demo", steps=10); watch(run)`.
    """
    if isinstance(config, TrainConfig):
        config = TrainConfig(**changed(vars(config), changes))
    else:
        config = TrainConfig.load(config, **changes)
    folder = prepare(config)
    launch(folder)
    return Run(folder)


class Run(Sequence):
    """A run folder; `run[i]` is its i-th recorded `Rollout`, in the order they were made.

    `path` is a run folder or any folder of recorded rollouts, looked for here and then in the repository.
    `index` is a numpy table of what `find` and `curves` use, with the columns of `records.facts`: step,
    group, id, vision, total, first (the first draft's score), ran, copied, ... Raises FileNotFoundError where
    there is no such folder.

    Example: `run = Run("runs/demo"); run[run.find("crashed", "newest")[0]]`.
    """

    def __init__(self, path):
        self.path = found(path)
        if not self.path.is_dir():
            raise FileNotFoundError(f"no run folder {path}; start a run with: python -m rrvf_lab.train demo")
        self.index, self._files, self._names = np.empty(0, _ROW), {}, []
        self.refresh()

    # ---- the recorded rollouts

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
            return json.loads(file.read(entry["size"]))

    def rows(self) -> list[dict]:
        """The stored JSON of every rollout, each file read once."""
        rows = []
        for number, name in enumerate(self._names):
            data, here = (self.folder / name).read_bytes(), self.index[self.index["file"] == number]
            rows += [json.loads(data[entry["offset"]:entry["offset"] + entry["size"]]) for entry in here]
        return rows

    def to_parquet(self, path) -> Path:
        """Write every recorded rollout to one parquet file with the pictures inside.

        Example: `Run("runs/demo").to_parquet("demo.parquet")`.
        """
        return Rollouts(self.rows(), self.folder).to_parquet(path)

    def refresh(self) -> int:
        """Read what was recorded, or dropped by a resumed run, since the last look; returns the change in
        their number.

        Files are written whole and replaced whole, so half a step is never seen.
        """
        before, files, known = len(self), {}, self._files
        for path in sorted(self.folder.glob("*.jsonl")):
            if path == self.path / "log.jsonl":
                continue
            try:
                key = (stat := path.stat()).st_mtime_ns, stat.st_size
                unchanged = path.name in known and known[path.name][0] == key
                files[path.name] = known[path.name] if unchanged else (key, _read(path))
            except FileNotFoundError:  # dropped between listing and reading
                continue
        if {name: key for name, (key, _) in files.items()} != {name: key for name, (key, _) in known.items()}:
            self._files, self._names = files, list(files)
            for number, (_, rows) in enumerate(files.values()):
                rows["file"] = number
            self.index = np.concatenate([np.empty(0, _ROW), *(rows for _, rows in files.values())])
        return len(self) - before

    # ---- which of them

    def find(self, kind: str = "all", order: str = "newest", steps=None, image: str = "") -> np.ndarray:
        """Positions of the rollouts of one kind, in order, without reading any of them.

        `kind` is a key of `ROLLOUT_KINDS`, `order` one of `ORDERS`; `steps` is one step or (first, last);
        `image` is a part of the image's id. Unscored ones come last in an order by reward. Raises
        ValueError for an unknown kind or order.

        Example: `run.find("regressed", "worst", steps=(10, 20))[:12]`.
        """
        for value, known in ((kind, ROLLOUT_KINDS), (order, ORDERS)):
            if value not in known:
                raise ValueError(f"unknown {value!r}; known: {', '.join(known)}")
        keep = _are(self.index, kind)
        if steps is not None:
            first, last = (steps, steps) if isinstance(steps, int) else steps
            keep = keep & (self.index["step"] >= first) & (self.index["step"] <= last)
        positions = np.flatnonzero(keep)
        if image:
            positions = positions[[image in name for name in self.index["id"][positions]]]
        column, sign = ORDERS[order]
        return positions[np.argsort(sign * self.index[column][positions], kind="stable")]

    def counts(self) -> dict[str, int]:
        """How many rollouts are of each kind."""
        return {kind: int(_are(self.index, kind).sum()) for kind in ROLLOUT_KINDS}

    def group(self, i: int) -> list[Rollout]:
        """All rollouts of rollout i's group, in the order they were sampled."""
        entry = self.index[i]
        if entry["group"] < 0:
            return [self[i]]
        same = (self.index["step"] == entry["step"]) & (self.index["group"] == entry["group"])
        return [self[k] for k in np.flatnonzero(same)]

    def step(self, number: int) -> list[Rollout]:
        """All rollouts of one training step: the batch whose spread TRL's `scale_rewards="batch"` divides
        by."""
        return [self[k] for k in np.flatnonzero(self.index["step"] == number)]

    def latest(self) -> list[Rollout]:
        """The first group of the newest recorded step; [] when nothing is recorded yet."""
        return self.group(int(self.index["step"].argmax())) if len(self) else []

    # ---- numbers

    def curves(self) -> dict[str, np.ndarray]:
        """Means over each step's rollouts, from the recordings: "step" and one array per curve (NaN: no
        values)."""
        index = self.index
        steps, of = np.unique(index["step"], return_inverse=True)
        values = {
            "reward": index["total"], "vision": index["vision"], "first draft": index["first"],
            "execution rate": index["ran"], "tool calls": index["calls"], "copied": index["copied"],
            "zero spread": _without_spread(index),
        }
        means = {name: _means(column.astype(float), of, len(steps)) for name, column in values.items()}
        return {"step": steps} | means

    def log(self) -> list[dict]:
        """TRL's log, a row per step (loss, entropy, seconds/generate, ...); steps made again by a resume
        count once."""
        rows, path = [], self.path / "log.jsonl"
        lines, _ = json_lines(path) if path.exists() else ([], [])  # the last one may be being written now
        for _, row in lines:
            if "reward" in row:
                while rows and rows[-1]["step"] >= row["step"]:
                    rows.pop()
                rows.append(row)
        return rows

    def seconds(self) -> dict[str, float]:
        """Mean wall seconds of a step by phase; {} when nothing was logged."""
        rows = self.log()
        return {p: sum(r.get(f"seconds/{p}", 0.0) for r in rows) / len(rows) for p in PHASES} if rows else {}

    # ---- the process

    @property
    def config(self) -> TrainConfig | None:
        """The run's settings; None for a bare folder of rollouts."""
        path = self.path / "config.json"
        return TrainConfig.load(path) if path.is_file() else None

    @property
    def state(self) -> str:
        """ "running", "finished" (the report is written), "stopped", or "recording" (rollouts without a
        run)."""
        return state(self.path)

    def stop(self, wait: float = 10.0) -> None:
        """End the training process and what it started; killed after `wait` seconds. Raises RuntimeError when
        no process trains into this folder."""
        stop(self.path, wait)

    def resume(self) -> None:
        """Go on from the last whole checkpoint in a new process. Raises RuntimeError unless the run is
        stopped."""
        if self.state != "stopped":
            raise RuntimeError(f"{self.path} is {self.state}; only a stopped run can be resumed")
        launch(self.path)

    def output(self, lines: int = 20) -> str:
        """The end of what the process printed; "" for a run started in a terminal."""
        path = self.path / "output.txt"
        text = path.read_text(errors="replace") if path.exists() else ""
        return "\n".join(line.rpartition("\r")[2] for line in text.splitlines()[-lines:])

    def summary(self) -> str:
        """One sentence: state, steps, rollouts, the last step's mean vision and execution rate."""
        config, curves = self.config, self.curves()
        if not len(self):
            return f"{self.state}; no step recorded yet"
        of = f" of {config.steps}" if config else ""
        step = f"step {curves['step'][-1]}{of}; " if curves["step"][-1] >= 0 else ""
        last = f"vision {curves['vision'][-1]:.3f}, execution {curves['execution rate'][-1]:.0%}"
        return f"{self.state}; {step}{len(self):,} rollouts; {'last step: ' if step else ''}{last}"

    def __repr__(self):
        return f"Run({str(self.path)!r}: {self.summary()})"


# ---- the index: reading it, and columns that several rows decide

def _read(path):
    """The index rows of one recorded file; what is no rollout (cut short, another file's) is left out by
    name."""
    rows, offset = [], 0
    for number, line in enumerate(lines_of(path.read_bytes()), 1):
        if line.strip(b"\xef\xbb\xbf \t\r"):
            try:
                rows.append((0, offset, len(line), *facts(json.loads(line))))
            except (ValueError, KeyError, TypeError) as error:
                warnings.warn(f"left out {path}, line {number}, no rollout: {error}", stacklevel=3)
        offset += len(line) + 1
    return np.array(rows, _ROW)


def _are(index, kind):
    """Which rows are of a kind of `ROLLOUT_KINDS`."""
    if kind == "all":
        return np.ones(len(index), bool)
    if kind == "crashed":
        return ~index["ran"]
    if kind == "regressed":
        return index["vision"] < index["first"] - FLAT
    if kind == "unscored":
        return np.isnan(index["total"])
    if kind == "zero spread":
        return _without_spread(index)
    return index[kind]


def _without_spread(index):
    """Whether all rewards of a rollout's group are equal; one without a group stands alone, and is not
    counted."""
    groups = group_labels(index)
    inside, n = groups >= 0, groups.max(initial=-1) + 1
    low, high = np.full(n, np.inf), np.full(n, -np.inf)
    np.fmin.at(low, groups[inside], index["total"][inside])
    np.fmax.at(high, groups[inside], index["total"][inside])
    flat = (high - low < FLAT) & (np.bincount(groups[inside], minlength=n) > 1)
    return inside & np.append(flat, False)[groups]


def _means(values, of, n):
    """The mean of each of n groups, NaN left out; `of` says which group a value belongs to."""
    known = ~np.isnan(values)
    counts = np.bincount(of[known], minlength=n)
    sums = np.bincount(of[known], values[known], n)
    return np.where(counts, sums / np.maximum(counts, 1), np.nan)
