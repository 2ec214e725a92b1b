"""Judges for the arms: other scores with the same sentences, and a teacher's sentences with the same score.

The final judge of every arm is the embedded one; these take its place while an arm trains. A teacher is a
policy: it looks at the target and at the render, says what it reads in each as a program, and the sentences
are what makes one reading into the other. Its student is told nothing else but the score.

Left out: a teacher that writes free prose.
"""

from __future__ import annotations

import functools
import hashlib
import threading
from concurrent.futures import Future
from dataclasses import replace

import numpy as np

from ..judge import PixelJudge
from ..judge.rivals import prototype as first_formula
from ..judge.rivals import ssim as structural
from ..leaves.pictures import rgb
from ..nano.dialect import Chart, parse_program
from ..nano.told import Told
from ..policy import load_policy
from ..talk import opening, parse_turn

NOISE = 0.1  # standard deviation on the score
_judge = PixelJudge()


def _scored(score):
    """The embedded judge with another score."""
    def judge(target, image, error=None):
        verdict = _judge(target, image, error)
        return verdict if image is None else replace(verdict, score=score(target, image, verdict.score))
    return judge


def _with_noise(target, image, score):
    """The same pair gets the same noise."""
    seed = hashlib.sha256(rgb(target).tobytes() + rgb(image).tobytes()).digest()[:8]
    noise = np.random.default_rng(int.from_bytes(seed, "big")).normal(0, NOISE)
    return float(min(1.0, max(0.0, score + noise)))


ssim = _scored(lambda target, image, score: structural(target, image))
prototype = _scored(lambda target, image, score: first_formula(target, image))
noisy = _scored(_with_noise)


class Reader:
    """What a policy reads in a picture, as a `Chart` (None where its program is not of the language).

    May be asked from many threads: who waits meanwhile is read in one batch.
    """

    def __init__(self, policy):
        self.policy = policy
        self._known, self._waiting, self._lock, self._turn = {}, [], threading.Lock(), threading.Lock()

    def __call__(self, image) -> Chart | None:
        image = rgb(image)
        key = hashlib.sha256(image.tobytes()).digest()
        with self._lock:
            if key not in self._known:
                self._known[key] = Future()
                self._waiting.append((self._known[key], image))
        with self._turn:
            if not self._known[key].done():
                self._read()
        return self._known[key].result()

    def _read(self):
        with self._lock:
            some, self._waiting = self._waiting, []
        try:
            texts = self.policy.write([opening(image, "matplotlib", 1) for _, image in some])
        except Exception as error:  # nobody waits for ever
            for future, _ in some:
                future.set_exception(error)
            return
        for (future, _), text in zip(some, texts, strict=True):
            said = parse_turn(text)
            code = said.calls[0] if said.calls else said.answer
            future.set_result(parse_program(code) if code else None)


class Teacher:
    """A judge whose sentences are a policy's: `Teacher(load_policy("nano"))(target, image)`."""

    concurrency = 32  # threads that wait for one another's readings

    def __init__(self, policy):
        self.read = Reader(policy)

    def __call__(self, target, image, error=None):
        verdict = _judge(target, image, error)
        if image is None:
            return verdict
        wanted, drawn = self.read(target), self.read(image)
        told = Told() if None in (wanted, drawn) else Told.between(drawn, wanted)
        return replace(verdict, feedback=" ".join(told.sentences()) or "No difference seen.")


@functools.cache
def _nano_teaches():
    return Teacher(load_policy("nano"))


def __getattr__(name):
    """`taught`, the `Teacher` of the finished nano, as settings name it. Whoever names it loads the weights:
    loaded by the first of the threads that ask, they would take the numbers out of what others compute."""
    if name == "taught":
        return _nano_teaches()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
