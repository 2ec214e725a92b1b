"""rl.diagnose: a fault in the records is the first or second finding, and a sound run has none."""
import copy
import json
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
from sound import CONFIG, FAULTS, drawn, read, settle, sound_run, spoilt

import rrvf_lab as rl
from rrvf_lab.diagnose import FINDINGS, Evidence, Finding
from rrvf_lab.diagnose.finding import LEVEL, kept, more_than, over_steps
from rrvf_lab.diagnose.gain import gain_of
from rrvf_lab.records.store import picture_name

MADE_OF_IT = ("judge: pictures swapped", "feedback of another image")
JUDGING = {"judge: scores are not the judge's", "judge: pictures swapped", "feedback of another image",
           "drafts do not depend on the image"}  # these judge a sample again, which takes seconds


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    return sound_run(tmp_path_factory.mktemp("sound"))


def quick(run):
    """Without judging anything again."""
    run.judged_again = []
    return run


def names(run):
    return [finding.name for finding in rl.diagnose(run).findings]


def test_a_sound_run_has_no_finding(folder):
    assert names(quick(spoilt(folder))) == []


@pytest.mark.parametrize("name", [name for name in FAULTS if name not in JUDGING])
def test_a_fault_is_the_first_or_second_finding(name, folder):
    for fault in FAULTS[name]:
        found = rl.diagnose(quick(spoilt(folder, fault))).findings
        assert name in [finding.name for finding in found[:2]]
        finding = next(finding for finding in found if finding.name == name)
        assert finding.rollouts and finding.costs and finding.remedy
        assert any(map(str.isdigit, finding.evidence))


def test_settings_that_name_some_weights_leave_the_others_as_they_are():
    run = Evidence([], ".", {"reward": {"tool": -1, "cap": 2}})
    assert run.weights == {"vision": 1.0, "format": 0.1, "tool": -1.0}


@pytest.mark.slow
@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_the_first_or_second_finding_of_all(name, folder):
    for fault in FAULTS[name]:
        assert name in names(spoilt(folder, fault))[:2]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 108))
def test_other_sound_runs_have_no_finding_either(seed, tmp_path):
    assert names(sound_run(tmp_path, seed=seed)) == []


@pytest.mark.parametrize("what", ["folder", "text", "Run", "Rollouts", "list", "Report"])
def test_a_run_may_be_given_in_many_ways(what, folder):
    rollouts = rl.load_rollouts(folder)
    run = {"folder": folder, "text": str(folder), "Run": rl.Run(folder), "Rollouts": rollouts,
           "list": list(rollouts), "Report": rl.Report(rollouts)}[what]
    looked = []
    rl.diagnose(run, [looked.append])
    assert np.array_equal(looked[0].total, spoilt(folder).total)
    assert looked[0].rollout(3).target.tobytes() == rollouts[3].target.tobytes()


def test_what_is_no_run_is_refused(tmp_path):
    with pytest.raises(TypeError, match="diagnose reads a run folder, .* not int"):
        rl.diagnose(3)
    with pytest.raises(FileNotFoundError, match="no recorded rollouts"):
        rl.diagnose(tmp_path)


def test_one_adds_a_finding_of_ones_own(folder):
    def long_winded(run):
        return Finding("long-winded", "It talks.", f"{run.length.mean():.0f} characters", harm=1.0)

    def broken(run):
        return run.nothing

    with pytest.warns(UserWarning, match="the finding broken failed: AttributeError"):
        found = rl.diagnose(quick(spoilt(folder)), [*FINDINGS, broken, long_winded])
    assert [finding.name for finding in found.findings] == ["long-winded"]
    assert "It talks." in found.text() and list(found.table()["name"]) == ["long-winded"]


def test_so_many_looks_make_nothing_up():
    by_chance = [Finding("x", "", "", chance=0.02 + k / 50) for k in range(28)]
    assert kept(by_chance) == []
    clear = replace(by_chance[0], name="clear", chance=LEVEL / 100)
    assert [finding.name for finding in kept([*by_chance, clear])] == ["clear"]


def test_the_chances_are_those_of_the_binomial_and_of_a_slope(folder):
    assert more_than(0, 10, 0.3) == 1 and more_than(10, 10, 0.5) == pytest.approx(0.5**10)
    run, rng = spoilt(folder), np.random.default_rng(0)
    chances = [over_steps(run, rng.normal(size=len(run)))[1] for _ in range(200)]
    assert np.mean(np.array(chances) < 0.1) < 0.16
    assert over_steps(run, run.step + rng.normal(size=len(run)))[1] < 1e-6


