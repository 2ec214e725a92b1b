"""Two drawings become a few short sentences out of a closed vocabulary, the most important first.

On any picture:

    Aspect differs.
    Too small.               Too large.    Shifted left.   Shifted right. / up. / down.
    Title differs.           X label differs.              Y label differs.
    Legend missing.          Extra legend.                 Legend differs.
    X ticks differ.          Y ticks differ.
    Blank.                   Failed: <last line of the error>    No difference seen.

On two charts whose axes could be found, what the target shows first:

    Type <kind>, not <kind>.
    Colour <colours>, not <colours>.       two series: Colour teal; gold, not red; blue.
    Grid on.                 Grid off.     what the target has
    Change <changes> of 10.                target less render, in tenths of the axis (register "pointing")
    Values <values> of 10.                 what the target shows, in tenths of the axis (register "telling")

On all others; ink also where nothing else is said of a chart:

    Missing <colour>.        Extra <colour>.
    Missing ink <region>.    Extra ink <region>.                 Colour differs <region>.

    <kind>     bar, barh, line, scatter, area, hist, group, stacked, lines, step
    <colours>  one or two of `plot.NAMES`, "; " between them; <colour>: a name of `shades.NAMED_COLOURS`
    <values>   a digit from 1 to 9 for each mark, from the left (barh: from below), ", " between them, " / "
               between two series. Scatter: nine places from the left, None where there is no point
    <changes>  an entry for each of these: +1 to +8, -1 to -8 or 0; new where the render has no mark
    <region>   top left, top, top right, left, centre, right, bottom left, bottom, bottom right

At most seven (five where no charts were read), in this order: aspect, type, colour, grid, placement, missing
and extra colours, title and labels, legend, ticks, ink; changes or values are always last. What a reading
leaves open is not said. How often each sentence is true, measured on policies' drafts, stands in
notebooks/VOCABULARY.md.

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

SENTENCES = 7     # at most, on two charts
FEWER = 5         # on anything else
SAME_TEXT = 0.68  # likeness from which two texts count as the same
NOTHING = "No difference seen."
REGISTERS = ("pointing", "telling")
ENOUGH = 0.6      # tenths of the axis: the least gap that makes a sentence of the values


def compared(target, other, aspect, register="pointing") -> tuple[str, dict]:
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
    marks = target.marks if theirs.legend in (mine.legend, None) else Marks(mine, hidden)
    drawn = Marks(theirs, hidden)
    likeness = _likeness(target, other, marks, drawn)
    legend = _legend(mine, theirs, likeness)  # completes the likeness
    said = ["Aspect differs."] if aspect < 0.97 else []
    numbers = []
    wanted, found = target.reading, other.reading
    charts = wanted is not None and found is not None
    if charts:
        said += _look(wanted, found) + _placement(target, other)
        numbers = _numbers(wanted, found, register)
    else:
        said += _placement(target, other) + _colours(marks, drawn)
    words, ticks = _texts(likeness)
    said += words + legend + ticks
    if not (said or numbers) or not (target.framed or charts):
        said += _ink(target, other)
    most = SENTENCES if charts else FEWER
    return " ".join(said[:most - len(numbers)] + numbers) or NOTHING, likeness


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


# ---- charts that could be read -----------------------------------------------------------------------------

def _look(wanted, found):
    """Sentences on the kind of chart, its colours and its grid: what the target shows."""
    said = []
    if wanted.kind and found.kind and wanted.kind != found.kind:
        said.append(f"Type {wanted.kind}, not {found.kind}.")
    mine, theirs = wanted.colours, found.colours
    if mine and theirs and (sorted(mine) != sorted(theirs) if wanted.kind == "lines" else mine != theirs):
        said.append(f"Colour {'; '.join(mine)}, not {'; '.join(theirs)}.")
    if None not in (wanted.grid, found.grid) and wanted.grid != found.grid:
        said.append("Grid on." if wanted.grid else "Grid off.")
    return said


def _numbers(wanted, found, register):
    """The sentence on the marks' values, the last of all, in a list; empty where it would say nothing."""
    if not wanted.series or not wanted.kind:
        return []
    known = found.series or ()
    if known and _alike(wanted.series, known):
        return []
    if register == "telling":
        rows = [[_digit(tenths) for tenths in row] for row in wanted.series]
        return [f"Values {_listed(rows)} of 10."]
    if not known:
        return []
    rows = [[_change(tenths, known[i][k] if i < len(known) and k < len(known[i]) else None)
             for k, tenths in enumerate(row)] for i, row in enumerate(wanted.series)]
    return [f"Change {_listed(rows)} of 10."]


def _alike(wanted, found):
    """Whether two charts have marks at the same places that reach as far."""
    if [len(row) for row in wanted] != [len(row) for row in found]:
        return False
    pairs = [pair for rows in zip(wanted, found, strict=True) for pair in zip(*rows, strict=True)]
    return all(a is b is None or (None not in (a, b) and abs(_within_digits(a) - _within_digits(b)) < ENOUGH)
               for a, b in pairs)


def _within_digits(tenths):
    return min(9.0, max(1.0, tenths))


def _digit(tenths):
    return "None" if tenths is None else str(round(_within_digits(tenths)))


def _change(wanted, found):
    """One mark's change: target less render in tenths, or that there is no mark on either side."""
    if wanted is None:
        return "None"
    if found is None:
        return "new"
    change = round(_within_digits(wanted) - _within_digits(found))
    return f"{change:+d}" if change else "0"


def _listed(rows):
    return " / ".join(", ".join(row) for row in rows)


# ---- any chart ---------------------------------------------------------------------------------------------

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
