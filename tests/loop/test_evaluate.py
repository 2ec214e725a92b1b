"""Playing that survives any end: resumed, killed, with a policy or a judge that fails, with metrics passed
in."""
import json
import math
import os
import random
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path

import pytest
from PIL import Image

from rrvf_lab.evaluate import evaluate
from rrvf_lab.judge import JudgeStopped, Verdict
from rrvf_lab.play import play
from rrvf_lab.records import Report, load_rollouts
from rrvf_lab.render import Rendering
from rrvf_lab.talk import Written, write_turn


class Pictures:
    """A renderer that needs no sandbox: the code names a shade of gray."""

    def render(self, code, language="matplotlib", size=None):
        return Rendering(Image.new("RGB", (8, 6), (int(code),) * 3), None)


def half(target, image, error=None):
    return Verdict(0.5, "", {})


FAKES = {"renderer": Pictures(), "judge": half}
ANSWER = write_turn("", answer="7")


def items(n):
    return [
        {"id": f"i{k:02d}", "image": Image.new("RGB", (8, 6), (k, 0, 0)), "kind": f"kind {k % 2}"}
        for k in range(n)
    ]


def shade(talk):
    """Which item a conversation is about."""
    return talk[1]["content"][0]["image"].getpixel((0, 0))[0]


class Policy:
    """Answers at once, but raises for the items in `broken`; `seen` counts what it was asked."""

    def __init__(self, broken=(), **more):
        self.broken, self.seen = set(broken), []
        vars(self).update(more)

    def write(self, talks):
        if any(shade(talk) in self.broken for talk in talks):
            raise ConnectionError("endpoint http://x is down")
        self.seen += [shade(talk) for talk in talks]
        return [ANSWER] * len(talks)


@pytest.mark.parametrize("concurrency", [1, 4])
def test_items_whose_policy_fails_are_named_and_played_alone_later(tmp_path, concurrency):
    policy = Policy(broken=[2, 5], concurrency=concurrency)
    with pytest.warns(
        UserWarning, match="2 of 8 items are undone: i02, i05.*endpoint http://x is down.*resume=True"
    ):
        first = evaluate(policy, items(8), record=tmp_path, batch=4, **FAKES)
    assert first.summary["n"] == 6 and list(first.undone) == ["i02", "i05"] and "2 undone" in repr(first)
    policy.broken, policy.seen = set(), []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        second = evaluate(policy, items(8), record=tmp_path, resume=True, batch=4, **FAKES)
    assert sorted(policy.seen) == [2, 5] and [r.id for r in second.rollouts] == [
        f"i{k:02d}" for k in range(8)
    ]
    stored = load_rollouts(tmp_path)
    assert [r.id for r in stored] == [r.id for r in second.rollouts] and {r.info["name"] for r in stored} == {
        "evaluation"
    }
    assert stored[1].info["kind"] == "kind 1" and second.per("kind").loc["kind 1", "n"] == 4


def test_a_policy_that_always_fails_is_one_clear_error():
    with pytest.raises(
        RuntimeError, match="failed on all 3 items; the first: ConnectionError: endpoint http://x is down"
    ):
        evaluate(Policy(broken=range(3)), items(3), **FAKES)


def test_a_judge_that_asks_to_stop_stops_and_what_was_played_stays(tmp_path):
    def judge(target, image, error=None):
        if target.getpixel((0, 0))[0] >= 4:
            raise JudgeStopped("the judge is down")
        return half(target, image)

    with pytest.raises(JudgeStopped):
        evaluate(Policy(), items(6), record=tmp_path, batch=2, renderer=Pictures(), judge=judge)
    policy = Policy()
    assert evaluate(policy, items(6), record=tmp_path, batch=2, resume=True, **FAKES).summary["n"] == 6
    assert policy.seen == [4, 5]


def test_many_conversations_at_once_for_an_endpoint():
    together, lock, most = [0], threading.Lock(), [0]

    class Slow(Policy):
        def write(self, talks):
            with lock:
                together[0] += 1
                most[0] = max(most[0], together[0])
            time.sleep(0.05)
            with lock:
                together[0] -= 1
            return [ANSWER] * len(talks)

    evaluate(Slow(concurrency=6), items(18), **FAKES)
    assert 2 <= most[0] <= 6


