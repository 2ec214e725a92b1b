"""What the judge's sentences tell a policy to change, as fields: read, said, followed.

`Told.parse` reads the sentences that name what the target shows, `Told.between` says them for two charts,
`Told.follow` draws the chart that obeys them. The embedded model is taught with the last two and measured
with the first and the last; neither looks at a picture.

    Type line, not bar.    Colour teal; gold, not red; blue.    Grid on.    Grid off.
    Values 9, 3, None, 5 of 10.           telling: the values in tenths of the axis, groups apart by " / "
    Change 0, +3, new, -1 of 10.          pointing: what to add to each value; its length is their number

Left out: every other sentence of the judge (placement, titles, labels, ticks), which names no value to take.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from .dialect import COLOUR_WORDS, KIND_WORDS, TWO_ROWS, Chart, basic, plain

NEW = 5  # how a mark is drawn that the sentences only call `new`
FIELDS = ("kind", "colours", "grid", "list")
_TYPE = re.compile(r"Type (\w+), not (\w+)\.")
_COLOUR = re.compile(r"Colour ([\w; ]+), not ([\w; ]+)\.")
_GRID = re.compile(r"Grid (on|off)\.")
_LIST = re.compile(r"(Values|Change) ([^.]+) of 10\.")
_ENTRY = re.compile(r"None|new|0|[+-]?[1-9]")


@dataclass(frozen=True)
class Told:
    """What is to change: kind and colours as (wanted, drawn), the grid, rows of values or of changes.

    Entries of `values` are 0 to 9 (0: no point of a scatter); entries of `changes` are the words `0`, `+3`,
    `-1`, `new` and `None`. What is None is not named, and stays as it is drawn.
    """

    kind: tuple[str, str] | None = None
    colours: tuple[tuple[str, ...], tuple[str, ...]] | None = None
    grid: bool | None = None
    values: tuple[tuple[int, ...], ...] | None = None
    changes: tuple[tuple[str, ...], ...] | None = None

    @classmethod
    def parse(cls, feedback: str) -> Told:
        """What a judge's feedback tells; sentences that it does not know are passed over.

        Example: `Told.parse("Title differs. Grid on.").grid is True`.
        """
        kind, colour, grid, row = (p.search(feedback) for p in (_TYPE, _COLOUR, _GRID, _LIST))
        told = {"kind": kind and kind.groups(), "grid": grid and grid.group(1) == "on",
                "colours": colour and tuple(tuple(side.split("; ")) for side in colour.groups())}
        if row:
            rows = tuple(tuple(part.split(", ")) for part in row.group(2).split(" / "))
            if all(_ENTRY.fullmatch(entry) for part in rows for entry in part):
                told |= {"changes": rows} if row.group(1) == "Change" else {"values": _numbers(rows)}
        return cls(**told)

    @classmethod
    def between(cls, draft: Chart, truth: Chart, register: str = "pointing") -> Told:
        """What makes `draft` into `truth`, in the "pointing" or the "telling" register."""
        if "pie" in (draft.kind, truth.kind):  # of which a judge reads nothing
            return cls()
        told = {}
        if draft.kind != truth.kind:
            told["kind"] = truth.kind, draft.kind
        wanted, drawn = (tuple(map(basic, chart.colours)) for chart in (truth, draft))
        if wanted != drawn:
            told["colours"] = wanted, drawn
        if bool(draft.grid) != bool(truth.grid):
            told["grid"] = bool(truth.grid)
        if draft.series != truth.series:
            telling = register == "telling"
            told |= {"values": truth.series} if telling else {"changes": changes(draft.series, truth.series)}
        return cls(**told)

    def sentences(self) -> list[str]:
        """The sentences, numbers last. Example: `Told(grid=True).sentences() == ["Grid on."]`."""
        said = []
        if self.kind:
            said.append("Type {}, not {}.".format(*self.kind))
        if self.colours:
            said.append("Colour {}, not {}.".format(*("; ".join(side) for side in self.colours)))
        if self.grid is not None:
            said.append(f"Grid {'on' if self.grid else 'off'}.")
        if self.values:
            said.append(f"Values {rows([[str(v or None) for v in row] for row in self.values])} of 10.")
        if self.changes:
            said.append(f"Change {rows(self.changes)} of 10.")
        return said

    @property
    def named(self) -> list[str]:
        """Which of `FIELDS` are named."""
        lists = self.values or self.changes
        return [name for name, told in zip(FIELDS, (self.kind, self.colours, self.grid, lists), strict=True)
                if told is not None]

    def only(self, *names: str) -> Told:
        """The same with no other of `FIELDS` named. Example: `told.only("kind", "list")`."""
        fields = [field for name in names for field in (("values", "changes") if name == "list" else (name,))]
        return Told(**{field: getattr(self, field) for field in fields})

    def follow(self, draft: Chart) -> Chart:
        """The chart that obeys: each named field as told, the others as drawn."""
        chart = draft
        if self.kind and self.kind[0] in KIND_WORDS:
            chart = replace(chart, kind=self.kind[0])
        if self.colours and set(self.colours[0]) <= set(COLOUR_WORDS):
            known = dict(zip(map(basic, draft.colours), draft.colours, strict=True))
            chart = replace(chart, colours=tuple(known.get(name, name) for name in self.colours[0]))
        if self.grid is not None:
            chart = replace(chart, grid=(chart.grid or "both -") if self.grid else "")
        if self.values:
            chart = replace(chart, series=self.values)
        if self.changes:
            chart = replace(chart, series=changed(draft.series, self.changes))
        return _whole(chart)


def changes(drawn, wanted) -> tuple[tuple[str, ...], ...]:
    """The words that make the values `drawn` into the `wanted`, row by row and place by place.

    Example: `changes(((1, 9, 9),), ((2, 9, 2, 5),)) == (("+1", "0", "-7", "new"),)`.
    """
    return tuple(tuple(_change(_at(drawn, i, k), value) for k, value in enumerate(row))
                 for i, row in enumerate(wanted))


def changed(drawn, words) -> tuple[tuple[int, ...], ...]:
    """The values that the words make of those `drawn`, within 1 to 9; `new` is drawn as 5."""
    return tuple(tuple(_sum(_at(drawn, i, k), word) for k, word in enumerate(row))
                 for i, row in enumerate(words))


def rows(words) -> str:
    """Rows of words in one line. Example: `rows([["9", "3"], ["4", "5"]]) == "9, 3 / 4, 5"`."""
    return " / ".join(", ".join(row) for row in words)


def _at(series, i, k):
    return series[i][k] if i < len(series) and k < len(series[i]) else 0


def _change(old, new):
    if not new:
        return "None"
    if not old:
        return "new"
    return f"{new - old:+d}" if new != old else "0"


def _sum(old, word):
    if word == "None":
        return 0
    if word == "new" or not old:
        return NEW
    return min(9, max(1, old + int(word)))


def _numbers(words):
    return tuple(tuple(0 if word == "None" else int(word) for word in row) for row in words)


def _whole(chart):
    """The chart with as many rows and colours as its kind has, and nine places in a scatter."""
    if chart.kind == "pie":
        return chart
    wide = 2 if chart.kind in TWO_ROWS else 1
    series = (chart.series * 2)[:wide]
    colours = (chart.colours * 2)[:wide]
    if chart.kind == "scatter":
        series = ((*series[0], *(0,) * 9)[:9],)
    elif any(0 in row for row in series):  # only a scatter has empty places
        series = tuple(tuple(value for value in row if value) for row in series)
    shortest = min(map(len, series))
    return plain(replace(chart, series=tuple(row[:shortest] for row in series), colours=colours))
