"""The claims: effects are what they say, a teacher's sentences are its readings, arms differ in one thing."""
import json
from dataclasses import asdict

import numpy as np
import pytest

from rrvf_lab.claims import ARMS, claims
from rrvf_lab.claims import measure as measuring
from rrvf_lab.claims.arms import ABLATIONS
from rrvf_lab.claims.judges import Reader, Teacher, noisy, prototype, ssim
from rrvf_lab.claims.table import NOT_SHOWN, OTHER_WAY, SHOWN, Effect, Results, best_supervised
from rrvf_lab.claims.work import jobs, work
from rrvf_lab.judge import PixelJudge
from rrvf_lab.nano.dialect import Chart, plain, program
from rrvf_lab.render import shared
from rrvf_lab.talk import write_turn

DRAW = "import matplotlib.pyplot as plt\nplt.bar([1, 2], [3, {}])"


def picture(height):
    return shared().render(DRAW.format(height)).image


# -------------------------------------------------------------------------------------------------- the table

def numbers(vision, turns=3):
    vision = [float(v) for v in vision]
    n = len(vision)
    return {"turns": turns, "ids": [str(i) for i in range(n)], "ran": [1] * n, "vision": vision,
            "after": [[v / 2] + [v] * (turns - 1) for v in vision], "last": vision, "renders": [2] * n,
            "tokens": [50] * n, "seconds": 3.0}


def write(folder, arm, seed, minutes=2.0, **sets):
    row = {"arm": arm, "seed": seed, "quick": False, "sets": sets,
           "cost": {"minutes": minutes, "steps": 4, "seconds": 1.0} if minutes else {}}
    (folder / f"{arm}-{seed}").mkdir(parents=True)
    (folder / f"{arm}-{seed}" / "result.json").write_text(json.dumps(row))


@pytest.mark.parametrize("shift, verdict", [(0.1, SHOWN), (-0.1, OTHER_WAY), (0.0, NOT_SHOWN)])
def test_a_verdict_follows_from_the_interval(shift, verdict):
    noise = np.random.default_rng(0).normal(0, 0.05, 100)
    effect = Effect.of(noise - noise.mean() + shift)
    assert effect.verdict == verdict and effect.value == pytest.approx(shift)


def test_an_interval_knows_of_the_seeds_too():
    rows = np.zeros((3, 50)) + np.array([[0.0], [0.1], [0.2]])  # the images agree, the seeds do not
    effect = Effect.of(rows)
    assert effect.low < 0.05 and effect.high > 0.15 and effect.spread == pytest.approx(0.1)


def test_effects_are_paired_by_image_and_seed(tmp_path):
    write(tmp_path, "base", 0, 0, test=numbers([0.1, 0.5]))
    for seed, gain in enumerate((0.2, 0.4)):
        write(tmp_path, "rl", seed, test=numbers([0.1 + gain, 0.5 + gain]))
    effect = Results(tmp_path).effect("rl", "base")
    assert (effect.value, effect.n, effect.seeds) == (pytest.approx(0.3), 2, 2)


def test_the_rival_is_chosen_on_validation_not_on_the_held_out_charts(tmp_path):
    write(tmp_path, "sft-low", 0, test=numbers([0.9, 0.9]), validation=numbers([0.1, 0.1]))
    write(tmp_path, "sft", 0, test=numbers([0.2, 0.2]), validation=numbers([0.6, 0.6]))
    assert best_supervised(Results(tmp_path)) == "sft"


def test_the_table_leaves_out_what_was_not_measured_and_keeps_what_went_wrong(tmp_path):
    write(tmp_path, "base", 0, 0, test=numbers([0.5] * 20))
    write(tmp_path, "rl", 0, test=numbers([0.3] * 20))
    table = claims(tmp_path).table()
    row, = table[table.claim == "beats its base"].to_dict("records")
    assert row["verdict"] == OTHER_WAY and row["effect"] == "-0.200"
    assert not table.claim.str.contains("supervised").any()


def test_ablations_are_sorted_and_the_last_render_is_one_of_them(tmp_path):
    write(tmp_path, "short", 0, test=numbers([0.5] * 10) | {"last": [0.4] * 10})
    write(tmp_path, "no-words", 0, test=numbers([0.3] * 10))
    write(tmp_path, "tool-0", 0, test=numbers([0.6] * 10))
    found = claims(tmp_path).ablations()
    assert list(found.arm) == ["tool-0", "last-render", "no-words"]
    assert np.allclose(found.effect, [0.1, -0.1, -0.2])
    shown = claims(tmp_path)._repr_html_()
    assert "replies without words" in shown and "nan" not in shown


