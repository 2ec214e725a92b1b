"""python -m rrvf_lab.diagnose RUN: the findings on a recorded run as text.

Ends with 1 where something was found that makes numbers wrong, else with 0. Left out: pictures (`rl.diagnose`
in a notebook shows them).
"""

from __future__ import annotations

import argparse
import sys

from ..leaves.files import found
from .diagnosis import diagnose
from .finding import WRONG


def main(argv=None) -> int:
    parser = argparse.ArgumentParser(prog="python -m rrvf_lab.diagnose", description=__doc__.split("\n")[0])
    parser.add_argument("run", help="a run folder, or any folder of recorded rollouts")
    path = parser.parse_args(argv).run
    try:
        diagnosis = diagnose(found(path))
    except (FileNotFoundError, ValueError) as error:
        parser.error(str(error))
    print(diagnosis.text())
    return int(any(finding.kind == WRONG for finding in diagnosis.findings))


if __name__ == "__main__":
    sys.exit(main())