def test_images_that_measure_the_gain_and_were_trained_on_are_found(folder, tmp_path):
    images = rl.load_images("data/charts/test").select(range(3))
    for k in range(3):
        images[k]["image"].save(tmp_path / f"{k}.png")
    run = quick(spoilt(folder))
    assert run.held_out == set()
    run = quick(Evidence(run.rows, run.folder, CONFIG | {"test_images": str(tmp_path)}))
    assert run.held_out == {picture_name(image) for image in images["image"]} and names(run) == []
    run = quick(Evidence(run.rows, run.folder, CONFIG | {"test_images": str(folder / "rollouts/images")}))
    assert names(run)[0] == "held-out images in training"


def logged(folder, values):
    run = spoilt(folder)
    return quick(Evidence(run.rows, run.folder, CONFIG, [{"surprise": value} for value in values]))


@pytest.mark.parametrize("values, what", [((2.7, 2.6, 2.8, 2.7), "less likely"),
                                          ((-0.3, -0.32, -0.29), "more likely")])
def test_an_update_that_reads_another_text_than_the_sampler_is_found(folder, values, what):
    found = rl.diagnose(logged(folder, values)).findings
    assert [one.name for one in found] == ["the update is of another text"] and what in found[0].says


def test_the_noise_of_a_sound_update_is_no_finding(folder):
    assert names(logged(folder, (0.01, -0.01, 0.04, 0.02))) == [] == names(logged(folder, (0.3, -0.2, 0.4)))


def malformed_turns(run, some):
    """The evidence of a run whose rollouts `some` have a second turn that cannot be read."""
    rows = copy.deepcopy(run.rows)
    for row, bad in zip(rows, some, strict=True):
        if bad:
            row["turns"][1].update(error="parse: <think> is never closed", code=None, action=None,
                                   rendering=None, verdict=None)
            row["choice"] = 0
    settle(rows)
    return rows


def test_what_a_policy_comes_with_is_a_finding_of_evaluations_and_of_long_runs_alone(folder):
    run = spoilt(folder)
    rows = malformed_turns(run, np.arange(len(run)) % 2)
    short = [row for row in rows if row["info"]["step"] <= 8]
    evaluated = [row | {"info": {}} for row in short]
    assert names(quick(Evidence(short, run.folder, CONFIG))) == []
    for some in (rows, evaluated):
        assert "malformed turns" in names(quick(Evidence(some, run.folder, CONFIG)))


def test_what_grows_while_it_trains_is_a_finding_in_a_short_run_too(folder):
    run = spoilt(folder)
    short = [row for row in malformed_turns(run, run.step > 8) if row["info"]["step"] <= 16]
    assert "malformed turns" in names(quick(Evidence(short, run.folder, CONFIG)))


def scored_by(run, *names):
    """The evidence of a run whose rollouts say these judges, in turn."""
    rows = [row | {"info": row["info"] | {"judge": names[k % len(names)]}} for k, row in enumerate(run.rows)]
    return quick(Evidence(rows, run.folder, run.config))


def test_a_run_scored_by_another_judge_than_its_settings_say_is_not_taken_for_the_embedded_ones(folder):
    assert spoilt(folder).embedded
    run = scored_by(spoilt(folder), "mine")
    assert not run.embedded and run.judges == ("mine",)
    assert "120 rollouts of 30 steps, scored by mine: no findings" in rl.diagnose(run).text()


@pytest.mark.parametrize(("said", "name"), [(None, "PixelJudge"), ("my_judges:score", "score"),
                                            ({"model": "m", "on_unscored": "drop"}, "m")])
def test_where_rollouts_say_nothing_the_settings_name_the_judge(folder, said, name):
    assert Evidence(spoilt(folder).rows, folder, CONFIG | {"judge": said}).judges == (name,)
    assert Evidence(spoilt(folder).rows, folder).judges == ()


def test_a_run_scored_by_two_judges_is_found(folder):
    found = rl.diagnose(scored_by(spoilt(folder), "PixelJudge", "mine")).findings
    assert [one.name for one in found] == ["several judges"] and "mine 50%" in found[0].evidence


@pytest.mark.slow
@pytest.mark.parametrize("name", MADE_OF_IT)
def test_a_judge_made_of_the_embedded_one_is_found_out_as_that_one_is(name, folder):
    for fault in FAULTS[name]:
        run = spoilt(folder, fault)
        rows = [row | {"info": row["info"] | {"judge": "mine"}} for row in run.rows]
        assert name in names(Evidence(rows, run.folder, run.config))[:2]


