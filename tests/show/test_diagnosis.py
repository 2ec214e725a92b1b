"""A diagnosis in a cell: findings in words, pictures beside them, nothing of a model or a file alive."""
from hostile import EVIL

import rrvf_lab as rl
from rrvf_lab.diagnose import Evidence, Finding
from rrvf_lab.diagnose.evidence import evidence_of


def looks(evidence, *findings):
    return rl.diagnose(evidence, [lambda run, one=one: one for one in findings])._repr_html_()


def test_a_finding_is_shown_with_its_words_and_the_pictures_of_its_rollouts():
    run = evidence_of("data/rollouts/evaluation")
    html = looks(run, Finding("odd", "It is odd.", "3 of 4", costs="time", remedy="less", rollouts=(0, 1, 2)))
    assert all(words in html for words in ("1. odd", "It is odd.", "3 of 4", "time", "less", "rollout 2, "))
    assert html.count("data:image/png") >= 3 and "fails less" in html


def test_words_from_elsewhere_are_escaped():
    run = evidence_of("data/rollouts/evaluation")
    rows = [row | {"id": EVIL} for row in run.rows[:2]]
    evil = Finding(EVIL, EVIL, EVIL, costs=EVIL, remedy=EVIL, rollouts=(0, 1))
    html = looks(Evidence(rows, run.folder), evil)
    assert EVIL not in html and "<script" not in html


def test_a_copy_without_its_pictures_is_shown_all_the_same(tmp_path):
    run = evidence_of("data/rollouts/evaluation")
    assert "odd" in looks(Evidence(run.rows, tmp_path), Finding("odd", "", "", rollouts=(0,)))
