"""Two processes that ask one vLLM server together: each gets its own completions and none waits for ever,
though their rollouts end in different turns."""
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

# how many prompts each process has in each turn of a step; the second is done first
TURNS = [[4, 3, 1], [4, 1]]


class Client:
    """A vLLM server: answers each prompt with its first token."""

    def generate(self, prompts, features=None, n=1, **_):
        ids = [[prompt[0]] for prompt in prompts for _ in range(n)]
        return {"prompt_ids": prompts, "completion_ids": ids, "logprobs": [[[-1.0]] for _ in ids]}


def work(mended):
    """One process of two, in a step of three turns; prints what it was told."""
    from accelerate import PartialState
    from accelerate.utils import gather_object
    from test_engine import generation

    from rrvf_lab.nano.loading import load_processor_of
    from rrvf_lab.training.engine import mend

    state = PartialState(cpu=True)
    rank = state.process_index
    made = generation(load_processor_of("nano-base")[0], "server", state.num_processes, rank)
    made.vllm_client = Client()
    together, told = mend(made, made.processing_class, calls=3) if mended else None, []
    for turn, count in enumerate(TURNS[rank]):
        group = 2 if turn == 0 else 1
        prompts = [[1000 * (rank + 1) + 10 * turn + i // group] for i in range(count)]
        told.append((prompts, made.generate(prompts, None, group)[1]))
    if together:
        together.finish()
    assert gather_object([rank]) == [0, 1]  # still in step
    print(json.dumps(told), flush=True)
    os._exit(0)


def two(mended, limit):
    here = Path(__file__).parent
    path = os.pathsep.join(map(str, (here, here.parent, here.parents[1])))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    common = {**os.environ, "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port),
              "PYTHONPATH": path, "ACCELERATE_USE_CPU": "true"}
    command = [sys.executable, __file__, *["mended"] * mended]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                env=common | {"RANK": rank, "LOCAL_RANK": rank}) for rank in "01"]
    try:
        said = [one.communicate(timeout=limit) for one in started]
    finally:
        for one in started:
            one.kill()
    assert all(one.returncode == 0 for one in started), said
    return [json.loads(out.splitlines()[-1]) for out, _ in said]


@pytest.mark.slow
def test_each_process_is_told_what_it_asked_for_and_none_waits_for_ever():
    for rank, told in enumerate(two(mended=True, limit=240)):
        assert [len(prompts) for prompts, _ in told] == TURNS[rank]
        assert all(prompts == completions for prompts, completions in told)


@pytest.mark.exhaustive
@pytest.mark.slow
def test_without_that_they_are_mixed_up_or_wait_for_ever():
    try:
        told = two(mended=False, limit=60)
    except (subprocess.TimeoutExpired, AssertionError):
        return
    assert any(prompts != completions for one in told for prompts, completions in one)


if __name__ == "__main__":
    work(len(sys.argv) > 1)
