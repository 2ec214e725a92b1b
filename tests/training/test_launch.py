"""Several processes, started by accelerate: rollouts recorded once, metrics of all, a kill that a resume
makes good."""
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

import rrvf_lab as rl

LAUNCH = [str(Path(sys.executable).with_name("accelerate")), "launch", "--multi_gpu", "--num_processes", "2",
          "--main_process_port", "0"]  # any that is free


@pytest.mark.slow
@pytest.mark.parametrize("killed", [False, pytest.param(True, marks=pytest.mark.exhaustive)],
                         ids=["straight", "killed"])
def test_two_processes_train_one_policy_also_over_a_kill_and_a_resume(tmp_path, killed):
    folder = tmp_path / "run"
    command = [*LAUNCH, "-m", "rrvf_lab.train", "nano", "--set", f"output={folder}", "steps=4", "prompts=2",
               "group=4", "micro_batch=4", "save_steps=2", "test_images=null"]
    if killed:
        process = subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        deadline = time.time() + 240
        while not (folder / "rollouts" / "step-000003-1.jsonl").exists():
            assert time.time() < deadline and process.poll() is None
            time.sleep(0.02)
        # the launcher's death is not theirs
        for one in [process, *psutil.Process(process.pid).children(recursive=True)]:
            one.kill()
        process.wait()
    ended = subprocess.run([*command, *["--resume"] * killed], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr[-8000:]

    rollouts = rl.load_rollouts(folder)
    assert [r["info"]["step"] for r in rollouts.rows] == [s for s in range(1, 5) for _ in range(8)]
    assert [r["info"]["group"] for r in rollouts.rows] == ([0] * 4 + [1] * 4) * 4
    log = json.loads((folder / "report.json").read_text())["log"]
    assert [row["step"] for row in log] == [1, 2, 3, 4]
    for step, row in enumerate(log, 1):
        part = rollouts.where(step=step)
        assert len({r.id for r in part}) == 2                        # one image in each process
        assert row["reward/vision"] == pytest.approx(np.mean([r.reward.vision for r in part]), abs=1e-6)
        assert row["exec_rate"] == np.mean([r.ran for r in part])
    assert len(rl.Run(folder)) == 32 and (folder / "adapter" / "adapter_config.json").exists()