def test_what_is_half_written_is_played_again_and_the_rest_is_not(tmp_path):
    evaluate(Policy(), items(5), record=tmp_path, batch=2, **FAKES)
    path = tmp_path / "evaluation.jsonl"
    lines = path.read_text().splitlines()
    target = json.loads(lines[1])["target"]
    path.write_text("\n".join(lines[:4]) + "\n" + lines[4][:40])          # cut short: item 4
    picture = tmp_path / "images" / f"{target}.png"
    picture.write_bytes(picture.read_bytes()[:30])                        # a damaged picture: item 1
    (tmp_path / "evaluation~000000.jsonl").write_text("{\"id\": ")        # a part that was never finished
    policy = Policy()
    report = evaluate(policy, items(5), record=tmp_path, resume=True, batch=2, **FAKES)
    assert sorted(policy.seen) == [1, 4] and report.summary["n"] == 5
    assert [r.target.getpixel((0, 0))[0] for r in load_rollouts(tmp_path)] == [0, 1, 2, 3, 4]
    assert [p.name for p in tmp_path.glob("*.jsonl")] == ["evaluation.jsonl"]


def test_a_longer_set_goes_on_from_a_shorter_one_and_nothing_is_lost(tmp_path):
    evaluate(Policy(), items(5), record=tmp_path, **FAKES)
    policy = Policy()
    assert evaluate(policy, items(8), record=tmp_path, resume=True, **FAKES).summary[
        "n"
    ] == 8 and policy.seen == [5, 6, 7]
    assert evaluate(policy, items(3), record=tmp_path, resume=True, **FAKES).summary["n"] == 3
    assert len(load_rollouts(tmp_path)) == 8


def test_another_evaluation_is_not_resumed_by_mistake(tmp_path):
    evaluate(Policy(), items(2), record=tmp_path, max_turns=2, **FAKES)
    with pytest.raises(ValueError, match=r"'i00' with max_turns=2, not 3; give another name"):
        evaluate(Policy(), items(2), record=tmp_path, resume=True, max_turns=3, **FAKES)
    other = [row | {"image": Image.new("RGB", (8, 6), "white")} for row in items(2)]
    with pytest.raises(ValueError, match="'i00' with a picture of 8 x 6 pixels that is not the item's"):
        evaluate(Policy(), other, record=tmp_path, resume=True, max_turns=2, **FAKES)
    with pytest.raises(ValueError, match="1 ids occur more than once, 'i00' the first"):
        evaluate(Policy(), items(1) * 2, **FAKES)


KILLED = """
import json, os, signal, sys, threading, time
sys.path.insert(0, {tests!r})
from test_evaluate import FAKES, Policy, items, shade
from rrvf_lab.evaluate import evaluate
import tqdm.auto
log, folder = sys.argv[1] + "/played", sys.argv[1] + "/e"

class Slow(Policy):
    def write(self, talks):
        time.sleep(0.01)
        with open(log, "a") as file:
            file.write("".join(f"i{{shade(talk):02d}} " for talk in talks))
        return super().write(talks)

def play():
    evaluate(Slow(concurrency={concurrency}), items({n}), record=folder, resume=True, batch=3, **FAKES)

def doomed(played, seconds):
    while os.path.getsize(log) < played:
        time.sleep(0.001)
    time.sleep(seconds)
    os.kill(os.getpid(), signal.SIGKILL)

open(log, "w").close()
for items_more, seconds in {moments}:          # one import, then a new process for each attempt
    child = os.fork()
    if child == 0:
        when = os.path.getsize(log) + 4 * items_more, seconds
        threading.Thread(target=doomed, args=when, daemon=True).start()
        play()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL, "it ended by itself: give it more items"
    recorded = [json.loads(line)["id"] for path in os.listdir(folder) if path.endswith(".jsonl")
                for line in open(folder + "/" + path)]
    print(json.dumps([open(log).read().split(), recorded]), flush=True)
play()
print(json.dumps([open(log).read().split(), []]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("concurrency", [1, 3])
def test_killed_at_random_moments_nothing_recorded_is_lost_or_played_twice(tmp_path, concurrency):
    rng, n, kills = random.Random(concurrency), 200, 8
    program = KILLED.format(tests=str(Path(__file__).parent), concurrency=concurrency, n=n,
                            moments=[(rng.randint(1, 9), rng.uniform(0, 0.02)) for _ in range(kills)])
    run = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, timeout=120
    )
    assert run.returncode == 0, run.stderr[-600:]
    moments = [json.loads(line) for line in run.stdout.splitlines()]
    assert len(moments) == kills + 1
    for (played, recorded), (later, more) in zip(moments, moments[1:], strict=False):
        assert not set(recorded) & set(later[len(played):])       # on disk: never played again
        assert set(recorded) <= set(more) or (later, more) == (moments[-1][0], [])
    assert any(0 < len(recorded) < n for _, recorded in moments)  # some were killed half way
    assert [r.id for r in load_rollouts(tmp_path / "e")] == [f"i{k:02d}" for k in range(n)]
    assert len(moments[-1][0]) <= n + 3 * kills                   # only what was under way is played twice
    assert [p.name for p in (tmp_path / "e").glob("*.jsonl")] == ["evaluation.jsonl"]


# ----------------------------------------------------------------------------------------- metrics and judges

def brightness(rollout, item):
    """Of what was drawn, beside the item's own."""
    return {"drawn": rollout.picture.getpixel((0, 0))[0], "wanted": item["image"].getpixel((0, 0))[0]}


