"""64 x 64 x 64 RGB colours by number, and what is known of each: CIELAB, name, distance from a ground.

A shade is such a number. Pictures become arrays of shades, and what is asked of a pixel is looked up.

Left out: pictures themselves (`see`).
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np

NAMED_COLOURS = {
    "red": [(255, 0, 0), (214, 39, 40), (200, 20, 40)], "blue": [(0, 0, 255), (65, 105, 225)],
    "green": [(0, 128, 0), (44, 160, 44)], "orange": [(255, 165, 0), (255, 127, 14)],
    "purple": [(128, 0, 128), (148, 103, 189)], "gray": [(128, 128, 128), (176, 176, 176)],
    "steelblue": [(70, 130, 180), (31, 119, 180)], "teal": [(0, 128, 128)], "gold": [(255, 215, 0)],
    "salmon": [(250, 128, 114)], "brown": [(165, 42, 42), (140, 86, 75)],
    "pink": [(255, 192, 203), (227, 119, 194)], "black": [(0, 0, 0)], "navy": [(0, 0, 128)],
    "olive": [(128, 128, 0), (188, 189, 34)], "cyan": [(0, 255, 255), (23, 190, 207)],
    "magenta": [(255, 0, 255)], "yellow": [(255, 255, 0)], "white": [(255, 255, 255)]}
COLOUR_NAMES = list(NAMED_COLOURS)
SHADES = 64 ** 3


def rgb_of(shade):
    """The (red, green, blue) of a shade."""
    return tuple(round((shade >> shift & 63) * 255 / 63) for shift in (12, 6, 0))


def shades_of(image):
    """The shade of each pixel of an RGB picture: the upper six bits of red, green and blue."""
    word = np.frombuffer(image.tobytes("raw", "RGBX"), "<u4").reshape(image.size[::-1])
    shade = (word & 0xFC) << 10
    shade |= (word & 0xFC00) >> 4
    shade |= (word & 0xFC0000) >> 18
    return shade.astype(np.intp)  # as indices: numpy would turn them into these each time


def lab_grid(steps):
    """CIELAB of all RGB colours of so many steps a channel, blue changing fastest: (steps ** 3, 3)."""
    from skimage.color import rgb2lab  # here, so that the import of the room stays quick

    axis = np.linspace(0, 1, steps)
    return rgb2lab(np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), -1)).reshape(-1, 3)


@functools.cache
def _lab_table():
    """The CIELAB value of each shade, as three rows."""
    return np.ascontiguousarray(lab_grid(64).astype(np.float32).T)


@functools.cache
def name_table():
    """For each shade: the place of its nearest colour in COLOUR_NAMES."""
    from skimage.color import rgb2lab

    pairs = [(place, colour) for place, name in enumerate(COLOUR_NAMES) for colour in NAMED_COLOURS[name]]
    named = rgb2lab(np.array([[colour for _, colour in pairs]]) / 255)[0].astype(np.float32)
    lab = np.ascontiguousarray(_lab_table().T)
    nearest = np.argmin([((lab - colour) ** 2).sum(1) for colour in named], 0)
    return np.array([place for place, _ in pairs], np.uint8)[nearest]


def lab_from(background, shade, planes=slice(3)):
    """CIELAB of shades less that of a background: lightness, red-green, yellow-blue, or some of these."""
    table = _lab_table()[planes]
    lab = table.take(shade, 1)
    lab -= table[:, background].reshape(-1, *[1] * shade.ndim)
    return lab


class Apart(NamedTuple):
    """For each shade: its distance in CIELAB from a background, whether its hue is the background's, and how
    much lighter it is."""

    distance: np.ndarray
    gray: np.ndarray
    lightness: np.ndarray


@functools.lru_cache(16)
def apart_from(background) -> Apart:
    """How all shades look on a background; 2.4 MB, so that a few are remembered."""
    lab = lab_from(background, np.arange(SHADES))
    return Apart(np.sqrt((lab * lab).sum(0)), np.abs(lab[1]) + np.abs(lab[2]) < 15, lab[0])
