"""A training run to look at: its curves, where the time goes, thumbnails of what it recorded, runs compared.

Left out: what a finished run's report.html shows (`pages`), and controls (`widgets`).
"""

from __future__ import annotations

import numpy as np

from ..training.advantages import FLAT
from ..training.runs import Run
from .html import bar, card, drawn, folded, number, picture, plain, says, table, text_html
from .plots import raster

CURVES = {"vision": ("#1f77b4", "solid"), "first draft": ("#ff7f0e", "dash"),  # plotly's names of dashes
          "execution rate": ("#2ca02c", "dot"), "copied": ("#8c564b", "dashdot"),
          "zero spread": ("#7f7f7f", "longdash")}
DASHES = {"solid": "-", "dash": "--", "dot": ":", "dashdot": "-.", "longdash": (5, (8, 3))}  # matplotlib's
LINES = 20  # of the table of curves
BESIDE = "display:flex;gap:4px;align-items:flex-start"


def run_html(run: Run) -> str:
    """A run as a cell shows it: one sentence, the curves as a picture and as numbers, seconds by phase."""
    curves = curves_picture(run) if len(run) else ""
    return says(text_html(run.path), text_html(run.summary())) + curves + curves_table(run) + phases(run)


def curves_picture(run: Run, width: int = 720) -> str:
    """The figure of `plot_run` as an HTML picture."""
    return picture(raster(plot_run(run)), "curves of the run; the table below has the numbers", width)


def logged(run: Run) -> dict[str, tuple]:
    """Every curve of a run as (steps, values): means over what was recorded, then all that was logged.

    Example: `steps, values = logged(Run("runs/demo"))["entropy"]`.
    """
    curves, rows = run.curves(), run.log()
    steps, own = curves.pop("step"), [row["step"] for row in rows]
    names = dict.fromkeys(name for row in rows for name, value in row.items()
                          if isinstance(value, int | float))
    found = {name: (own, np.array([row.get(name, np.nan) for row in rows], float))
             for name in names if name != "step"}
    return {name: (steps, values) for name, values in curves.items()} | {
        name: curve for name, curve in found.items() if name not in curves}


def plot_run(run: Run):
    """The curves as a matplotlib figure. Example: `plot_run(Run("runs/demo"))`."""
    import matplotlib.pyplot as plt

    curves = run.curves()
    figure, ax = plt.subplots(figsize=(9, 2.8), layout="constrained")
    for name, (colour, dash) in CURVES.items():
        ax.plot(curves["step"], curves[name], color=colour, ls=DASHES[dash], marker=".", label=name)
    ax.set(xlabel="step", ylabel="mean over the step's rollouts")
    ax.legend(frameon=False, ncols=len(CURVES), loc="lower center", bbox_to_anchor=(0.5, 1.0))
    return _finished(figure, ax)


def plot_runs(runs, curve: str = "vision"):
    """One curve of several runs in a matplotlib figure; the legend names the settings in which they differ.

    `runs` are `Run`s or folders; `curve` is a key of `Run.curves()`. Raises ValueError for another one.

    Example: `plot_runs(["runs/a", "runs/b"], "execution rate")`.
    """
    import matplotlib.pyplot as plt

    runs = [run if isinstance(run, Run) else Run(run) for run in runs]
    figure, ax = plt.subplots(figsize=(8, 3), layout="constrained")
    for k, (run, name) in enumerate(zip(runs, _told_apart(runs), strict=True)):
        curves = run.curves()
        if curve not in curves:
            plt.close(figure)
            raise ValueError(f"unknown curve {curve!r}; known: {', '.join(list(curves)[1:])}")
        ax.plot(curves["step"], curves[curve], ("-", "--", "-.", ":")[k % 4], marker=".", label=name)
    ax.set(xlabel="step", ylabel=f"{curve}, mean of a step")
    ax.legend(frameon=False)
    return _finished(figure, ax)


def _told_apart(runs):
    """A name for each run: the settings in which they differ, else its folder's."""
    settings = [vars(run.config) if run.config else {} for run in runs]
    first = settings[0]
    names = [key for key in first if key != "output" and any(own.get(key) != first[key] for own in settings)]
    return [", ".join(f"{key}={own.get(key)}" for key in names) or run.path.name
            for run, own in zip(runs, settings, strict=True)]


def _finished(figure, ax):
    import matplotlib.pyplot as plt

    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.grid(alpha=0.3)
    plt.close(figure)
    return figure


def curves_table(run: Run) -> str:
    """The curves as a folded HTML table: every step, or twenty of them; "" when nothing is recorded."""
    curves = run.curves()
    steps = len(curves["step"])
    if not steps:
        return ""
    shown = np.unique(np.linspace(0, steps - 1, LINES).round().astype(int))
    rows = [(curves["step"][i], *(number(curve[i], unknown="-") for name, curve in curves.items()
                                  if name != "step")) for i in shown]
    return folded("the curves as numbers", table(rows, curves, "r" * len(curves)))


def phases(run: Run) -> str:
    """Seconds of a step by phase, as an HTML table with bars; "" when nothing was logged."""
    seconds = run.seconds()
    longest = max(seconds.values(), default=0.0) or 1.0
    rows = [(phase, f"{value:.2f} s", bar(value / longest, width=240)) for phase, value in seconds.items()]
    return table(rows, align="lrl", caption="mean seconds of a step") if rows else ""


def thumbnail(run: Run, i: int, width: int = 150) -> str:
    """Target and final render of rollout i with its numbers, as HTML; stored PNG files go in undecoded."""
    row, entry = run.row(i), run.index[i]
    final = None if row["choice"] is None else row["turns"][row["choice"]]
    target = picture(_stored(run, row["target"]), f"target {row['id']}", width)
    image, alt, error = None, "", ""
    if entry["ran"]:
        image = _stored(run, final["rendering"]["image"])
        alt = f"final render. {plain(final['verdict']['feedback'], total=300)}"
    elif row["turns"]:
        error = (final or row["turns"][-1])["error"]
    marks = [kind for kind in ("copied", "flagged") if entry[kind]]
    marks += ["regressed"] * bool(entry["vision"] < entry["first"] - FLAT)
    said = [f"<b>reward {number(entry['total'])}</b>"]
    said += [] if np.isnan(entry["advantage"]) else [f"advantage {entry['advantage']:+.2f}"]
    said += [f"<b>{mark}</b>" for mark in marks]
    both = f"{target}{drawn(image, alt, error, width, most=90)}"
    step = f"step {entry['step']}, " if entry["step"] >= 0 else ""
    caption = f"{step}{text_html(row['id'], total=60)}<br>{', '.join(said)}"
    return card(f'<div style="{BESIDE}">{both}</div>', caption, 2 * width + 10)


def _stored(run, name):
    """The bytes of a recorded picture."""
    return (run.folder / "images" / f"{name}.png").read_bytes()