def test_nothing_recorded_says_how_to_record(tmp_path):
    with pytest.raises(FileNotFoundError, match="rrvf_lab.claims --run"):
        claims(tmp_path)


# --------------------------------------------------------------------------------------------------- the arms

def test_an_ablation_changes_one_thing(tmp_path):
    short = asdict(ARMS["short"].settings(tmp_path / "a", 0))
    for arm in ABLATIONS[1:]:
        settings = asdict(arm.settings(tmp_path / "a", 0))
        other = {name for name in settings if settings[name] != short[name]}
        allowed = {"turns-4": {"max_turns", "max_completion_length"}, "group-4": {"group", "prompts"},
                   "group-16": {"group", "prompts"}}.get(arm.name)
        assert other == allowed if allowed else len(other) == 1, arm.name
        assert settings["prompts"] * settings["group"] == 32


def test_rivals_see_as_many_images_and_updates(tmp_path):
    rl, sft = (ARMS[name].settings(tmp_path / "a", 0) for name in ("rl", "sft"))
    for name in ("steps", "prompts", "max_turns", "model", "lora_rank", "lora_targets"):
        assert getattr(rl, name) == getattr(sft, name)


def test_a_quick_run_is_a_quarter_of_a_whole_one(tmp_path):
    for name in ("rl", "sft", "sft-long"):
        whole, quick = (ARMS[name].settings(tmp_path / "a", 0, short) for short in (False, True))
        assert 4 * quick.steps * quick.prompts == whole.steps * whole.prompts
        assert ARMS["short"].settings(tmp_path / "a", 0, True) == ARMS["short"].settings(tmp_path / "a", 0)


def test_what_is_not_trained_is_measured_once():
    assert jobs(False, 3, ("base", "rl")) == [("base", 0), ("rl", 0), ("rl", 1), ("rl", 2)]
    assert all(seed == 0 for _, seed in jobs(True, 3))


# ------------------------------------------------------------------------------------------------- the judges

class Reads:
    """A policy that reads the height of the second bar right."""

    difference, asked = False, 0

    def write(self, talks):
        self.asked += len(talks)
        heights = {picture(height).tobytes(): height for height in (2, 3)}
        seen = [heights[talk[1]["content"][0]["image"].tobytes()] for talk in talks]
        charts = [plain(Chart("bar", ("red",), ((3, height),), "Sales", "", "")) for height in seen]
        return [write_turn("", program(chart)) for chart in charts]


def test_a_teacher_says_what_it_reads_and_scores_as_the_judge_does():
    policy = Reads()
    verdict = Teacher(policy)(picture(3), picture(2))
    assert verdict.feedback == "Change 0, +1 of 10."
    assert verdict.score == PixelJudge()(picture(3), picture(2)).score


def test_a_picture_is_read_once_and_a_reader_that_fails_lets_nobody_wait():
    policy = Reads()
    read = Reader(policy)
    assert read(picture(2)) == read(picture(2)) and policy.asked == 1
    policy.write = lambda talks: 1 / 0
    with pytest.raises(ZeroDivisionError):
        read(picture(3))


@pytest.mark.parametrize("judge", [ssim, prototype, noisy])
def test_another_score_comes_with_the_same_sentences(judge):
    mine, theirs = judge(picture(3), picture(2)), PixelJudge()(picture(3), picture(2))
    assert mine.feedback == theirs.feedback and mine.score != theirs.score and 0 <= mine.score <= 1
    assert judge(picture(3), picture(2)).score == mine.score
    assert judge(picture(3), None, "x").score == 0


# --------------------------------------------------------------------------------------------------- measured

@pytest.mark.slow
def test_the_base_is_measured_and_its_result_is_read(tmp_path, monkeypatch):
    few = {name: (folder, first, first + 2, turns)
           for name, (folder, first, _, turns) in measuring.SETS.items()}
    monkeypatch.setattr(measuring, "SETS", few)
    folder = tmp_path / "base-0"
    folder.mkdir()
    result = measuring.write_result(ARMS["base"], 0, folder, quick=False)
    assert set(result["sets"]) == set(ARMS["base"].sets)
    blind, told = result["sets"]["blind"], result["sets"]["test"]
    assert [row[0] for row in blind["after"]] == [row[0] for row in told["after"]]  # from the same drafts
    assert Results(tmp_path).of("base", "one turn").shape == (1, 2)
    assert work(tmp_path, [("base", 0)], quick=False) == {}  # has its result, and is left alone


def test_the_teacher_is_loaded_by_who_names_it_and_once():
    """Loaded by the first of many asking threads it left another policy without its numbers."""
    from rrvf_lab.claims import judges

    loaded = judges.taught
    assert isinstance(loaded, Teacher) and loaded.read.policy.model is not None and judges.taught is loaded
