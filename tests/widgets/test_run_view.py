"""The browser of a run and the watch over one, without a page: what a click, a filter and a new step do."""
import asyncio
import json
import time
from dataclasses import replace

import ipywidgets
import pytest
from PIL import Image

import rrvf_lab as rl
from rrvf_lab.diagnose import FINDINGS, Finding
from rrvf_lab.reward import reward
from rrvf_lab.widgets import base, findings

RED = Image.new("RGB", (40, 30), "red")


def made(score, step, group=0):
    turn = rl.Turn("t", "a", rl.Rendering(RED, None, 0.1), rl.Verdict(score, "said"), "a", "render")
    info = {"step": step, "group": group, "advantage": 0.5}
    rollout = rl.Rollout(RED, "matplotlib", (turn,), None, 0, None, "train-0001", info)
    return replace(rollout, reward=reward(rollout))


def record(folder, step, *scores):
    """A step whose first two rollouts are one group, and the others another."""
    rollouts = [made(score, step, group=k // 2 and 1) for k, score in enumerate(scores)]
    rl.Recorder(folder).write(f"step-{step:06d}", rollouts)


@pytest.fixture
def run(tmp_path):
    """Seven steps of four rollouts; the first group of step 2 is flat."""
    for step in range(1, 8):
        record(tmp_path / "rollouts", step, 0.4, 0.4 if step == 2 else 0.6, 0.7, 0.8)
    return rl.Run(tmp_path)


def test_a_page_holds_twelve_rollouts_and_the_last_one_the_rest(run):
    view = rl.inspect_run(run)
    assert (view.first.value, view.last.value, len(view.found)) == (1, 7, 28) and view.back.disabled
    view.on.click()
    view.on.click()
    assert "page 3 of 3" in view.count.value and view.on.disabled
    assert [card.layout.display for card in view.cards.cards] == [None] * 4 + ["none"] * 8


def test_a_new_step_is_taken_in_and_the_page_stays(run):
    view = rl.inspect_run(run)
    view.on.click()
    record(run.folder, 8, 0.7)
    view.look()
    assert view.last.value == 8 and view.found[0] == 28 and "page 2 of 3" in view.count.value
    assert list(view.curves.figure.data[0].x) == list(range(1, 9))


def test_steps_that_were_chosen_stay(run):
    view = rl.inspect_run(run)
    view.curves.clicked(2)  # what a click on a point of a curve calls
    assert (view.first.value, view.last.value) == (2, 2) and view.found.tolist() == [4, 5, 6, 7]
    record(run.folder, 8, 0.7)
    view.look()
    assert view.last.value == 2
    view.every.click()
    assert (view.first.value, view.last.value) == (1, 8)


def test_filters_and_orders_are_those_of_the_run(run):
    view = rl.inspect_run(run)
    view.kind.value = "zero spread"
    assert view.found.tolist() == [4, 5]
    view.kind.value, view.order.value = "all", "best"
    assert view.found.tolist() == run.find("all", "best").tolist()
    view.image.value = "none of them"
    assert len(view.found) == 0 and "<b>0</b> of 28" in view.count.value


def test_an_opened_rollout_comes_with_its_group_and_new_weights(run):
    view = rl.inspect_run(run)
    view.cards.cards[0].button.click()
    detail = view.detail
    assert detail.opened == view.found[0] and f"Rollout {detail.opened}" in detail.page.value
    assert "Its group, by advantage" in detail.page.value
    detail.weigh.click()
    assert len(detail.group.children) == 1 and len(detail.group.children[0].rollouts) == 4


def test_without_anywidget_the_curves_are_a_picture_with_a_text(run, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "anywidget", None)
    view = rl.inspect_run(run)
    assert view.curves.figure.value.count("<img") == view.curves.figure.value.count(' alt="') == 1
    assert "<table" in view.curves.table.value


def test_curves_reach_the_page_with_their_lines_in_them(run, monkeypatch):
    """A busy kernel sends what comes later after the page has drawn."""
    opened, original = [], ipywidgets.Widget.open

    def opens(widget):
        opened.extend([widget.get_state()] if hasattr(widget, "_widget_data") else [])
        original(widget)

    monkeypatch.setattr(ipywidgets.Widget, "open", opens)
    figure = rl.inspect_run(run).curves.figure
    assert figure.comm is not None
    assert [(len(one["_widget_data"]), one["_config"]["displayModeBar"]) for one in opened] == [(5, False)]


def test_a_watched_run_shows_its_newest_group_and_why_it_cannot_be_stopped(run):
    view = rl.watch(run)
    assert "A group of step 7" in view.detail.page.value and view.stop.disabled and view.resume.disabled
    view.stop.disabled = False
    view.stop.click()
    assert "no process trains into" in view.output.value and view.stop.disabled


def test_it_follows_while_its_box_is_ticked_and_says_what_goes_wrong(run, monkeypatch):
    monkeypatch.setattr(base, "LOOK_EVERY", 0.01)

    async def follow():
        view = rl.watch(run)
        await view.curves.task
        record(run.folder, 8, 0.7, 0.8)
        await asyncio.sleep(0.3)
        assert "A group of step 8" in view.detail.page.value
        view.look = lambda: 1 / 0
        await asyncio.sleep(0.3)
        assert "division by zero" in view.status.value and not view.follow.value
        view.close()

    asyncio.run(follow())


def paid_twice(folder, step):
    """A step whose rewards are not their terms."""
    path = folder / f"step-{step:06d}.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    for row in rows:
        row["reward"]["total"] *= 2
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def odd(run):
    return Finding("odd", "It is odd.", f"{len(run)} rollouts", rollouts=(5, 1), harm=1)


def test_findings_stand_first_folded_and_one_opens_its_rollouts_beside_the_list(run):
    paid_twice(run.folder, 3)
    view = rl.inspect_run(rl.Run(run.path))
    panel = view.findings
    assert view.children.index(panel) < view.children.index(view.curves)
    assert panel.inside.layout.display == "none"
    panel.fold.click()
    assert panel.inside.layout.display is None
    place = [one.name for one in panel.diagnosis.findings].index("reward is not its terms")
    box = panel.list.children[place]
    assert f"{place + 1}. reward is not its terms" in box.children[0].value
    box.children[1].click()
    assert [card.i for card in view.cards.cards[:5]] == [11, 10, 9, 8, None]
    assert view.detail.opened == 11 and "those of: reward is not its terms" in view.count.value
    view.every.click()
    assert len(view.found) == 28 and "those of" not in view.count.value


def test_a_finding_of_ones_own_stands_beside_them(run):
    view = rl.inspect_run(run, findings=[*FINDINGS, odd])
    place = [finding.name for finding in view.findings.diagnosis.findings].index("odd")
    view.findings.choose(place)
    assert [card.i for card in view.cards.cards[:3]] == [5, 1, None]


def test_a_look_that_fails_is_named_and_hides_no_other(run):
    def broken(run):
        return run.nothing

    with pytest.warns(UserWarning, match="broken failed"):
        panel = rl.inspect_run(run, findings=[broken, odd]).findings
    assert "the finding broken failed: AttributeError" in panel.status.value and len(panel.list.children) == 1


def test_a_growing_run_is_diagnosed_again_and_what_is_looked_at_stays(run, monkeypatch):
    monkeypatch.setattr(findings, "SHARE", 1e9)  # it is always due
    view = rl.inspect_run(run, findings=[odd])
    view.findings.choose(0)
    record(run.folder, 8, 0.7)
    view.look()
    assert "29 rollouts" in view.findings.list.children[0].children[0].value
    assert view.found.tolist() == [5, 1] and view.detail.opened == 5


def test_a_slow_diagnosis_waits_for_its_turn(run):
    view = rl.inspect_run(run, findings=[odd])
    view.findings._took = 1000
    record(run.folder, 8, 0.7)
    view.look()
    assert "28 rollouts" in view.findings.status.value
    view.findings.again.click()
    assert "29 rollouts" in view.findings.status.value


def test_a_run_without_rollouts_waits_for_them(tmp_path):
    (tmp_path / "rollouts").mkdir()
    view = rl.inspect_run(tmp_path)
    assert "No rollout is recorded yet" in view.findings.status.value
    record(tmp_path / "rollouts", 1, 0.5, 0.6)
    view.look()
    assert "2 rollouts" in view.findings.status.value


def test_the_kernel_goes_on_while_a_run_is_diagnosed(run):
    def slow(run):
        time.sleep(0.5)

    async def beats():
        panel = rl.inspect_run(run, findings=[slow]).findings
        assert panel.diagnosis is None and "Diagnosing 28 rollouts" in panel.status.value
        count = 0
        while not panel.task.done():
            await asyncio.sleep(0.01)
            count += 1
        assert panel.diagnosis is not None
        return count

    assert asyncio.run(beats()) > 5


def test_what_kept_a_run_from_being_diagnosed_is_said(run):
    view = rl.inspect_run(run, findings=[odd])
    next(run.folder.glob("*.jsonl")).unlink()
    view.findings.begin()
    assert "No such file" in view.findings.status.value


def test_a_run_that_somebody_else_refreshed_is_drawn_too(run):
    view = rl.watch(run)
    record(run.folder, 8, 0.7, 0.8)
    run.refresh()
    view.look()
    assert "A group of step 8" in view.detail.page.value and view.last.value == 8


def test_before_the_first_step_it_says_that_the_model_is_loaded(tmp_path, monkeypatch):
    (tmp_path / "rollouts").mkdir()
    (tmp_path / "pid").write_text("1")
    monkeypatch.setattr(rl.Run, "state", "running")
    view = rl.watch(tmp_path)
    assert "running; loading the model" in view.status.value
    record(tmp_path / "rollouts", 1, 0.5, 0.6)
    view.look()
    assert "loading" not in view.status.value and "A group of step 1" in view.detail.page.value


def test_what_was_logged_can_be_chosen_as_a_curve(run):
    rows = [{"step": step, "reward": 0.1, "entropy": 2.5} for step in (1, 2)]
    (run.path / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    curves = rl.inspect_run(run).curves
    assert {"entropy", "reward", "tool calls", "vision"} <= set(curves.which.options)
    curves.which.value = ("vision", "entropy")
    assert [(line.name, line.yaxis) for line in curves.figure.data] == [("vision", "y"), ("entropy", "y2")]
    assert list(curves.figure.data[1].y) == [2.5, 2.5]
