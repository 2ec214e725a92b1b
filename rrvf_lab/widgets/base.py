"""What the widgets share: controls with names, work in a thread, and a view that follows a run.

Every control has a name that screen readers find, and numbers are typed, as sliders of ipywidgets have no
name. Pictures are HTML with alt text.

Left out: what any one view shows.
"""

from __future__ import annotations

import asyncio
import json
import re
import threading
import time
from contextlib import contextmanager

import ipywidgets as w

from ..show.html import TIGHT, output_html, text_html

STREAM_EVERY = 0.1  # seconds between two updates of streamed text
LOOK_EVERY = 2.0    # seconds between two looks at a run that goes on
NAMED = {"description_width": "initial"}


def area(value: str = "") -> w.HTML:
    """A place for HTML, as wide as the cell."""
    return w.HTML(value, layout={"width": "98%"})


def status_html(inner: str) -> str:
    """HTML that screen readers read out when it changes."""
    return f'<p role="status" style="{TIGHT}">{inner}</p>'


def row(*controls) -> w.HBox:
    """Controls side by side, on more lines where they do not fit."""
    return w.HBox(controls, layout={"flex_flow": "row wrap", "grid_gap": "4px 14px", "overflow": "visible"})


def button(name: str, act, tip: str = "", **options) -> w.Button:
    """A button that calls `act()`; `options` are ipywidgets'."""
    made = w.Button(description=name, tooltip=tip or name, layout={"width": "auto"}, **options)
    made.on_click(lambda _: act())
    return made


def number(name: str, value, low, high, step=0.05):
    """A field for a number from `low` to `high`; for whole ones where `step` is whole."""
    kind = w.BoundedIntText if isinstance(step, int) else w.BoundedFloatText
    return kind(value=value, min=low, max=high, step=step, description=name, style=NAMED,
                layout={"width": "150px"})


def choice(name: str, options=(), value=None, width: str = "260px") -> w.Dropdown:
    """A list of which one is chosen, the first where `value` is None.

    `options` are values, or pairs of label and value.
    """
    made = w.Dropdown(options=options, description=name, style=NAMED, layout={"width": width})
    if value is not None:
        made.value = value
    return made


def text_field(name: str, value: str = "", rows: int = 9, above: bool = False) -> w.Textarea:
    """A field of several lines, as wide as its column; its name stands before it, or above."""
    layout = {"width": "98%"} | ({"flex_flow": "column", "align_items": "flex-start"} if above else {})
    return w.Textarea(value, description=name, rows=rows, layout=layout,
                      style={"description_width": "auto" if above else "70px"})


def columns(left, right, widths=("380px", "430px")) -> w.HBox:
    """Two columns that share the width, one above the other where it does not hold both."""
    boxes = [w.VBox(list(some), layout={"flex": f"1 1 {width}", "min_width": "0", "overflow": "visible"})
             for some, width in zip((left, right), widths, strict=True)]
    return w.HBox(boxes, layout={"flex_flow": "row wrap", "grid_gap": "4px 18px", "overflow": "visible",
                                 "align_items": "flex-start"})


_CALL = re.compile(r'<tool_call>(?:(?!<tool_call>).)*?"code":\s*"((?:[^"\\]|\\.)*)'
                   r'(?:"[}\s]*(?:</tool_call>)?)?', re.DOTALL)


def readable(text: str) -> str:
    """What a policy has written so far, with the program of each call as lines instead of a JSON string.

    Example: `readable('<tool_call>{"name": "render", "arguments": {"code": "a = 1\\nb') == "a = 1\nb"`.
    """
    return _CALL.sub(lambda call: _lines(call.group(1)), text)


def _lines(string):
    """The text of a JSON string without its quotes, of which the end may be missing."""
    whole = re.sub(r"\\u[0-9a-fA-F]{0,3}$", "", string)
    try:
        return json.loads(f'"{whole}"', strict=False)
    except ValueError:  # no JSON after all
        return string


def visible(widget, shown) -> None:
    """Show a widget or take it off the page."""
    widget.layout.display = None if shown else "none"


