"""Untrusted code becomes a picture or an error: `Renderer`, `Rendering`, `render`, `doctor`."""

from .renderer import Renderer, render, shared, suspicious
from .rendering import Rendering
from .sandbox import Isolation, doctor, require_isolation
