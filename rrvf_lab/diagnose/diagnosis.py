"""`diagnose`: every finding asked, those of chance corrected for so many looks, the rest ranked.

Left out: pictures (`show.diagnosis`).
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

from .evidence import Evidence, evidence_of
from .finding import Finding, kept
from .findings import FINDINGS
from .gain import Gain, gain_of
from .ledger import Ledger, ledger_of


@dataclass(frozen=True, repr=False)
class Diagnosis:
    """What `diagnose` found: `findings`, ranked; `gain`, what the change of the score is made of, or None;
    `ledger`, turn by turn what is scored, changed and spent; `evidence`, from which `evidence.rollout(i)`
    gives a rollout that a finding names; `failed`, what kept a look from being taken."""

    findings: tuple[Finding, ...]
    gain: Gain | None
    ledger: Ledger
    evidence: Evidence
    failed: tuple[str, ...] = ()

    @property
    def headline(self) -> str:
        """How many findings on how many rollouts, and who scored these if that was not the embedded judge."""
        run, count = self.evidence, len(self.findings)
        steps = len({step for step in run.step if not math.isnan(step)})
        of = f" of {steps:,} steps" if steps > 1 else ""
        by = f", scored by {' and '.join(run.judges)[:120]}" if run.judges and not run.embedded else ""
        return f"{len(run):,} rollouts{of}{by}: {count or 'no'} finding{'s' * (count != 1)}"

    def text(self) -> str:
        """All of it as text."""
        lines = [self.headline, *self.failed]
        for number, finding in enumerate(self.findings, 1):
            lines += ["", f"{number}. {finding.name} ({finding.kind})", f"   {finding.says}",
                      f"   evidence: {finding.evidence}"]
            said = {"costs": finding.costs, "try": finding.remedy}
            lines += [f"   {name}: {value}" for name, value in said.items() if value]
            if finding.rollouts:
                lines.append(f"   rollouts: {', '.join(map(str, finding.rollouts))}")
        if self.gain:
            lines += ["", self.gain.text()]
        lines += ["", self.ledger.text()]
        return "\n".join(lines)

    def table(self):
        """A pandas frame of the findings: name, kind, harm, evidence, costs, try."""
        import pandas as pd

        return pd.DataFrame([{"name": f.name, "kind": f.kind, "harm": f.harm, "evidence": f.evidence,
                              "costs": f.costs, "try": f.remedy} for f in self.findings])

    __repr__ = text


def diagnose(run, findings=FINDINGS) -> Diagnosis:
    """What is wrong with a run, in plain words, the gravest first, and what its gain is made of.

    Args:
        run: a run folder (also of a run under way), a folder of recorded rollouts, a `Run`, `Rollouts`, a
            `Report`, or a list of rollouts.
        findings: functions `f(run: Evidence) -> Finding | None`; with your own: `[*FINDINGS, mine]`, from
            `rrvf_lab.diagnose`. One that raises is named in a warning and left out.

    A finding of chance is kept where all of them together would be made up by a sound run in one of a hundred
    cases. Nothing is rendered or played; about forty pairs of pictures are judged again.

    Raises FileNotFoundError where nothing was recorded, TypeError for what is no run.

    Example: `rl.diagnose("runs/demo").findings[0].says`.
    """
    evidence, found, failed = evidence_of(run), [], []
    for look in findings:
        try:
            finding = look(evidence)
        except Exception as error:  # one look that fails must not hide the others
            name = getattr(look, "__name__", look)
            failed.append(f"the finding {name} failed: {type(error).__name__}: {error}")
            warnings.warn(failed[-1], stacklevel=2)
            continue
        if finding is not None:
            found.append(finding)
    return Diagnosis(tuple(kept(found)), gain_of(evidence), ledger_of(evidence), evidence,
                     tuple(failed))