class Worker(w.VBox):
    """A widget that does one thing at a time in a thread, says how it goes, and can be told to stop.

    The kernel stays free for other cells. `stop_button`, `status` and `stream` are for subclasses to place.
    """

    def __init__(self):
        self.stopped, self._thread = threading.Event(), None
        self.lock, self._drawing = threading.RLock(), False
        self.status, self.stream, self._told = area(), area(), 0.0
        self.stop_button = button("Stop", self.stop, "end the writing after the word it is at", disabled=True)
        super().__init__()

    @property
    def busy(self) -> bool:
        """Whether work is running."""
        return self._thread is not None and self._thread.is_alive()

    def stop(self) -> None:
        """Ask the running work to end; what was said until then is kept."""
        self.stopped.set()

    def wait(self, timeout: float | None = None) -> None:
        """Block until the running work is done, `timeout` seconds at most."""
        if self._thread is not None:
            self._thread.join(timeout)

    def say(self, text: str) -> None:
        """Tell people how it goes, in plain text."""
        self.status.value = status_html(text_html(text, total=1000))

    def wrote(self, text: str) -> None:
        """Show what a policy has written so far, at most ten times a second."""
        if time.monotonic() - self._told > STREAM_EVERY:
            self._told = time.monotonic()
            self.stream.value = output_html(readable(text))

    def start(self, work) -> None:
        """Call `work()` in a thread, unless something runs already."""
        self.wait(0.3)  # what said "done" a moment ago may still be tidying up
        if self.busy:
            return self.say("One thing at a time: stop what is running first.")
        self.stopped.clear()
        self._thread = threading.Thread(target=self._run, args=(work,), daemon=True)
        self.stop_button.disabled = False
        self._thread.start()

    def redraw_on(self, control, draw) -> None:
        """Call `draw()` when a person gives `control` another value."""
        def changed(_):
            with self.lock:  # held by the thread that works, until all is drawn
                if not self._drawing:
                    draw()

        control.observe(changed, "value")

    @contextmanager
    def setting(self):
        """While the code sets what can be chosen, a new value is no choice of a person's."""
        with self.lock:
            self._drawing = True
            try:
                yield
            finally:
                self._drawing = False

    def _run(self, work):
        try:
            work()
        except Exception as error:  # a thread has nowhere else to say it
            self.say(f"{type(error).__name__}: {error}")
        finally:
            self.stream.value, self.stop_button.disabled = "", True


class Following(w.VBox):
    """A view of a run that looks again while its box "Follow the run" is ticked and the kernel has a loop.

    It looks every two seconds, between cells, so it neither blocks a cell nor is seen while one computes.
    What a look does is the subclass's `look()`.
    """

    def __init__(self, run, follow: bool):
        self.run, self._task = run, None
        self.follow = w.Checkbox(value=follow, description="Follow the run", indent=False,
                                 layout={"width": "150px"})
        self.refresh = button("Look again", lambda: self.look())
        self.status = area()
        super().__init__()
        self.follow.observe(lambda _: self._begin(), "value")
        self._begin()

    def close(self) -> None:
        """Stop following, and leave the page."""
        self.follow.value = False
        super().close()

    def headline(self) -> None:
        """Say where the run is and how far it has come."""
        said = self.run.summary()
        if self.run.state == "running" and not len(self.run):
            since = max(0, time.time() - (self.run.path / "pid").stat().st_mtime)
            said = f"running; loading the model ..., then step 1 is written; {since:.0f} s so far"
        text = f"<b>{text_html(self.run.path)}</b>: {text_html(said)}"
        steps = self.run.config.steps if self.run.config else 0
        done = int(self.run.index["step"].max()) if len(self.run) else 0
        bar = f' <progress aria-label="steps done" value="{done}" max="{steps}"></progress>' if steps else ""
        self.status.value = status_html(text + bar)

    def _begin(self):
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # a plain script: "Look again" still works
            return
        if self.follow.value and (self._task is None or self._task.done()):
            self._task = loop.create_task(self._following())

    async def _following(self):
        while self.follow.value and self.comm is not None:
            await asyncio.sleep(LOOK_EVERY)
            try:
                self.look()
            except Exception as error:  # a deleted folder, a full disk: say so and stop
                self.status.value = status_html(f"<b>&#9888; {text_html(error)}</b>")
                self.follow.value = False
