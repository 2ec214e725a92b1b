"""Two drawings become a few short sentences out of a closed vocabulary, the most important first.

Positions are inside the plot frame in steps of 5 %, 0 % = left or bottom:

    Blank.                   Failed: <last line of the error>    No difference seen.
    Aspect differs.          Too small.                          Too large.
    Shifted left.            Shifted right. / up. / down.
    Type differs.            Too few marks.                      Too many marks.
    Missing <colour>.        Extra <colour>.
    Title differs.           X label differs.                    Y label differs.
    X ticks differ.          Y ticks differ.                     Grid differs.
    Too low at <p>%.         Too high at <p>%.                   (the render's mark against the target's)
    Too short at <p>%.       Too long at <p>%.                   (horizontal bars, p counted from the bottom)
    Legend missing.          Extra legend.                       Legend differs.
    Missing ink <region>.    Extra ink <region>.                 Colour differs <region>.
    <colour>: a name of `shades.NAMED_COLOURS`
    <region>: top left, top, top right, left, centre, right, bottom left, bottom, bottom right

Left out: the score. It takes from here how alike texts and marks are (`score`); "Failed" is
`Verdict.no_picture`'s.
"""

from __future__ import annotations

import math

import numpy as np
from PIL import Image

from .arrays import box_around, highest
from .see import Area, Marks, keep_apart
from .shades import COLOUR_NAMES

SENTENCES = 5     # at most
SAME_TEXT = 0.68  # likeness from which two texts count as the same
NOTHING = "No difference seen."


def compared(target, other, aspect) -> tuple[str, dict]:
    """(the sentences on two `Drawing`s of one size, the likeness of their texts and marks, 0 to 1).

    `aspect` is the agreement of the sides' ratios before `other` was stretched. Likeness has "marks",
    "legend" where there is one, and the names of `Drawing.texts`; what is not named does not count.
    """
    if aspect > 0.99 and other.same(target):
        return NOTHING, {"marks": 1.0}
    if other.blank and not target.blank:
        return "Blank.", {}
    mine, theirs = target.area, Area(other, target.area.size)
    hidden = mine.legend, theirs.legend  # what one legend covers is left out in both
    marks = target.marks if mine.legend == theirs.legend else Marks(mine, hidden)
    drawn = Marks(theirs, hidden)
    likeness = _likeness(target, other, marks, drawn)
    legend = _legend(mine, theirs, likeness)  # completes the likeness
    said = ["Aspect differs."] if aspect < 0.97 else []
    said += _placement(target, other) + _colours(marks, drawn)
    shape = values = []
    if target.framed:
        said += ["Grid differs."] if mine.grid != theirs.grid else []
        shape = _shape(marks, drawn)
        values = [] if shape else _values(marks, drawn)
    words, ticks = _texts(likeness)
    said += shape + words + values + legend + ticks
    if not said or not target.framed:
        said += _ink(target, other)
    return " ".join(said[:SENTENCES]) or NOTHING, likeness


# ---- how alike ---------------------------------------------------------------------------------------------

def _likeness(target, other, marks, drawn):
    less, more = sorted((marks.amount, drawn.amount))
    alike = {"marks": (1 + less) / (1 + more)}
    return alike | {name: _same_text(text, other.texts.get(name)) for name, text in target.texts.items()}


def _same_text(a, b):
    """Likeness of two texts' ink: the best correlation over small shifts; 0 when sizes disagree."""
    if a is None or b is None:
        return float(a is None and b is None)
    if a.shape == b.shape and np.array_equal(a, b):
        return 1.0
    apart = [abs(m - n) for m, n in zip(a.shape, b.shape, strict=True)]
    if any(gap > 2 + 0.12 * max(sides) for gap, *sides in zip(apart, a.shape, b.shape, strict=True)):
        return 0.0
    if max(apart) > 2:
        b = np.asarray(Image.fromarray(b).resize(a.shape[::-1], Image.Resampling.BILINEAR))
    a, b = (text - text.mean(1, keepdims=True) for text in (a, b))  # the glyphs, not the line all words share
    height, width = max(a.shape[0], b.shape[0]), max(a.shape[1], b.shape[1])
    field = np.zeros((height + 4, width + 4), np.float32)
    field[2:2 + a.shape[0], 2:2 + a.shape[1]] = a
    windows = np.lib.stride_tricks.sliding_window_view(field, b.shape)[:5, :5]
    fit = float(np.einsum("ijkl,kl->ij", windows, b).max())
    norm = math.sqrt(float((a * a).sum()) * float((b * b).sum())) or 1.0
    return max(0.0, min(1.0, fit / norm))


# ---- plots -------------------------------------------------------------------------------------------------

def _placement(target, other):
    """Where the drawing sits and how large it is."""
    mine, theirs = target.frame, other.frame
    if target.framed != other.framed:
        mine, theirs = box_around(target.ink) or mine, box_around(other.ink) or theirs
    (left, top, right, bottom), (their_left, their_top, their_right, their_bottom) = mine, theirs
    area = (right - left) * (bottom - top)
    growth = (their_right - their_left) * (their_bottom - their_top) / max(1, area)
    said = []
    if not 0.85 < growth < 1.18:
        said.append("Too small." if growth < 1 else "Too large.")
    width, height = target.size
    aside = ((their_left + their_right) - (left + right)) / 2 / width
    down = ((their_top + their_bottom) - (top + bottom)) / 2 / height
    if max(abs(aside), abs(down)) > 0.03:
        if abs(aside) > abs(down):
            said.append("Shifted right." if aside > 0 else "Shifted left.")
        else:
            said.append("Shifted down." if down > 0 else "Shifted up.")
    return said


