"""Look into one rollout and take part: step, edit, branch, watch it written, sit in the policy's or judge's chair.

Each widget is a thin shell: `views` draws, `branch` and `play` do the work, and all of them serve without widgets.
Whatever takes time runs in a thread, so the kernel stays free for other cells; `wait()` blocks until it is done.
Every control has a name that screen readers find; numbers are typed, as sliders of ipywidgets have no name.

Left out: groups of rollouts and whole runs (`inspect_group`, `inspect_run`), and undo beyond the branches themselves,
which never replace what they left.
"""

from __future__ import annotations

import html
import math
import queue
import threading
import time

import ipywidgets as w

from ..show import rollout as views
from ..environment import branch, play
from ..policy import Human
from ..rollout import Recorder, Rollout, picture

LONGEST = 100_000  # characters of a program that the edit field takes
EVERY = 0.1        # seconds between two updates of streamed text
WIDE, FIELD = w.Layout(width="98%"), {"description_width": "70px"}


def inspect(rollout, policy=None, max_turns: int = 3, **environment) -> Inspector:
    """A rollout to step through, edit and branch. `policy` may continue branches; `environment` is `Environment`'s.

    Example: `rl.inspect(rl.load_rollouts("data/rollouts")[0], rl.load_policy("nano"))`.
    """
    return Inspector(rollout, policy, max_turns, **environment)


def _html(value=""):
    return w.HTML(value, layout=WIDE)


def _button(name, act, tip="", **options):
    made = w.Button(description=name, tooltip=tip or name, layout=w.Layout(width="auto"), **options)
    made.on_click(lambda _: act())
    return made


def _line(*controls):
    return w.HBox(controls, layout=w.Layout(flex_flow="row wrap"))


