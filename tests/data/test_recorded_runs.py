"""The recorded runs of notebook 07: small, whole, and each with the fault that was put into it.

Left out: recording them again."""
import json
import shutil
import sys

import pytest

import rrvf_lab as rl
from rrvf_lab.leaves.files import REPOSITORY

sys.path.insert(0, str(REPOSITORY / "tests/benchmarks"))
from planted import FAULTS

PACKED = REPOSITORY / "data/runs"
FAULT = {"healthy": None, "a": "feedback_of_another", "b": "learning_rate_times_30", "c": "temperature_zero",
         "d": "stale_renders"}


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    """{name: folder} of all of them."""
    folder = tmp_path_factory.mktemp("recorded")
    for name in FAULT:
        shutil.unpack_archive(PACKED / f"{name}.tar.xz", folder / name, filter="data")
    return {name: folder / name for name in FAULT}


def test_they_are_all_there_and_small():
    sizes = {path.name.partition(".")[0]: path.stat().st_size for path in PACKED.glob("*.tar.xz")}
    assert set(sizes) == set(FAULT) and sum(sizes.values()) <= 600_000


def test_each_is_a_finished_run_of_48_rollouts_with_all_its_pictures(unpacked):
    for folder in unpacked.values():
        run = rl.Run(folder)
        named = {row["target"] for row in run.rows()} | {
            (turn.get("rendering") or {}).get("image") for row in run.rows() for turn in row["turns"]}
        assert run.state == "finished" and len(run) == 48 and len(run.log()) == 6
        assert {path.stem for path in (run.folder / "images").glob("*.png")} == named - {None}


def test_none_says_where_it_was_made(unpacked):
    for folder in unpacked.values():
        settings = json.loads((folder / "config.json").read_text())
        assert settings["output"].startswith("runs/") and settings["train_images"].startswith("runs/")


@pytest.mark.slow
@pytest.mark.parametrize("name", FAULT)
def test_the_diagnosis_names_the_fault_first_and_finds_none_in_the_sound_run(unpacked, name):
    found = [finding.name for finding in rl.diagnose(unpacked[name]).findings]
    if FAULT[name] is None:
        assert found == []
    else:
        assert found[0] in FAULTS[FAULT[name]][1]
