"""A run folder as an index: what it finds equals what the rollouts say, and it follows a run."""
import json
from dataclasses import replace

import numpy as np
import pytest
from recorded import STEPS, rollout, turn

from rrvf_lab.diagnose.evidence import evidence_of
from rrvf_lab.records import Recorder
from rrvf_lab.training import Run
from rrvf_lab.training.runs import ORDERS, ROLLOUT_KINDS


@pytest.mark.parametrize(("kind", "expected"), {
    "all": range(9), "crashed": [3, 8], "copied": [2], "regressed": [1], "flagged": [7], "unscored": [6],
    "zero spread": [4, 5]}.items())
def test_each_kind_finds_its_rollouts(run, kind, expected):
    assert run.find(kind, "oldest").tolist() == list(expected) and run.counts()[kind] == len(expected)


def test_orders_and_the_other_filters(run):
    totals = run.index["total"]
    assert run.find(order="best")[0] == 7
    assert run.find(order="best")[-1] == run.find(order="worst")[-1] == 6  # unscored last
    assert (np.diff(totals[run.find(order="worst")][:-1]) >= 0).all()
    assert run.find(steps=2).tolist() == run.find(steps=(2, 9)).tolist() == [4, 5, 6, 7, 8]
    assert run.find(image="od").tolist() == [4, 5] and run.find(image="none of them").tolist() == []
    with pytest.raises(ValueError, match="unknown 'bad'; known: all, crashed"):
        run.find("bad")
    with pytest.raises(ValueError, match="unknown 'up'; known: worst, best"):
        run.find(order="up")


def test_a_program_whose_picture_may_change_is_not_taken_for_forging(run):
    draft = turn(0.3)
    clocked = replace(draft, rendering=replace(draft.rendering, flags=("reads the clock",)))
    Recorder(run.folder).write("step-000003", [rollout(clocked, step=3)])
    run.refresh()
    assert run.find("flagged", "oldest").tolist() == [7]


def test_every_kind_is_explained_and_every_order_is_there(run):
    assert all(ROLLOUT_KINDS.values()) and list(run.counts()) == list(ROLLOUT_KINDS)
    assert all(len(run.find(order=order)) == len(run) for order in ORDERS)


def test_a_position_gives_the_rollout_and_its_group(run):
    everything = [made for rollouts in STEPS.values() for made in rollouts]
    for i, made in enumerate(everything):
        assert [t.text for t in run[i].turns] == [t.text for t in made.turns] and run[i].id == made.id
    assert run[7].turns[0].rendering.flags == ("reads /proc",)
    assert [r.id for r in run.group(4)] == ["odd", "odd"] and len(run.step(2)) == 5 and len(run.latest()) == 2


def test_curves_are_the_means_of_each_step(run):
    curves = run.curves()
    assert curves["step"].tolist() == [1, 2]
    unscored_out = [(0.6 + 0.2 + 0.5 + 0) / 4, (0.4 + 0.4 + 0.9 + 0) / 4]
    assert curves["vision"] == pytest.approx(unscored_out)
    assert curves["execution rate"] == pytest.approx([3 / 4, 4 / 5])
    assert curves["zero spread"] == pytest.approx([0, 2 / 5])


def test_a_run_in_progress_grows_and_a_resumed_one_shrinks(run):
    assert run.refresh() == 0
    recorder = Recorder(run.folder)
    recorder.write("step-000003", [rollout(turn(0.3), step=3)])
    assert run.refresh() == 1 and len(run) == 10 and run[9].info["step"] == 3
    recorder.drop_after(1)
    assert run.refresh() == -6 and run.curves()["step"].tolist() == [1]
    recorder.write("step-000001", STEPS[1][:2])  # the same name with other content
    assert run.refresh() == -2 and len(run) == 2


def test_the_log_counts_a_repeated_step_once_and_skips_a_half_written_line(run):
    told = ((1, 0.1), (2, 0.2), (3, 0.3), (2, 0.4))
    rows = [{"step": step, "reward": reward, "seconds/judge": 2.0} for step, reward in told]
    (run.path / "log.jsonl").write_text("\n".join(map(json.dumps, rows)) + '\n{"step": 3, "rew')
    assert [(row["step"], row["reward"]) for row in run.log()] == [(1, 0.1), (2, 0.4)]
    assert run.seconds()["judge"] == 2.0


def test_a_missing_folder_and_an_empty_one(tmp_path):
    with pytest.raises(FileNotFoundError, match="no run folder .*python -m rrvf_lab.train demo"):
        Run(tmp_path / "none")
    (tmp_path / "empty" / "rollouts").mkdir(parents=True)
    empty = Run(tmp_path / "empty")
    assert len(empty) == 0 and empty.latest() == [] and empty.find("zero spread").tolist() == []
    assert "no step recorded" in empty.summary()


def test_recorded_rollouts_without_steps_can_be_looked_through(tmp_path):
    alone = [replace(rollout(turn(0.3), id=f"x{k}"), info={}) for k in range(3)]
    Recorder(tmp_path).write("evaluation", alone)
    run = Run(tmp_path)
    assert run.state == "recording" and run.find("zero spread").tolist() == [] and len(run.group(1)) == 1


def test_marks_blank_lines_and_a_cut_line_spoil_no_run(run):
    path = run.folder / "step-000002.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n\n")[:-40])
    with pytest.warns(UserWarning, match=r"step-000002.jsonl, line 9, no rollout"):
        run.refresh()
    assert len(run) == 8 and run[4].id == run.row(4)["id"] == "odd"


def test_a_log_that_went_through_an_editor_is_read(run):
    lines = [json.dumps({"step": k, "reward": 0.5, "note": "a\u2028b"}, ensure_ascii=False) for k in (1, 2)]
    (run.path / "log.jsonl").write_bytes(b"\xef\xbb\xbf" + "\r\n\r\n".join(lines).encode() + b'\r\n{"ste')
    assert [row["step"] for row in run.log()] == [1, 2]


def test_a_run_and_its_evidence_have_the_same(run):
    evidence = evidence_of(run)
    assert all(evidence.facts[name] is not None and (evidence.facts[name] == run.index[name]).all()
               for name in ("id", "first_ran", "ran", "copied", "flagged", "drafts"))
    assert np.array_equal(evidence.total, run.index["total"], equal_nan=True)
    assert [row["id"] for row in evidence.rows] == list(run.index["id"]) and evidence.rows == run.rows()


def test_what_was_not_written_scores_nothing_and_what_was_not_judged_is_unknown(run):
    assert run.index["first"][8] == 0 and np.isnan(run.index["first"][6])
