"""Pages stand alone: every number with n, every picture with a text, nothing from elsewhere."""
import json
from dataclasses import replace

import pytest
from evaluations import ALL_BETTER, SET, scored
from hostile import EVIL, Tags, evil_rollout, rollout, turn

import rrvf_lab.training.report as training_report
from rrvf_lab.records import Recorder, Report, load_rollouts
from rrvf_lab.show.pages import export, frame_table, gallery, write_run


def alone(page):
    """The tags of a page that needs nothing else."""
    tags = Tags(page).found
    assert "default-src 'none'" in page and "http://" not in page and "https://" not in page
    assert not {"script", "link", "iframe", "object"} & {tag for tag, _ in tags}
    assert all(a["alt"] and a["src"].startswith("data:image/png;base64,") for tag, a in tags if tag == "img")
    assert all(a["href"].startswith("#") for tag, a in tags if tag == "a")
    return tags


def test_an_export_holds_every_rollout_and_nothing_live(tmp_path):
    path = export([evil_rollout(), rollout(turn())], tmp_path / "page.html", title=EVIL)
    tags = alone(path.read_text(encoding="utf-8"))
    assert {"r1", "r2"} <= {a.get("id") for _, a in tags} and sum(tag == "a" for tag, _ in tags) == 2


def test_an_export_takes_a_rollout_a_list_and_a_report(tmp_path):
    for given in (rollout(turn()), [rollout(turn())], Report([rollout(turn())])):
        assert 'id="r1"' in export(given, tmp_path / "page.html").read_text()
    with pytest.raises(ValueError, match="no rollouts to export"):
        export([], tmp_path / "page.html")


def test_the_recordings_open_and_are_exported(tmp_path):
    rollouts = load_rollouts("data/rollouts")
    page = export(rollouts[:3], tmp_path / "page.html").read_text(encoding="utf-8")
    assert len([tag for tag, _ in alone(page) if tag == "section"]) == 3


def test_a_report_shows_three_of_its_rollouts_and_all_numbers():
    page = Report(SET)._repr_html_()
    assert "Report(n=7" in page and page.count("<b>target</b>") == 3 and "71.4%" in page
    assert page.count("<img") == page.count(' alt="')
    assert Report(SET[:2])._repr_html_().count("<b>target</b>") == 2


def test_a_comparison_shows_what_the_effect_is_made_of():
    words = Tags(Report(SET).compare(ALL_BETTER)._repr_html_()).words
    assert words[0].startswith("Comparison(effect +0.") and "crash repaired" in words


def test_a_gallery_puts_what_was_before_between_target_and_after():
    page = gallery(SET, "<i>", before=SET)
    assert page.count("<img") == page.count(' alt="') == 7 + 2 * 5 and "<i>" not in page
    words = Tags(page).words
    assert words.count("before: failed") == words.count("after: failed") == 2 and words.count("run: E") == 4
    assert "final: 0.600" in gallery(SET) and "before" not in gallery(SET)


def test_an_evaluations_page_carries_numbers_kinds_failures_and_what_is_undone(tmp_path):
    made = [replace(r, id="<b>&" if r.id == "broken" else r.id, info={"kind": "<i>bar"}) for r in SET]
    report = Report(made, undone={"<z>": "ConnectionError: <down>"})
    page = report.to_html(tmp_path / "report.html", "A & B").read_text()
    tags = alone(page)
    assert sum(tag == "img" for tag, _ in tags) >= 3
    assert not any(text in page for text in ("<b>&", "<i>", "<z>", "<down>"))
    words = Tags(page).words
    for said in ("A & B", "71.4%", "By kind", "After each turn", "Failures: 2 of 7", "1 items are undone"):
        assert said in words, said


def test_a_frame_is_a_table_with_empty_places_for_what_is_unknown():
    frame = Report(SET).per("turn")
    words = Tags(frame_table(frame)).words
    assert words[:4] == ["turn", "value", "low", "high"] and "nan" not in words
    assert f"{frame['value'][1]:.3f}" in words


def _finished(tmp_path):
    """A run folder with two evaluations, and what report.json says of it."""
    for name, rollouts in (("before", SET), ("after", ALL_BETTER.rollouts)):
        named = [replace(r, info={"name": name}) for r in rollouts]
        Recorder(tmp_path / "evaluation").write(name, named)
    gain = Report(SET).compare(ALL_BETTER)
    config = {"model": "nano", "prompts": 2, "group": 4, "max_turns": 2, "seed": 0}
    log = [{"step": 1, "reward/vision": 0.1}]
    report = {"config": config, "steps": 3, "log": log, "seconds_by": {"judge": 7.0}}
    return report, {"before": Report(SET).summary, "after": ALL_BETTER.summary, "gain": gain.effect,
                    "gain_se": gain.se, "gain_low": gain.low, "gain_high": gain.high, "gain_n": gain.n,
                    "seconds": 60.0}


def test_a_runs_report_has_the_gain_the_numbers_and_pictures_of_both_ends(tmp_path):
    report, evaluated = _finished(tmp_path)
    page = write_run(tmp_path, report | evaluated).read_text()
    tags = alone(page)
    for said in ("n = 7 images nobody trained on", "later turns: still broken", "1.0 minutes"):
        assert said in page, said
    assert sum(tag == "img" for tag, _ in tags) == 1 + 3 * 7 - 2  # the curve; two of the strips failed before
    assert "RRVF: nano trained on images alone" in page and "before: failed" in page


def test_a_runs_report_without_evaluation_is_the_curve_alone(tmp_path):
    report, _ = _finished(tmp_path)
    page = write_run(tmp_path, report).read_text()
    assert page.count("<img") == 1 and "Held-out" not in page


def test_a_finished_run_leaves_numbers_and_the_page(tmp_path):
    report, _ = _finished(tmp_path)
    training_report.write_report(tmp_path, report)
    assert json.loads((tmp_path / "report.json").read_text())["steps"] == 3
    assert (tmp_path / "report.html").exists()


def test_scored_names_are_not_read_as_html():
    assert "<i>" not in gallery([scored("<i>", 0.5)])
