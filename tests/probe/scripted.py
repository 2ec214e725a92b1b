"""Policies whose behaviour is known, and a judge that names the colour of a painted square."""
import re

from painting import Painter

from rrvf_lab.judge import Verdict
from rrvf_lab.judge.plot import NAMES
from rrvf_lab.talk import write_turn

FIRST = ("pink", "brown")  # first drafts, of targets with less and with more red


def centre(image):
    """The colour in the middle of a painted picture, as a program that paints it."""
    return "#{:02x}{:02x}{:02x}".format(*image.getpixel((32, 24)))


def named(image):
    """The name of the colour in its middle."""
    return next(name for name in NAMES if centre(Painter().render(name).image) == centre(image))


def judge(target, image, error=None):
    """Says which colour the square should have; the score is 1 for it, else 0.5."""
    if image is None:
        return Verdict.no_picture(error)
    if centre(target) == centre(image):
        return Verdict(1.0, "No difference seen.")
    return Verdict(0.5, f"Colour {named(target)}, not {named(image)}.")


class Scripted:
    """Opens with one of FIRST; then `second(pictures, text)` answers what the last reply shows and tells."""

    difference = False

    def write(self, conversations):
        return [self._turn(talk[-1]) for talk in conversations]

    def _turn(self, message):
        if message["role"] != "tool":
            return write_turn("first", FIRST[message["content"][0]["image"].getpixel((32, 24))[0] > 127])
        pictures = [part["image"] for part in message["content"] if part["type"] == "image"]
        text = next(part["text"] for part in message["content"] if part["type"] == "text")
        return write_turn("second", answer=self.second(pictures, text))


class Reads(Scripted):
    """Paints what it is told."""

    def second(self, pictures, text):
        asked = re.search(r"Colour (\w+), not", text)
        return asked[1] if asked else FIRST[0]


class LooksAtRender(Scripted):
    """Paints what the render shows."""

    def second(self, pictures, text):
        return centre(pictures[0])


class LooksAtTarget(Scripted):
    """Paints what the target shows."""

    def second(self, pictures, text):
        return centre(pictures[-1])


class Ignores(Scripted):
    """Paints its own colour."""

    def second(self, pictures, text):
        return "gold"
