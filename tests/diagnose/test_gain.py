"""What a gain is made of: the parts sum up, images are compared with themselves, feedback with the blind
control, fields with the truth."""
import copy
import math
import shutil

import numpy as np
import pytest
from sound import CONFIG, sound_run

from rrvf_lab.diagnose import Evidence
from rrvf_lab.diagnose.evidence import evidence_of
from rrvf_lab.diagnose.fields import fields_of, right, said
from rrvf_lab.diagnose.gain import PARTS, blind_of, gain_of, mean_of

TRUTH = {"kind": "grouped", "colours": ["red", "steelblue"], "values": [[10, 20, 5], [1, 2, 4]],
         "title": "Crime", "xlabel": "month", "ylabel": None}
PROGRAM = """
a, b = [20, 40, 10], [1, 2, 9]
ax.bar([1, 2, 3], a, color="#f01818")
ax.bar(["1", "2", "3"], b, color="tab:blue")
ax.set_title("Crime")
ax.set_xlabel("months")
"""


@pytest.fixture(scope="module")
def evaluation():
    return evidence_of("data/rollouts/evaluation")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return sound_run(tmp_path_factory.mktemp("sound"), steps=12)


def with_blind(run, better):
    """The evaluation with a blind control of "after", whose later turns gain `better` more."""
    rows = [copy.deepcopy(row) for row in run.rows if row["info"]["name"] == "after"]
    for row in rows:
        row["info"] |= {"name": "after, blind", "blind": True}
        row["reward"]["vision"] += better
    return Evidence([*run.rows, *rows], run.folder)


def first(row):
    """(score of the first draft, whether it ran)."""
    drafts = [turn for turn in row["turns"] if turn["code"] is not None]
    ran = bool(drafts) and drafts[0]["rendering"]["image"] is not None
    return (drafts[0]["verdict"]["score"] if ran else 0.0), ran


def test_the_parts_are_those_along_the_turns(evaluation):
    """Item by item: where both first drafts ran they draw better, else they fail less."""
    played = {name: {row["id"]: row for row in evaluation.rows if row["info"]["name"] == name}
              for name in ("before", "after")}
    parts = []
    for id, a in played["before"].items():
        (x, ran), (y, runs) = map(first, (a, played["after"][id]))
        both, change = ran and runs, played["after"][id]["reward"]["vision"] - a["reward"]["vision"]
        parts.append((0 if both else y - x, y - x if both else 0, change - (y - x)))
    gain = gain_of(evaluation)
    assert [name for name, *_ in gain.rows] == ["all in all", *PARTS] and gain.images == len(parts)
    assert [value for _, value, *_ in gain.rows[1:]] == pytest.approx(np.mean(parts, axis=0))


def test_an_image_is_compared_with_itself(evaluation):
    """Images differ much more than they change: paired, the interval is narrow."""
    rows = [copy.deepcopy(row) for row in evaluation.rows if row["info"]["name"] == "before"]
    for row in copy.deepcopy(rows):
        row["info"]["name"] = "after"
        row["reward"]["vision"] += 0.1
        rows.append(row)
    gain = gain_of(Evidence(rows, evaluation.folder))
    assert gain.rows[0][1:] == pytest.approx((0.1, 0.1, 0.1))
    assert sum(one.change for one in gain.turns) == pytest.approx(0.1)
    assert "each compared with itself" in gain.text()


def test_a_run_that_meets_other_images_is_compared_group_by_group(folder):
    run = evidence_of(folder)
    rows = [row | {"id": f"{row['id']}-{row['info']['step']}"} for row in run.rows]
    gain = gain_of(Evidence(rows, run.folder, CONFIG))
    assert gain.images == 0 and "other images" in gain.text()
    value, low, high = gain.rows[0][1:]
    assert low < value < high and value == pytest.approx(sum(row[1] for row in gain.rows[1:]))


def test_a_finished_runs_gain_is_that_of_its_held_out_images(folder, evaluation, tmp_path):
    for part, files in (("evaluation", evaluation.folder.glob("*.jsonl")),
                        ("rollouts", folder.glob("rollouts/*.jsonl"))):
        (tmp_path / part).mkdir()
        for file in files:
            shutil.copy(file, tmp_path / part)
    assert gain_of(evidence_of(tmp_path)).rows == gain_of(evaluation).rows


@pytest.mark.parametrize("better", [0.0, 0.05])
def test_a_turn_counts_over_the_blind_control_where_there_is_one(evaluation, better):
    run = with_blind(evaluation, better)
    rows = [row for row in run.rows if row["info"]["name"] != "before"]
    before = [copy.deepcopy(row) for row in rows]
    for row in before:
        row["info"]["name"] = row["info"]["name"].replace("after", "before")
    gain = gain_of(Evidence([*before, *rows], run.folder))
    assert gain.over == "the blind control"
    assert sum(one.after for one in gain.turns) == pytest.approx(-better, abs=1e-9)
    assert all(one.change == 0 for one in gain.turns)
    assert gain_of(run).over == "the turn before"  # no control of "before"


def test_a_blind_control_is_found_by_its_name(evaluation):
    run = with_blind(evaluation, 0.0)
    assert len(blind_of(run, "after")) == 48 and len(blind_of(run, "before")) == 0
    pair = Evidence([row for row in run.rows if row["info"]["name"] != "before"], run.folder)
    pair.name = np.where(pair.blind, "control", pair.name)
    assert len(blind_of(pair, "after")) == 48


def test_recorded_metrics_are_fields(evaluation):
    rows = copy.deepcopy(evaluation.rows)
    for row in rows:
        row["info"]["metrics"] = {"chartmimic": {"text": float(row["info"]["name"] == "after")}}
    shown = {one.name: one for one in gain_of(Evidence(rows, evaluation.folder)).fields}
    assert shown["chartmimic text"].change == 1


def test_fields_are_read_from_any_program():
    calls, strings, numbers, colours = said(PROGRAM)
    assert calls == ("bar", "bar") and {"Crime", "months"} <= strings and colours == {"#f01818", "tab:blue"}
    shown = right(PROGRAM, TRUTH)
    assert shown == {"kind": 1, "colours": 1, "values": pytest.approx(4 / 6), "title": 1, "axis labels": 0}
    assert right("ax.pie([", TRUTH) == dict.fromkeys(shown, 0) and said("(" * 10_000) == said("")
    assert math.isnan(right("", TRUTH | {"title": None})["title"])


def test_fields_are_those_of_the_charts_alone(evaluation):
    assert list(fields_of(evaluation)) == ["chart kind", "chart colours", "chart values", "chart title",
                                           "chart axis labels"]
    other = Evidence([row | {"target": evaluation.rows[1]["target"]} for row in evaluation.rows],
                     evaluation.folder)
    assert fields_of(other) == {} == fields_of(Evidence([], evaluation.folder))


def test_a_mean_is_uncertain_over_images():
    images = np.repeat(np.arange(5), 100)
    value, low, high = mean_of(np.repeat([0.0, 1, 0, 1, 0], 100), images)
    assert value == pytest.approx(0.4) and low <= 0.1 and high >= 0.7
    assert np.isnan(mean_of(np.full(3, np.nan), images[:3])).all()


def test_one_group_says_nothing_of_another(folder):
    run = evidence_of(folder)
    rows = [row | {"id": str(row["info"]["step"])} for row in run.rows if row["info"]["step"] in (1, 12)]
    gain = gain_of(Evidence(rows, run.folder, CONFIG))
    assert np.isnan([row[2:] for row in gain.rows]).all() and not np.isnan(gain.rows[0][1])
    assert "no interval" in gain.text()
