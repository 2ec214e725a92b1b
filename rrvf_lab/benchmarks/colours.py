"""How alike two colours are, as the benchmarks say it: 1 - dE2000 / 100.

The conversion to L*a*b* is our own, with the constants of the harnesses' colormath 3.0: skimage's has others
in the fourth digit, which near the jumps of CIEDE2000 moves a likeness by up to 0.39 (by more than 2e-4 in
one of a hundred pairs, measured on 3.2 million). The difference itself is skimage's, within 1.9e-6 of
colormath's on the same pairs.

Left out: the judge's colours (`judge`), which are compared in another way.
"""

from __future__ import annotations

import numpy as np

TO_XYZ = np.array([[0.412424, 0.212656, 0.0193324], [0.357579, 0.715158, 0.119193],
                   [0.180464, 0.0721856, 0.950444]])
WHITE = (0.95047, 1.0, 1.08883)  # D65, 2 degrees


def lab(rgb) -> np.ndarray:
    """CIE L*a*b* (D65, 2 degrees) of sRGB values 0 to 255, [..., 3] -> [..., 3]."""
    rgb = np.asarray(rgb, float) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    xyz = linear @ TO_XYZ / WHITE
    x, y, z = np.moveaxis(np.where(xyz > 216 / 24389, np.cbrt(xyz), 7.787 * xyz + 16 / 116), -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], -1)


def likeness(first, second) -> np.ndarray:
    """Likeness in [0, 1] of sRGB values 0 to 255, [..., 3], which broadcast -> [...].

    Example: `likeness([255, 0, 0], [254, 0, 0]) > 0.99`.
    """
    from skimage.color import deltaE_ciede2000

    return np.maximum(0, 1 - deltaE_ciede2000(lab(first), lab(second)) / 100)