def _colours(marks, drawn):
    """Up to two colours that one side shows and the other hardly, the most shown first."""
    said = []
    wanted, found = marks.amounts, drawn.amounts
    for word, here, there in (("Missing", wanted, found), ("Extra", found, wanted)):
        total = here.sum()
        share = there / max(1, there.sum())  # shares: a line and a bar of one colour hold the same colour
        lost = [i for i, amount in enumerate(here)
                if amount >= max(6, 0.08 * total) and share[i] < 0.25 * amount / total]
        lost.sort(key=lambda i, here=here: -here[i])
        said += [f"{word} {COLOUR_NAMES[i]}." for i in lost[:2] if here[i] >= 0.3 * here[lost[0]]]
    return said


def _shape(marks, drawn):
    """Another type of chart, or another number of marks."""
    if marks.kind != drawn.kind:
        return ["Type differs."]
    if marks.count != drawn.count:
        return ["Too few marks." if drawn.count < marks.count else "Too many marks."]
    return []


def _texts(likeness):
    """(sentences on title and labels, sentences on tick labels)."""
    def differing(names, verb):
        return [f"{name.capitalize()} {verb}." for name in names if likeness.get(name, 1) < SAME_TEXT]

    return differing(("title", "x label", "y label"), "differs"), differing(("x ticks", "y ticks"), "differ")


def _legend(mine, theirs, likeness):
    """Sentences on two areas' legends; sets likeness["legend"] where there is one."""
    if not mine.legend and not theirs.legend:
        return []
    if not theirs.legend or not mine.legend:
        likeness["legend"] = 0.0
        return ["Legend missing." if mine.legend else "Extra legend."]
    likeness["legend"] = _same_text(mine.legend_ink(), theirs.legend_ink())
    return ["Legend differs."] if likeness["legend"] < 0.9 else []


def _values(marks, drawn):
    """Where marks reach less or more far than they should, the largest gap first."""
    lying = marks.kind == "barh"
    if lying:
        wanted, found, extent = marks.lengths[::-1], drawn.lengths[::-1], marks.size[0]
    else:
        wanted, found, extent = marks.heights, drawn.heights, marks.size[1]
    if marks.kind not in ("bar", "barh", "steps", "area"):  # only where both have a mark
        found, wanted = np.where(wanted > 0, found, 0), np.where(found > 0, wanted, 0)
    gap = (found - wanted).astype(int)
    gap[np.abs(gap) <= max(2, 0.02 * extent)] = 0
    low, high = ("short", "long") if lying else ("low", "high")
    return [f"Too {high if sign > 0 else low} at {percent}%." for percent, sign in _stretches(gap, extent)]


def _stretches(gap, extent):
    """(percent of the way, sign) of each stretch of a profile of gaps, the largest gap first."""
    turns = np.sign(gap[1:]) != np.sign(gap[:-1])
    jumps = np.abs(np.diff(gap)) > max(3, 0.04 * extent)
    starts = np.r_[0, np.flatnonzero(turns | jumps) + 1, len(gap)]
    found = []
    for start, end in zip(starts[:-1], starts[1:], strict=True):
        if gap[start] == 0 or end - start < 0.012 * len(gap):
            continue
        size = np.abs(gap[start:end])
        top = np.flatnonzero(size >= 0.95 * size.max())
        middle = (start + (top[0] + top[-1] + 1) / 2) / len(gap)
        found.append((size.max(), int(5 * round(20 * middle)), int(np.sign(gap[start]))))
    found.sort(key=lambda stretch: -stretch[0])
    return [(percent, sign) for _, percent, sign in found]


# ---- any picture -------------------------------------------------------------------------------------------

def _ink(target, other):
    """Where ink is missing, extra or of another colour, by ninths of the page, the largest amount first."""
    mine, theirs = target.ink, other.ink
    near_mine, near_theirs = (highest(ink.view(np.uint8), 3).view(bool) for ink in (mine, theirs))
    recoloured = mine & theirs
    keep_apart(recoloured, target.colours, other.colours, 40)
    found = [(*_region(mine & ~near_theirs), "Missing ink"), (*_region(theirs & ~near_mine), "Extra ink"),
             (*_region(recoloured), "Colour differs")]
    found.sort(key=lambda amount_first: -amount_first[0])
    return [f"{words} {region}." for amount, region, words in found if amount > 0.0005 * mine.size]


def _region(mask):
    """(amount, region words) of the ninth of the page that holds most of a mask."""
    rows, columns = (_thirds(side) for side in mask.shape)
    amounts = [int(np.count_nonzero(mask[row, column])) for row in rows for column in columns]
    y, x = divmod(amounts.index(max(amounts)), 3)
    words = " ".join(filter(None, (("top", "", "bottom")[y], ("left", "", "right")[x])))
    return max(amounts), words or "centre"


def _thirds(side):
    """Three slices of a side, none of them empty."""
    starts = [i * side // 3 for i in range(3)]
    return [slice(start, max((i + 1) * side // 3, start + 1)) for i, start in enumerate(starts)]
