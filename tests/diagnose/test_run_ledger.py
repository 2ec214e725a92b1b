"""The ledger of a run adds up: each draft and what became of the one before, parts, costs, what is paid."""
import copy
from types import SimpleNamespace

import numpy as np
import pytest
from sound import settle, sound_run

from rrvf_lab.diagnose import Evidence, diagnose, ledger_of
from rrvf_lab.diagnose.evidence import evidence_of
from rrvf_lab.records import Report, load_rollouts


@pytest.fixture(scope="module")
def evidence(tmp_path_factory):
    return evidence_of(sound_run(tmp_path_factory.mktemp("sound"), steps=10))


@pytest.fixture(scope="module")
def evaluation():
    return evidence_of("data/rollouts/evaluation")


def line(ledger, name):
    return next(one for _, lines in ledger.sections() for one in lines if one.name == name)


def test_every_later_draft_has_one_fate(evaluation):
    ledger = ledger_of(evaluation)
    written = line(ledger, "written").values
    assert sum(written) == sum(turn["code"] is not None for row in evaluation.rows for turn in row["turns"])
    fates = [np.nansum([one.values[k] for one in ledger.fates]) for k in range(len(written))]
    assert fates == [0, *written[1:]]


def test_scores_so_far_are_those_of_a_report(evaluation):
    per = Report(load_rollouts(evaluation.folder)).per("turn")
    found = line(ledger_of(evaluation), "score so far, failures 0")
    assert found.values == pytest.approx(per["value"].tolist())
    assert found.changes[1][0] == pytest.approx(per["change"].tolist()[1])


def test_parts_are_means_of_what_ran_and_changes_are_paired(evidence):
    found = line(ledger_of(evidence), "colour")
    pairs = [[turn["verdict"]["parts"].get("colour", np.nan) if turn["rendering"]["image"] else np.nan
              for turn in row["turns"]] for row in evidence.rows]
    assert found.values == pytest.approx(np.nanmean(pairs, axis=0).tolist())
    assert np.isnan(found.changes[0][0])
    assert found.changes[1][0] == pytest.approx(np.nanmean(np.diff(pairs, axis=1)))


def test_costs_are_those_recorded_and_tokens_those_counted(evidence):
    rows = [row | {"info": row["info"] | {"seconds": [1.0, 3.0]}} for row in evidence.rows]
    policy = SimpleNamespace(processor=SimpleNamespace(tokenizer=lambda text: {"input_ids": text.split()}))
    ledger = ledger_of(Evidence(rows, evidence.folder), policy)
    assert line(ledger, "seconds of writing").values == (1, 3)
    words = [len(turn["text"].split()) for row in rows for turn in row["turns"][:1]]
    assert line(ledger, "tokens").values[0] == pytest.approx(np.mean(words))
    assert "tokens" not in ledger_of(evidence).table().index


def test_an_improvement_that_is_paid_is_named(evidence):
    assert not any("weak first drafts pay" in note for note in ledger_of(evidence).notes)
    rows = copy.deepcopy(evidence.rows)
    settle(rows)
    for row in rows:
        row["reward"]["total"] += 0.3 * (row["reward"]["vision"] - row["turns"][0]["verdict"]["score"])
    notes = ledger_of(Evidence(rows, evidence.folder)).notes
    assert any("is paid +0.300" in note and "weak first drafts pay" in note for note in notes)


def test_what_first_drafts_hold_back_is_what_a_blind_control_gains(evaluation):
    rows = [row for row in evaluation.rows if row["info"]["name"] == "after"]
    blind = copy.deepcopy(rows)
    for row in blind:
        row["info"]["blind"] = True
        row["reward"]["vision"] = row["turns"][0]["verdict"]["score"] + 0.2
    notes = " ".join(ledger_of(Evidence([*rows, *blind], evaluation.folder)).notes)
    assert "gains +0.200" in notes and "what first drafts hold back" in notes


def test_a_recording_of_nothing_and_of_one_has_a_ledger_too(evaluation):
    one = evaluation.rows[:1]
    assert "written" in ledger_of(Evidence(one, evaluation.folder)).text()
    empty = [one[0] | {"turns": [], "choice": None, "answer": None}]
    assert ledger_of(Evidence(empty, evaluation.folder)).text()


def test_a_diagnosis_holds_it(evaluation):
    found = diagnose(evaluation, [])
    assert "Turn by turn" in found.text() and found.ledger.table().shape[1] >= 2
