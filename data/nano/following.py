"""Lessons in following: a draft, what a judge says of it, and the turn that obeys.

The text is the authority. Sentences are made from the draft and another chart, fields that no sentence names
stay as they are drawn, sentences that name nothing to take and scores stand beside them at random, and most
pictures are blank or show another chart. So a model learns to do what is said, on any chart: the sentences
look alike everywhere, which charts do not.

    pointing   <think>+1, 0, -7; 1, 9, 9. Speed; week; units; bar; red: 2, 9, 2</think>, and its program
    telling    <think>Speed; week; units; bar; red: 2, 9, 2</think>, and its program
    turn 3     the two scores told lead, `41; 38. `; where the last is worse, `turn 1` is the answer

Pointing needs a sum of the change and the policy's own digit. A scratch line sets both beside each other;
without it sums stayed at chance.

Left out: whether the sentences are true. That is the judge's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np
import torch
from lessons import LOOKS, Conversations, broken, collate, pad, spoken, tokens
from paint import Look, Painter
from PIL import Image

from rrvf_lab.judge import Verdict, difference
from rrvf_lab.nano.dialect import (
    COLOUR_WORDS,
    KIND_WORDS,
    TITLE_WORDS,
    XLABEL_WORDS,
    YLABEL_WORDS,
    Chart,
    program,
    reading,
)
from rrvf_lab.nano.told import Told, rows
from rrvf_lab.render.rendering import Rendering
from rrvf_lab.talk import END, opening, reply, write_turn

TELLING = 0.35      # share of dialogues in the register that reads the values out
THREE_TURNS = 0.18  # share of batches
BARE = 112          # bare thoughts in a batch
WORDS = {2: 40, 3: 24}  # dialogues without pictures in a batch, by their turns
DISTRACTORS = (
    ("Aspect differs.",), ("Too small.", "Too large."),
    ("Shifted left.", "Shifted right.", "Shifted up.", "Shifted down."),
    ("Title differs.",), ("X label differs.",), ("Y label differs.",), ("X ticks differ.",),
    ("Y ticks differ.",), ("Legend missing.", "Extra legend.", "Legend differs."),
)
HOW_OFTEN = (0.3, 0.45, 0.4, 0.8, 0.6, 0.6, 0.6, 0.5, 0.04)
SENTENCES = 7
_LEAD = re.compile(r"<think>\w+; \w+\. [^,;/]+")  # the scores and the first word after them


def wide(rng: np.random.Generator, kind: str | None = None) -> Chart:
    """A chart of the dialect with three to eight values evenly; half of them in the rare colours or more."""
    kind = kind or str(rng.choice(KIND_WORDS))
    palette = COLOUR_WORDS[6:] if rng.random() < 0.3 else COLOUR_WORDS
    colours = tuple(map(str, rng.choice(palette, 2 if kind == "group" else 1, replace=False)))
    words = [str(rng.choice(known)) for known in (TITLE_WORDS, XLABEL_WORDS, YLABEL_WORDS)]
    return Chart(kind, colours, _series(rng, kind), *words, bool(rng.random() < 0.3))


def _series(rng, kind):
    n = int(rng.integers(2, 5)) if kind == "group" else int(rng.integers(3, 9))
    rows = [tuple(map(int, rng.integers(1, 10, n))) for _ in range(2 if kind == "group" else 1)]
    if kind == "scatter":
        places = dict(zip(map(int, rng.choice(9, n, replace=False)), rows[0], strict=True))
        rows = [tuple(places.get(x, 0) for x in range(9))]
    return tuple(rows)


def spoil(chart: Chart, rng: np.random.Generator, much: float = 1.0) -> Chart:
    """Another chart as a weak reader would take this one for; `much` scales how often a field is wrong."""
    if rng.random() < 0.38 * much:
        kind = str(rng.choice([kind for kind in KIND_WORDS if kind != chart.kind]))
        if {kind, chart.kind} & {"scatter", "group"}:
            chart = replace(chart, series=_series(rng, kind))
        chart = replace(chart, kind=kind, colours=_colours(rng, kind, chart.colours))
    if rng.random() < 0.5 * much:
        others = [colour for colour in COLOUR_WORDS if colour not in chart.colours]
        drawn = list(chart.colours)
        for i in range(len(drawn)):
            if i == 0 or rng.random() < 0.6:
                drawn[i] = others.pop(int(rng.integers(len(others))))
        chart = replace(chart, colours=tuple(drawn))
    if rng.random() < 0.75 * much:
        anew = rng.random() < 0.6
        chart = replace(chart, series=_series(rng, chart.kind) if anew else _near(chart, rng))
    if rng.random() < 0.35 * much:
        chart = replace(chart, grid=not chart.grid)
    return chart


def _colours(rng, kind, known):
    """As many colours as a kind has: those known, and others where there are too few."""
    others = [colour for colour in COLOUR_WORDS if colour not in known]
    return (*known, str(rng.choice(others)))[:2 if kind == "group" else 1]


def _near(chart, rng):
    """Values wrong by one to three, and sometimes one mark more or less."""
    series = [[v and min(9, max(1, v + int(rng.integers(-3, 4)) * (rng.random() < 0.6))) for v in row]
              for row in chart.series]
    if rng.random() < 0.3 and chart.kind not in ("scatter", "group"):
        if len(series[0]) > 3 and rng.random() < 0.5:
            series[0].pop(int(rng.integers(len(series[0]))))
        elif len(series[0]) < 8:
            series[0].insert(int(rng.integers(len(series[0]) + 1)), int(rng.integers(1, 10)))
    return tuple(map(tuple, series))


def some_told(draft: Chart, truth: Chart, register: str, rng) -> Told:
    """Most of what makes one chart into the other; a judge sees not everything."""
    told = Told.between(draft, truth, register)
    shape = {draft.kind, truth.kind} & {"scatter", "group"} and draft.kind != truth.kind
    # a chart of another shape needs its colours and its values too
    kept = [name for name in told.named if rng.random() > 0.1 or (shape and name != "grid")]
    return told.only(*kept)


def feedback(told: Told, rng) -> str:
    """The sentences told, after some that name nothing to take; numbers last."""
    beside = [str(rng.choice(alike)) for alike, p in zip(DISTRACTORS, HOW_OFTEN, strict=True)
              if rng.random() < p]
    said = told.sentences()
    numbers = [said.pop()] if said and (told.values or told.changes) else []
    beside = beside[:SENTENCES - len(said) - len(numbers)]
    lead = said + beside if rng.random() < 0.3 else beside + said
    return " ".join(lead + numbers) or "No difference seen."


def scratch(draft: Chart, told: Told) -> str:
    """`+1, 0, -7; 1, 9, 9. `: the changes told and the values drawn, one beside the other."""
    if not told.changes:
        return ""
    drawn = [[str(v or None) for v in row] for row in draft.series]
    return f"{rows(told.changes)}; {rows(drawn)}. "


@dataclass(frozen=True)
class Said:
    """What came of one draft: its chart and program, the error or the score and sentences told."""

    chart: Chart
    code: str
    error: str | None
    score: float
    told: Told
    feedback: str

    @property
    def turn(self) -> str:
        """The turn that wrote it."""
        return write_turn(reading(self.chart), self.code)


def dialogue(rng: np.random.Generator, turns: int = 2, anything: bool = True):
    """A dialogue of two or three turns, in words: (what came of each draft, the turns that obey, a chart).

    The chart is what the first sentences were made from. With `anything` the second reply asks for any other
    chart, else for what is left of that one.
    """
    register = "telling" if rng.random() < TELLING else "pointing"
    draft, truth = _pair(rng)
    score = round(float(rng.uniform(0.05, 0.95)), 2)
    said = [_said(draft, truth, register, score, 0.12, rng)]
    texts = [_after(said)]
    if turns == 3 and (said[0].error or said[0].told.named):
        draft = said[0].told.follow(draft)
        wanted = spoil(draft, rng, 0.6) if anything else truth
        score += rng.normal(0.04, 0.15)
        score = round(float(score if 0.01 < score < 0.99 else rng.uniform(0.02, 0.98)), 2)
        said.append(_said(draft, wanted, register, score, 0.06, rng))
        texts.append(_after(said))
    return said, texts, truth


def _pair(rng):
    """(a draft, what its sentences ask for); some charts are of a kind that the dialect cannot draw."""
    dice = rng.random()
    if dice < 0.05:  # two rows: a draft of one takes the first
        truth = replace(wide(rng, "group"), kind=str(rng.choice(["stacked", "lines"])))
        return wide(rng, str(rng.choice(KIND_WORDS[:-1]))), truth
    if dice < 0.08:
        truth = wide(rng, "line")
        return spoil(truth, rng, 0.7), replace(truth, kind=str(rng.choice(["step", "pie"])))
    truth = wide(rng)
    return (truth if rng.random() < 0.06 else spoil(truth, rng)), truth


def _said(draft, wanted, register, score, crash, rng):
    code = program(draft)
    if rng.random() < crash:
        code, error = broken(code, draft, rng)
        return Said(draft, code, error, score, Told(), "")
    told = some_told(draft, wanted, register, rng)
    return Said(draft, code, None, score, told, feedback(told, rng))


def _after(said):
    """The turn that obeys what was said of the last draft, or chooses where nothing is left to change.

    A program that crashed is written again from the same reading, unless an earlier one ran.
    """
    last, lead = said[-1], both(*said) if len(said) == 2 else ""
    marks = [-1.0 if one.error else one.score for one in said]
    if len(said) == 2 and marks[1] < marks[0]:
        return write_turn(lead, answer="turn 1")
    if last.error is None and not last.told.named:
        return write_turn(lead or "Looks right.", answer=f"turn {len(said)}")
    chart = last.told.follow(last.chart)
    return write_turn(lead + scratch(last.chart, last.told) + reading(chart), program(chart))


def both(first, second) -> str:
    """The scores told, side by side: `41; 38. `; None for a program that crashed."""
    one, two = ("None" if said.error else f"{round(100 * said.score):02d}" for said in (first, second))
    return f"{one}; {two}. "


def bare_sum(rng) -> tuple[str, str]:
    """(text before, the digits that follow from it): a scratch line and a reading, of which digits count."""
    truth = wide(rng)
    draft = replace(truth, series=_series(rng, truth.kind) if rng.random() < 0.6 else _near(truth, rng))
    told = Told.between(draft, truth)
    if not told.changes:
        return bare_sum(rng)
    text = scratch(draft, told) + reading(replace(told.follow(draft), grid=False))
    before, colon, digits = text.rpartition(": ")
    return f"<think>{before}{colon}", digits


def bare_choice(rng) -> tuple[str, str]:
    """(text before, the answer that follows): two scores and the turn with the better one."""
    first = int(rng.integers(5, 95))
    second = first + round(rng.normal(0, rng.choice([3, 12, 30])))
    if first == second or not 0 < second < 99:
        return bare_choice(rng)
    better = "1" if second < first else "2"
    return f"<think>{first:02d}; {second:02d}. </think>\n<answer>turn ", better


class Following(Conversations):
    """Batches of one kind each: by the phase's `mix` they are

    - told: replies with blank pictures; three charts that nobody speaks of serve the whole batch (fast)
    - shown: replies with pictures; four in ten show another chart than the text speaks of
    - words: replies without any picture, several times as many; only the thoughts count
    - scores: third turns without pictures and programs, of which the scores and what follows them count
    - code, read: first turns, as in the phases before
    - sums: bare thoughts without pictures, of which the digits count, and some choices of the better score

    Each batch has a random stream of its own, so that an interrupted phase goes on with batch `start`.
    """

    start = 0

    def __iter__(self):
        torch.set_num_threads(1)
        self.painter, mix = Painter(), self.phase.mix
        rng = np.random.default_rng(self.seed)
        self.looks = [Painter(Look.sample(rng)) for _ in range(LOOKS)]
        for number in range(self.start, self.batches):
            self.rng = np.random.default_rng([*self.seed, number])
            kind = str(self.rng.choice(list(mix), p=list(mix.values())))
            yield getattr(self, f"_batch_of_{kind}")()

    def _batch_of_code(self):
        return collate(self.processor, [self._code() for _ in range(self.batch_size)])

    def _batch_of_read(self):
        return collate(self.processor, [self._read() for _ in range(self.batch_size)])

    def _batch_of_told(self):
        targets, turns = [self._paint(wide(self.rng)) for _ in range(3)], self._turns()
        samples = []
        for i in range(self.batch_size):
            said, texts, _ = dialogue(self.rng, turns)
            samples.append(self._conversation(targets[i % 3], said, texts, blind="pictures"))
        return collate(self.processor, samples)

    def _batch_of_shown(self):
        samples, turns = [], self._turns()
        for _ in range(self.batch_size):
            said, texts, truth = dialogue(self.rng, turns, anything=False)
            elsewhere = self.rng.random() < 0.4 or truth.kind not in KIND_WORDS
            shown = wide(self.rng) if elsewhere else truth
            samples.append(self._conversation(self._paint(shown), said, texts))
        return collate(self.processor, samples)

    def _batch_of_words(self):
        turns = 3 if self.rng.random() < 0.5 else 2
        blank, rows = Image.new("RGB", (8, 6), "white"), []
        for _ in range(WORDS[turns]):
            said, texts, _ = dialogue(self.rng, turns)
            messages, *texts = self._conversation(blank, said, texts, blind="pictures")
            texts = [text.split("<tool_call>")[0] for text in texts]
            rows.append(tokens(self.processor, messages, texts, pictures=False)[0])
        return pad(self.processor, rows)

    def _batch_of_scores(self):
        blank, rows = Image.new("RGB", (8, 6), "white"), []
        while len(rows) < WORDS[2]:
            said, texts, _ = dialogue(self.rng, 3)
            if len(texts) == 2:
                messages, _, last = self._conversation(blank, said, texts, blind="pictures")
                messages = [spoken(m["content"].split("<tool_call>")[0]) if m["role"] == "assistant" else m
                            for m in messages[:-1]] + messages[-1:]
                lead = _LEAD.match(last)
                last = last if "<answer>" in last else lead[0]
                rows.append(tokens(self.processor, messages, [last], pictures=False)[0])
        return pad(self.processor, rows)

    def _turns(self):
        """Of a whole batch: one long conversation would make it as slow as if all were."""
        return 3 if self.rng.random() < THREE_TURNS else 2

    def _batch_of_sums(self):
        pairs = [bare_choice(self.rng) if self.rng.random() < 0.1 else bare_sum(self.rng)
                 for _ in range(BARE)]
        return pad(self.processor, [self._bare(*pair) for pair in pairs])

    def _batch_of_choices(self):
        return pad(self.processor, [self._bare(*bare_choice(self.rng)) for _ in range(BARE)])

    def _bare(self, before, digits):
        tokenizer = self.processor.tokenizer
        return [(tokenizer(f"<|im_start|>assistant\n{before}")["input_ids"], False),
                (tokenizer(digits)["input_ids"], True)]

    def _conversation(self, target, said, texts, blind=False):
        """A conversation whose replies say what is said; `blind` as in `talk.reply`."""
        messages = opening(target, "matplotlib", 3)
        wrote = said[0].turn
        for one, text in zip(said, texts, strict=True):
            image = shown = None
            if one.error is None:
                image = target if blind else Image.fromarray(self.painter.paint(one.chart))
                shown = image if blind else difference(target, image)
            verdict = Verdict.no_picture(one.error) if one.error else Verdict(one.score, one.feedback)
            blocks = reply(target, Rendering(image, one.error), verdict, difference=shown, blind=blind)
            messages += [spoken(wrote), {"role": "tool", "name": "render", "content": blocks}]
            wrote = text
        return [*messages, spoken(wrote)], *(text + END for text in texts)
