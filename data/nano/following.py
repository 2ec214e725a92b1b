"""Lessons in following: a draft, what a judge says of it, the turn that obeys, and the choice at the end.

The text is the authority. Sentences are made from the draft and another chart, fields that no sentence names
stay as they are drawn, sentences that name nothing to take and scores stand beside them at random, and most
pictures are blank or show another chart. So a model learns to do what is said, on any chart: the sentences
look alike everywhere, which charts do not.

    pointing   <think>+1, 0, -7; 1, 9, 9. bar; red; 3.</think>, and the program with 2, 9, 2
    telling    <think>bar; red; 3.</think>, and its program
    the end    <answer>turn 1</answer>: the turn that the last reply calls the best so far

Pointing needs a sum of the change and the policy's own digit. A scratch line sets both beside each other;
without it sums stayed at chance.

Left out: whether the sentences are true. That is the judge's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from lessons import (
    Conversations,
    broken,
    by_lot,
    collate,
    near,
    pad,
    sample,
    series,
    spoil,
    spoken,
    tokens,
    turn_of,
)
from paint import paint
from PIL import Image

from rrvf_lab.judge import Verdict, difference
from rrvf_lab.nano.dialect import KIND_WORDS, TWO_ROWS, Chart, program, thought
from rrvf_lab.nano.told import Told, rows
from rrvf_lab.render.rendering import Rendering
from rrvf_lab.talk import END, opening, parse_turn, reply, write_turn

TELLING = 0.35        # share of dialogues in the register that reads the values out
THREE_TURNS = 0.4     # share of batches
BARE = 96             # bare sums in a batch
WORDS = {2: 40, 3: 24}  # dialogues without pictures in a batch, by their turns
DISTRACTORS = (
    ("Aspect differs.",), ("Too small.", "Too large."),
    ("Shifted left.", "Shifted right.", "Shifted up.", "Shifted down."),
    ("Title differs.",), ("X label differs.",), ("Y label differs.",), ("X ticks differ.",),
    ("Y ticks differ.",), ("Legend missing.", "Extra legend.", "Legend differs."),
)
HOW_OFTEN = (0.3, 0.45, 0.4, 0.6, 0.6, 0.6, 0.6, 0.5, 0.04)
SENTENCES = 7


def some_told(draft: Chart, truth: Chart, register: str, rng) -> Told:
    """Most of what makes one chart into the other; a judge sees not everything."""
    told = Told.between(draft, truth, register)
    shape = {draft.kind, truth.kind} & {"scatter", *TWO_ROWS} and draft.kind != truth.kind
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
    """What came of one draft: its chart and program, the error or the score and sentences told, and the
    number of the best turn so far, told from the second draft on."""

    chart: Chart
    code: str
    error: str | None
    score: float
    told: Told
    feedback: str
    best: int | None = None

    @property
    def turn(self) -> str:
        """The turn that wrote it."""
        return write_turn(thought(self.chart), self.code)


def dialogue(rng: np.random.Generator, turns: int = 2):
    """A dialogue of two or three turns, in words: (what came of each draft, the turns after them, the chart
    that the sentences were made from)."""
    register = "telling" if rng.random() < TELLING else "pointing"
    draft, truth = _pair(rng)
    said = [_said(draft, truth, register, 0.12, rng)]
    texts = [_after(said)]
    if turns == 3 and "<tool_call>" in texts[0]:
        drawn = draft if said[0].error else said[0].told.follow(draft)
        told = _said(drawn, truth, register, 0.1, rng, code=_code_in(texts[0]))
        best = 1 + int(told.score > said[0].score)
        said.append(replace(told, best=best))
        texts.append(_after(said))
    return said, texts, truth


def _code_in(turn):
    """The program of a turn of ours."""
    return parse_turn(turn).calls[0]


def _pair(rng):
    """(a draft, what its sentences ask for)."""
    truth = sample(rng)
    draft = truth if rng.random() < 0.06 else spoil(truth, rng)
    if rng.random() < 0.5:  # words and looks that are another chart's: nobody speaks of them
        other = sample(rng, draft.kind)
        draft = replace(draft, title=other.title, xlabel=other.xlabel, ylabel=other.ylabel)
    return by_lot(draft, rng), truth


def _said(draft, wanted, register, crash, rng, code=None):
    code = code or program(draft)
    score = round(float(rng.uniform(0.05, 0.95)), 2)
    if rng.random() < crash:
        code, error = broken(code, draft, rng)
        return Said(draft, code, error, 0.0, Told(), "")
    told = some_told(draft, wanted, register, rng)
    return Said(draft, code, None, score, told, feedback(told, rng))


def _after(said):
    """The turn that obeys what was said of the first draft; after a second one, the choice of the better.

    Where nothing was left to change, the first draft is chosen at once. A program that crashed is written
    again; where both did, once more.
    """
    last = said[-1]
    if len(said) == 2 and not (said[0].error and last.error):
        return write_turn("Looks right." if last.best == 2 else "", answer=f"turn {last.best}")
    if last.error is None and not last.told.named:
        return write_turn("Looks right.", answer=f"turn {len(said)}")
    return turn_of(last.told.follow(last.chart), scratch(last.chart, last.told))


def bare_sum(rng) -> tuple[str, str]:
    """(text before, the digits that follow from it): a scratch line and the start of its program."""
    truth = sample(rng, str(rng.choice([kind for kind in KIND_WORDS if kind != "pie"])))
    again = series(rng, truth.kind) if rng.random() < 0.6 else near(truth, rng)
    draft = replace(truth, series=again)
    told = Told.between(draft, truth)
    if not told.changes:
        return bare_sum(rng)
    after = told.follow(draft)
    _, array, digits = program(after).partition("a = top / 10 * array([")
    digits = digits.split("])")[0]
    return f"<think>{scratch(draft, told)}{thought(after)}</think>\n{array}", digits


class Following(Conversations):
    """Batches of one kind each: by the phase's `mix` they are, besides first turns,

    - told: replies with blank pictures; three charts that nobody speaks of serve the whole batch (fast)
    - shown: replies with pictures; four in ten show another chart than the text speaks of
    - words: replies without any picture, several times as many (the policy itself always sees pictures)
    - sums: bare scratch lines without pictures, of which the digits of the program count
    """

    def _batch_of_told(self):
        targets, turns = [self._paint(sample(self.rng)) for _ in range(3)], self._turns()
        samples = []
        for i in range(self.batch_size):
            said, texts, _ = dialogue(self.rng, turns)
            samples.append(self._conversation(targets[i % 3], said, texts, blind="pictures"))
        return collate(self.processor, samples)

    def _batch_of_shown(self):
        samples, turns = [], self._turns()
        for _ in range(self.batch_size):
            said, texts, truth = dialogue(self.rng, turns)
            shown = sample(self.rng) if self.rng.random() < 0.4 else truth
            samples.append(self._conversation(self._paint(shown), said, texts))
        return collate(self.processor, samples)

    def _batch_of_words(self):
        turns, blank, rows = self._turns(), Image.new("RGB", (8, 6), "white"), []
        for _ in range(WORDS[turns]):
            said, texts, _ = dialogue(self.rng, turns)
            messages, *texts = self._conversation(blank, said, texts, blind="pictures")
            rows.append(tokens(self.processor, messages, texts, pictures=False)[0])
        return pad(self.processor, rows)

    def _turns(self):
        """Of a whole batch: one long conversation would make it as slow as if all were."""
        return 3 if self.rng.random() < THREE_TURNS else 2

    def _batch_of_sums(self):
        tokenizer, rows = self.processor.tokenizer, []
        for before, digits in (bare_sum(self.rng) for _ in range(BARE)):
            rows.append([(tokenizer(f"<|im_start|>assistant\n{before}")["input_ids"], False),
                         (tokenizer(digits)["input_ids"], True)])
        return pad(self.processor, rows)

    def _conversation(self, target, said, texts, blind=False):
        """A conversation whose replies say what is said; `blind` as in `talk.reply`."""
        messages = opening(target, "matplotlib", 3)
        wrote = said[0].turn
        for one, text in zip(said, texts, strict=True):
            image = shown = None
            if one.error is None:
                image = target if blind else paint(one.chart)
                shown = image if blind else difference(target, image)
            verdict = Verdict.no_picture(one.error) if one.error else Verdict(one.score, one.feedback)
            blocks = reply(target, Rendering(image, one.error), verdict, difference=shown, blind=blind,
                           best=one.best)
            messages += [spoken(wrote), {"role": "tool", "name": "render", "content": blocks}]
            wrote = text
        return [*messages, spoken(wrote)], *(text + END for text in texts)
