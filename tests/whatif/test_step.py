"""A recorded step under another rule: what is not changed stays, what is follows its formula."""
import json
import math
from dataclasses import replace

import numpy as np
import pytest
from recorded import rollout, turn

import rrvf_lab as rl
from rrvf_lab.records import Recorder
from rrvf_lab.reward import RewardWeights
from rrvf_lab.training import TrainConfig, advantages
from rrvf_lab.whatif.setting import Setting, scale_of, terms

TOTALS = [0.2, 0.5, 0.5, 0.8, 0.1, 0.3, 0.4, 0.9]


def step(scale="group", number=3):
    """Two groups of four, with the advantages of a scale."""
    made = [rollout(turn(total), step=number, group=i // 4, id=f"image-{i // 4}")
            for i, total in enumerate(TOTALS)]
    told = advantages([r.reward.total for r in made], 4, scale)
    return [replace(r, info=r.info | {"advantage": round(a, 5)}) for r, a in zip(made, told, strict=True)]


@pytest.fixture
def folder(tmp_path):
    """A run folder with one step."""
    Recorder(tmp_path / "rollouts").write("step-000003", step("batch"))
    settings = TrainConfig.load("nano", scale_rewards="batch", group=4, prompts=2, micro_batch=8,
                                trl={"epsilon_high": 0.28, "beta": 0.01}, output=str(tmp_path))
    (tmp_path / "config.json").write_text(json.dumps(vars(settings)))
    return tmp_path


def test_without_a_change_both_sides_are_alike():
    found = rl.what_if(step())
    assert found.changed.advantages == pytest.approx(found.recorded.advantages, abs=1e-4)
    assert not found.flips.any() and found.changed.setting == found.recorded.setting


@pytest.mark.parametrize("scale", ["group", "batch", "none"])
def test_the_recorded_scale_is_told_by_its_numbers(scale):
    assert rl.what_if(step(scale)).recorded.setting.scale == scale


def test_advantages_of_no_known_scale_are_said_to_be():
    odd = [replace(r, info=r.info | {"advantage": 0.3}) for r in step()]
    assert any("do not follow from these rewards" in note for note in rl.what_if(odd).notes)
    assert scale_of([0.2, 0.8], [0, 0], [0.3, 0.3]) is None


def test_scale_and_baseline_are_those_of_advantages():
    found = rl.what_if(step(), scale="none", baseline="leave-one-out")
    totals = [r.reward.total for r in step()]
    assert found.changed.advantages == pytest.approx(advantages(totals, 4, "none", "leave-one-out"))


def test_other_weights_make_other_rewards():
    found = rl.what_if(step(), weights=RewardWeights(vision=-1.0))
    assert found.changed.totals == pytest.approx(found.recorded.totals - 2 * np.array(TOTALS))
    assert found.flips.sum() == 6 and found.table()["turned round"][0] == 1.0  # two are at the mean


def test_smaller_groups_are_means_over_draws():
    found = rl.what_if(step(), group=2)
    assert 0 < found.flips.mean() < 0.5 and found.flips[0] == 0  # the lowest is never above another
    assert abs(found.changed.advantages[:4].sum()) < 0.3


@pytest.mark.parametrize(("change", "message"), [
    ({"group": 5}, "group=5: the recorded groups have 4 rollouts; choose from 2 to 4"),
    ({"scale": "std"}, "unknown scale 'std'"), ({"baseline": "median"}, "unknown baseline 'median'"),
    ({"clip": (2, 0.2)}, "a ratio stays between"), ({"after": object()}, "after= needs policy="),
    ({"step": 4}, "no rollouts of step 4 were recorded")])
def test_what_cannot_be_is_said(change, message):
    with pytest.raises(ValueError, match=message):
        rl.what_if(step(), **change)


def test_rollouts_of_two_steps_share_no_baseline():
    with pytest.raises(ValueError, match="rollouts of 2 steps, which share no baseline"):
        rl.what_if(step() + step(number=4))


def test_an_unscored_rollout_is_pushed_nowhere():
    lost = [replace(r, reward=replace(r.reward, total=math.nan)) if i == 0 else r
            for i, r in enumerate(step())]
    lost = [replace(r, info={"step": 3, "group": r.info["group"]}) for r in lost]
    assert rl.what_if(lost, scale="none").changed.advantages[0] == 0.0


def test_the_parts_of_tokens_add_up_and_clipping_stops_what_went_too_far():
    ratios = [np.array([1.0, 1.5, 0.5]), np.array([1.5, 0.5])]
    parts, stopped = terms([1.0, -1.0], ratios, (0.2, 0.2))
    assert parts[0] * -5 == pytest.approx([1.0, 1.2, 0.5]) and stopped[0].tolist() == [False, True, False]
    assert parts[1] * 5 == pytest.approx([1.5, 0.8]) and stopped[1].tolist() == [False, True]


def test_formulas_follow_the_setting():
    said = Setting(RewardWeights(tool=0.5), "none", "leave-one-out", (0.1, 0.3), 4).formulas()
    assert "+0.5" in said["reward"] and r"\frac" not in said["advantage"] and "|g|=4" in said["advantage"]
    assert r"j\neq i" in said["advantage"] and "0.9" in said["loss"] and "1.3" in said["loss"]


def test_formulas_name_what_changed_once():
    said = rl.what_if(step(), scale="batch").formulas
    assert said.count("**reward** (both)") == 1 and "**advantage**, changed" in said


def test_a_run_brings_its_own_setting_and_counts_its_tokens(folder):
    found = rl.what_if(str(folder), scale="none")
    assert found.recorded.setting.scale == "batch" and found.recorded.setting.clip == (0.2, 0.28)
    assert any("beta=0.01" in note for note in found.notes)
    frame = found.of_tokens(0)
    assert len(frame) == found.table()["tokens"][0] and (frame["ratio"] == 1).all()
    count = found.table()["tokens"].sum()
    assert frame["loss"].to_numpy() == pytest.approx(-found.recorded.advantages[0] / count)
    assert found.recorded.loss == pytest.approx(found.table()["loss"].sum())


def test_clipping_that_cannot_show_is_said_so(folder):
    assert any("Every ratio is 1" in note for note in rl.what_if(str(folder), clip=0.1).notes)


def test_tokens_of_a_bare_recording_need_a_policy():
    found = rl.what_if(step())
    assert math.isnan(found.recorded.loss) and any("give policy=" in note for note in found.notes)
    with pytest.raises(ValueError, match="are not known"):
        found.of_tokens(0)
