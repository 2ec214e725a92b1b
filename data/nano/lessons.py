"""What the cold start teaches: charts that nobody has seen before, in looks that never repeat, and what to
write on seeing them.

`sample` draws a chart of the language, `spoil` another as a weak reader would take it for one, `loosen` moves
and tints its picture. `Conversations` makes batches of first turns of them.

A gap is left on purpose: the fields of `GAP` (the sizes of letters, the widths of bars and lines, how many
ticks there are) are drawn by lot in the programs, whatever the picture shows; in a phase that is `early` so
are those of `EARLY_GAP`, all the rest of a look. What they should be is for raw images to teach.

Left out: raw images. Nothing of data/charts is ever seen here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from paint import paint
from PIL import Image, ImageFilter

from rrvf_lab.nano.dialect import (
    ASPECTS,
    COLOUR_WORDS,
    EDGES,
    FIRST_WORDS,
    FONTS,
    GRIDS,
    INKS,
    KIND_WORDS,
    LABEL_WORDS,
    LEGENDS,
    LINE_WIDTHS,
    LINES,
    MARKERS,
    NAME_WORDS,
    PAPERS,
    SHADES,
    SIZES,
    SPINES,
    STEPS,
    TICK_NAMES,
    TITLE_SIZES,
    TOPS,
    TWO_ROWS,
    WIDTHS,
    Chart,
    Look,
    basic,
    plain,
    program,
    thought,
)
from rrvf_lab.nano.processor import IMAGE_TOKENS
from rrvf_lab.talk import END, opening, write_turn

GAP = {"size": SIZES, "title_size": TITLE_SIZES, "width": WIDTHS, "line_width": LINE_WIDTHS, "steps": STEPS}
EARLY_GAP = GAP | {
    "aspect": ASPECTS, "font": FONTS, "bold": (False, True), "left": (False, True), "paper": PAPERS,
    "ink": INKS, "spines": SPINES, "edge": EDGES, "line": LINES, "marker": MARKERS}
SHARES = {"bar": 14, "barh": 14, "line": 14, "scatter": 16, "area": 9, "hist": 10, "group": 8, "stacked": 4,
          "lines": 4, "step": 3, "pie": 4}  # percent of the kinds
WORDS = (*COLOUR_WORDS, *SHADES)

# ----------------------------------------------------------------------------------------------------- charts


def sample(rng: np.random.Generator, kind: str | None = None) -> Chart:
    """Draw one chart of the language: any kind, colour, word and look."""
    kind = kind or str(rng.choice(list(SHARES), p=np.array(list(SHARES.values())) / 100))
    chart = Chart(
        kind, _colours(rng, kind), series(rng, kind), _title(rng), *_labels(rng),
        grid=_pick(rng, GRIDS[1:]) if rng.random() < 0.35 else "",
        ticks=_pick(rng, list(TICK_NAMES)) if rng.random() < 0.5 else "",
        top="10" if rng.random() < 0.5 or kind == "stacked" else _pick(rng, TOPS[1:]), look=_look(rng))
    return _stretched(plain(with_slices(chart, rng)))


def _stretched(chart):
    """With values that fill the axis where the axis follows them, so that a digit is what it looks like."""
    if chart.top == "10" or chart.look.legend:
        return chart
    rows = [list(row) for row in chart.series]
    if chart.kind == "scatter":
        points = [x for x in range(9) if rows[0][x]]
        for x, end in ((points[0], 0), (points[-1], 8)):
            rows[0][x], rows[0][end] = 0, rows[0][x]
        points = sorted((x for x in range(9) if rows[0][x]), key=rows[0].__getitem__)
        rows[0][points[0]], rows[0][points[-1]] = 1, 9
    else:
        row = max(rows, key=max)
        row[row.index(max(row))] = 9
    return replace(chart, series=tuple(map(tuple, rows)))


def narrow(rng: np.random.Generator) -> Chart:
    """One of the plainest: six kinds, few marks, the twelve colours, one look."""
    kind = _pick(rng, KIND_WORDS[:6])
    colours = tuple(map(basic, _colours(rng, kind)))
    rows = series(rng, kind, most=6)
    return plain(Chart(kind, colours, rows, _title(rng).split(" ")[0], _pick(rng, LABEL_WORDS),
                       _pick(rng, LABEL_WORDS), grid="both -" if rng.random() < 0.25 else ""))


def _pick(rng, items):
    return items[int(rng.integers(len(items)))]


def _colours(rng, kind):
    number = 2 if kind in TWO_ROWS else 1
    first = _pick(rng, COLOUR_WORDS) if rng.random() < 0.5 else _pick(rng, WORDS)
    others = [word for word in WORDS if basic(word) != basic(first)]
    return (first, *(str(word) for word in rng.choice(others, number - 1, replace=False)))


def with_slices(chart, rng):
    """A pie with a colour for each slice; any other chart as it is."""
    missing = len(chart.series[0]) - len(chart.colours)
    if chart.kind != "pie" or missing <= 0:
        return chart
    others = [word for word in WORDS if word not in chart.colours]
    return replace(chart, colours=(*chart.colours, *map(str, rng.choice(others, missing, replace=False))))


def series(rng, kind: str, most: int = 8) -> tuple[tuple[int, ...], ...]:
    """Values of a kind: one row or two, of a scatter nine places."""
    if kind in TWO_ROWS:
        n, high = int(rng.integers(2, 5)), 6 if kind == "stacked" else 10
        return tuple(tuple(map(int, rng.integers(1, high, n))) for _ in range(2))
    n = int(rng.integers(3, 7 if kind == "pie" else most + 1))
    values = tuple(map(int, rng.integers(1, 10, n)))
    if kind == "scatter":
        places = dict(zip(map(int, rng.choice(9, n, replace=False)), values, strict=True))
        values = tuple(places.get(x, 0) for x in range(9))
    return (values,)


def _title(rng):
    name = _pick(rng, NAME_WORDS)
    return f"{_pick(rng, FIRST_WORDS)} {name}" if rng.random() < 0.25 else name


def _labels(rng):
    return ["" if rng.random() < 0.15 else _pick(rng, LABEL_WORDS) for _ in range(2)]


def _look(rng):
    mostly = lambda items, p: items[0] if rng.random() < p else _pick(rng, items[1:])  # noqa: E731
    return Look(
        aspect=_pick(rng, ASPECTS), font=mostly(FONTS, 0.4), size=_pick(rng, SIZES),
        title_size=_pick(rng, TITLE_SIZES), bold=bool(rng.random() < 0.3), left=bool(rng.random() < 0.2),
        paper=mostly(PAPERS, 0.75), ink=mostly(INKS, 0.75), spines=mostly(SPINES, 0.6),
        edge=mostly(EDGES, 0.5), width=_pick(rng, WIDTHS), line=mostly(LINES, 0.5),
        line_width=_pick(rng, LINE_WIDTHS), marker=mostly(MARKERS, 0.3), steps=mostly(STEPS, 0.6),
        legend=_pick(rng, LEGENDS) if rng.random() < 0.4 else (), hole=bool(rng.random() < 0.3),
        percent=bool(rng.random() < 0.4), start=int(rng.integers(2)) * 90)


def by_lot(chart: Chart, rng: np.random.Generator, gap=GAP) -> Chart:
    """The chart with the fields of a `gap` drawn by lot."""
    return plain(replace(chart, look=replace(chart.look, **{name: _pick(rng, known)
                                                            for name, known in gap.items()})))


def spoil(chart: Chart, rng: np.random.Generator, much: float = 1.0) -> Chart:
    """Another chart as a weak reader would take this one for; `much` scales how often a field is wrong."""
    if rng.random() < 0.38 * much:
        kind = _pick(rng, [kind for kind in KIND_WORDS if kind != chart.kind])
        if {kind, chart.kind} & {"scatter", "pie", *TWO_ROWS}:
            chart = replace(chart, series=series(rng, kind))
        known = (*chart.colours, *_colours(rng, kind))
        chart = with_slices(replace(chart, kind=kind, colours=known[:2 if kind in TWO_ROWS else 1]), rng)
    if rng.random() < 0.5 * much and chart.kind != "pie":
        others = [word for word in WORDS if basic(word) not in map(basic, chart.colours)]
        drawn = list(chart.colours)
        for i in range(len(drawn)):
            if i == 0 or rng.random() < 0.6:
                drawn[i] = others.pop(int(rng.integers(len(others))))
        chart = replace(chart, colours=tuple(drawn))
    if rng.random() < 0.75 * much and chart.kind != "pie":
        anew = rng.random() < 0.6
        chart = replace(chart, series=series(rng, chart.kind) if anew else near(chart, rng))
    if rng.random() < 0.35 * much:
        chart = replace(chart, grid="" if chart.grid else "both -")
    return plain(with_slices(chart, rng))


def near(chart: Chart, rng) -> tuple[tuple[int, ...], ...]:
    """Values wrong by one to three, and sometimes one mark more or less."""
    rows = [[v and min(9, max(1, v + int(rng.integers(-3, 4)) * (rng.random() < 0.6))) for v in row]
            for row in chart.series]
    if rng.random() < 0.3 and chart.kind not in ("scatter", "pie", *TWO_ROWS):
        if len(rows[0]) > 3 and rng.random() < 0.5:
            rows[0].pop(int(rng.integers(len(rows[0]))))
        elif len(rows[0]) < 8:
            rows[0].insert(int(rng.integers(len(rows[0]) + 1)), int(rng.integers(1, 10)))
    return tuple(map(tuple, rows))


# --------------------------------------------------------------------------------------------------- pictures


def loosen(image, rng):
    """The same chart, looser: moved and scaled, paler, tinted, blurred, partly hidden. Still one chart.

    A model that has only seen whole charts writes no valid program for any other picture; this keeps its
    grammar whole where its eyes fail.
    """
    width, height = image.size
    sx, sy = rng.uniform(0.8, 1.06, 2)
    dx, dy = rng.uniform(-0.05, 0.05, 2) * image.size
    matrix = (1 / sx, 0, (width - width / sx) / 2 + dx, 0, 1 / sy, (height - height / sy) / 2 + dy)
    image = image.transform(image.size, Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR,
                            fillcolor="white")
    if rng.random() < 0.3:
        image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.5, 1.5)))
    if rng.random() < 0.2:
        x, y = rng.uniform(-0.1, 0.8, 2) * image.size
        w, h = rng.uniform(0.1, 0.4, 2) * image.size
        shade = "white" if rng.random() < 0.7 else tuple(map(int, rng.integers(0, 256, 3)))
        image.paste(shade, (int(x), int(y), int(x + w), int(y + h)))
    pixels = np.asarray(image, np.float32)
    ink = rng.uniform(0.7, 1.0) * rng.uniform(0.92, 1.08, 3)
    return Image.fromarray(np.clip(255 - (255 - pixels) * ink, 0, 255).astype(np.uint8))


# ---------------------------------------------------------------------------------------------- conversations


@dataclass(frozen=True)
class Phase:
    """What one phase of the cold start is made of.

    `mix` has the share of each kind of batch (`Conversations`, `following.Following`); `loose` the share of
    pictures that are moved, blurred or partly hidden; `peak` scales the learning rates; `stream` numbers its
    random stream; `early` widens the gap.
    """

    mix: dict[str, float]
    loose: float
    peak: float
    stream: int
    early: bool = False


class Conversations(torch.utils.data.IterableDataset):
    """Batches of first turns for a `Phase`, ready for the model: of `narrow` charts, or of any.

    Each batch has a random stream of its own, so that an interrupted phase goes on with batch `start`.
    """

    def __init__(self, processor, phase: Phase, batches: int, batch_size=16, seed=(0,), start=0):
        self.processor, self.phase, self.batches = processor, phase, batches
        self.batch_size, self.seed, self.start = batch_size, seed, start

    def __iter__(self):
        torch.set_num_threads(1)
        mix = self.phase.mix
        for number in range(self.start, self.batches):
            self.rng = np.random.default_rng([*self.seed, number])
            kind = str(self.rng.choice(list(mix), p=list(mix.values())))
            yield getattr(self, f"_batch_of_{kind}")()

    def _batch_of_narrow(self):
        pairs = [(chart, paint(chart)) for chart in (narrow(self.rng) for _ in range(self.batch_size))]
        return collate(self.processor, [self._first(chart, image) for chart, image in pairs])

    def _batch_of_first(self):
        charts = [sample(self.rng) for _ in range(self.batch_size)]
        return collate(self.processor, [self._first(chart, self._paint(chart)) for chart in charts])

    def _paint(self, chart):
        image = paint(chart, self.rng)
        return loosen(image, self.rng) if self.rng.random() < self.phase.loose else image

    def _first(self, chart, image):
        """A thought and its program."""
        turn = turn_of(by_lot(chart, self.rng, EARLY_GAP if self.phase.early else GAP))
        return [*opening(image, "matplotlib", 3), spoken(turn)], turn + END


def turn_of(chart: Chart, before: str = "") -> str:
    """The turn that draws a chart, after what is thought `before`."""
    return write_turn(before + thought(chart), program(chart))


def spoken(text):
    return {"role": "assistant", "content": text}


def broken(code: str, chart: Chart, rng: np.random.Generator) -> tuple[str, str]:
    """A program that crashes the way weak ones do (lists of unequal length), with Python's last line."""
    n = len(chart.series[0])
    places = next(line for line in code.split("\n") if line.startswith("x = "))
    fewer = next(line for line in program(replace(chart, series=tuple(row[:n - 1] for row in chart.series)))
                 .split("\n") if line.startswith("x = "))
    if places == fewer or chart.kind == "pie" or n < 3:
        return code.replace("array([", "array([[", 1), (
            "SyntaxError: closing parenthesis ')' does not match opening parenthesis '['")
    code = code.replace(places, fewer)
    if chart.kind in ("line", "lines", "step"):
        return code, ("ValueError: x and y must have same first dimension, but have shapes "
                      f"({n - 1},) and ({n},)")
    if chart.kind == "area":
        return code, f"ValueError: 'x' has size {n - 1}, but 'y1' has an unequal size of {n}"
    if chart.kind == "scatter":
        return code, "ValueError: x and y must be the same size"
    sizes = f"'x' with shape ({n - 1},) and 'height' with shape ({n},)"
    if chart.kind == "barh":
        sizes = f"'width' with shape ({n},) and 'y' with shape ({n - 1},)"
    return code, ("ValueError: shape mismatch: objects cannot be broadcast to a single shape.  Mismatch is "
                  f"between {sizes}.")


