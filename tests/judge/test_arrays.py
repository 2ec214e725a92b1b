"""The judge's own array functions against slower ones that say the same, on random arrays of odd shapes."""
import numpy as np
import pytest
from scipy.ndimage import maximum_filter, uniform_filter

from rrvf_lab.judge.arrays import bands, blurred, box_around, highest, longest_runs, pooled, reach

SHAPES = [(1, 1), (1, 9), (7, 1), (5, 40), (33, 20)]


def plane(shape, seed=0):
    return np.random.default_rng(seed).random(shape, np.float32)


@pytest.mark.parametrize("shape", SHAPES)
def test_blurred_is_the_mean_over_squares_with_zeros_outside(shape):
    for width, blur in zip((3, 5, 7, 9, 13), blurred(plane(shape), (3, 5, 7, 9, 13)), strict=True):
        expected = uniform_filter(plane(shape), width, mode="constant")
        assert blur == pytest.approx(expected, abs=1e-6), width


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("width", [1, 3, 7])
def test_highest_is_the_largest_value_around(shape, width):
    assert np.array_equal(highest(plane(shape), width), maximum_filter(plane(shape), width, mode="constant"))


@pytest.mark.parametrize("shape", [(12, 12), (13, 29), (40, 12)])
def test_pooled_is_the_mean_of_each_cell(shape):
    found = pooled(plane((2, *shape)), 12)
    rows, columns = (np.arange(13) * side // 12 for side in shape)
    cell = plane((2, *shape))[1, rows[4]:rows[5], columns[11]:columns[12]]
    assert found.shape == (2, 12, 12) and found[1, 4, 11] == pytest.approx(cell.mean())


def test_longest_runs_names_length_start_and_last_place():
    mask = np.array([[0, 1, 1, 0, 1, 0], [1, 0, 0, 0, 0, 0], [1, 1, 1, 1, 1, 1], [1, 1, 0, 1, 1, 1]], bool)
    assert longest_runs(mask, 2).T.tolist() == [[2, 1, 2], [0, 0, 0], [6, 0, 5], [3, 3, 5]]


def test_bands_join_over_gaps_and_end_where_the_profile_does():
    profile = np.array([1, 0, 1, 0, 0, 1, 1], bool)
    assert bands(profile, 0) == [(0, 1), (2, 3), (5, 7)]
    assert bands(profile, 1) == [(0, 3), (5, 7)] and bands(profile, 2) == [(0, 7)]
    assert bands(np.zeros(4, bool), 1) == []


def test_box_and_reach_of_a_mask():
    mask = np.zeros((5, 6), bool)
    assert box_around(mask) is None and reach(mask).tolist() == [0] * 5
    mask[1, 2] = mask[3, 4] = True
    assert box_around(mask) == (2, 1, 5, 4) and reach(mask).tolist() == [0, 3, 0, 5, 0]
