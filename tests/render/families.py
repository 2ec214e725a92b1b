"""Parameters of a test with many members: some always run, the rest only when asked for."""
import pytest


def members(names, always):
    """`names` as parameters; those not in `always` carry the markers slow and exhaustive."""
    unknown = set(always) - set(names)
    assert not unknown, f"no such members: {unknown}"
    rest = [pytest.mark.slow, pytest.mark.exhaustive]
    return [pytest.param(name, marks=[] if name in always else rest) for name in names]
