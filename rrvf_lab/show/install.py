"""Looks are hung on records from outside, so that records know no HTML and a cell still shows them.

`LOOKS` says which function shows which class. `rrvf_lab/__init__.py` calls `install` once; in a process where
nobody does, records work without a look.

Left out: looks of what this room makes itself (`Sheet`, `show`), and of widgets.
"""

from __future__ import annotations

from ..claims import Claims
from ..diagnose import Diagnosis
from ..judge import Audit, Verdict, Zoo
from ..probe import Curve, Probe
from ..records import Comparison, Report
from ..render import Isolation, Rendering
from ..reward import Reward
from ..rollout import Rollout, Turn
from ..training import report as of_a_run
from ..training.memory import Estimate
from ..training.preflight import Preflight
from ..training.runs import Run
from ..whatif.again import Rejudged
from ..whatif.judges import Judges
from ..whatif.step import WhatIf
from ..whatif.tokens import TokenLogprobs
from .checks import audit_html, estimate_html, isolation_html, preflight_html, zoo_html
from .claims import ablations_figure, claims_html
from .diagnosis import diagnosis_html
from .pages import comparison_html, report_html, write_evaluation, write_run
from .plots import scores
from .probe import curve_figure, curve_html, probe_figure, probe_html
from .rollout import lone_turn_html, lone_verdict_html, rendering_html, reward_html, rollout_html
from .runs import plot_run, run_html
from .whatif import judges_html, logprobs_html, rejudged_html, what_if_html

LOOKS = {Rollout: rollout_html, Turn: lone_turn_html, Rendering: rendering_html, Verdict: lone_verdict_html,
         Reward: reward_html, Report: report_html, Comparison: comparison_html, Run: run_html,
         Isolation: isolation_html, Audit: audit_html, Estimate: estimate_html,
         Preflight: preflight_html, Diagnosis: diagnosis_html, Zoo: zoo_html,
         Rejudged: rejudged_html, Judges: judges_html, WhatIf: what_if_html, TokenLogprobs: logprobs_html,
         Probe: probe_html, Curve: curve_html, Claims: claims_html}


def install() -> None:
    """Give each class of `LOOKS` its `_repr_html_`, `Report` its `to_html`, and its `plot` what has a figure.

    A finished run gets its report.html. Calling it again changes nothing.
    """
    for kind, look in LOOKS.items():
        kind._repr_html_ = look
    Report.plot, Report.to_html, Run.plot = scores, write_evaluation, plot_run
    Probe.plot, Curve.plot, Claims.plot = probe_figure, curve_figure, ablations_figure
    if write_run not in of_a_run.pages:
        of_a_run.pages.append(write_run)