def collate(processor, samples) -> dict:
    """Model inputs of (messages, supervised text, ...); the texts stand in the messages, in this order.

    `labels` is -100 wherever nothing is supervised, and after the last supervised text everything is cut off.
    """
    rows, pixels = [], []
    for messages, *supervised in samples:
        row, images = tokens(processor, messages, supervised)
        rows.append(row)
        pixels += images
    pictures = dict(processor.image_processor(images=pixels, return_tensors="pt"))
    return pictures | pad(processor, rows)


def pad(processor, rows) -> dict:
    """Ids and labels of rows; a row is a list of (ids, whether they are supervised)."""
    length = max(sum(len(part) for part, _ in row) for row in rows)
    filler, image = processor.tokenizer.pad_token_id, processor.image_token_id
    ids = torch.full((len(rows), length), filler)
    labels = torch.full((len(rows), length), -100)
    for i, row in enumerate(rows):
        start = 0
        for part, supervised in row:
            end = start + len(part)
            ids[i, start:end] = torch.tensor(part)
            if supervised:
                labels[i, start:end] = ids[i, start:end]
            start = end
    return {"input_ids": ids, "labels": labels, "attention_mask": (ids != filler).long(),
            "mm_token_type_ids": (ids == image).long()}


def tokens(processor, messages, supervised, pictures: bool = True):
    """(a row for `pad`, its images). What the template adds after the last supervised text is cut off."""
    text = processor.apply_chat_template(messages, tokenize=False)
    if not pictures:
        text = text.replace("<|vision_start|><|image_pad|><|vision_end|>", "")
    row, end = [], len(text)
    for said in reversed(supervised):
        start = text.rindex(said, 0, end)
        row[:0] = [said, text[start + len(said):end]] if row else [said]
        end = start
    row.insert(0, text[:end])
    images = [part["image"] for message in messages if not isinstance(message["content"], str)
              for part in message["content"] if part["type"] == "image"]
    row = [part.replace("<|image_pad|>", "<|image_pad|>" * IMAGE_TOKENS) for part in row]
    ids = processor.tokenizer(row)["input_ids"]
    return [(part, place % 2 == 1) for place, part in enumerate(ids)], images
