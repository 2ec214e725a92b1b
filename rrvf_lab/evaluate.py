"""Run a policy over images, and say what it scored and how sure that is: execution, vision, every turn, with
n.

An evaluation can be stopped at any moment. What is played is on disk, batch by batch, in files that are whole
or absent; with `resume` only what is missing is played. An item whose policy fails (an endpoint that is down)
is named and stays undone, it never counts as 0. A policy with a `concurrency` above 1 (an endpoint) plays
that many items at once, each on its own; any other plays `batch` items in step, so that a model generates for
all of them together.

Metrics are functions passed in, and are measured after playing (see `records.metrics`).

Left out: two processes that write one recording; the figure's size in the prompt, which ChartMimic's prompt
tells (our loop shows nothing but the image).
"""

from __future__ import annotations

import warnings
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, as_completed

from .environment import Episode
from .judge import JudgeStopped, as_judge, stop_where_none_scored
from .leaves.pictures import rgb
from .play import play_many
from .records import Report, warn_of_cuts
from .records import metrics as measuring
from .records.recording import Recording

SHARE = "~"   # between a recording's name and its parts; `Recording` joins them
PATIENCE = 8  # pictures that a judge may fail on, all alike, before an evaluation ends


def evaluate(policy, images, max_turns: int = 3, record=None, name: str = "evaluation", resume: bool = False,
             batch: int = 32, metrics=(), processes=None, **environment) -> Report | None:
    """Play one rollout for each image and add them up.

    Args:
        policy: anything with `write`; with `concurrency` above 1 it is asked from so many threads.
        images: what `load_images` or `load_benchmark` gives, or any sequence of its rows or of PIL images.
        record: a folder for the rollouts, as `name`.jsonl; `info` has the name, max_turns and kind of each.
        resume: keep what is recorded there under this name and play the rest; else it is replaced.
        metrics: functions of (rollout, item), such as `benchmarks.chartmimic`; see `records.metrics`.
        processes: those of a launch (accelerate's `PartialState`), each of which makes this call: they share
            the items, need a `record` that all see, and only the first gets the report, the others None.
        environment: goes to `Episode` (`judge`, `renderer`, `blind`, ...).

    Warns where more than a tenth of the turns was cut off at the policy's length limit. Raises ValueError for
    ids that occur twice, and when resuming what was recorded for other pictures or turns; TypeError for a
    metric that is no function, an item that is no picture and an option that `Episode` does not have;
    RuntimeError when the policy failed on every item; JudgeStopped when the judge failed alike on every
    picture.

    Example: `evaluate(load_policy("nano"), load_images("data/charts/test"), record="runs/e", resume=True)`.
    """
    ids = _ids(images)
    row_of = {id: i for i, id in enumerate(ids)}

    def item(id):
        return _row(images, row_of[id], id)

    if "judge" in environment:
        environment["judge"] = environment["judge"] and as_judge(environment["judge"])
    _check(images, ids, metrics, max_turns, environment)
    if processes is not None and processes.num_processes > 1:
        options = {"max_turns": max_turns, "batch": batch} | environment
        resume = _play_shares(processes, policy, ids, item, record, name, resume, options)
        if not processes.is_main_process:
            return None
    recording = Recording(record, name, resume) if record is not None else None
    done = _done(recording, ids, item, max_turns) if recording else {}
    missing = [id for id in ids if id not in done]

    def work(some):
        rollouts, failed = _played(policy, list(map(item, some)), max_turns, environment)
        for rollout in rollouts:
            rollout.info.update(name=name.partition(SHARE)[0], max_turns=max_turns)
            if environment.get("blind"):
                rollout.info["blind"] = environment["blind"]
        if recording and rollouts:
            recording.add(rollouts)
        return rollouts, failed

    undone = _play_all(work, missing, getattr(policy, "concurrency", 1), batch, name, done)
    undone = {id: undone[id] for id in ids if id in undone}  # threads end in any order
    if recording:
        recording.join(ids)
    _say_what_is_undone(undone, done, len(ids), record, name)
    rollouts = [done[id] for id in ids if id in done]
    for metric in metrics:
        measuring.measure(rollouts, item, metric, recording)
    warn_of_cuts(rollouts, f"{name!r}", "give the policy more, load_policy(..., max_new_tokens=...)")
    return Report(rollouts, undone={id: _line(error) for id, error in undone.items()})


def _check(images, ids, metrics, max_turns, environment):
    """Say what is wrong before anything is played."""
    Episode(max_turns=max_turns, **environment)
    if ids:
        rgb(_row(images, 0, ids[0])["image"])
    if metrics:
        bare = images.remove_columns("image") if hasattr(images, "remove_columns") else images  # no decoding
        for i, id in enumerate(ids):
            measuring.check(metrics, _row(bare, i, id))


