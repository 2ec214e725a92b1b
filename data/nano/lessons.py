"""What the cold start teaches: a stream of charts nobody has seen before, each as a supervised conversation.

`sample` draws a chart of the narrow distribution, `corrupt` spoils one as a weak reader would, `edits` says
how to mend it, `loosen` moves and tints its picture. `Conversations` makes batches of them: reading a chart
in one line, writing the program for a reading, repairing a draft from the judge's reply.

Left out: raw images. Nothing of data/charts is ever seen here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from paint import Look, Painter
from PIL import Image, ImageFilter

from rrvf_lab.judge import PixelJudge, difference
from rrvf_lab.nano.dialect import (
    COLOUR_WORDS,
    KIND_WORDS,
    LETTERS,
    TITLE_WORDS,
    XLABEL_WORDS,
    YLABEL_WORDS,
    Chart,
    program,
    reading,
)
from rrvf_lab.nano.processor import IMAGE_TOKENS
from rrvf_lab.render.rendering import Rendering
from rrvf_lab.talk import END, opening, reply, write_turn

COMMON_COLOURS, RARE_COLOURS = COLOUR_WORDS[:6], COLOUR_WORDS[6:]
LOOKS = 10  # other looks in one stream

# ----------------------------------------------------------------------------------------------------- charts


def sample(rng: np.random.Generator, kinds=None) -> Chart:
    """Draw one chart from the narrow cold-start distribution (rare colours 6 %, 7-8 values 5 %, grid 25 %).

    `kinds` are the probabilities of `KIND_WORDS`, equal unless given.
    """
    kind = str(rng.choice(KIND_WORDS, p=kinds))
    palette = RARE_COLOURS if rng.random() < 0.06 else COMMON_COLOURS
    colours = tuple(map(str, rng.choice(palette, 2 if kind == "group" else 1, replace=False)))
    n = int(rng.integers(7, 9)) if rng.random() < 0.05 else int(rng.integers(3, 7))
    if kind == "group":
        n = min(n, 4)
    first = tuple(map(int, rng.integers(1, 10, n)))
    series = (first,)
    if kind == "group":
        series += (tuple(map(int, rng.integers(1, 10, n))),)
    if kind == "scatter":
        places = dict(zip(map(int, rng.choice(9, n, replace=False)), first, strict=True))
        series = (tuple(places.get(x, 0) for x in range(9)),)
    words = [str(rng.choice(known)) for known in (TITLE_WORDS, XLABEL_WORDS, YLABEL_WORDS)]
    return Chart(kind, colours, series, *words, bool(rng.random() < 0.25))


def corrupt(chart: Chart, rng: np.random.Generator) -> Chart:
    """Spoil one to three fields, mostly values by one or two, the way a weak reader errs."""
    for _ in range(int(rng.choice([1, 2, 3], p=[0.5, 0.35, 0.15]))):
        what = rng.choice(["value", "title", "xlabel", "ylabel", "colour", "grid", "count", "kind"],
                          p=[0.50, 0.11, 0.07, 0.07, 0.12, 0.05, 0.05, 0.03])
        if what == "value":
            chart = _other_value(chart, rng)
        elif what == "colour":
            chart = _other_colour(chart, rng)
        elif what == "grid":
            chart = replace(chart, grid=not chart.grid)
        elif what == "count":
            chart = _other_count(chart, rng)
        elif what == "kind" and chart.kind in ("bar", "line", "area", "hist"):
            others = [kind for kind in ("bar", "line", "area", "hist") if kind != chart.kind]
            chart = replace(chart, kind=str(rng.choice(others)))
        elif what in ("title", "xlabel", "ylabel"):
            known = {"title": TITLE_WORDS, "xlabel": XLABEL_WORDS, "ylabel": YLABEL_WORDS}[what]
            others = [word for word in known if word != getattr(chart, what)]
            chart = replace(chart, **{what: str(rng.choice(others))})
    return chart


def _other_value(chart, rng):
    row = int(rng.integers(len(chart.series)))
    values = list(chart.series[row])
    i = int(rng.choice(np.flatnonzero(values)))
    step = int(rng.choice([1, 1, 1, 2, 2, 3, 4])) * int(rng.choice([-1, 1]))
    moved = values[i] + step if 1 <= values[i] + step <= 9 else values[i] - step
    values[i] = min(9, max(1, moved))
    series = list(chart.series)
    series[row] = tuple(values)
    return replace(chart, series=tuple(series))


def _other_colour(chart, rng):
    palette = COLOUR_WORDS if rng.random() < 0.3 else COMMON_COLOURS
    others = [colour for colour in palette if colour not in chart.colours]
    colours = list(chart.colours)
    i = int(rng.integers(len(colours)))
    colours[i] = str(rng.choice(others))
    return replace(chart, colours=tuple(colours))


def _other_count(chart, rng):
    """One point more or less in a scatter, one value less elsewhere; three are the least."""
    n = len(chart.series[0])
    if chart.kind == "scatter":
        values = list(chart.series[0])
        i = int(rng.integers(n))
        values[i] = 0 if values[i] else int(rng.integers(1, 10))
        return replace(chart, series=(tuple(values),))
    if n <= 3:
        return chart
    i = int(rng.integers(n))
    return replace(chart, series=tuple(row[:i] + row[i + 1:] for row in chart.series))


def edits(draft: Chart, truth: Chart) -> str | None:
    """What to change in `draft` to get `truth`: `value 2: 3 -> 5; title: Heat -> Speed`, empty when equal.

    None where the charts differ in kind or count, or in more than four fields: such a draft is better read
    afresh.
    """
    if draft.kind != truth.kind or [len(s) for s in draft.series] != [len(s) for s in truth.series]:
        return None
    found = []
    for name in ("title", "xlabel", "ylabel"):
        old, new = getattr(draft, name), getattr(truth, name)
        if old != new:
            found.append(f"{name}: {old} -> {new}")
    for old, new in zip(draft.colours, truth.colours, strict=True):
        if old != new:
            found.append(f"colour: {old} -> {new}")
    if draft.grid != truth.grid:
        found.append("grid: on" if truth.grid else "grid: off")
    for label, a, b in zip(("value", "second"), draft.series, truth.series, strict=False):
        found += [f"{label} {i}: {old or None} -> {new or None}"
                  for i, (old, new) in enumerate(zip(a, b, strict=True), 1) if old != new]
    return "; ".join(found) if len(found) <= 4 else None


# --------------------------------------------------------------------------------------------------- pictures


def loosen(image, rng):
    """The same chart, looser: moved and scaled, paler, tinted, blurred, partly hidden. Still one chart.

    A model that has seen one exact layout writes no valid reading of any other; this keeps its grammar whole
    where its eyes fail, and is no look at the wider charts that RRVF trains on.
    """
    width, height = image.size
    sx, sy = rng.uniform(0.75, 1.08, 2)
    dx, dy = rng.uniform(-0.08, 0.08, 2) * image.size
    matrix = (1 / sx, 0, (width - width / sx) / 2 + dx, 0, 1 / sy, (height - height / sy) / 2 + dy)
    image = image.transform(image.size, Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR,
                            fillcolor="white")
    if rng.random() < 0.3:
        image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.5, 2.0)))
    if rng.random() < 0.2:
        x, y = rng.uniform(-0.1, 0.8, 2) * image.size
        w, h = rng.uniform(0.1, 0.5, 2) * image.size
        shade = "white" if rng.random() < 0.7 else tuple(map(int, rng.integers(0, 256, 3)))
        image.paste(shade, (int(x), int(y), int(x + w), int(y + h)))
    pixels = np.asarray(image, np.float32)
    paper = rng.uniform(0.93, 1.0, 3) if rng.random() < 0.2 else np.ones(3)
    ink = rng.uniform(0.6, 1.0) * rng.uniform(0.85, 1.15, 3)
    return Image.fromarray(np.clip((255 - (255 - pixels) * ink) * paper, 0, 255).astype(np.uint8))


# ---------------------------------------------------------------------------------------------- conversations


@dataclass(frozen=True)
class Phase:
    """What one phase of the cold start is made of.

    `mix` has the share of each kind of sample (read, code, repair) or, in a phase that follows, of each kind
    of batch (see `following`); `loose` the share of charts in another look, moved, blurred or partly hidden;
    `peak` scales the learning rates; `stream` numbers its random stream.
    """

    mix: dict[str, float]
    loose: float
    peak: float
    stream: int

    @property
    def follows(self) -> bool:
        """Whether it teaches to follow what is told."""
        return "told" in self.mix

    @property
    def told(self) -> bool:
        """Whether a judge's sentences occur in it, for whose words a model has to be grown."""
        return self.follows or "repair" in self.mix


