"""Words for programs that an honest author has no need of, and for those whose picture depends on more than
the program: a hint, not a defence.

Left out: keeping such programs in (`jail`), and telling an honest chart from forged pixels, which nothing
here can.
"""

import ast
import functools
import re

from ..leaves.trees import tree_of

_PAINTERS = {"FigureCanvasAgg", "FigureCanvasBase", "FigureCanvas", "RendererAgg"}
_PAINTING = {"buffer_rgba", "print_figure", "print_raw", "print_rgba", "print_png", "get_renderer", "savefig",
             "draw"}
_INNER = {"ctypes", "_ctypes"}
_SYSTEM = {"_getframe", "pwrite", "_exit", "memfd_create", "sendmsg", "dup2"}
_PACKERS = {"base64", "binascii", "zlib", "lzma", "bz2", "gzip"}
_UNPACKING = {"b64decode", "standard_b64decode", "urlsafe_b64decode", "b85decode", "a85decode", "unhexlify",
              "decompress"}
PATCHES, BELOW, PROC, EMBEDDED = (
    "patches the renderer", "reaches below Python", "reads /proc", "holds an embedded picture")
CLOCK, CHANCE = UNSTEADY = "reads the clock", "asks the system for chance"
_CLOCK = {"time": {"time", "time_ns", "ctime", "localtime", "gmtime", "strftime", "perf_counter", "monotonic",
                   "process_time"},
          "datetime": {"now", "utcnow", "today"}, "date": {"today"}, "Timestamp": {"now", "today", "utcnow"}}
_GIVEN = {"ctime", "localtime", "gmtime"}                    # not of the clock when a time is given
_CHANCE = {"os": {"urandom", "getrandom", "getpid"}, "uuid": {"uuid1", "uuid4"}, "secrets": None,
           "random": {"SystemRandom"}}
LONG, MANY = 4000, 3000            # characters of one constant, numbers in all: no chart's own data has more
PACKED = 600                       # characters of a text without a space: no word and no path is that long
_INLINE = re.compile(rf"data:image/[^,]{{0,60}},[^\"')\s]{{{PACKED}}}")


def suspicious(code, language="matplotlib"):
    """Words for what an honest program has no need of -> tuple, most often empty. Easy to evade.

    "patches the renderer", "reaches below Python", "reads /proc", "holds an embedded picture".

    A page or a drawing is only looked at for embedded pictures.

        suspicious("import ctypes")                # ("reaches below Python",)
    """
    if language in ("html", "svg"):
        return (EMBEDDED,) if _INLINE.search(code) else ()
    nodes = _nodes(code, language)
    found = {_word(node) for node in nodes} - {None}
    constants = [node.value for node in nodes if isinstance(node, ast.Constant)]
    texts = [value for value in constants if isinstance(value, (str, bytes))]
    if any(isinstance(text, str) and text.startswith("/proc") for text in texts):
        found.add(PROC)
    numbers = sum(isinstance(value, (int, float)) for value in constants)
    if any(map(_packed, texts)) or numbers > MANY:
        found.add(EMBEDDED)
    return tuple(sorted(found))


def _packed(text):
    """Whether a constant may hold a picture: a very long one, long bytes, a long text without a space."""
    words = [text] if isinstance(text, bytes) else text.split()
    return len(text) > LONG or len(text) > PACKED < max(map(len, words), default=0)


def forging(flags) -> list[str]:
    """Those of a rendering's flags that `suspicious` gave: what one does to forge pixels, not what makes a
    picture unsteady. Example: `forging(["reads /proc", "reads the clock"]) == ["reads /proc"]`."""
    return [flag for flag in flags if flag not in UNSTEADY]


@functools.lru_cache(maxsize=8)  # both kinds of words are asked of each program, one after the other
def _nodes(code, language):
    """Everything a program in Python is made of; nothing of another language, or of one that Python refuses.
    """
    if language not in ("matplotlib", "plotly"):
        return ()
    try:
        return tuple(ast.walk(tree_of(code)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()


def _word(node):
    """What one statement or expression of a program does that it has no need of, or None."""
    if isinstance(node, ast.Assign):
        return PATCHES if any(map(_is_painting, node.targets)) else None
    if isinstance(node, ast.Call):
        named = [a.value for a in node.args if isinstance(a, ast.Constant)]
        called = getattr(node.func, "id", "")
        return PATCHES if called == "setattr" and _PAINTING.intersection(named) else None
    if isinstance(node, ast.ClassDef):
        bases = {getattr(base, "id", getattr(base, "attr", "")) for base in node.bases}
        return PATCHES if _PAINTERS & bases else None
    if isinstance(node, ast.Import):
        return BELOW if any(name.name.split(".")[0] in _INNER for name in node.names) else None
    if isinstance(node, ast.ImportFrom):
        room = (node.module or "").split(".")[0]
        return BELOW if room in _INNER else EMBEDDED if room in _PACKERS else None
    if isinstance(node, ast.Attribute):
        return BELOW if node.attr in _SYSTEM else EMBEDDED if node.attr in _UNPACKING else None
    return None


def _is_painting(target):
    """Whether an assignment's target is a method that paints, of anything but `self`."""
    return (isinstance(target, ast.Attribute) and target.attr in _PAINTING
            and getattr(target.value, "id", "") != "self")


def unsteady(code, language="matplotlib"):
    """Words for what else than the program its picture depends on -> tuple, most often empty. Easy to evade.

    "reads the clock", "asks the system for chance". Random numbers without a seed are the same in each render
    here, and pages and drawings run no scripts: they are steady.

        unsteady("import time; print(time.time())")          # ("reads the clock",)
    """
    nodes = _nodes(code, language)
    names = dict(name for node in nodes for name in _imported(node))
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    return tuple(sorted({_beyond(_path(node.func, names), bool(node.args or node.keywords))
                         for node in calls} - {None}))


def _imported(node):
    """(name in the program, path it stands for) of an import."""
    if isinstance(node, ast.Import):
        return [(name.asname or name.name.split(".")[0],
                 tuple((name.name if name.asname else name.name.split(".")[0]).split(".")))
                for name in node.names]
    if isinstance(node, ast.ImportFrom) and node.module:
        return [(name.asname or name.name, (*node.module.split("."), name.name)) for name in node.names]
    return []


def _path(node, names):
    """The dotted name of what is called, imports looked up: ("numpy", "random", "rand")."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ("?", *reversed(parts)) if parts else ()
    return (*names.get(node.id, (node.id,)), *reversed(parts))


def _beyond(path, given):
    """What a call of this name makes a picture depend on, or None; `given`: it has arguments."""
    if len(path) < 2:
        return None
    owner, name = path[-2:]
    if name in _CLOCK.get(owner, ()) and not (given and name in _GIVEN):
        return CLOCK
    chance = path[0] in _CHANCE and (_CHANCE[path[0]] is None or name in _CHANCE[path[0]])
    return CHANCE if chance or (owner == "random" and name == "seed" and not given) else None
