"""`transformers serve` with the nano model as a real server, for the policy and for the VLM judge.

Left out: hosted models. Nano cannot judge; it shows that the protocol holds.
"""
import json
import math
import os
import subprocess
import sys
import time
import urllib.request

import pytest
from endpoint.servers import free_port
from PIL import Image

from rrvf_lab.endpoint import EndpointPolicy
from rrvf_lab.judge.vlm import VLMJudge
from rrvf_lab.leaves.files import REPOSITORY
from rrvf_lab.play import play_many
from rrvf_lab.policy import load_policy
from rrvf_lab.talk import opening, parse_turn

pytestmark = pytest.mark.slow

# the import registers nano's processor
SERVE = "import rrvf_lab.nano.processor; from transformers.cli.transformers import app; app()"
NANO = "data/nano/nano"


@pytest.fixture(scope="module")
def nano_endpoint(tmp_path_factory):
    """Its URL, once it answers."""
    pytest.importorskip("fastapi", reason="pip install 'transformers[serving]'")
    pytest.importorskip("uvicorn", reason="pip install 'transformers[serving]'")
    port, log = free_port(), tmp_path_factory.mktemp("serve") / "log"
    command = [sys.executable, "-c", SERVE, "serve", NANO, "--host", "127.0.0.1", "--port", str(port),
               "--device", "cpu"]
    with open(log, "w") as file:
        process = subprocess.Popen(command, cwd=REPOSITORY, stdout=file, stderr=file,
                                   env=os.environ | {"HF_HUB_OFFLINE": "1"})
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1)
                break
            except OSError:
                assert process.poll() is None, log.read_text()[-2000:]
                time.sleep(0.2)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        process.wait(20)


def test_a_served_model_plays_the_rollout_that_it_plays_at_home(nano_endpoint, chart):
    other = Image.new("RGB", chart.size, "white")
    served = EndpointPolicy(NANO, nano_endpoint, grammar=False, difference=True, max_tokens=128,
                            concurrency=2, timeout=300, retries=0)
    here = play_many(load_policy("nano"), [chart, other], max_turns=2)
    there = play_many(served, [chart, other], max_turns=2)
    for a, b in zip(here, there, strict=True):
        assert [parse_turn(t.text) for t in a.turns] == [parse_turn(t.text) for t in b.turns]
        assert a.reward == b.reward
    assert len(here[0].turns) == 2 and here[0].reward.vision > 0
    assert served.ledger.prompt_tokens > 2 * 48
    assert parse_turn(served.stream(opening(chart, "matplotlib", 2))) == parse_turn(here[0].turns[0].text)


def test_both_images_are_read_and_what_nano_says_is_on_record_unscored(nano_endpoint, tmp_path, chart):
    record = tmp_path / "record.jsonl"
    # few tokens: what nano writes for a prompt it never saw is often a call that the server cannot parse
    judge = VLMJudge(NANO, nano_endpoint, record=record, max_tokens=8, timeout=120, retries=0)
    verdict = judge(chart, chart)
    line = json.loads(record.read_text())
    assert math.isnan(verdict.score) and verdict.reason == f"judge: {line['error']}"
    assert line["answer"], "what the model said must be on record"
    assert line["usage"]["prompt_tokens"] > 2 * 48 and 0 < line["usage"]["completion_tokens"] <= 8
    ledger = judge.ledger
    assert (ledger.calls, ledger.failed, ledger.prompt_tokens) == (1, 1, line["usage"]["prompt_tokens"])


def test_another_model_is_refused_and_the_judge_says_so(nano_endpoint):
    picture = Image.new("RGB", (40, 30))
    verdict = VLMJudge("another", nano_endpoint, retries=0)(picture, picture)
    assert math.isnan(verdict.score) and f"pinned to '{NANO}'" in verdict.reason
