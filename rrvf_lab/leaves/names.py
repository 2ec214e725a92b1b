"""A name that is not known, and the one that was meant.

Left out: refusing it, which says what the name was for.
"""

from __future__ import annotations

from difflib import get_close_matches


def hint(name: str, known) -> str:
    """`; did you mean 'steps'?` for an unknown name that is near to a known one, else nothing.

    Example: `hint("step", ["steps", "seed"]) == "; did you mean 'steps'?"`.
    """
    near = get_close_matches(name, known, 1)
    return f"; did you mean {near[0]!r}?" if near else ""