class Conversations(torch.utils.data.IterableDataset):
    """Batches of synthetic conversations of a `Phase`, ready for the model.

    `weights` says how much oftener some kinds of chart are drawn than the others.
    """

    def __init__(self, processor, phase: Phase, batches: int, batch_size=16, seed=0, weights=None):
        self.processor, self.phase = processor, phase
        self.batches, self.batch_size, self.seed = batches, batch_size, seed
        shares = np.array([(weights or {}).get(kind, 1) for kind in KIND_WORDS], float)
        self.kinds = shares / shares.sum()

    def __iter__(self):
        torch.set_num_threads(1)
        self.rng = np.random.default_rng(self.seed)
        self.painter, self.judge = Painter(), PixelJudge()
        self.looks = [Painter(Look.sample(self.rng)) for _ in range(LOOKS)]
        make = {"read": self._read, "code": self._code, "repair": self._repair}
        mix = self.phase.mix
        for _ in range(self.batches):
            kinds = self.rng.choice(list(mix), self.batch_size, p=list(mix.values()))
            yield collate(self.processor, [make[str(kind)]() for kind in kinds])

    def _sample(self):
        return sample(self.rng, self.kinds)

    def _paint(self, chart):
        if self.rng.random() >= self.phase.loose:
            return Image.fromarray(self.painter.paint(chart))
        painter = self.looks[self.rng.integers(LOOKS)]
        return loosen(Image.fromarray(painter.paint(chart)), self.rng)

    def _read(self):
        """One line for what the picture shows."""
        chart = self._sample()
        target = self._paint(chart)
        text = f"<think>{reading(chart)}</think>\n"
        return [*opening(target, "matplotlib", 2), spoken(text)], text

    def _code(self):
        """A reading and its program.

        In four of ten the thought is of another chart and only the code counts: it must follow the thought.
        """
        chart = self._sample()
        target = self._paint(chart)
        swapped = self.rng.random() < 0.4
        if swapped:
            chart = sample(self.rng)
        turn = write_turn(reading(chart), program(chart))
        supervised = turn.split("</think>")[1] if swapped else turn + END
        return [*opening(target, "matplotlib", 2), spoken(turn)], supervised

    def _repair(self):
        """A draft, the tool's reply to it, and the turn that should follow."""
        rng, truth = self.rng, self._sample()
        fate = rng.choice(["wrong", "right", "crash"], p=[0.68, 0.20, 0.12])
        draft = corrupt(truth, rng) if fate == "wrong" else truth
        code = program(draft)
        target, image, error, shown = self._paint(truth), None, None, None
        if fate == "crash":
            code, error = broken(code, draft, rng)
        else:
            image = Image.fromarray(self.painter.paint(draft))
            shown = difference(target, image)
        verdict = self.judge(target, image, error)
        blind = image is not None and rng.random() < 0.1
        blocks = reply(target, Rendering(image, error), verdict, difference=shown, blind=blind)
        after = _mended(draft, truth, error)
        messages = [*opening(target, "matplotlib", 2), spoken(write_turn(reading(draft), code)),
                    {"role": "tool", "name": "render", "content": blocks}, spoken(after)]
        return messages, after + END


