"""The processes of a run: which one owns a folder, starting one that outlives its starter, ending it.

A run folder belongs to one training process at a time, whose number stands in `pid`. One started in a
terminal and one started from a notebook look and stop the same.

Left out: processes on other machines. The pid of a run folder on a shared disk means nothing elsewhere.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

import psutil

from ..leaves.files import write_whole
from .config import TrainConfig

PROGRAM = "rrvf_lab.train"


def launched():
    """The processes of this launch (accelerate's `PartialState`); one without a launcher."""
    import torch
    from accelerate import PartialState

    # Without `cpu` the processes of a launch on CPUs would not find each other. The others wait while the
    # first evaluates, which may take hours.
    return PartialState(cpu=not torch.cuda.is_available(), timeout=timedelta(days=1))


def trained_by(folder) -> psutil.Process | None:
    """The live process of `python -m rrvf_lab.train` for this folder, or None; a pid used again is not it."""
    try:
        process = psutil.Process(int((Path(folder) / "pid").read_text()))
        return process if PROGRAM in process.cmdline() else None
    except (OSError, ValueError, psutil.Error):
        return None


def state(folder) -> str:
    """ "running", "finished" (the report is written), "stopped", or "recording" (rollouts without a run)."""
    if trained_by(folder):
        return "running"
    if (Path(folder) / "report.json").exists():
        return "finished"
    return "stopped" if (Path(folder) / "config.json").exists() else "recording"


def finished(config: TrainConfig) -> bool:
    """Whether this very run, with all its settings, is finished."""
    saved = config.folder / "config.json"
    return state(config.folder) == "finished" and TrainConfig.load(saved) == config


def prepare(config: TrainConfig, resume: bool = False) -> Path:
    """Make the run folder this process's own: emptied unless resuming, with config.json and pid; returns it.

    Raises FileExistsError for a folder that is not a run, and RuntimeError while another process trains
    into it. """
    folder = config.folder
    if (other := trained_by(folder)) and other.pid != os.getpid():
        raise RuntimeError(f"{folder} is being trained by process {other.pid}; stop that (kill {other.pid}) "
                           "or choose another output")
    if folder.exists() and not resume:
        if not (folder / "config.json").exists() and any(folder.iterdir()):
            raise FileExistsError(f"{folder} holds something that is not a run; choose another folder, for "
                                  f"example with --set output={folder}-2")
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / "config.json", json.dumps(asdict(config), indent=2))
    write_whole(folder / "pid", str(os.getpid()))
    return folder


def launch(folder) -> None:
    """Train into a prepared or stopped run folder in a process of its own, which prints into output.txt
    there."""
    # The folder is prepared, so the process resumes: from a checkpoint, or from nothing. A relative output in
    # config.json was meant from where the run was first started, which may be elsewhere.
    folder = Path(folder).resolve()
    command = [sys.executable, "-m", PROGRAM, str(folder / "config.json"), "--resume",
               "--set", f"output={json.dumps(str(folder))}"]
    with open(folder / "output.txt", "ab") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                                   start_new_session=True)
    write_whole(folder / "pid", str(process.pid))
    # Right after exec its command line is empty for a moment, and `trained_by` would not know it.
    while trained_by(folder) is None and process.poll() is None:
        time.sleep(0.01)


def stop(folder, wait: float = 10.0) -> None:
    """End the training process and what it started; returns when it is gone. `wait` seconds, then it is
    killed.

    Raises RuntimeError when no process trains into this folder.
    """
    process = trained_by(folder)
    if process is None:
        raise RuntimeError(f"no process trains into {folder} (it is {state(folder)})")
    family = [process, *process.children(recursive=True)]
    process.terminate()
    _, left = psutil.wait_procs(family, wait)
    for one in left:
        one.kill()
    psutil.wait_procs(left, wait)
