"""The render room: untrusted code (matplotlib, plotly, svg, html) becomes a picture, or an error in words.

Its one front door is `Renderer`: code in, `Rendering` out, never an exception for what the code does. Before
untrusted code runs for long, `require_isolation` (or `doctor`, which explains) says whether this machine can
hold it.

It may import `leaves`, nothing else of ours; the files whose names begin with _ are never imported at all:
they run inside the sandbox. Left out: who wrote the code, whether the picture is right (`judge`), and how a
`Rendering` or an `Isolation` looks in a notebook (`show`).
"""

from .flags import suspicious, unsteady
from .isolation import Isolation, Layer, doctor, require_isolation
from .renderer import Renderer, render, shared
from .rendering import Rendering

__all__ = ["Isolation", "Layer", "Renderer", "Rendering", "doctor", "render", "require_isolation", "shared",
           "suspicious", "unsteady"]
