"""Rollouts in files: JSON lines (one file per training step) beside PNG images named by their content.

A picture that forty rollouts share is stored once. A file is written whole or not at all.

Left out: changing what is recorded (see `recording` for evaluations that resume).
"""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from PIL import Image

from ..judge.verdict import Verdict
from ..leaves.files import found, json_lines, write_whole
from ..leaves.pictures import png, rgb
from ..render.rendering import Rendering
from ..reward import Reward
from ..rollout import Rollout, Turn
from .parquet import write_parquet

ROLLOUT = ("id", "language", "target", "turns", "answer", "choice", "info", "reward")  # of a stored line


def picture_name(image) -> str:
    """What a picture is stored under: equal for equal RGB pixels alone."""
    image = rgb(image)
    return hashlib.sha1(image.tobytes() + repr(image.size).encode()).hexdigest()[:20]


class Recorder:
    """Store rollouts under a folder, one JSON-lines file per name, written whole or not at all.

    Example: `Recorder("runs/demo/rollouts").write("step-000012", rollouts)`.
    """

    def __init__(self, folder):
        self.folder = Path(folder)
        (self.folder / "images").mkdir(parents=True, exist_ok=True)
        self._known = set()

    def write(self, name: str, rollouts) -> Path:
        """Write `name`.jsonl; returns its path."""
        rows = [json.dumps(self._row(rollout)) for rollout in rollouts]
        path = self.folder / f"{name}.jsonl"
        write_whole(path, "\n".join(rows) + "\n")
        return path

    def drop_after(self, step: int) -> None:
        """Forget what was recorded after `step`, before a resumed run records it again."""
        for path in self.folder.glob("step-*.jsonl"):
            if int(path.stem.split("-")[1]) > step:
                path.unlink(missing_ok=True)

    def _image(self, image):
        if image is None:
            return None
        image = rgb(image)
        name = picture_name(image)
        path = self.folder / "images" / f"{name}.png"
        if name not in self._known and not path.exists():
            write_whole(path, png(image, compress_level=1))
        self._known.add(name)
        return name

    def _row(self, rollout):
        return {"id": rollout.id, "language": rollout.language, "target": self._image(rollout.target),
                "turns": [self._turn(turn) for turn in rollout.turns], "answer": rollout.answer,
                "choice": rollout.choice, "info": rollout.info,
                "reward": asdict(rollout.reward) if rollout.reward else None}

    def _turn(self, turn):
        row = {k: getattr(turn, k) for k in ("thought", "code", "text", "action", "error")}
        if turn.rendering is not None:
            row["rendering"] = {
                "image": self._image(turn.rendering.image),
                "error": turn.rendering.error,
                "seconds": round(turn.rendering.seconds, 4),
                "flags": list(turn.rendering.flags),
            }
        if turn.verdict is not None:
            row["verdict"] = {k: getattr(turn.verdict, k) for k in ("score", "feedback", "parts", "reason")}
        return row


class Rollouts(Sequence):
    """Recorded rollouts, decoded when asked for; slicing and iterating work as on a list."""

    def __init__(self, rows, folder):
        self.rows, self.folder = rows, folder

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, i):
        if isinstance(i, slice):
            return Rollouts(self.rows[i], self.folder)
        return self._rollout(self.rows[i])

    def where(self, **info) -> Rollouts:
        """Those whose `info` has these values: `load_rollouts(run).where(step=12)`."""
        return Rollouts(
            [r for r in self.rows if all(r["info"].get(k) == v for k, v in info.items())], self.folder
        )

    def to_parquet(self, path) -> Path:
        """Write them to one parquet file with the pictures inside, for the hub and other tools.

        Example: `load_rollouts("runs/demo").to_parquet("demo.parquet")`.
        """
        return write_parquet(self.rows, self.folder, path)

    def _image(self, name):
        if name is None:
            return None
        with Image.open(self.folder / "images" / f"{name}.png") as image:
            return rgb(image)

    def _rollout(self, row):
        reward = row["reward"] and Reward(**row["reward"] | {"reasons": tuple(row["reward"]["reasons"])})
        return Rollout(self._image(row["target"]), row["language"], tuple(map(self._turn, row["turns"])),
                       row["answer"], row["choice"], reward, row["id"], row["info"])

    def _turn(self, row):
        row = dict(row)
        rendering, verdict = row.pop("rendering", None), row.pop("verdict", None)
        if rendering is not None:
            stored = {"image": self._image(rendering["image"]), "flags": tuple(rendering.get("flags", ()))}
            rendering = Rendering(**rendering | stored)
        return Turn(**row, rendering=rendering, verdict=verdict and Verdict(**verdict))


def load_rollouts(run) -> Rollouts:
    """Every rollout recorded under a run folder (or its `rollouts` folder), in the order they were made.

    A relative folder is looked for here, then in the repository, so `data/rollouts` is found from anywhere.
    A line that holds no rollout (cut short, another file's) is left out with a UserWarning that names it.
    Raises FileNotFoundError naming the folder when nothing was recorded there, ValueError when nothing of it
    can be read.

    Example: `load_rollouts("runs/demo").where(step=3)[0]`.
    """
    folder = found(run)
    folder = folder / "rollouts" if (folder / "rollouts").is_dir() else folder
    paths = sorted(folder.glob("*.jsonl"))
    if not paths:
        raise FileNotFoundError(
            f"no recorded rollouts in {folder}; record some with: python -m rrvf_lab.train demo"
        )
    rows, problems = [], []
    for path in paths:
        found_there, unread = json_lines(path)
        problems += [f"{path.name}, {problem}" for problem in unread]
        for number, row in found_there:
            missing = [name for name in ROLLOUT if name not in row]
            if missing:
                problems.append(f"{path.name}, line {number}: no rollout, it has no {missing[0]!r}")
            else:
                rows.append(row)
    if problems and not rows:
        raise ValueError(f"nothing in {folder} can be read as a rollout: {'; '.join(problems[:5])}")
    for problem in problems:
        warnings.warn(f"left out {folder.name}/{problem}", stacklevel=2)
    return Rollouts(rows, folder)