def spoken(text):
    return {"role": "assistant", "content": text}


def _mended(draft, truth, error):
    """The turn that should follow a draft."""
    changes = edits(draft, truth)
    if error is not None or changes is None:
        return write_turn(reading(truth), program(truth))
    if not changes:
        return write_turn("Looks right.", answer="turn 1")
    return write_turn(f"{changes}. {reading(truth)}", program(truth))


def broken(code, chart, rng):
    """A program that crashes the way weak ones do (unequal lists), with Python's last line."""
    n = len(chart.series[0])
    names, fewer = f"list('{LETTERS[:n]}')", f"list('{LETTERS[:n - 1]}')"
    if names not in code or chart.kind == "group":
        return code.replace("[", "[[", 1), "SyntaxError: '[' was never closed"
    code = code.replace(names, fewer)
    if chart.kind == "line":
        return code, ("ValueError: x and y must have same first dimension, but have shapes "
                      f"({n - 1},) and ({n},)")
    if chart.kind == "area":
        return code, f"ValueError: operands could not be broadcast together with shapes ({n - 1},) ({n},)"
    return code, ("ValueError: shape mismatch: objects cannot be broadcast to a single shape.  Mismatch is "
                  f"between arg 0 with shape ({n - 1},) and arg 1 with shape ({n},).")


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
