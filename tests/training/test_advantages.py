"""Advantages are TRL's own numbers, for every scale, with unscored rollouts and dead groups among them."""
import ast
import functools
import importlib.util
import math
import textwrap
import types
from pathlib import Path

import numpy as np
import pytest
import torch
from trl.trainer.utils import nanstd

import rrvf_lab as rl
from rrvf_lab.leaves.files import REPOSITORY
from rrvf_lab.training import advantages
from rrvf_lab.training.advantages import without_rounding


@functools.cache
def trl_lines():
    """The lines of TRL 1.16 that turn rewards into advantages, cut out of its source."""
    path = Path(importlib.util.find_spec("trl").origin).parent / "trainer" / "grpo_trainer.py"
    method = next(node for node in ast.walk(ast.parse(path.read_text()))
                  if isinstance(node, ast.FunctionDef) and node.name == "_generate_and_score_completions")
    lines = path.read_text().splitlines()
    first = next(k for k in range(method.lineno, method.end_lineno) if "unscorable_mask = " in lines[k])
    last = next(k for k in range(first, method.end_lineno) if "advantages = torch.nan_to_num(" in lines[k])
    return textwrap.dedent("\n".join(lines[first:last + 1]))


def trl_advantages(rewards, size, scale, dtype):
    trainer = types.SimpleNamespace(multi_objective_aggregation="sum_then_normalize", scale_rewards=scale,
                                    reward_weights=torch.ones(1, dtype=dtype))
    names = {"torch": torch, "nanstd": nanstd, "self": trainer, "device": "cpu", "num_generations": size,
             "rewards_per_func": torch.tensor(rewards, dtype=dtype)[:, None]}
    exec(trl_lines(), names)
    return names["advantages"].double().numpy()


def batches():
    random = np.random.default_rng(0)
    plain = random.random(24)
    holes = np.where(random.random(24) < 0.3, np.nan, random.random(24))
    lonely = np.r_[np.nan, np.nan, np.nan, 0.4, random.random(4)]          # one scored of four
    silent = np.r_[[np.nan] * 4, random.random(4)]                         # none
    flat = np.r_[[0.25] * 4, random.random(4)]                             # equal rewards, exact in binary
    return {"plain": plain, "holes": holes, "lonely": lonely, "silent": silent, "flat": flat}


@pytest.mark.parametrize("scale", ["group", "batch", "none"])
@pytest.mark.parametrize("name", batches())
def test_the_numbers_are_trls(name, scale):
    rewards = batches()[name]
    ours = advantages(rewards, 4, scale)
    for dtype in (torch.float32, torch.float64):  # TRL trains in float32
        assert np.abs(ours - trl_advantages(rewards, 4, scale, dtype)).max() < 1e-6


def test_equal_rewards_push_nothing_whatever_their_rounding():
    """A bound of 0.001 alone let 0.0012 pass for a fifth of the rewards about 1."""
    largest = 0.0
    for value in np.random.default_rng(0).uniform(0.9, 1.1, 200):
        totals = [value] * 8 + [0.2, 0.4, 0.5, 0.6] * 2
        trl = trl_advantages(totals, 8, "group", torch.float32)
        largest = max(largest, abs(trl[:8]).max())
        kept = without_rounding(torch.tensor(trl), totals, 8)
        assert not kept[:8].any() and kept[8:].tolist() == trl[8:].tolist()
    assert largest > 1e-3


def test_the_toy_group_by_hand():
    # mean 0.5, squares 0.09 + 0 + 0 + 0.09, over n - 1 = 3: std = sqrt(0.06)
    by_hand = [r / (math.sqrt(0.06) + 1e-4) for r in (-0.3, 0, 0, 0.3)]
    assert advantages([0.2, 0.5, 0.5, 0.8], 4) == pytest.approx(by_hand, abs=1e-12)


def test_a_recorded_step_holds_the_advantages_of_its_rewards():
    rollouts = list(rl.load_rollouts(REPOSITORY / "data" / "rollouts" / "group"))
    assert len(rollouts) == 16
    groups = [r.info["group"] for r in rollouts]
    ours = advantages([r.reward.total for r in rollouts], groups, "group")
    assert ours == pytest.approx([r.info["advantage"] for r in rollouts], abs=6e-6)  # stored with five digits


def test_labels_may_stand_in_any_order():
    rewards = np.random.default_rng(1).random(8)
    shuffled = np.random.default_rng(2).permutation(8)
    expected = advantages(rewards, 4)[shuffled]
    assert advantages(rewards[shuffled], [("a", "b")[i // 4] for i in shuffled]) == pytest.approx(expected)


def test_baselines():
    r = [0.0, 0.3, 0.9, math.nan]
    assert advantages(r, 4, "none", "leave-one-out") == pytest.approx([0 - 0.6, 0.3 - 0.45, 0.9 - 0.15, 0])
    assert advantages(r, 4, "none", "none") == pytest.approx([0, 0.3, 0.9, 0])
    assert advantages([*r, 1.0, 1.0, 1.0, 1.0], 4, "none", "batch") == pytest.approx(
        [x - 5.2 / 7 for x in (0, 0.3, 0.9)] + [0] + [1 - 5.2 / 7] * 4)


@pytest.mark.parametrize(("arguments", "message"), [
    (([0.1] * 4, 4, "std"), "unknown scale 'std'; known: group, batch, none"),
    (([0.1] * 4, 4, "group", "median"), "unknown baseline 'median'; known: mean, leave-one-out"),
    (([0.1] * 5, 4), "5 rewards do not fill groups of 4"),
    (([0.1] * 5, [1, 2]), "5 rewards but 2 group labels"),
    (([], 4), "give a flat list"),
])
def test_wrong_input_is_one_clear_line(arguments, message):
    with pytest.raises(ValueError, match=message):
        advantages(*arguments)