def test_metrics_are_functions_and_their_numbers_are_recorded_once(tmp_path):
    asked = []

    def exact(rollout, item):
        asked.append(item["id"])
        if item["id"] == "i02":
            raise ValueError("cannot be measured")
        return rollout.code == "7"

    report = evaluate(Policy(), items(4), record=tmp_path, metrics=[brightness, exact], **FAKES)
    assert report.numbers().loc["exact", "value"] == 1 and report.numbers().loc["exact", "n"] == 3
    assert (
        list(report.table()["brightness wanted"]) == [0, 1, 2, 3]
        and report.table()["brightness drawn"][0] == 7
    )
    assert report.rollouts[2].info["metrics"]["exact"] == {"unscored": "cannot be measured"}
    again = evaluate(Policy(), items(4), record=tmp_path, resume=True, metrics=[exact], **FAKES)
    assert len(asked) == 4 and again.numbers().loc["exact", "n"] == 3  # recorded numbers are kept


class ByTheBatch:
    """A metric that measures many at once and needs a reference."""

    name, needs = "batched", ("reference",)

    def __init__(self):
        self.sizes = []

    def __call__(self, rollout, item):
        return self.map([(rollout, item)])[0]

    def map(self, pairs):
        self.sizes.append(len(pairs))
        return [float(item["reference"] == rollout.code) for rollout, item in pairs]


def test_a_metric_may_measure_many_at_once():
    metric, rows = ByTheBatch(), [row | {"reference": str(6 + k)} for k, row in enumerate(items(3))]
    report = evaluate(Policy(), rows, metrics=[metric], **FAKES)
    assert metric.sizes == [3] and list(report.table()["batched"]) == [0, 1, 0]


@pytest.mark.parametrize("metrics, error, words", [
    (["chartmimic"], TypeError, "a metric is a function of .rollout, item., not 'chartmimic'"),
    ("chartmimic", TypeError, "give a list of functions"),
    ([lambda rollout: 1], TypeError, "a metric is called as metric.rollout, item."),
    ([lambda rollout, item: 1], ValueError, "'<lambda>'; give each a name"),
    ([brightness, brightness], ValueError, "2 metrics are called 'brightness'"),
    ([ByTheBatch()], ValueError, "batched needs 'reference' of every item, and 'i00' has none"),
])
def test_what_could_not_be_measured_is_refused_before_the_first_turn(metrics, error, words):
    policy = Policy()
    with pytest.raises(error, match=words):
        evaluate(policy, items(2), metrics=metrics, **FAKES)
    assert policy.seen == []


def test_any_function_is_a_judge_and_one_that_always_fails_ends_the_evaluation():
    assert evaluate(Policy(), items(2), renderer=Pictures(), judge=lambda a, b: 0.5).summary["vision"] == 0.5
    policy = Policy()

    def broken(target, image):
        return 1 / 0

    with pytest.raises(
        JudgeStopped, match="failed the same way on all 8 pictures.*ZeroDivisionError: division by zero"
    ):
        evaluate(policy, items(20), batch=4, renderer=Pictures(), judge=broken)
    assert len(policy.seen) == 8


