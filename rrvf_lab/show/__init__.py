"""Looks: what was recorded, as HTML, figures and pages; they only read.

    html       text made safe, pictures, bars, tables, cards, documents: the one place that escapes
    rollout    one rollout, a turn, a verdict, a reward     superpose  two pictures as one
    groups     a GRPO group by advantage                    ledger     what each message cost
    runs       a run folder                                 plots      figures of evaluations
    checks     isolation, audit, memory                     pages      self-contained files
    install    hangs the looks on the records

May import everything below, never `widgets` or `benchmarks`. matplotlib, plotly and pygments are loaded when
something is drawn with them.

Left out: playing, judging, training, and anything to click. Front door: `export(rollouts, path)`; in a
notebook a record shows itself.
"""

from .groups import recorded, sheet
from .html import code_html, diff_html, number
from .install import install
from .ledger import ledger, ledger_html
from .pages import export, gallery
from .plots import contributions, estimates, explore, learning_curve, raster, scores, show
from .rollout import reward_html, rollout_html, turn_html, verdict_html
from .runs import plot_run, plot_runs
from .superpose import superpose

# `install`, `ledger` and `superpose` share their module's name; as attributes the functions win
__all__ = [
    "code_html", "contributions", "diff_html", "estimates", "explore", "export", "gallery", "install",
    "learning_curve", "ledger", "ledger_html", "number", "plot_run", "plot_runs", "raster", "recorded",
    "reward_html", "rollout_html", "scores", "sheet", "show", "superpose", "turn_html", "verdict_html",
]
