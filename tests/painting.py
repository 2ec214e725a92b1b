"""What tests of the loop and of the widgets play with: a renderer without a sandbox, policies without a
model, and a rollout of theirs. The fixtures reach tests through conftest.py."""
import time

import pytest
from PIL import Image

import rrvf_lab as rl
from rrvf_lab.render import Rendering
from rrvf_lab.talk import write_turn


class Painter:
    """A renderer of one-word programs: a colour paints a square of it, anything else fails."""

    def __init__(self):
        self.drawn = []

    def render(self, code, language="matplotlib", size=None):
        self.drawn.append(code)
        image = Image.new("RGB", (64, 48), "white")
        try:
            image.paste(Image.new("RGB", (32, 24), code), (16, 12))
        except ValueError:
            return Rendering(None, f"Traceback\nValueError: no colour {code}")
        return Rendering(image)


class Listener:
    """A policy that keeps what it is shown and says what it was given."""

    def __init__(self, *turns):
        self.turns, self.heard = list(turns), []

    def write(self, conversations):
        self.heard.append(conversations[0])
        return [self.turns.pop(0)]


class Slow:
    """A streaming policy that writes forever until it is stopped."""

    difference = False

    def stream(self, conversation, on_text=None, stop=None):
        text = "<think>"
        while not stop.is_set():
            text += "word "
            on_text(text)
            time.sleep(0.01)
        return text

    def write(self, conversations):
        raise AssertionError("a policy that can stream was not asked to")


def until(true, seconds=10):
    """Wait for something another thread does."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.fixture
def painter():
    return Painter()


@pytest.fixture
def red():
    """The target: a red square."""
    return Painter().render("red").image


@pytest.fixture
def played(red):
    """Two drafts, of which neither is right, and an answer that names the second."""
    turns = [write_turn("one", "salmon"), write_turn("two", "blue"), write_turn("three", answer="turn 2")]
    return rl.play(rl.Recording(turns), red, renderer=Painter())
