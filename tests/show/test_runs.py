"""A run as it is shown: its numbers are those of the index, and compared runs are named by what differs."""
import json
import math

import pytest
from hostile import Tags
from recorded import RED, rollout, turn

import rrvf_lab as rl
from rrvf_lab.leaves.pictures import data_url
from rrvf_lab.records import Recorder
from rrvf_lab.show.runs import CURVES, curves_picture, curves_table, phases, plot_run, plot_runs, thumbnail
from rrvf_lab.training import TrainConfig
from rrvf_lab.training.process import prepare


def test_a_run_shows_its_sentence_curves_and_numbers(run):
    page = run._repr_html_()
    assert str(run.path) in page and "step 2; 9 rollouts" in page and "the curves as numbers" in page
    assert page.count("<img") == page.count(' alt="') == 1


def test_an_empty_run_says_so(tmp_path):
    (tmp_path / "empty" / "rollouts").mkdir(parents=True)
    empty = rl.Run(tmp_path / "empty")
    assert "no step recorded" in empty._repr_html_() and curves_table(empty) == phases(empty) == ""


def test_the_figure_has_every_curve_of_the_run(run):
    ax = run.plot().axes[0]
    assert [line.get_label() for line in ax.lines] == list(CURVES) and list(CURVES) == [
        name for name in run.curves() if name in CURVES]
    assert list(ax.lines[0].get_ydata()) == list(run.curves()["vision"])
    assert 'alt="curves of the run' in curves_picture(run) and plot_run(run).axes


def test_the_table_of_curves_has_the_same_numbers_and_twenty_lines_at_most(run):
    words, curves = Tags(curves_table(run)).words, run.curves()
    assert words[1:9] == list(curves) and words[9:12] == ["1", f"{curves['reward'][0]:.3f}", "0.325"]
    for step in range(3, 60):
        Recorder(run.folder).write(f"step-{step:06d}", run.step(1)[:1])
    run.refresh()
    assert curves_table(run).count("<tr>") <= 21


def test_a_step_without_a_verdict_has_no_number_in_the_table(tmp_path):
    Recorder(tmp_path / "run" / "rollouts").write("step-000001", [rollout(turn(math.nan))])
    assert "nan" not in curves_table(rl.Run(tmp_path / "run")).lower()


def test_seconds_of_a_step_are_shown_by_phase(run):
    (run.path / "log.jsonl").write_text(json.dumps({"step": 1, "reward": 0.1, "seconds/judge": 2.0}))
    words = Tags(phases(run)).words
    assert words[0] == "mean seconds of a step" and words[words.index("judge") + 1] == "2.00 s"


def test_a_thumbnail_is_marked_by_what_the_index_knows(run):
    words = [" ".join(Tags(thumbnail(run, i)).words) for i in range(len(run))]
    assert "regressed" in words[1] and "copied" in words[2]
    assert "no picture" in words[3] and "flagged" in words[7]
    assert "reward unscored" in words[6] and "advantage +0.50" in words[0]
    assert not any(mark in words[0] for mark in ("regressed", "copied", "no picture", "flagged"))


def test_ids_and_folders_are_no_html(tmp_path):
    Recorder(tmp_path / "<i>run" / "rollouts").write("step-000001", [rollout(turn(0.5), id="<i>image")])
    run = rl.Run(tmp_path / "<i>run")
    assert "<i>" not in run._repr_html_() + thumbnail(run, 0)


def test_a_thumbnail_takes_the_stored_files_as_they_are(run):
    stored = next((run.folder / "images").glob("*.png")).read_bytes()
    assert thumbnail(run, 0).count(data_url(stored)) == 2 and run[0].target.size == RED.size


def test_compared_runs_are_named_by_what_differs(tmp_path):
    for name, rate in (("a", 1e-3), ("b", 2e-3)):
        prepare(TrainConfig(output=str(tmp_path / name), learning_rate=rate))
        Recorder(tmp_path / name / "rollouts").write("step-000001", [])
    figure = plot_runs([tmp_path / "a", tmp_path / "b"])
    labels = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert labels == ["learning_rate=0.001", "learning_rate=0.002"]
    with pytest.raises(ValueError, match="unknown curve 'beauty'; known: reward, vision"):
        plot_runs([tmp_path / "a"], "beauty")
