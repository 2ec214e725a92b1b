"""The facts of a stored rollout are the rollout's own, and groups are told apart by step and number."""
import numpy as np
import pytest

import rrvf_lab as rl
from rrvf_lab.records.facts import facts_of, group_labels


@pytest.fixture(scope="module")
def recorded():
    rollouts = rl.load_rollouts("data/rollouts/evaluation")
    return rollouts, facts_of(rollouts.rows)


def test_they_are_those_of_the_rollout(recorded):
    rollouts, table = recorded
    for rollout, line in list(zip(rollouts, table, strict=True))[::7]:
        first = rollout.drafts[0] if rollout.drafts else None
        assert line["vision"] == rollout.reward.vision and line["ran"] == rollout.ran
        assert line["first"] == (first.score if first else 0)
        assert line["first_ran"] == bool(first and first.ran)
        assert (line["drafts"], line["turns"]) == (len(rollout.drafts), len(rollout.turns))
        assert line["length"] == sum(len(turn.text) for turn in rollout.turns)


def test_groups_are_told_apart_by_step_and_number():
    table = np.zeros(5, [("step", "i4"), ("group", "i4")])
    table["step"], table["group"] = [2, 1, 1, -1, -1], [0, 0, 1, 3, -1]
    labels = group_labels(table).tolist()
    assert labels[4] == -1 and sorted(labels[:4]) == [0, 1, 2, 3]
    assert group_labels(table[:0]).tolist() == []
