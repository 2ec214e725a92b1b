"""`probe`: the same turn again under each intervention, written, rendered and judged, and compared with what
the policy does when all is as it was shown.

Written is greedily, so that what changes is what was changed. A score is that of the program that would count
had the rollout ended there, against the true image, also where another target was shown.

Left out: sampling, and playing on after the turn.
"""

from __future__ import annotations

import copy
from collections import Counter
from pathlib import Path

import numpy as np

from ..environment import Episode
from ..judge import as_judge
from ..judge import judge as pixel_judge
from ..training.runs import Run
from ..whatif.again import ask
from ..whatif.recorded import rollouts_of
from .checkpoints import checkpoints_of, gone, rollouts_of_run
from .effects import DREW, Curve, Probe
from .interventions import INTERVENTIONS
from .likelihood import mean_logprobs
from .sentences import followed, sentences_of
from .situations import images_of, situations_of

AT_ONCE = 16  # situations whose pictures are held together
SHOWN = "as shown"
WROTE = ("program", "earlier", "unread")  # of its own, one that was drawn before, nothing that could be read


def probe(policy, rollouts=None, most: int | None = 64, seed: int = 0, judge=None, renderer=None,
          max_turns: int | None = None) -> Probe | Curve:
    """Does a policy look at what it is shown, and read what it is told?

    Each second or later turn of recorded rollouts is asked for again, greedily, with one thing changed in the
    last reply (`interventions`): the render blank or another's, another target; no text, an empty phrase,
    another's sentences, other colour words. Reported is what that changes, paired: the log-probability of the
    turn that was recorded, the program, the score against the true image; and per kind of sentence how often
    the next draft followed it.

    Args:
        policy: what `load_policy` gives; anything with `write`, whose log-probabilities are then NaN; or a
            run folder (or `Run`), whose checkpoints are probed one after the other, from its untrained policy
            on, on the same turns: a `Curve` (for one over all steps train with `keep_checkpoints` null).
        rollouts: what `load_rollouts` and `play_many` give, a folder, a Report, a Run. A run folder's own by
            default: the held-out evaluation before training, else what it sampled.
        most: turns that are asked for, of rollouts drawn by `seed`, None for all. seed: also of who stands in
            for whom. judge, renderer: as `play` takes them. max_turns: what the policy is told, by default
            what the record says.

    Another's render, text or target is never of the same image, so with one image these stay NaN. Raises
    TypeError for what is no policy, ValueError where no rollout has a second turn, FileNotFoundError for a
    run without checkpoints.

    Example: `probe(load_policy("nano"), load_rollouts("data/rollouts/evaluation"))`.
    """
    if most is not None and most < 1:
        raise ValueError(f"most={most}: at least one turn has to be asked for; None asks for all")
    if isinstance(policy, (str, Path, Run)):
        run = policy if isinstance(policy, Run) else Run(policy)
        rollouts = rollouts_of(rollouts_of_run(run) if rollouts is None else rollouts)
        loads, options = checkpoints_of(run), (most, seed, judge, renderer, max_turns or run.config.max_turns)
        return Curve({step: probe(load(), rollouts, *options) for step, load in loads.items()},
                     gone(run, loads))
    if not hasattr(policy, "write"):
        raise TypeError(f"{type(policy).__name__} is no policy; give load_policy(name), or a run folder")
    if rollouts is None:
        raise TypeError("no rollouts to probe on; give those of rl.load_rollouts or rl.play_many")
    return _probed(_greedy(policy), rollouts_of(rollouts), most, seed, judge, renderer, max_turns)


def _probed(policy, rollouts, most, seed, judge, renderer, max_turns):
    from tqdm.auto import tqdm

    rng = np.random.default_rng(seed)
    difference = getattr(policy, "difference", False)
    found, left_out = situations_of(rollouts, most, rng, difference, max_turns)
    tries = [(one, image, _tries(one, found, rng)) for one, image in
             zip(found, images_of(found), strict=True)]
    judge = pixel_judge if judge is None else as_judge(judge)
    rows, told = [], []
    with tqdm(total=len(tries), desc="probe") as bar:
        for start in range(0, len(tries), AT_ONCE):
            some = tries[start:start + AT_ONCE]
            for (one, image, _), texts, logprobs in zip(some, *_asked(policy, some), strict=True):
                episode = _episode(one, judge, renderer, texts.values())
                ends = {name: episode.settle([*one.before, text]) for name, text in texts.items()}
                rows += _rows(one, int(image), ends, logprobs)
                told += _told(one, ends)
            bar.update(len(some))
    return Probe(rows, told, _notes(rows, told, left_out), type(policy).__name__, rollouts)


