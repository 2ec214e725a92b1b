"""What became of one program: its picture, or why there is none."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Rendering:
    """A program's picture, or why there is none.

    `image` is a PIL RGB image or None; `error` the last lines of the program's own traceback or None;
    `seconds` wall time and `cpu_seconds` CPU time of the render; `printed` the end of what it wrote to stdout
    and stderr, or what is `missing`; `flags` words for suspicious and unsteady things in the code (see
    `suspicious`, `unsteady`); `cached` whether an earlier render was reused; `missing` a sentence on what it
    asks for that is not drawn here, such as a style sheet from the network, or "".
    """
    image: object = None
    error: str | None = None
    seconds: float = 0.0
    language: str = "matplotlib"
    cpu_seconds: float = 0.0
    printed: str = ""
    flags: tuple = ()
    cached: bool = False
    missing: str = ""