def test_a_judge_that_fails_now_and_then_leaves_its_items_unscored():
    def moody(target, image):
        return 0.5 if target.getpixel((0, 0))[0] % 2 else math.nan

    report = evaluate(Policy(), items(12), renderer=Pictures(), judge=moody)
    assert report.summary["unscored"] == 6 and report.summary["vision"] == 0.5


# --------------------------------------------------------------------------- said first, cut off, shared

@pytest.mark.parametrize("wrong, words", [
    ({"metrix": []}, "unexpected keyword argument 'metrix'"),
    ({"judge": 3}, "judge"),
    ({"images": ["chart.png"]}, "a PIL image is needed, got str: open it with"),
    ({"images": [{"id": "a", "image": "chart.png"}]}, "a PIL image is needed, got str: open it with"),
])
def test_what_cannot_be_played_is_said_before_the_first_turn(wrong, words):
    policy = Policy()
    with pytest.raises(TypeError, match=words):
        evaluate(policy, **{"images": items(2)} | FAKES | wrong)
    assert policy.seen == []


def test_a_path_is_no_picture_to_play():
    with pytest.raises(TypeError, match="a PIL image is needed, got str: open it with"):
        play(Policy(), "chart.png", **FAKES)


class Wordy(Policy):
    """Is cut off in the middle of its first `n` turns."""

    def write(self, talks):
        super().write(talks)
        return [Written("<think>on and on", cut=True) if shade(talk) < self.n else ANSWER for talk in talks]


def test_an_evaluation_warns_where_more_than_a_tenth_of_the_turns_was_cut_off(tmp_path):
    with pytest.warns(UserWarning, match="15% of the turns of 'evaluation' were cut off.*max_new_tokens"):
        report = evaluate(Wordy(n=3), items(20), record=tmp_path, **FAKES)
    assert report.summary["cut"] == 0.15 == Report(load_rollouts(tmp_path)).summary["cut"]
    assert report.numbers().loc["turns cut off at the length limit, share", "value"] == 0.15
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        report = evaluate(Wordy(n=2), items(20), **FAKES)
    assert report.summary["cut"] == 0.1 and "cut off" in report.to_markdown()
    assert "cut off" not in evaluate(Policy(), items(2), **FAKES).to_markdown()


SHARED = """
import os, sys
sys.path.insert(0, {tests!r})
from test_evaluate import FAKES, Policy, items
from accelerate import PartialState
from rrvf_lab.evaluate import evaluate

class Counting(Policy):
    def write(self, talks):
        texts = super().write(talks)
        with open(sys.argv[1] + "/played-" + os.environ["RANK"], "a") as file:
            file.write("".join(f"{{k}} " for k in self.seen[-len(talks):]))
        return texts

processes = PartialState(cpu=True)
for n, resume in ((3, False), (11, True)):
    report = evaluate(Counting(), items(n), record=sys.argv[1] + "/e", name="before", batch=2, resume=resume,
                      processes=processes, **FAKES)
    assert (report is None) == (processes.process_index > 0)
    assert report is None or report.summary["n"] == n
"""


@pytest.mark.slow
def test_processes_share_an_evaluation_and_the_first_reports_it(tmp_path):
    program = tmp_path / "shared.py"
    program.write_text(SHARED.format(tests=str(Path(__file__).parent)))
    launcher = str(Path(sys.executable).with_name("accelerate"))
    subprocess.run([launcher, "launch", "--multi_gpu", "--num_processes", "2", str(program), str(tmp_path)],
                   check=True, capture_output=True, timeout=300,
                   env=os.environ | {"CUDA_VISIBLE_DEVICES": ""})  # two processes want two GPUs or none
    played = [sorted(map(int, (tmp_path / f"played-{rank}").read_text().split())) for rank in (0, 1)]
    assert sorted(played[0] + played[1]) == list(range(11)) and abs(len(played[0]) - len(played[1])) <= 2
    stored = load_rollouts(tmp_path / "e")
    assert [r.id for r in stored] == [f"i{k:02d}" for k in range(11)]
    assert {r.info["name"] for r in stored} == {"before"}
    assert [p.name for p in (tmp_path / "e").glob("*.jsonl")] == ["before.jsonl"]


@pytest.mark.parametrize("blind", [False, True, "text"])
def test_a_blind_control_is_recorded_as_one(blind):
    report = evaluate(Policy(), items(1), 1, blind=blind, **FAKES)
    assert report.rollouts[0].info.get("blind", False) == blind
