"""How long a diagnosis of many recorded rollouts takes, alone and in the run browser.

    python tests/benchmarks/bench_diagnose.py --rollouts 10000

The synthetic run of `bench_runs` (64 rollouts to a step, two drafts of about 1.2 kB each, noise as pictures)
is diagnosed by fresh processes. Wall and CPU seconds: `diagnose` of the folder with its slowest looks; then
`inspect_run` until its findings are there, and how long the kernel's loop stood still meanwhile: the longest
of its pauses, and the share of them above a tenth of a second. Other work on the machine shows in the wall
times.
"""
import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench_runs import write


def clocks():
    return time.perf_counter(), time.process_time()


def since(began):
    return [round(now - then, 3) for now, then in zip(clocks(), began, strict=True)]


def alone(folder):
    """{what: (wall, CPU)} of `diagnose` and of its slowest looks."""
    from rrvf_lab.diagnose import FINDINGS, diagnose

    took, out = {}, {}

    def timed(look):
        def asked(run):
            began = clocks()
            finding = look(run)
            took[look.__name__] = since(began)
            return finding

        return asked

    began = clocks()
    found = diagnose(folder, [timed(look) for look in FINDINGS])
    out["diagnose"] = since(began)
    for name in sorted(took, key=lambda name: -took[name][1])[:5]:
        out[f"  of it {name}"] = took[name]
    return out | {"rollouts": len(found.evidence), "findings": len(found.findings)}


async def beside(folder):
    """The same in `inspect_run`, with the pauses of the loop."""
    import rrvf_lab as rl

    began, pauses = clocks(), []
    view = rl.inspect_run(folder)
    out = {"inspect_run shown, the findings to come": since(began)}
    while not view.findings.task.done():
        last = time.perf_counter()
        await asyncio.sleep(0.01)
        pauses.append(time.perf_counter() - last - 0.01)
    out["inspect_run until the findings stand there"] = since(began)
    out["pauses"] = max(pauses), sum(pause > 0.1 for pause in pauses) / len(pauses), len(pauses)
    return out


def opened(way, folder):
    """What `alone` or `beside` find in this run, in a fresh process."""
    command = [sys.executable, __file__, "--open", way, folder]
    done = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return json.loads(done.splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--rollouts", type=int, default=10_000)
    parser.add_argument("--open", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.open:
        way, folder = args.open
        return print(json.dumps(alone(folder) if way == "alone" else asyncio.run(beside(folder))))
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), args.rollouts)
        out = {}
        for way in ("alone", "beside"):
            out |= opened(way, folder)
    print(f"{out.pop('rollouts'):,} rollouts, {out.pop('findings')} findings")
    longest, share, n = out.pop("pauses")
    for name, (wall, cpu) in out.items():
        print(f"{wall:8.3f} s wall  {cpu:8.3f} s CPU  {name}")
    print(f"the kernel's loop meanwhile: longest pause {longest:.3f} s; {share:.1%} of {n} above 0.1 s")


if __name__ == "__main__":
    main()