@pytest.mark.slow
def test_other_words_for_the_same_picture_are_not_taken_for_anothers(folder):
    def older(rows, config, rng):  # as another version of the judge would say it
        for one in drawn(rows):
            one["verdict"]["feedback"] = " ".join(reversed(one["verdict"]["feedback"].split(". ")))

    assert "feedback of another image" not in names(spoilt(folder, older))


@pytest.mark.slow
def test_a_judge_with_words_of_its_own_is_not_measured_by_the_embedded_ones_words(folder):
    def other_words(rows, config, rng):
        config["judge"] = "mine:judge"
        for one in drawn(rows):
            score = one["verdict"]["score"]
            one["verdict"] |= {"parts": {}, "feedback": f"mine gave {score:.3f}. Work on the bars."}

    assert names(spoilt(folder, other_words)) == []


@pytest.mark.slow
def test_a_judge_of_ones_own_that_gives_zeros_where_it_failed_is_found(folder):
    def failing(rows, config, rng):
        config["judge"] = "mine:judge"
        for one in drawn(rows):
            one["verdict"] |= {"parts": {}, "score": 0.0 if rng.random() < 0.2 else one["verdict"]["score"]}
        settle(rows)

    assert names(spoilt(folder, failing))[0] == "zeros without comparison"


@pytest.mark.slow
def test_a_judge_of_ones_own_that_gives_zeros_to_bad_pictures_is_not(folder):
    def strict(rows, config, rng):
        config["judge"] = "mine:judge"
        for one in drawn(rows):
            score = one["verdict"]["score"]
            one["verdict"] |= {"parts": {}, "score": score if score > 0.2 else 0.0}
        settle(rows)

    assert names(spoilt(folder, strict)) == []


def test_the_parts_of_a_gain_add_up_and_say_where_it_comes_from(folder):
    whole, *parts = gain_of(spoilt(folder)).rows
    assert whole[1] == pytest.approx(sum(value for _, value, *_ in parts))
    rows = copy.deepcopy(spoilt(folder).rows)
    for row in rows:
        row["info"]["step"] = 1 + (row["turns"][0]["rendering"]["image"] is not None)
    rows = gain_of(Evidence(rows, folder)).rows
    assert rows[1][0] == "fails less" and rows[1][1] > 0.3 and rows[1][2] > 0


def test_the_gain_between_two_evaluations_is_over_their_images():
    gain = rl.diagnose("data/rollouts/evaluation", []).gain
    report = {name: rl.Report(rl.load_rollouts("data/rollouts/evaluation").where(name=name))
              for name in ("before", "after")}
    assert gain.rows[0][1] == pytest.approx(report["before"].compare(report["after"]).effect)
    assert gain.n == (48, 48) and "fails less" in gain.text()


@pytest.mark.parametrize("recorded", ["data/rollouts", "data/rollouts/group", "data/rollouts/hunt",
                                      "data/rollouts/evaluation"])
def test_the_recordings_that_come_along_have_no_fault(recorded):
    assert names(quick(rl.diagnose(recorded, []).evidence)) == []


@pytest.mark.slow
def test_ten_thousand_rollouts_take_seconds(folder):
    rows = [copy.deepcopy(row) for row in spoilt(folder).rows * 84]
    for k, row in enumerate(rows):
        row["info"]["step"] += 30 * (k // 120)
    started = time.process_time()
    assert len(rows) > 10_000 and names(Evidence(rows, folder / "rollouts", CONFIG)) == []
    assert time.process_time() - started < 20


@pytest.mark.slow
def test_the_command_prints_findings_and_ends_with_one_where_numbers_are_wrong(folder, tmp_path):
    def said(run):
        command = [sys.executable, "-m", "rrvf_lab.diagnose", str(run)]
        return subprocess.run(command, capture_output=True, text=True)

    done = said(folder)
    assert done.returncode == 0 and "120 rollouts of 30 steps: no findings" in done.stdout, done.stderr
    assert said(tmp_path).returncode == 2
    rows = read(folder / "rollouts/step-000001.jsonl")
    for row in rows:
        row["reward"]["total"] += 1
    (tmp_path / "step-000001.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = said(tmp_path)
    assert done.returncode == 1 and "1. reward is not its terms (numbers are wrong)" in done.stdout
