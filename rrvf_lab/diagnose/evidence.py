"""What a run left behind, as columns that findings can ask: rollouts, turns, settings, log, pictures.

Pictures are stored by their pixels, so that equal names are equal pictures and most questions need none
decoded. Where pictures must be compared again, a sample is (`judged_again`).

Left out: model weights, and whatever was not recorded.
"""

from __future__ import annotations

import contextlib
import functools
import json
import math
import re
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from ..judge.pixel import PixelJudge
from ..judge.sentences import NOTHING
from ..leaves.files import found, json_lines
from ..leaves.pictures import decoded, rgb
from ..records.facts import drew, facts_of, group_labels, score
from ..records.store import Recorder, Rollouts, load_rollouts, picture_name
from ..reward import RewardWeights
from ..training.runs import Run

SAMPLE = 40  # pairs of pictures that are judged again


class Evidence:
    """The records of a run.

    Of each rollout the columns of `records.facts`: `vision`, `total`, `first`, `ran`, ...; here `step` is NaN
    where there is none, and `group` a number for each group of the run. Of each turn, in `turn`: `of` (its
    rollout), `k`, `code`, `text`, `picture`, `score`, `ran`, `feedback`, `reason`, `error`, `failed` (why
    nothing was drawn), `parts` (whether there are some). Numbers are arrays, NaN where nothing is known.

    `rows` are the stored lines, `config` the settings ({} of a bare recording), `log` the trainer's lines.
    """

    def __init__(self, rows, folder, config=None, log=(), facts=None):
        self.rows, self.folder, self.config, self.log = list(rows), Path(folder), config or {}, list(log)
        self.facts = facts_of(self.rows) if facts is None else facts
        for name in self.facts.dtype.names:
            setattr(self, name, self.facts[name])
        self.step = np.where(self.step < 0, math.nan, self.step)
        self.group = group_labels(self.facts)
        self.turn = Turns(self.rows)

    def __len__(self):
        return len(self.rows)

    @functools.cached_property
    def judges(self) -> tuple[str, ...]:
        """The names of the judges that scored the rollouts, as these say it, else as the settings do; ()
        where neither does."""
        said = dict.fromkeys(str(row["info"]["judge"]) for row in self.rows if row["info"].get("judge"))
        if said or "judge" not in self.config:
            return tuple(said)
        judge = self.config["judge"]
        named = judge.get("model", "") if isinstance(judge, dict) else judge
        return (PixelJudge.__name__ if named is None else named.rpartition(":")[2],)

    @property
    def embedded(self) -> bool:
        """Whether the run says that the embedded judge gave its scores."""
        return self.judges == (PixelJudge.__name__,)

    @functools.cached_property
    def its_words(self) -> bool:
        """Whether the sentences that were told are the embedded judge's, whoever gave the scores: three of
        four words are among those that it says of a sample."""
        own = _words(NOTHING).union(*(_words(one["verdict"].feedback) for one in self.judged_again))
        told = [word for one in self.judged_again for word in _words(self.turn.feedback[one["turn"]])]
        return self.embedded or sum(word in own for word in told) > 0.75 * len(told)

    @functools.cached_property
    def so_far(self) -> np.ndarray:
        """The score after each turn (rollouts x turns): a rollout that ended keeps what it had, 0 before the
        first draft; see `records.report.score_after`."""
        found = np.zeros((len(self), int(self.turns.max(initial=0))))
        for scores, row, vision in zip(found, self.rows, self.vision, strict=True):
            last = 0.0
            for k, turn in enumerate(row["turns"]):
                last = scores[k] = score(turn) if turn["code"] is not None else last
            scores[max(0, len(row["turns"]) - 1):] = vision
        return found

    @functools.cached_property
    def evaluation(self) -> Evidence | None:
        """Of a training run: its held-out images, evaluated before and after; None where they were not."""
        folder = self.folder.parent / "evaluation"
        if self.folder.name != "rollouts" or not all((folder / f"{name}.jsonl").is_file()
                                                     for name in ("before", "after")):
            return None
        return Evidence(load_rollouts(folder).rows, folder, self.config)

    @functools.cached_property
    def groups(self) -> list[np.ndarray]:
        """The positions of each group of at least two."""
        order = np.argsort(self.group, kind="stable")
        cuts = np.flatnonzero(np.diff(self.group[order])) + 1
        return [some for some in np.split(order, cuts) if len(some) > 1 and self.group[some[0]] >= 0]

    @functools.cached_property
    def weights(self) -> dict:
        """The weights of the reward's terms: the settings', else what the recorded sentences say."""
        usual = {part: getattr(RewardWeights, part) for part in ("vision", "format", "tool")}
        if weights := self.config.get("reward"):
            return {part: float(weights.get(part, usual[part])) for part in usual}
        for row in self.rows:
            reasons = (row.get("reward") or {}).get("reasons", ())
            said = [reason.partition(":")[0].split() for reason in reasons]
            if len(said) == 3 and all(len(words) == 4 for words in said):
                return {words[0]: float(words[3]) for words in said}
        return usual

    @functools.cached_property
    def held_out(self) -> set[str]:
        """The names of the pictures that measure a training run: of its evaluations and its test images."""
        names = {row["target"] for file in (self.folder.parent / "evaluation").glob("*.jsonl")
                 for _, row in json_lines(file)[0] if "target" in row}
        if not self.config.get("test_images"):
            return names if self.config else set()
        folder = found(self.config["test_images"])
        files = sorted(file for file in folder.glob("*") if file.is_file() and file.name[0] != ".")
        for file in files[:self.config.get("test_limit") or len(files)]:
            with contextlib.suppress(Exception):  # what cannot be decoded was not evaluated either
                names.add(picture_name(decoded(file)))
        return names

    def picture(self, name) -> Image.Image:
        """A stored picture. Raises OSError where it is missing."""
        with Image.open(self.folder / "images" / f"{name}.png") as image:
            return rgb(image)

    def rollout(self, i):
        """One rollout with its pictures, a `Rollout`."""
        return Rollouts([self.rows[i]], self.folder)[0]

    @functools.cached_property
    def judged_again(self) -> list[dict]:
        """A sample of turns that drew something, judged again by the embedded judge: `turn`, `verdict`, and
        `other` (score beside another rollout's target, or NaN)."""
        turn, judge, sample = self.turn, PixelJudge(), []
        seen = {}
        for i in np.flatnonzero(turn.ran & ~np.isnan(turn.score)):
            seen.setdefault((self.target[turn.of[i]], turn.picture[i]), i)
        at = np.array(sorted(seen.values()), int)
        at = at[np.unique(np.linspace(0, len(at) - 1, min(SAMPLE, len(at))).astype(int))] if len(at) else at
        targets = list(dict.fromkeys(self.target[turn.of[at]]))
        for i in at:
            own = self.target[turn.of[i]]
            other = targets[(targets.index(own) + 1) % len(targets)]
            try:
                image = self.picture(turn.picture[i])
                verdict = judge(self.picture(own), image)
                beside = math.nan if other == own else judge(self.picture(other), image).score
            except OSError:  # a copy without its pictures
                continue
            sample.append({"turn": int(i), "verdict": verdict, "other": beside})
        return sample


