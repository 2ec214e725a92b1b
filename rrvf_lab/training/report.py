"""What a finished run leaves: report.json, and the pages that others hang on.

`pages` holds functions of (folder, report); `show` adds the one that writes report.html. So a run never
imports a look.

Left out: the rollouts (`records`) and the log (`trainer`).
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from ..leaves.files import write_whole

PHASES = ("generate", "render", "judge", "update")
pages = []


def report_of(config, state, trained, before=None, after=None) -> dict:
    """Everything a finished run says: settings, log, seconds by phase, and with two evaluations the paired
    gain.

    `state` is the trainer's, `before` and `after` are `Report`s of the same held-out images.
    """
    log = [row for row in state.log_history if "reward" in row or "mean_token_accuracy" in row]
    report = {"config": asdict(config), "steps": state.global_step, "adapter": str(trained), "log": log,
              "seconds_by": {k: sum(row.get(f"seconds/{k}", 0.0) for row in log) for k in PHASES}}
    if after is None:
        return report
    gain = before.compare(after)
    along = gain.along_turns()[["contribution", "se"]].to_dict("index")
    return report | {"before": before.summary, "after": after.summary, "gain": gain.effect,
                     "gain_along_turns": along, "gain_se": gain.se, "gain_low": gain.low,
                     "gain_high": gain.high, "gain_n": gain.n}


def write_report(folder, report: dict) -> None:
    """Write report.json into the run folder, then every page."""
    write_whole(Path(folder) / "report.json", json.dumps(report, indent=2))
    for page in pages:
        page(folder, report)
