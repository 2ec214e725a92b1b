"""The table of speeds, the comparison of two commits and its decision about noise; nothing is measured."""
import json
import sys

import bench
import numpy as np
import pytest


def test_a_ratio_is_the_median_of_the_rounds_ratios_with_their_ends():
    one = bench.row("a", [1, 2, 4], usual=[8, 8, 8], way="slowly")
    assert bench.ratio(one) == (4, 2, 8)


def test_without_a_usual_way_there_is_no_ratio():
    assert bench.ratio(bench.row("a", [1, 2])) is None


def test_a_round_too_short_for_the_clock_has_no_ratio():
    assert bench.ratio(bench.row("a", [0, 2], usual=[5, 6])) == (3, 3, 3)


def test_the_table_has_a_line_for_each_row_and_as_many_cells_in_each():
    rows = [bench.row("a", [1, 2, 4], usual=[8, 8, 8], way="slowly"), bench.row("b", [1234], "wall s")]
    lines = bench.table(rows).splitlines()
    assert len({line.count("|") for line in lines}) == 1
    assert lines[2:] == ["| a | 2.00 | CPU ms | slowly | 8.00 | 4.0 (2.0 to 8.0) |",
                         "| b | 1234 | wall s |  |  |  |"]


def test_what_lies_apart_by_more_than_its_rounds_is_a_difference():
    assert bench.exceeds([10, 10.2, 10.1], [8, 8.2, 8.1])


def test_what_overlaps_is_none():
    assert not bench.exceeds([10, 12, 11], [9, 10.5, 9.5])


def test_what_lies_apart_by_less_than_its_rounds_is_none():
    assert not bench.exceeds([10, 12, 11], [8, 9, 8.5])


def test_a_single_round_says_nothing():
    assert not bench.exceeds([10], [1])


def test_less_than_two_in_a_hundred_is_the_same():
    assert not bench.exceeds([100, 100.1, 100], [101, 101.1, 101])


def test_equal_commits_seldom_differ():
    random = np.random.default_rng(0)
    both = random.normal(100, 5, (4000, 2, 3)).tolist()
    assert np.mean([bench.exceeds(*pair) for pair in both]) < 0.05


def test_the_comparison_says_what_is_faster_slower_or_missing():
    base = {("a", "CPU ms"): [10, 10, 10], ("b", "CPU ms"): [1, 1, 1], ("c", "CPU ms"): [5, 5, 5]}
    ours = {("a", "CPU ms"): [5, 5, 5], ("b", "CPU ms"): [2, 2, 2], ("d", "CPU ms"): [5, 5, 5]}
    a, b, d, c = bench.compared(base, ours).splitlines()[2:]
    assert "-50 % | **faster**" in a and "+100 % | **slower**" in b
    assert "not measured in both" in c and "not measured in both" in d


@pytest.mark.parametrize("load, said", [(0.3, False), (1.5, True)])
def test_a_busy_machine_is_said(load, said):
    assert bool(bench.busy({"load": load, "cores": 2})) is said


def test_a_part_that_fails_is_said_and_the_others_go_on(tmp_path, capsys, monkeypatch):
    (tmp_path / "tests/benchmarks").mkdir(parents=True)
    (tmp_path / "tests/benchmarks/bench.py").write_text("raise SystemExit('no browser')")
    assert bench.measured("browser", tmp_path, quick=True) == []
    assert "no browser" in capsys.readouterr().err


def test_the_file_holds_machine_and_rows(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(bench, "measured", lambda name, root, quick: [bench.row(name, [1.0])])
    out = tmp_path / "a" / "bench.json"
    monkeypatch.setattr(sys, "argv", ["bench", "--only", "imports", "--out", str(out)])
    bench.main()
    told = json.loads(out.read_text())
    assert told["rows"] == [bench.row("imports", [1.0])]
    assert told["cores"] >= 1 and told["versions"]["numpy"] and "load" in told
    assert "| imports | 1.00 |" in capsys.readouterr().out
