"""Advantages are TRL's own numbers; the contact sheet orders by them, says when there is nothing to learn, runs nothing."""
import ast
import math
import textwrap
import types
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rrvf_lab.groups import advantages, recorded, sheet
from rrvf_lab.judge import Verdict
from rrvf_lab.render import Rendering
from rrvf_lab.reward import RewardWeights, reward
from rrvf_lab.rollout import Rollout, Turn, load_rollouts

GROUP = Path(__file__).parent.parent / "data" / "rollouts" / "group"
EVIL = "<script>document.title='ran'</script><img src=x onerror=\"document.title='ran'\">\u202e\x1b[2J"


def trl_advantages(rewards, size, scale, dtype):
    """The lines of TRL 1.16 that turn rewards into advantages, cut out of its source and run."""
    import importlib.util

    import torch
    from trl.trainer.utils import nanstd

    path = Path(importlib.util.find_spec("trl").origin).parent / "trainer" / "grpo_trainer.py"
    method = next(node for node in ast.walk(ast.parse(path.read_text()))
                  if isinstance(node, ast.FunctionDef) and node.name == "_generate_and_score_completions")
    lines = path.read_text().splitlines()
    first = next(k for k in range(method.lineno, method.end_lineno) if "unscorable_mask = " in lines[k])
    last = next(k for k in range(first, method.end_lineno) if "advantages = torch.nan_to_num(" in lines[k])
    trainer = types.SimpleNamespace(multi_objective_aggregation="sum_then_normalize", scale_rewards=scale,
                                    reward_weights=torch.ones(1, dtype=dtype))
    names = {"torch": torch, "nanstd": nanstd, "self": trainer, "device": "cpu", "num_generations": size,
             "rewards_per_func": torch.tensor(rewards, dtype=dtype)[:, None]}
    exec(textwrap.dedent("\n".join(lines[first:last + 1])), names)
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
    import torch

    rewards = batches()[name]
    ours = advantages(rewards, 4, scale)
    for dtype in (torch.float32, torch.float64):  # TRL trains in float32
        assert np.abs(ours - trl_advantages(rewards, 4, scale, dtype)).max() < 1e-6


def test_the_toy_group_by_hand():
    # mean 0.5, squares 0.09 + 0 + 0 + 0.09, over n - 1 = 3: std = sqrt(0.06)
    by_hand = [r / (math.sqrt(0.06) + 1e-4) for r in (-0.3, 0, 0, 0.3)]
    assert advantages([0.2, 0.5, 0.5, 0.8], 4) == pytest.approx(by_hand, abs=1e-12)


def test_a_recorded_step_holds_the_advantages_of_its_rewards():
    rollouts = load_rollouts(GROUP)
    made = sheet(rollouts, scale="batch")
    assert len(rollouts) == 16
    assert made.advantages == pytest.approx([r.info["advantage"] for r in rollouts], abs=6e-6)  # stored with five digits
    assert recorded(rollouts).order(0) == made.order(0)


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


def _rollout(score, text="bars", calls=1, id="a"):
    picture = Image.new("RGB", (40, 30), "red")
    turn = Turn(text, text, Rendering(picture, None, 0.1), Verdict(score, text, {}, text), text, "render")
    turns = (turn,) * calls + (replace(turn, action="answer"),)
    rollout = Rollout(picture, "matplotlib", turns, text, len(turns) - 1, None, id, {})
    return replace(rollout, reward=reward(rollout))


def test_new_weights_reorder_from_the_stored_parts():
    rollouts = [_rollout(0.5, calls=0), _rollout(0.45, calls=1)]
    assert sheet(rollouts).order("a") == [1, 0]  # 0.5 against 0.45 + 0.1
    changed = sheet(rollouts, RewardWeights(tool=0.0))
    assert changed.order("a") == [0, 1] and changed.recorded_order("a") == [1, 0]
    assert "was #2" in changed._repr_html_() and "was #" not in sheet(rollouts)._repr_html_()


def test_a_group_without_spread_is_flagged_and_an_unscored_rollout_named():
    assert "Zero spread" in sheet([_rollout(0.5), _rollout(0.5)])._repr_html_()
    page = sheet([_rollout(0.5), _rollout(0.4), _rollout(math.nan)])._repr_html_()
    assert "Zero spread" not in page and "1 unscored" in page and "nan" not in page.split("thoughts and code")[0]
    assert "Fewer than two rewards" in sheet([_rollout(0.5), _rollout(math.nan)])._repr_html_()


def test_nothing_the_model_wrote_is_live():
    page = sheet([_rollout(0.5, EVIL), _rollout(0.4, EVIL)])._repr_html_()
    assert "<script" not in page and "onerror=\"" not in page and "\x1b" not in page and "\u202e" not in page
    assert page.count("<img") == page.count(' alt="') == 3


def test_a_megabyte_in_one_line_stays_small():
    assert len(sheet([_rollout(0.5, "x" * 10**6), _rollout(0.4)])._repr_html_()) < 60_000


def test_rollouts_of_several_steps_share_no_baseline():
    two = [replace(_rollout(0.5), info={"step": s}) for s in (1, 2)]
    with pytest.raises(ValueError, match=r"rollouts of 2 steps.*where\(step=1\)"):
        sheet(two)