def _words(text):
    return set(re.findall(r"\w+", text.lower()))


class Turns:
    """The turns of all rollouts as columns; see `Evidence`."""

    def __init__(self, rows):
        flat = [(i, k, turn) for i, row in enumerate(rows) for k, turn in enumerate(row["turns"])]
        verdicts = [turn.get("verdict") or {} for _, _, turn in flat]
        drawn = [turn.get("rendering") or {} for _, _, turn in flat]
        self.of = np.array([i for i, _, _ in flat], int)
        self.k = np.array([k for _, k, _ in flat], int)
        self.code = np.array([turn["code"] for _, _, turn in flat], object)
        self.text = np.array([turn["text"] or "" for _, _, turn in flat], object)
        self.error = np.array([turn["error"] or "" for _, _, turn in flat], object)
        self.picture = np.array([one.get("image") for one in drawn], object)
        self.failed = np.array([one.get("error") or "" for one in drawn], object)
        self.ran = np.array([drew(turn) for _, _, turn in flat], bool)
        self.score = np.array([score(turn) for _, _, turn in flat], float)
        self.feedback = np.array([one.get("feedback", "") for one in verdicts], object)
        self.reason = np.array([one.get("reason", "") for one in verdicts], object)
        self.parts = np.array([bool(one.get("parts")) for one in verdicts], bool)

    def __len__(self):
        return len(self.of)


def evidence_of(run) -> Evidence:
    """The evidence of a run: a folder (of a run, or of recorded rollouts), a `Run`, `Rollouts`, a `Report` or
    a list of `Rollout`s.

    Raises FileNotFoundError where nothing was recorded, TypeError for something else.
    """
    if isinstance(run, Evidence):
        return run
    if isinstance(run, Rollouts):
        return Evidence(run.rows, run.folder)
    if isinstance(run, Run):
        if not len(run):
            raise FileNotFoundError(f"no recorded rollouts in {run.folder}: {run.summary()}")
        return Evidence(run.rows(), run.folder, *_settings(run.path), run.index)
    run = getattr(run, "rollouts", run)   # of a Report
    if isinstance(run, (str, Path)):
        rollouts = load_rollouts(run)
        return Evidence(rollouts.rows, rollouts.folder, *_settings(found(run)))
    if not isinstance(run, (list, tuple)):
        raise TypeError(f"diagnose reads a run folder, a Run, Rollouts, a Report or a list of rollouts, not "
                        f"{type(run).__name__}")
    kept = tempfile.TemporaryDirectory(prefix="rrvf-diagnose-")
    Recorder(kept.name).write("rollouts", run)
    evidence = Evidence(load_rollouts(kept.name).rows, kept.name)
    evidence.kept = kept  # its pictures live as long as it does
    return evidence


def _settings(folder):
    """(settings, the trainer's lines) of a run folder; empty where there are none."""
    config, log = folder / "config.json", folder / "log.jsonl"
    return (json.loads(config.read_text()) if config.is_file() else {},
            [row for _, row in json_lines(log)[0]] if log.is_file() else [])
