"""The benchmark of planted faults: what it plants, and how it counts. The trainings themselves take minutes:
`python tests/benchmarks/planted.py`."""
import inspect
import math

import numpy as np
import planted
import pytest

from rrvf_lab.diagnose import findings


def test_there_are_twenty_four_faults_and_twenty_clean_runs_of_different_settings():
    assert len(planted.FAULTS) == 24 and len(planted.CLEAN) == 20
    assert len({str(changes) for changes in planted.CLEAN.values()}) == 20


@pytest.mark.parametrize("name", planted.FAULTS)
def test_the_finding_that_must_name_a_fault_exists(name):
    written = inspect.getsource(findings)
    wanted = planted.FAULTS[name][1]
    assert wanted and all(f'"{one}"' in written for one in wanted)


def test_a_wrapped_function_is_the_old_one_again_afterwards(tmp_path):
    plant = planted.Plant(tmp_path, 1, np.random.default_rng(0))
    with plant.patches:
        plant.wrap(math, "floor", lambda original, x: original(x) + 1)
        assert math.floor(1.5) == 2
    assert math.floor(1.5) == 1


def test_the_confusion_table_counts_places_and_alarms():
    rows = [{"run": "noisy_judge", "place": 2, "names": ["a", "judge noisy"]},
            {"run": "flipped_sign", "place": 1, "names": ["reward sign flipped"]},
            {"run": "context_cut", "place": math.inf, "names": []},
            {"run": "clean-0", "place": math.inf, "names": []},
            {"run": "clean-1", "place": math.inf, "names": ["a"]}]
    last = planted.table(rows).splitlines()[-1]
    assert last == ("named first: 1 of 3; first or second: 2 of 3; clean runs with an alarm: 1 of 2")