def _play_shares(processes, policy, ids, item, record, name, resume, options):
    """Play what is missing, a share in each process, into files that the first then takes for parts of its
    recording; returns True, with which it goes on.

    A process that fails ends, and its launcher ends the others.
    """
    from accelerate.utils import broadcast_object_list

    if record is None:
        raise ValueError(f"record=None: {processes.num_processes} processes share an evaluation through its "
                         "record; give a folder that all of them see")
    missing = [None]
    if processes.is_main_process:
        done = _done(Recording(record, name, resume), ids, item, options["max_turns"])
        missing = [[id for id in ids if id not in done]]
    broadcast_object_list(missing)
    share = missing[0][processes.process_index::processes.num_processes]
    if share:
        name = f"{name}{SHARE}{processes.process_index}"
        evaluate(policy, list(map(item, share)), record=record, name=name, **options)
    processes.wait_for_everyone()
    return True


def _done(recording, ids, item, max_turns):
    """{id: rollout} of what is recorded, if it is what would be played."""
    done = recording.done(set(ids))
    for id, rollout in done.items():
        recording.check(rollout, item(id)["image"], max_turns)
    return done


def _play_all(work, missing, at_once, batch, name, done):
    """Play the missing ids into `done`; returns {id: exception} of those the policy failed on."""
    from tqdm.auto import tqdm

    size = 1 if at_once > 1 else batch
    groups = [missing[k:k + size] for k in range(0, len(missing), size)]
    undone, verdicts = {}, []
    with tqdm(total=len(done) + len(missing), initial=len(done), desc=name) as bar:
        for rollouts, failed in _results(work, groups, at_once):
            done |= {rollout.id: rollout for rollout in rollouts}
            undone |= failed
            verdicts += [turn.verdict for rollout in rollouts for turn in rollout.drafts if turn.ran]
            stop_where_none_scored(verdicts, PATIENCE)
            bar.update(len(rollouts) + len(failed))
    return undone


def _played(policy, rows, max_turns, environment):
    """(rollouts, {id: exception}) of some rows; where a batch fails its items are tried alone."""
    try:
        rollouts = play_many(policy, rows, max_turns, **environment)
    except JudgeStopped:
        raise
    except Exception as error:
        if len(rows) == 1:
            return [], {rows[0]["id"]: error}
        alone = [_played(policy, [row], max_turns, environment) for row in rows]
        failures = {id: problem for _, failed in alone for id, problem in failed.items()}
        return [rollout for made, _ in alone for rollout in made], failures
    for rollout, row in zip(rollouts, rows, strict=True):
        if row.get("kind") is not None:
            rollout.info["kind"] = row["kind"]
    return rollouts, {}


def _results(work, groups, at_once):
    if at_once == 1:
        yield from map(work, groups)
        return
    pool = ThreadPoolExecutor(at_once, thread_name_prefix="rrvf-evaluate")
    try:
        for made in as_completed([pool.submit(work, group) for group in groups]):
            yield made.result()
    finally:
        pool.shutdown(cancel_futures=True)


def _say_what_is_undone(undone, done, total, record, name):
    first = next(iter(undone.values()), None)
    if total and not done:
        raise RuntimeError(f"the policy failed on all {total} items; the first: {_line(first)}") from first
    if undone:
        how = "With record=FOLDER and resume=True they could be played alone"
        if record:
            how = f"To play only these: evaluate(..., record={str(record)!r}, name={name!r}, resume=True)"
        more = f" and {len(undone) - 5} more" if len(undone) > 5 else ""
        warnings.warn(f"{len(undone)} of {total} items are undone: {', '.join(list(undone)[:5])}{more}. "
                      f"The first: {_line(first)}. {how}", stacklevel=3)


def _ids(images):
    """The id of each item; its place where it has none."""
    if hasattr(images, "column_names"):
        given = list(images["id"]) if "id" in images.column_names else [""] * len(images)
    else:
        given = [image.get("id", "") if isinstance(image, dict) else "" for image in images]
    ids = [str(id) if id != "" else str(i) for i, id in enumerate(given)]
    twice = [id for id, times in Counter(ids).items() if times > 1]
    if twice:
        raise ValueError(f"{len(twice)} ids occur more than once, {twice[0]!r} the first; items are recorded "
                         "and paired by id: give each its own")
    return ids


def _row(images, i, id):
    row = images[i]
    return (row if isinstance(row, dict) else {"image": row}) | {"id": id}


def _line(error):
    return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no message'}"