class _Worker(w.VBox):
    """A widget that does one thing at a time in a thread, says how it goes, and can be told to stop."""

    def __init__(self):
        self.stopped, self._thread = threading.Event(), None
        self._status, self._stream, self._told = _html(), _html(), 0.0
        self._stop = _button("Stop", self.stop, "end the writing after the word it is at", disabled=True)
        super().__init__()

    @property
    def busy(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def stop(self) -> None:
        """Ask the running work to end; what was said until then is kept."""
        self.stopped.set()

    def wait(self, timeout: float | None = None) -> None:
        """Block until the running work is done, `timeout` seconds at most."""
        if self._thread is not None:
            self._thread.join(timeout)

    def say(self, text: str) -> None:
        self._status.value = f'<div role="status" style="{views.TIGHT}">{views.text_html(text, total=1000)}</div>'

    def _start(self, work):
        self.wait(0.3)  # what said "done" a moment ago may still be tidying up
        if self.busy:
            return self.say("One thing at a time: stop what is running first.")
        self.stopped.clear()
        self._thread = threading.Thread(target=self._run, args=(work,), daemon=True)
        self._stop.disabled = False
        self._thread.start()

    def _run(self, work):
        try:
            work()
        except Exception as error:  # a thread has nowhere else to say it
            self.say(f"{type(error).__name__}: {error}")
        finally:
            self._stream.value, self._stop.disabled = "", True

    def _text(self, text):
        """Show what a policy has written so far, at most ten times a second."""
        if time.monotonic() - self._told > EVERY:
            self._told = time.monotonic()
            self._stream.value = f'<pre style="{views.CODE}">{html.escape(views.plain(text))}</pre>'


class Inspector(_Worker):
    """What `inspect` shows: `rollouts` are the first and its branches, `shown` the one on view, `turn` its turn (from 1).

    `show(rollout)` replaces all of it, so that `play(policy, image, on_turn=inspector.show)` fills it turn by turn.
    """

    def __init__(self, rollout, policy=None, max_turns=3, edit=True, **environment):
        super().__init__()
        self.policy, self.max_turns, self.environment = policy, max_turns, environment
        self._quiet = threading.RLock()
        self._drawing = False
        self._which = w.Dropdown(description="Rollout", style=FIELD)
        self._turn = w.Dropdown(description="Turn", style=FIELD)
        self._how = w.Dropdown(description="Compare", options=views.HOW, style=FIELD)
        self._at = w.BoundedIntText(50, 0, 100, step=5, description="At percent", layout=w.Layout(width="150px"),
                                    style=FIELD)
        self._back = _button("Previous turn", lambda: self.step(-1))
        self._next = _button("Next turn", lambda: self.step(1))
        self._beside, self._detail, self._costs = _html(), _html(), _html()
        self._thought = w.Textarea(description="Thought", layout=WIDE, style=FIELD, rows=2)
        self._code = w.Textarea(description="Code", layout=WIDE, style=FIELD, rows=9)
        self._feedback = w.Textarea(description="Feedback", layout=WIDE, style=FIELD, rows=2)
        self._fields = {"thought": self._thought, "code": self._code, "feedback": self._feedback}
        again = _button("Render and judge", self.rejudge, "render the edited code and judge its picture")
        self._go = _button("Continue with the policy", self.resume, "the policy goes on from this turn, as edited",
                           disabled=policy is None)
        undo = _button("Undo the edits", self._fill)
        self._folder = w.Text("runs/branches", description="Folder", style=FIELD)
        save = _button("Save", lambda: self.save(self._folder.value), "record these rollouts in the folder")
        steps = _line(self._back, self._next, self._turn, self._how, self._at)
        look = [self._which, self._beside, steps, self._detail, self._costs]
        change = [_html(views._says("Change this turn and see what follows", "")), *self._fields.values(),
                  _line(again, self._go, self._stop, undo, self._folder, save), self._status, self._stream]
        self.children = look + (change if edit else [])
        for control, act in ((self._which, self._chose), (self._turn, self._draw_turn), (self._how, self._draw_picture),
                             (self._at, self._draw_picture)):
            control.observe(lambda _, act=act: None if self._drawing else act(), "value")
        self.show(rollout, 1)

    def _repr_mimebundle_(self, **options):
        still = {"text/html": views.strip_html(self.shown, self.turn)}  # what a page without a kernel can show
        return still | super()._repr_mimebundle_(**options)

    @property
    def shown(self) -> Rollout:
        return self.rollouts[self._which.value]

    @property
    def turn(self) -> int:
        return self._turn.value

    def show(self, rollout, turn: int | None = None) -> None:
        """Start over with another rollout, at `turn` (from 1; None: the last)."""
        self.rollouts, self._parents = [rollout], [None]
        self._draw(turn)

    def add(self, rollout, parent: int = 0) -> None:
        """Put a branch beside the rollout it left, which is number `parent` of `rollouts`."""
        self.rollouts.append(rollout)
        self._parents.append(parent)
        self._draw(rollout.info["branch"]["turn"] if "branch" in rollout.info else None)

    def step(self, by: int) -> None:
        """Go forward or back by so many turns."""
        if self.shown.turns:
            self._turn.value = min(max(1, self.turn + by), len(self.shown.turns))

    def changes(self) -> dict[str, str]:
        """What the edit fields say that the turn on view does not: names of `branch`'s arguments, and values."""
        return {name: field.value for name, field in self._fields.items()
                if not field.disabled and field.value != self._recorded()[name]}

    def rejudge(self) -> None:
        """Render and judge the turn as edited; the result is a branch that ends there."""
        if not self.changes():
            return self.say("Nothing was changed: edit the thought, the code or the feedback first.")
        self._branch(None)

    def resume(self) -> None:
        """The policy continues from the turn as edited (or, with nothing edited, speaks again from there)."""
        self._branch(self.policy)

    def save(self, folder) -> None:
        """Record the rollout and its branches under `folder`, as `load_rollouts` reads them."""
        path = Recorder(folder).write(time.strftime("branch-%Y%m%d-%H%M%S"), self.rollouts)
        self.say(f"{len(self.rollouts)} rollouts in {path}")

    def _branch(self, policy):
        if not self.shown.turns:
            return self.say("There is no turn to change yet.")
        changed, parent, turn, old = self.changes(), self._which.value, self.turn, self.shown
        started = time.perf_counter()
        self.say("Writing ..." if policy else "Rendering ...")

        def work():
            made = branch(old, turn, policy, **changed, max_turns=max(self.max_turns, turn + 1),
                          on_text=policy and self._text, stop=self.stopped, **self.environment)
            self.add(made, parent)
            was, now = (views.number(r.turns[turn - 1].score) for r in (old, made))
            self.say(f"Turn {turn}: {was} -> {now}; {_total(old)} -> {views.number(made.reward.total)}; "
                     f"{time.perf_counter() - started:.2f} s")
        self._start(work)

    def _recorded(self):
        turn = self.shown.turns[self.turn - 1] if self.shown.turns else None
        return {"thought": turn.thought if turn else "", "code": turn.code or "" if turn else "",
                "feedback": turn.verdict.feedback if turn and turn.verdict else ""}

    def _draw(self, turn=None):
        """Everything, after the list of rollouts changed; the newest is shown."""
        with self._quiet:
            self._drawing = True
            names = ["as it was"] + [f"branch {k}" for k in range(1, len(self.rollouts))]
            self._which.options = [(f"{name}: {_total(r)}", k) for k, (name, r) in enumerate(zip(names, self.rollouts))]
            self._which.value = len(self.rollouts) - 1
            self._which.layout.display = None if len(self.rollouts) > 1 else "none"
            self._drawing = False
            self._chose(turn)

    def _chose(self, turn=None):
        with self._quiet:
            self._drawing = True
            turns = len(self.shown.turns)
            self._turn.options = [(views._title(self.shown, i), i + 1) for i in range(turns)]
            self._turn.value = (turn or turns) if turns else None
            self._costs.value = _costs(self.shown, self.policy)
            self._drawing = False
            self._draw_turn()

    def _draw_turn(self):
        with self._quiet:
            parent = self._parents[self._which.value]
            self._beside.value = views.strip_html(self.shown, self.turn) if parent is None else \
                views.beside_html(self.rollouts[parent], self.shown, self.turn)
            self._back.disabled = self.turn in (None, 1)
            self._next.disabled = self.turn in (None, len(self.shown.turns))
            self._fill()
            self._draw_picture()

    def _draw_picture(self):
        with self._quiet:
            self._at.layout.display = None if self._how.value in ("wipe", "overlay") else "none"
            self._detail.value = \
                views.turn_html(self.shown, self.turn, self._how.value, self._at.value) if self.turn else ""

    def _fill(self):
        for name, field in self._fields.items():
            text = self._recorded()[name]
            field.disabled = text != views.plain(text, LONGEST, LONGEST)  # a field would obey what plain makes visible
            field.value = "" if field.disabled else text
            why = f"too long ({len(text):,} characters) or with hidden signs; rl.branch(rollout, turn, {name}=...) takes it"
            field.placeholder = why if field.disabled else ""


def _total(rollout):
    return f"reward {views.number(rollout.reward.total)}" if rollout.reward else "no reward yet"


def _costs(rollout, policy):
    tokens = policy if hasattr(policy, "inputs") else None
    body = views.reward_html(rollout.reward) if rollout.reward else ""
    table = views.ledger_html(views.ledger(rollout, tokens))
    return f"{body}<details><summary>time and tokens</summary>{table}</details>"


# --------------------------------------------------------------------------------------------------------------------

def live(policy, image, max_turns: int = 3, language: str | None = None, **environment) -> Live:
    """Watch a rollout being written: text as it comes, each turn as it is judged, and a stop button. Press Play.

    Example: `rl.live(rl.load_policy("nano"), images[3])`.
    """
    return Live(policy, image, max_turns, language, **environment)


def _row(image, language):
    row = image if isinstance(image, dict) else {"image": image}
    return row | {"language": language or row.get("language", "matplotlib")}


class Live(_Worker):
    """What `live` shows: `play()` and `stop()` are its buttons, `inspector` what came of it, `rollout` the last one."""

    def __init__(self, policy, image, max_turns=3, language=None, **environment):
        super().__init__()
        self.policy, self.row, self.max_turns, self.environment = policy, _row(image, language), max_turns, environment
        self.inspector = Inspector(self._empty(), policy, max_turns, edit=not isinstance(policy, Human), **environment)
        self._play = _button("Play", self.play, "let the policy write a rollout", button_style="primary")
        self.children = [_line(self._play, self._stop), self._status, self._stream, self.inspector]

    @property
    def rollout(self) -> Rollout:
        return self.inspector.rollouts[0]

    def _empty(self):
        return Rollout(self.row["image"], self.row["language"], id=self.row.get("id", ""))

    def play(self) -> None:
        """Start writing; returns at once."""
        self._start(self._write)

    def _write(self):
        self.say("Writing turn 1 ...")
        made = play(self.policy, self.row, self.max_turns, on_turn=self._turned, on_text=self._text, stop=self.stopped,
                    **self.environment)
        self.inspector.show(made)
        self.say(("Stopped. " if self.stopped.is_set() else "Done. ") + f"{len(made.turns)} turns, {_total(made)}")

    def _turned(self, rollout):
        self.inspector.show(rollout)
        self._stream.value = ""
        k = len(rollout.turns)
        self.say(f"Turn {k}: {views.number(rollout.turns[-1].score)}. Writing turn {k + 1} ...")


# --------------------------------------------------------------------------------------------------------------------

def sit_as_policy(image, max_turns: int = 3, language: str | None = None, **environment) -> PolicyChair:
    """Be the policy: write a program, get the picture, the judge's sentences and, at the end, the reward.

    Example: `rl.sit_as_policy(images[3])`.
    """
    return PolicyChair(image, max_turns, language, **environment)


class PolicyChair(Live):
    """What `sit_as_policy` shows: a `Live` whose policy is a `Human`. `send(code)` is its button; "" answers."""

    def __init__(self, image, max_turns=3, language=None, **environment):
        self._said = queue.Queue()
        super().__init__(Human(self._ask), image, max_turns, language, **environment)
        self._program = w.Textarea("import matplotlib.pyplot as plt\n", description="Program", layout=WIDE, style=FIELD,
                                   rows=9)
        send = _button("Render my program", lambda: self.send(self._program.value), button_style="primary")
        answer = _button("Answer with my best", lambda: self.send(""), "end the rollout with the best program so far")
        again = _button("Start again", self._again)
        self.children = [self._program, _line(send, answer, again), self._status, self.inspector]
        self.play()

    def send(self, code: str) -> None:
        """Say a program; "" answers with the best one so far."""
        if self.busy:
            self._said.put(code)
        else:
            self.say(f"This rollout is over, {_total(self.rollout)}. Start again for another.")

    def stop(self) -> None:
        super().stop()
        self._said.put(None)

    def _again(self):
        self.stop()
        self.wait(30)
        self._said = queue.Queue()
        self.inspector.show(self._empty())
        self.play()

    def _ask(self, conversation):
        spoken = sum(message["role"] == "assistant" for message in conversation)
        turn = self.rollout.turns[-1] if spoken else None
        last = f"{views.number(turn.score)}: {turn.verdict.feedback} " if turn else ""
        self.say(f"{last}Your turn {spoken + 1} of {self.max_turns}.")
        return self._said.get()

    def _text(self, text):
        """A person sees what they type."""


def agreement(mine, theirs) -> dict[str, float]:
    """How two judges of the same pairs agree: n, mean absolute gap, and Kendall's tau (NaN below two pairs).

    Example: `agreement([0.2, 0.9], [0.1, 0.8])["tau"] == 1.0`.
    """
    from scipy.stats import kendalltau

    gaps = [abs(a - b) for a, b in zip(mine, theirs, strict=True)]
    tau = float(kendalltau(mine, theirs).statistic) if len(gaps) > 1 else math.nan
    return {"n": len(gaps), "gap": sum(gaps) / len(gaps) if gaps else math.nan, "tau": tau}


def sit_as_judge(rollouts) -> JudgeChair:
    """Be the judge: score each render before the recorded score is revealed, and see how far you agree.

    Example: `rl.sit_as_judge(rl.load_rollouts("data/rollouts"))`.
    """
    return JudgeChair(rollouts)


class JudgeChair(w.VBox):
    """What `sit_as_judge` shows. `mine` and `theirs` hold the scores given so far, in the same order."""

    def __init__(self, rollouts):
        rollouts = [rollouts] if isinstance(rollouts, Rollout) else rollouts
        self.pairs = [(r.target, t.rendering.image, t.verdict) for r in rollouts for t in r.drafts
                      if t.ran and not math.isnan(t.score)]
        if not self.pairs:
            raise ValueError("no scored renders among these rollouts; load some: load_rollouts('data/rollouts')")
        self.mine, self.theirs, self.at = [], [], 0
        self._pictures, self._answer = _html(), _html()
        self._score = w.BoundedFloatText(0.5, min=0, max=1, step=0.05, description="My score", style=FIELD)
        self._reveal, self._next = _button("Reveal", self.reveal), _button("Next pair", self.next)
        super().__init__([self._pictures, _line(self._score, self._reveal, self._next), self._answer])
        self._draw()

    def reveal(self) -> None:
        """Take the score in the field as given, and show the judge's."""
        if self._reveal.disabled:
            return
        verdict = self.pairs[self.at][2]
        self.mine.append(self._score.value)
        self.theirs.append(verdict.score)
        found = agreement(self.mine, self.theirs)
        tau = "" if math.isnan(found["tau"]) else f", rank agreement (tau) {found['tau']:.2f}"
        self._answer.value = (f'<div role="status" style="{views.TIGHT}">judge <b>{views.number(verdict.score)}</b>, you '
                              f"{self._score.value:.2f}: {views.text_html(verdict.feedback, total=600)}<br>so far n = "
                              f"{found['n']}, mean gap {found['gap']:.2f}{tau}</div>{views.verdict_html(verdict)}")
        self._reveal.disabled, self._next.disabled = True, self.at == len(self.pairs) - 1

    def next(self) -> None:
        """Go to the pair after this one."""
        if self.at < len(self.pairs) - 1:
            self.at += 1
            self._draw()

    def _draw(self):
        target, image, _ = self.pairs[self.at]
        alts = f"target {self.at + 1}", f"render {self.at + 1}, its score not yet shown"
        shown = zip((target, image), alts, ("target", "render"), strict=True)
        cells = [views._figure(picture(p, alt, 320), name, 330) for p, alt, name in shown]
        self._pictures.value = f"<p>pair {self.at + 1} of {len(self.pairs)}</p>" + views._row(cells)
        self._answer.value, self._reveal.disabled, self._next.disabled = "", False, True
