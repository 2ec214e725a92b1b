"""What matplotlib programs did: each runs once in the sandbox with listeners on matplotlib (`_observe`).

What was heard comes back as the pixels of a small figure, so that the sandbox needs no way out of its own. A
program can forge what is heard about itself, so all of it is checked here.

Left out: scores (`chartmimic`, `plot2code`).
"""

from __future__ import annotations

import inspect
import json
import re
from dataclasses import dataclass, field

from ..render.renderer import shared
from ._observe import run_and_listen

WIDTH = 256  # pixels in a row of the figure that carries the facts
MOST = 5000  # colours of one program: more would take minutes to compare, which a hostile one may want


@dataclass(frozen=True)
class Facts:
    """What a program drew.

    `texts`; `places` in grids (None where there is none); `types` {call: count}; `colours`, sorted (call,
    "#RRGGBB" or colormap). `error` is why there is nothing, else None; `unread` names calls whose colours
    could not be read.
    """

    texts: tuple = ()
    places: tuple = ()
    types: dict = field(default_factory=dict)
    colours: tuple = ()
    unread: tuple = ()
    error: str | None = None


def observe(codes, cut=True, subclasses=False, renderer=None) -> list[Facts]:
    """Run matplotlib programs in the sandbox and note what ChartMimic's scores need -> `Facts`, in order.

    `cut` drops everything from the first `plt.savefig(` or `plt.show(` and saves there, as the harness treats
    candidates; references run whole. `subclasses` as in `chartmimic.low_level`. `renderer` defaults to the
    shared one. A program that fails is a `Facts` with `error`.

    Example: `observe(["import matplotlib.pyplot as plt\\nplt.bar([1, 2], [3, 4])"])[0].types == {"bar": 1}`.
    """
    codes = [program_as_harness(code) if cut else code for code in codes]
    return [_facts(said) for said in _listen(codes, False, subclasses, renderer)]


@dataclass(frozen=True)
class Labels:
    """What a program wrote: `texts` of (lower-case text, (x, y) in its own coordinates or None), the figure's
    `size` in inches; `error` is why there is nothing, else None."""

    texts: tuple = ()
    size: tuple = (1.0, 1.0)
    error: str | None = None


def labels(codes, renderer=None) -> list[Labels]:
    """Run matplotlib programs in the sandbox and note every visible text of their current figure -> their
    `Labels`, in order.

    Example: `labels(["import matplotlib.pyplot as plt\\nplt.title('A')"])[0].texts`.
    """
    return [_labels(said) for said in _listen(codes, True, False, renderer)]


def program_as_harness(code: str) -> str:
    """The program as both harnesses run it: cut at the first `plt.savefig(`, then at `plt.show(`, and saved
    there."""
    for end in (r"plt\.savefig\(.*", r"plt.show\(.*"):
        code = re.sub(end, "", code, flags=re.DOTALL)
    return code.strip() + '\nplt.savefig("chart.pdf")'


def _listen(codes, labels, subclasses, renderer):
    """What `run_and_listen` says about each program: a dict, {"error": ...} where it came to nothing."""
    source = inspect.getsource(run_and_listen)
    programs = [f"{source}\nrun_and_listen({code!r}, {labels}, {subclasses}, {WIDTH})\n" for code in codes]
    return [_said(rendering) for rendering in (renderer or shared()).map(programs)]


def _said(rendering):
    if rendering.image is None:
        return {"error": rendering.error}
    try:
        said = json.loads(rendering.image.tobytes())
        if isinstance(said, dict) and isinstance(said.get("error", 0), (str, type(None))):
            return said
    except ValueError:
        pass
    return {"error": "the program ended without telling what it drew"}


def _facts(said) -> Facts:
    """Checked, as the program that was listened to may have forged it."""
    if said["error"] is not None:
        return Facts(error=said["error"])
    try:
        if len(said["colours"]) > MOST:
            many = len(said["colours"])
            return Facts(error=f"the program uses {many} colours; at most {MOST} are compared")
        return Facts(
            texts=tuple(map(str, said["texts"])),
            places=tuple(None if place is None else tuple(map(int, place)) for place in said["places"]),
            types={str(call): max(1, int(count)) for call, count in said["types"].items()},
            colours=tuple((str(call), _checked(colour)) for call, colour in said["colours"]),
            unread=tuple(said["unread"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as problem:
        return Facts(error=f"the program forged what it drew ({type(problem).__name__})")


def _labels(said) -> Labels:
    """Checked in the same way."""
    if said["error"] is not None:
        return Labels(error=said["error"])
    try:
        texts = [(str(text), None if x is None else (float(x), float(y))) for text, x, y in said["labels"]]
        return Labels(tuple(texts), tuple(map(float, said["size"])))
    except (KeyError, TypeError, ValueError) as problem:
        return Labels(error=f"the program forged what it wrote ({type(problem).__name__})")


def _checked(colour):
    """A colour as text; ValueError for what begins like a colour and is none."""
    if str(colour).startswith("#"):
        int(colour[1:7].ljust(6, "?"), 16)
    return str(colour)
