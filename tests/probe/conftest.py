"""Rollouts of painted squares, and a probe of scripted policies on them."""
import sys
from pathlib import Path

import pytest
from painting import Painter
from scripted import Reads, judge

import rrvf_lab as rl

for room in ("show", "training"):  # where hostile texts and tiny models are
    sys.path.append(str(Path(__file__).parents[1] / room))

from tiny import tiny_qwen  # noqa: E402, F401  (a fixture)


@pytest.fixture(scope="session")
def rollouts():
    """Two drafts for each of twelve images, two of each of six colours."""
    images = [{"image": Painter().render(colour).image, "id": f"{colour}-{k}"}
              for k in range(2) for colour in ("red", "blue", "green", "orange", "purple", "gray")]
    return rl.play_many(Reads(), images, 2, renderer=Painter(), judge=judge)


@pytest.fixture
def probed(rollouts):
    """`probe` of a policy on these rollouts, with this judge."""
    def probed(policy, rollouts=rollouts, **options):
        return rl.probe(policy, rollouts, judge=judge, renderer=Painter(), **options)

    return probed
