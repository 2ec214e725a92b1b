"""Who owns a run folder: one training process at a time, started, stopped, killed and resumed with nothing
lost or twice."""
import json
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

import rrvf_lab as rl
from rrvf_lab.training import Run, TrainConfig, start
from rrvf_lab.training.process import launch, prepare, trained_by

SMALL = {"steps": 5, "prompts": 1, "group": 4, "micro_batch": 4, "save_steps": 2, "test_images": None}


@pytest.fixture
def alive(tmp_path):
    """A process that looks like training into tmp_path/run, with a child."""
    code = ("import subprocess, sys, time; "
            "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); time.sleep(60)")
    process = subprocess.Popen([sys.executable, "-c", code, "rrvf_lab.train"])
    config = TrainConfig(output=str(tmp_path / "run"))
    prepare(config)
    (tmp_path / "run" / "pid").write_text(str(process.pid))
    yield config, process
    process.kill()
    process.wait()


def test_a_folder_in_use_is_refused_and_stop_ends_the_whole_family(alive):
    config, process = alive
    run = Run(config.folder)
    assert run.state == "running"
    with pytest.raises(RuntimeError, match=f"trained by process {process.pid}.*another output"):
        start(config)
    with pytest.raises(RuntimeError, match="is running; only a stopped run"):
        run.resume()
    deadline = time.time() + 30
    while not (children := psutil.Process(process.pid).children()):
        assert time.time() < deadline
        time.sleep(0.05)
    run.stop(wait=1)  # the child ignores that its parent is gone, and is killed then
    assert process.poll() is not None and run.state == "stopped"
    assert not any(c.is_running() and c.status() != "zombie" for c in children)
    with pytest.raises(RuntimeError, match=r"no process trains into .* \(it is stopped\)"):
        run.stop()


@pytest.mark.parametrize("pid", [str(os.getpid()), "999999999", "", "not a number"],
                         ids=["own", "unused", "empty", "no number"])
def test_a_pid_that_is_not_a_training_process_is_none(tmp_path, pid):
    (tmp_path / "pid").write_text(pid)
    assert trained_by(tmp_path) is None


def test_a_folder_that_is_no_run_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="holds something that is not a run; .*--set output="):
        start("demo", output=str(tmp_path))
    assert os.listdir(tmp_path) == ["thesis.txt"]


def test_launch_returns_when_the_process_can_be_known(tmp_path, monkeypatch):
    # right after exec /proc shows an empty command line
    config, empty, real = TrainConfig(output=str(tmp_path / "run")), [[], [], []], psutil.Process.cmdline
    prepare(config)
    monkeypatch.setattr(psutil.Process, "cmdline", lambda self: empty.pop() if empty else real(self))
    launch(config.folder)
    try:
        assert trained_by(config.folder) is not None
    finally:
        os.killpg(int((config.folder / "pid").read_text()), signal.SIGKILL)


@pytest.mark.slow
def test_a_started_run_outlives_its_starter_and_a_killed_one_resumes_with_nothing_lost_or_twice(tmp_path):
    code = f"import rrvf_lab as rl; rl.start('demo', output={str(tmp_path / 'run')!r}, **{SMALL!r})"
    starter = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert starter.returncode == 0, starter.stderr
    run, deadline = Run(tmp_path / "run"), time.time() + 300
    while not (run.folder / "step-000004.jsonl").exists():  # a checkpoint at 2, none yet at 4 or half of it
        assert run.state == "running" and time.time() < deadline, run.output()
        time.sleep(0.02)
    os.killpg(trained_by(run.path).pid, signal.SIGKILL)
    while run.state == "running":
        time.sleep(0.02)
    assert run.state == "stopped"
    run.resume()
    while run.state == "running":
        assert time.time() < deadline, run.output()
        time.sleep(0.2)
    run.refresh()
    assert run.state == "finished", run.output()
    steps = [row["info"]["step"] for row in rl.load_rollouts(run.path).rows]
    assert steps == [step for step in range(1, 6) for _ in range(4)]
    report = json.loads((run.path / "report.json").read_text())
    assert report["steps"] == 5 and [row["step"] for row in report["log"]] == [1, 2, 3, 4, 5]
    assert run.curves()["step"].tolist() == [1, 2, 3, 4, 5] == [row["step"] for row in run.log()]
    assert min(run.seconds().values()) >= 0 and run.seconds()["update"] > 0