def _greedy(policy):
    """The policy as it writes at temperature 0."""
    if getattr(policy, "temperature", 0):
        policy = copy.copy(policy)
        policy.temperature = 0.0
    return policy


def _tries(one, situations, rng):
    """{intervention: conversation} of one situation: as shown first, then what can be changed of it."""
    made = {each.name: each.make(one, situations, rng) for each in INTERVENTIONS}
    return {SHOWN: one.talk} | {name: talk for name, talk in made.items() if talk is not None}


def _asked(policy, some):
    """What the policy writes in each conversation of some situations, and how likely it finds the recorded
    turn, as a dict by intervention for each of them."""
    names = [(k, name) for k, (_, _, talks) in enumerate(some) for name in talks]
    names.sort(key=lambda pair: pair[1] == INTERVENTIONS[0].name)  # the same again, among others than before
    talks = [some[k][2][name] for k, name in names]
    written = policy.write(talks)
    likely = mean_logprobs(policy, talks, [some[k][0].text for k, _ in names])
    texts, logprobs = [[{} for _ in some] for _ in range(2)]
    for (k, name), text, logprob in zip(names, written, likely, strict=True):
        texts[k][name], logprobs[k][name] = text, float(logprob)
    return texts, logprobs


def _episode(one, judge, renderer, texts):
    """An episode in which the recorded drafts are known, by this judge, and work on all of `texts` has begun.
    """
    episode = Episode(renderer=renderer, judge=judge)
    episode.open(one.rollout.target, one.rollout.language, one.rollout.id)
    known = set()
    for turn in one.kept:
        if turn.code is not None and turn.code not in known:
            known.add(turn.code)
            episode.put(turn.code, turn.rendering, ask(judge, one.rollout.target, turn.rendering))
    for text in texts:
        episode.take(text)
    return episode


def _rows(one, image, ends, logprobs):
    """A row for each intervention on one situation."""
    shown = ends[SHOWN]
    facts = {"rollout": one.index, "id": one.rollout.id, "turn": one.turn, "image": image}
    was = {"logprob shown": logprobs[SHOWN], "score shown": shown.reward.vision, "code shown": shown.code,
           "wrote": _wrote(one, shown)}
    return [facts | {"intervention": name, "logprob": logprobs[name], "score": end.reward.vision,
                     "code": end.code, "changed": end.code != shown.code} | was
            for name, end in ends.items() if name != SHOWN]


def _told(one, ends):
    """A row for each sentence that the last reply told."""
    def did(sentence, end):
        if end is None:
            return None
        return _drew_again(one, end) and followed(sentence, end.final.verdict.feedback, end.ran)

    sentences, shown, untold = sentences_of(one.score_and_words[1]), ends[SHOWN], ends.get("no text")
    rows = [{"kind": sentence[0], "followed": did(sentence, shown), "untold": did(sentence, untold)}
            for sentence in sentences]
    if rows:
        rows.append({"kind": DREW, "followed": _drew_again(one, shown),
                     "untold": untold and _drew_again(one, untold)})
    place = {"rollout": one.index, "turn": one.turn}
    return [place | row for row in rows]


def _drew_again(one, end) -> bool:
    """Whether the turn wrote a program of its own, and that one counts."""
    return end.choice is not None and end.choice >= len(one.kept)


def _wrote(one, end) -> str:
    """What the turn came to, in a word of `WROTE`."""
    if _drew_again(one, end):
        return WROTE[0]
    return WROTE[2] if (end.turns[-1].error or "").startswith("parse:") else WROTE[1]


def _notes(rows, told, left_out):
    notes = [f"{count} rollouts {reason} were left out." for reason, count in left_out.items()]
    wrote = Counter({(row["rollout"], row["turn"]): row["wrote"] for row in rows}.values())
    if len(wrote) > 1 or WROTE[0] not in wrote:
        notes.append(f"As shown, {wrote[WROTE[1]]} of {wrote.total()} turns kept an earlier program and "
                     f"{wrote[WROTE[2]]} could not be read; each counts with the program before it.")
    if all(np.isnan(row["logprob"]) for row in rows):
        notes.append("This policy does not tell log-probabilities, so those columns are NaN; "
                     "rl.load_policy(name) does.")
    if unscored := sum(np.isnan(row["score"]) or np.isnan(row["score shown"]) for row in rows):
        notes.append(f"{unscored} of {len(rows)} pairs have no score, as the judge failed: left out.")
    if len({row["image"] for row in rows}) < 2:
        notes.append("All of one image: nothing could stand in for it, and there are no intervals.")
    if not told:
        notes.append("No sentence of the embedded judge was told, so nothing is known of obedience.")
    return tuple(notes)
