"""Questions to masks and planes that numpy has no single word for. Arrays in, arrays out.

A mask is an (h, w) array of booleans, a plane one of numbers, a profile a vector.

Left out: what the answers mean in a picture (`see`, `score`).
"""

from __future__ import annotations

import functools

import numpy as np


def count_per_row(mask):
    """How many True each row holds."""
    ones = np.ones(mask.shape[1], np.float32)
    return mask.astype(np.float32) @ ones  # many times faster than a sum of booleans


def longest_runs(mask, least):
    """Per row: length, start and last place of its longest run of True; zeros below `least` True in all."""
    found = np.zeros((3, len(mask)), int)
    rows = np.flatnonzero(count_per_row(mask) >= least)
    if len(rows):
        mask = mask[rows]
        place = np.arange(1, mask.shape[1] + 1, dtype=np.int32)
        last_false = np.maximum.accumulate(np.where(mask, 0, place), axis=1)
        run = place - last_false
        end = run.argmax(1)
        length = run[np.arange(len(run)), end]
        found[:, rows] = length, end - length + 1, end
    return found


def bands(profile, gap):
    """[start, end) of the runs of True in a profile, runs with at most `gap` False between them joined.

    Example: `bands([True, False, True, False, False, True], 1) == [(0, 3), (5, 6)]`.
    """
    at = np.flatnonzero(profile)
    if not len(at):
        return []
    cuts = np.flatnonzero(at[1:] - at[:-1] > gap + 1)
    starts = [int(at[0]), *at[cuts + 1].tolist()]
    ends = [*(at[cuts] + 1).tolist(), int(at[-1]) + 1]
    return list(zip(starts, ends, strict=True))


def box_around(mask):
    """(left, top, right, bottom) of what is True, right and bottom exclusive, or None."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return None
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def reach(mask):
    """Per row: how far from the left its last True ends (0 = there is none)."""
    return np.where(mask.any(1), mask.shape[1] - mask[:, ::-1].argmax(1), 0)


def darker(light):
    """Pixels darker than two rows above and below: a thin line, even when blended with a mark beside it."""
    dark = np.zeros(light.shape, bool)
    dark[2:-2] = light[2:-2] < np.minimum(light[:-4], light[4:]) - 8
    return dark


def highest(plane, width):
    """The highest value of a plane of values >= 0 in the square of odd `width` around each pixel.

    Several times faster than scipy.ndimage.maximum_filter, as every step is one vectorised maximum.
    """
    for _ in range(2):  # down the columns, then along the rows
        padded = np.zeros((plane.shape[0] + width - 1, plane.shape[1]), plane.dtype)
        padded[width // 2:width // 2 + len(plane)] = plane
        seen = 1
        while seen < width:  # windows of 2, 4, 8 ... rows, each of two halves
            step = min(seen, width - seen)
            padded = np.maximum(padded[:-step], padded[step:])
            seen += step
        plane = padded.T
    return plane


def blurred(plane, widths):
    """A plane averaged over squares of several odd widths, zeros around it: one plane for each width.

    At working size in half the time of scipy.ndimage.uniform_filter, to which it is equal but for rounding.
    """
    height, length = plane.shape
    out = np.empty((len(widths), height, length), np.float32)
    for width, into in zip(widths, out, strict=True):
        far = width // 2
        padded = np.zeros((height + 2 * far, length + 2 * far), np.float32)
        padded[far:far + height, far:far + length] = plane
        sums = _row_sums(_row_sums(padded, width).T, width).T
        np.divide(sums, width * width, out=into)
    return out


def _row_sums(plane, width):
    """The sum of each `width` (odd) successive rows, put together from sums of 1, 2, 4, 8 ... rows."""
    rows = len(plane) - width + 1
    total, done = plane[:rows], 1
    window, size = plane, 1
    while done < width:
        window, size = window[:-size] + window[size:], 2 * size
        if width & size:
            total = total + window[done:done + rows]
            done += size
    return total


def pooled(planes, n):
    """Mean of (..., h, w) planes over the cells of an n by n grid."""
    rows, columns, counts = _grid(*planes.shape[-2:], n)
    return np.add.reduceat(np.add.reduceat(planes, rows, -2), columns, -1) / counts


@functools.lru_cache(256)
def _grid(height, width, n):
    """Where the rows and columns of an n by n grid begin, and how many pixels each cell holds."""
    rows, columns = (np.arange(n) * side // n for side in (height, width))
    heights, widths = np.diff(rows, append=height), np.diff(columns, append=width)
    return rows, columns, np.multiply.outer(heights, widths)
