"""What a view shows where no kernel runs: in a preview, in the book, in a notebook that was only opened.

Left out: whole pictures of the controls, which say nothing without a kernel.
"""

from __future__ import annotations


class Still:
    """Before a widget among the bases of a view: stores the HTML of `still()` beside the live view."""

    def still(self) -> str:
        """HTML of what is on view, without its controls; each view says its own."""
        raise NotImplementedError

    def _repr_mimebundle_(self, **options):
        return {"text/html": self.still()} | super()._repr_mimebundle_(**options)
