"""A queue of arms that keeps two cores busy: each in a process with one thread, stopped and gone on with at
any moment.

An arm that has its result is left alone; one whose training was cut off goes on from its last checkpoint.

Left out: more than one machine.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from ..leaves.files import REPOSITORY
from ..train import run
from ..training.config import TrainConfig
from ..training.process import state
from .arms import ARMS
from .measure import write_result

ONE_THREAD = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}  # two jobs of one beat one of two


def jobs(quick: bool, seeds: int, names=()) -> list[tuple[str, int]]:
    """(arm, seed) in the order they are wanted: seed 0 of everything first."""
    arms = [ARMS[name] for name in names] or [arm for arm in ARMS.values() if not (quick and arm.ablation)]
    return [(arm.name, seed) for seed in range(1 if quick else seeds) for arm in arms
            if seed == 0 or not arm.once]


def work(folder: Path, some, quick: bool, at_once: int = 2) -> dict[tuple[str, int], str]:
    """Train and measure what is missing; returns {(arm, seed): the end of its log} of those that failed."""
    from tqdm import tqdm

    folder.mkdir(parents=True, exist_ok=True)
    missing = [job for job in some if not (place(folder, *job) / "result.json").exists()]
    if any(ARMS[name].supervised for name, _ in missing):
        _labels(folder / "labels")
    failed, started = {}, time.time()
    with tqdm(total=len(some), initial=len(some) - len(missing), desc="arms") as bar, \
            ThreadPoolExecutor(at_once) as pool:
        running = {pool.submit(_in_process, folder, *job, quick): job for job in missing}
        for ended in as_completed(running):
            name, seed = running[ended]
            bar.update()
            bar.set_postfix_str(f"{name}-{seed}, {(time.time() - started) / 60:.0f} min")
            if words := ended.result():
                failed[name, seed] = words
    return failed


def place(folder: Path, name: str, seed: int) -> Path:
    """Where an arm's run and result lie."""
    return folder / f"{name}-{seed}"


def _labels(folder):
    if not folder.exists():
        maker = REPOSITORY / "data" / "charts" / "labels.py"
        subprocess.run([sys.executable, str(maker), "--output", str(folder)], check=True)


def _in_process(folder, name, seed, quick):
    there = place(folder, name, seed)
    there.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "rrvf_lab.claims", "--job", name, str(seed), "--output", str(folder)]
    with (there / "log.txt").open("ab") as log:
        ended = subprocess.run([*command, *["--quick"] * quick], stdout=log, stderr=log,
                               env=os.environ | ONE_THREAD)
    return (there / "log.txt").read_text(errors="replace")[-800:] if ended.returncode else ""


def one(folder: Path, name: str, seed: int, quick: bool) -> None:
    """One job, in this process: train (or go on), then measure."""
    arm, there = ARMS[name], place(folder, name, seed)
    if arm.config:
        config = arm.settings(there, seed, quick)
        if not _finished(config):
            run(config, resume=(there / "run" / "config.json").exists())
    write_result(arm, seed, there, quick)


def _finished(config: TrainConfig) -> bool:
    """Whether this training is done. Raises ValueError for a run of other settings in its folder."""
    if state(config.folder) != "finished":
        return False
    saved, elsewhere = vars(TrainConfig.load(config.folder / "config.json")), ("output", "test_images",
                                                                               "preflight", "test_limit")
    other = [name for name, value in vars(config).items() if name not in elsewhere and saved[name] != value]
    if other:
        raise ValueError(f"{config.folder} was trained with {other[0]}={saved[other[0]]!r}, this arm wants "
                         f"{getattr(config, other[0])!r}; remove the folder to train it anew")
    return True
