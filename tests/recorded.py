"""A small run folder whose rollouts are of every kind, for tests that look into runs. The fixture reaches
tests through conftest.py."""
import math
from dataclasses import replace

import pytest
from PIL import Image

from rrvf_lab.judge import Verdict
from rrvf_lab.records import Recorder
from rrvf_lab.render import Rendering
from rrvf_lab.reward import reward
from rrvf_lab.rollout import Rollout, Turn
from rrvf_lab.training.runs import Run

EVIL = "<script>alert(1)</script>\u202e\x1b[2J"
RED = Image.new("RGB", (40, 30), "red")


def turn(score, code="a", flags=()):
    if score is None:
        failed = Rendering(None, EVIL, 0.1)
        return Turn("t", code, failed, Verdict(0.0, EVIL), code, "render", "run: " + EVIL)
    return Turn("t", code, Rendering(RED, None, 0.1, flags=flags), Verdict(score, EVIL), code, "render")


def rollout(*turns, step=1, group=0, id="train-0001", advantage=0.5):
    info = {"step": step, "group": group, "advantage": advantage}
    made = Rollout(RED, "matplotlib", turns, None, len(turns) - 1 if turns else None, None, id, info)
    return replace(made, reward=reward(made))


STEPS = {
    1: [rollout(turn(0.2), turn(0.6, "b")),
        rollout(turn(0.6), turn(0.2, "b")),
        rollout(turn(0.5), turn(0.5)),
        rollout(turn(None))],
    2: [rollout(turn(0.4), step=2, id="odd"),
        rollout(turn(0.4), step=2, id="odd"),
        rollout(turn(math.nan), step=2, group=1),
        rollout(turn(0.9, flags=("reads /proc",)), step=2, group=1),
        rollout(step=2, group=1)],
}


@pytest.fixture
def run(tmp_path):
    """A `Run` over STEPS in tmp_path/run."""
    recorder = Recorder(tmp_path / "run" / "rollouts")
    for step, rollouts in STEPS.items():
        recorder.write(f"step-{step:06d}", rollouts)
    return Run(tmp_path / "run")
