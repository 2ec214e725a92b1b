"""The findings: each a small function of an `Evidence` that says what is wrong, or None.

Add your own the same way and pass it: `diagnose(run, [*FINDINGS, mine])`. Three kinds: what cannot happen in
a sound run (chance 0), what chance alone hardly makes (its p-value in `chance`, corrected for the number of
looks), and shares whose 95 % interval lies beyond the named bound.

Left out: causes. A finding says what the records show and what to try.
"""

from __future__ import annotations

import functools
import re
from collections import Counter, defaultdict

import numpy as np

from ..judge.pixel import PixelJudge
from ..records.statistics import known, mean, share
from ..talk import CUT
from ..training.advantages import FLAT, advantages
from .finding import LOST, NOTE, WRONG, Finding, above_zero, average, more_than, over_steps, rate, trend

EXACT = 1e-6   # of numbers that are stored in full
SHOWN = 12     # rollouts named by a finding
LONG = 30      # steps after which a policy should have lost the faults it came with
NEIGHBOURS = 8  # pictures for the same target that a turn's sentences are looked for in
NOTHING = 0.1  # what a picture that has nothing of its target earns by the embedded judge, at most
OFF = 0.1      # nats a token between sampler and update; in sound runs of nano below 0.05
TIME = re.compile(r"time-?out|timed out|CPU time|stopped after", re.IGNORECASE)
RANDOM = re.compile(r"random|rand\(|randn|uuid|time\(|now\(|today\(")


def _some(positions, by=None):
    positions = np.asarray(positions, int)
    if by is not None and len(positions):
        positions = positions[np.argsort(by, kind="stable")]
    return tuple(int(i) for i in dict.fromkeys(positions.tolist()))[:SHOWN]


def _share_of(run, turns):
    """The share of rollouts that have one of these turns."""
    return float(np.isin(np.arange(len(run)), run.turn.of[turns]).mean())


def _grown(run, values):
    """(whether a training made more of what its policy came with, the chance of that). What a policy comes
    with is for training to mend: in a short run only its growth is a finding. The first is None for an
    evaluation and for a run long enough to have mended it, where the share itself counts."""
    steps = len(np.unique(run.step[~np.isnan(run.step)]))
    if steps < 2:
        return None, 0.0
    order, chance = over_steps(run, values)
    if order > 0 and chance < 0.001:
        return True, chance
    return None if steps >= LONG else False, 0.0


def _last_third(run):
    """Whether each rollout is of the last third of the steps; all of an evaluation's."""
    steps = np.unique(run.step[~np.isnan(run.step)])
    return np.isin(run.step, steps[-max(1, len(steps) // 3):]) if len(steps) > 1 else np.ones(len(run), bool)


# ---- the numbers of a reward -------------------------------------------------------------------------------

def reward_is_not_its_terms(run):
    """The total is the weighted sum of three terms; fitted, it shows a flipped sign, a constant, a weight."""
    terms = np.stack([run.vision, run.format, run.tool], 1)
    there = ~np.isnan(terms).any(1) & ~np.isnan(run.total)
    said = np.array([run.weights[part] for part in ("vision", "format", "tool")])
    away = run.total[there] - terms[there] @ said
    off = np.abs(away)
    if not len(off) or off.max() < 1e-4:
        return None
    words, flipped = _fitted(terms[there], run.total[there], said) if np.ptp(away) > 1e-4 else (None, [])
    words = words or [f"a constant {away[0]:+.3g}" if np.ptp(away) < 1e-4 else
                      f"it differs by up to {off.max():.3g}, and no other weights explain that"]
    what = f"the sign of {' and '.join(flipped)} is turned" if flipped else \
        "the total is not the weighted sum of its terms"
    return Finding("reward sign flipped" if flipped else "reward is not its terms",
                   f"The reward that was trained on is another one than the settings say: {what}.",
                   f"recorded total against vision, format and tool of {there.sum():,} rollouts: "
                   f"{'; '.join(words)}", WRONG, float((off > 1e-4).mean()),
                   "the policy is pushed towards something nobody asked for",
                   "compare the reward function with `reward.reward`; look at the terms of these rollouts",
                   _some(np.flatnonzero(there)[off > 1e-4], -off[off > 1e-4]))


def _fitted(terms, total, said):
    """(which weights explain the totals, in words; the names of the terms whose sign is turned), or (None,
    [])."""
    moving = np.ptp(terms, axis=0) > EXACT
    design = np.column_stack([terms[:, moving], np.ones(len(terms))])
    if np.linalg.matrix_rank(design) < design.shape[1] or len(design) <= design.shape[1]:
        return None, []
    fit, *_ = np.linalg.lstsq(design, total, rcond=None)
    if np.abs(total - design @ fit).max() > 1e-3:
        return None, []
    names = [name for name, moves in zip(("vision", "format", "tool"), moving, strict=True) if moves]
    pairs = list(zip(names, fit, said[moving], strict=False))
    words = [f"{name} x {w:+.3g} where {s:+.3g} is said" for name, w, s in pairs if abs(w - s) > 1e-3]
    constant = fit[-1] - float(terms[0, ~moving] @ said[~moving])
    words += [f"a constant {constant:+.3g}"] if abs(constant) > 1e-3 else []
    return words, [name for name, w, s in pairs if w * s < -1e-6]


def vision_is_not_the_final_verdict(run):
    """The vision term is the judge's score of the final code: failures 0, unscored NaN."""
    lost = run.ran & np.isnan(run.final) & ~np.isnan(run.vision)
    other = run.ran & ~lost & (np.abs(run.vision - run.final) > EXACT)
    paid = ~run.ran & (run.vision > EXACT)
    bad = lost | other | paid
    if not bad.any():
        return None
    words = [f"{count.sum():,} {what}" for count, what in (
        (lost, "without a verdict have a score"), (other, "have another score than their verdict"),
        (paid, "drew nothing and are paid for it")) if count.any()]
    return Finding("unscored counts as a score" if lost.any() else "vision is not the verdict",
                   "The vision term of some rollouts is not what the judge said of their final picture.",
                   f"{rate(bad)}: {', '.join(words)}", WRONG, float(bad.mean()),
                   "their groups compare numbers that mean different things",
                   "an unscored rollout must stay NaN; look at who fills the score in",
                   _some(np.flatnonzero(bad)))


def unscored_as_zero(run):
    """A picture with the score 0 from a judge that failed, not from one that compared."""
    turn = run.turn
    said = np.array([reason.startswith("judge:") for reason in turn.reason], bool)
    hit = turn.ran & (turn.score == 0) & (said | (turn.feedback == "The judge failed."))
    if not hit.any():
        return None
    reasons = Counter(re.sub(r"\d+", "#", turn.reason[i])[:120] for i in np.flatnonzero(hit))
    return Finding("unscored as zero", "Pictures that the judge failed on count as the worst pictures.",
                   f"{rate(hit[turn.ran])} of the pictures; most often: {reasons.most_common(1)[0][0]}",
                   WRONG, _share_of(run, hit),
                   "good pictures are pushed away wherever the judge failed",
                   "give NaN for what could not be judged (`Verdict.unscored`)", _some(turn.of[hit]))


def pictures_without_comparison(run):
    """Zeros that nobody compared: without the parts of the others, or of pictures as good as the others."""
    turn = run.turn
    there, parted = turn.ran & ~np.isnan(turn.score), turn.ran & turn.parts
    hit = there & ~turn.parts & (turn.score == 0)
    if not hit.any() or unscored_as_zero(run):
        return None
    why = "have score 0 and no parts, as no compared one has"
    again = sum(_sometimes_zero(run, some) for some in _judged_twice(run).values())
    if again:
        why = f"have score 0, and {again} of them another one when they were judged again"
    elif not run.embedded or parted.sum() < hit.sum():
        zero, chance = _zeros_are_as_good(run)
        if not zero or chance > 1e-3:
            return None
        why = f"have score 0; by the embedded judge they are as near to their targets as others ({zero})"
    return Finding("zeros without comparison", "Pictures have the score 0 although nobody compared them.",
                   f"{rate(hit[turn.ran])} of the pictures {why}", WRONG, _share_of(run, hit),
                   "good pictures are pushed away", "find out who scored these, and give NaN for a failure",
                   _some(turn.of[hit]))


def _zeros_are_as_good(run):
    """(scores of the embedded judge for what has the score 0 and for the others, in words; the chance that
    the first are at most half as good)."""
    told, now = _again(run)
    zero, other = now[told == 0], now[told > 0]
    if len(zero) < 3 or len(other) < 8:
        return "", 1.0
    return f"{average(zero)} against {average(other)}", above_zero(zero - mean(other) / 2)


def failures_that_are_not_the_programs(run):
    """Programs stopped for time: the same one drew its picture elsewhere, or many were stopped together."""
    turn = run.turn
    late = np.array([bool(TIME.search(error)) for error in turn.failed], bool) & ~turn.ran
    if not late.any():
        return None
    fine = {code for code in turn.code[turn.ran]}
    proven = late & np.array([code in fine for code in turn.code], bool)
    drafts = np.array([code is not None for code in turn.code], bool)
    if not proven.any() and share(late[drafts])["low"] < 0.02:
        return None
    proof = f"; {proven.sum():,} of them drew a picture another time" if proven.any() else ""
    return Finding("time-outs count as failures",
                   "Programs are stopped for time, and that counts as the program's failure.",
                   f"{rate(late[drafts])} of the drafts were stopped{proof}", WRONG if proof else LOST,
                   _share_of(run, late),
                   "noise in the reward: the same program is sometimes worth nothing",
                   "give the renderer fewer workers or more time: Renderer(workers=..., timeout=...)",
                   _some(turn.of[proven if proven.any() else late]))


def advantages_are_not_the_groups(run):
    """Advantages follow from rewards and groups; recorded ones that do not were made of something else."""
    if not run.groups or np.isnan(run.advantage).all():
        return None
    said = run.config.get("scale_rewards")
    best, off = None, None
    for scale in [said] if said in ("group", "batch", "none") else ("group", "batch", "none"):
        made = np.full(len(run), np.nan)
        for step in np.unique(run.step[run.group >= 0]):
            there = np.flatnonzero((run.step == step) & (run.group >= 0))
            made[there] = advantages(run.total[there], list(run.group[there]), scale)
        gone = np.abs(made - run.advantage)
        if best is None or np.nanmean(gone) < np.nanmean(off):
            best, off = made, gone
    there = ~np.isnan(off)
    bad = there & (off > 0.02 + 0.02 * np.abs(best))
    if share(bad[there])["low"] < 0.02:
        return None
    order = trend(best[there], run.advantage[there])[0]
    what = "the other way round" if order < -0.5 else "not in their order" if order < 0.5 else "other numbers"
    return Finding("advantages are not the groups'",
                   f"The advantages are not what the rewards of the groups give: {what}.",
                   f"{rate(bad[there])} differ; rank correlation {order:+.2f}", WRONG,
                   float(bad[there].mean()),
                   "rollouts are pushed by numbers that are not theirs",
                   "look whether groups are mixed between images, and which scale is used",
                   _some(np.flatnonzero(bad), -off[bad]))


def update_reads_another_text(run):
    """Tokens are as likely in the update as what it would sample, if it reads what the sampler read."""
    off = known([row.get("surprise", np.nan) for row in run.log])
    if len(off) < 2 or abs(mean(off)) < OFF or share(np.sign(off) == np.sign(mean(off)))["value"] < 0.9:
        return None
    chance = min(above_zero(off), above_zero(-off)) if len(off) > 2 else 1e-4
    more = mean(off) > 0
    return Finding("the update is of another text",
                   "The tokens that are learnt from are "
                   f"{'less' if more else 'more'} likely in the update than those it would sample itself.",
                   f"{average(off)} nats a token (steps); in a sound run 0", WRONG, 0.99 if more else 0.9,
                   "the gradient is of a policy that did not write these rollouts",
                   "compare what the sampler and the update are given: pixels, context, temperature, weights"
                   if more else "the sampler did not sample at the temperature of the update; is it greedy?",
                   (), 2 * chance)


# ---- which pictures ----------------------------------------------------------------------------------------

def groups_mixed(run):
    """A group is rollouts of one image."""
    bad = [some for some in run.groups if len(set(run.target[some])) > 1]
    if not bad:
        return None
    return Finding("groups mixed between images", "Groups hold rollouts of different images.",
                   f"{rate(len(bad), len(run.groups))} of the groups", WRONG,
                   sum(map(len, bad)) / len(run), "an easy image counts as a good rollout",
                   "keep the rollouts of an image together: the group size must divide each batch",
                   _some(np.concatenate(bad)))


def images_twice(run):
    """One picture under several names."""
    names = defaultdict(set)
    for target, id in zip(run.target, run.id, strict=True):
        names[target].add(id)
    twice = {target: ids for target, ids in names.items() if len(ids) > 1}
    if not twice:
        return None
    hit = np.isin(run.target, list(twice))
    example = ", ".join(sorted(map(str, next(iter(twice.values()))))[:4])
    return Finding("the same image under several names", "Some images are in the data more than once.",
                   f"{rate(len(twice), len(names))} of the images; for example {example}", WRONG,
                   float(hit.mean()), "they count more often, and n is smaller than it looks",
                   "take the copies out of the folder", _some(np.flatnonzero(hit)))


def held_out_in_training(run):
    """Pictures that were trained on and are evaluated."""
    shared = sorted(set(run.target) & run.held_out)
    if not shared:
        return None
    hit = np.isin(run.target, shared)
    return Finding("held-out images in training", "Images that measure the gain were trained on.",
                   f"{rate(len(shared), len(set(run.target)))} of the training images are held-out ones",
                   WRONG, float(hit.mean()), "the held-out score measures memory",
                   "keep the folders of train_images and test_images apart", _some(np.flatnonzero(hit)))


def target_in_the_render(run):
    """The target's very pixels from programs that differ: one may be the target's, several hardly are."""
    turn, programs = run.turn, defaultdict(set)
    same = turn.ran & (turn.picture == run.target[turn.of])
    for i in np.flatnonzero(same):
        programs[turn.picture[i]].add(_said(turn.code[i]))
    targets = [target for target, some in programs.items() if len(some) > 1]
    if len(targets) < 2 or more_than(len(targets), len(programs), 0.1) > 1e-4:
        return None
    hit = same & np.isin(turn.picture.astype(str), targets)
    return Finding("the target's own pixels come back",
                   "Programs that differ all draw the very pixels of their target.",
                   f"{rate(hit[turn.ran])} of the pictures, of {len(targets)} images; up to "
                   f"{max(map(len, programs.values()))} programs for one", WRONG,
                   min(1.0, 2 * _share_of(run, hit)),  # before what follows from it
                   "the score is full without a program that draws anything",
                   "keep the target out of the sandbox's reach; read these programs",
                   _some(turn.of[hit]))


def _said(code):
    """The words and numbers of a program: what stays the same where only its form differs."""
    return tuple(sorted(re.findall(r"[\w.]+", code)))


def pictures_do_not_follow_programs(run):
    """The same program gives the same picture; another one rarely does."""
    turn, pictures = run.turn, defaultdict(set)
    plain = turn.ran & np.array([code is not None and not RANDOM.search(code) for code in turn.code], bool)
    for i in np.flatnonzero(plain):
        pictures[run.rows[turn.of[i]]["language"], turn.code[i]].add(turn.picture[i])
    torn = {code for (_, code), names in pictures.items() if len(names) > 1}
    again = sum(count > 1 for count in Counter(turn.code[plain]).values())
    codes = defaultdict(set)
    for i in np.flatnonzero(plain):
        codes[turn.picture[i]].add((_said(turn.code[i]), run.target[turn.of[i]]))
    shared = [picture for picture, some in codes.items() if len({said for said, _ in some}) > 1]
    strange = [picture for picture in shared if len({target for _, target in codes[picture]}) > 1]
    if torn:
        hit = np.isin(turn.code.astype(str), list(torn)) & turn.ran
        said = f"{rate(len(torn), again)} of the programs that ran twice gave two pictures"
    elif min(more_than(len(shared), len(codes), 0.05), more_than(len(strange), len(codes), 0.01)) < 1e-4:
        hit = np.isin(turn.picture.astype(str), shared)
        said = (f"{rate(len(shared), len(codes))} of the pictures come from several programs, "
                f"{len(strange)} of them for different images")
    else:
        return None
    return Finding("pictures do not follow programs", "The picture that comes back is not the program's own.",
                   said, WRONG, _share_of(run, hit),
                   "scores and feedback are about another program",
                   "render one of these programs again and compare; look for a cache or a shared file",
                   _some(turn.of[hit]))


# ---- the judge ---------------------------------------------------------------------------------------------

def judge_says_one_thing(run):
    """One score for many pictures: constant, or saturated at its highest."""
    turn = run.turn
    there = turn.ran & ~np.isnan(turn.score)
    if len(set(turn.picture[there])) < 8:
        return None
    value, count = Counter(np.round(turn.score[there], 6)).most_common(1)[0]
    highest = np.round(turn.score[there], 6).max()
    if count == there.sum() and value < 1:
        name, says = "judge constant", f"The judge gives every picture the score {value:g}."
    elif value == highest and more_than(count, there.sum(), 0.5) < 1e-4:
        name, says = "judge saturated", f"The judge gives most pictures its highest score, {value:g}."
    elif run.embedded and value == highest and _far(run, value):
        name, says = "judge saturated", f"Pictures far from their target have the highest score, {value:g}."
    elif more_than(count, there.sum(), 0.5) < 1e-4:
        name, says = "judge nearly constant", f"The judge gives most pictures the same score, {value:g}."
    else:
        return None
    hit = there & (np.round(turn.score, 6) == value)
    return Finding(name, says, f"{rate(count, there.sum())} of the pictures", WRONG, count / there.sum(),
                   "no difference between pictures is left to learn from",
                   "audit the judge: rl.audit(judge, images)", _some(turn.of[hit]))


def _far(run, value):
    """Whether pictures with this score are mostly no copies of their target, by the embedded judge."""
    told, now = _again(run)
    same = now[np.abs(told - value) < EXACT]
    return len(same) > 2 and share(same < 0.9)["low"] > 0.4


def _again(run):
    """Scores as they were recorded, and as the embedded judge gives them now, of a sample."""
    told = np.array([run.turn.score[one["turn"]] for one in run.judged_again])
    return told, np.array([one["verdict"].score for one in run.judged_again])


def _judged_twice(run):
    """{(target, picture): turns} of those that were judged more than once."""
    turn, where = run.turn, defaultdict(list)
    compared = np.array([not reason.startswith("judge:") for reason in turn.reason], bool)
    for i in np.flatnonzero(turn.ran & ~np.isnan(turn.score) & compared):
        where[run.target[turn.of[i]], turn.picture[i]].append(i)
    return {pair: some for pair, some in where.items() if len(some) > 1}


def _sometimes_zero(run, some):
    """Whether one picture got 0 and otherwise one and the same score: it was not compared each time."""
    scores = run.turn.score[some]
    return scores.min() == 0 < scores.max() and np.ptp(scores[scores > 0]) < EXACT


def judge_is_noisy(run):
    """The same two pictures get different scores."""
    twice = _judged_twice(run)
    again = {pair: run.turn.score[some] for pair, some in twice.items() if not _sometimes_zero(run, some)}
    differ = [pair for pair, some in again.items() if np.ptp(some) > EXACT]
    if not differ:
        return None
    noise = float(np.sqrt(np.mean([np.var(some, ddof=1) for some in again.values()])))
    spread = float(np.sqrt(np.mean([np.nanvar(run.vision[some], ddof=1) for some in run.groups]))) \
        if run.groups else float(np.nanstd(run.vision))
    part = min(1.0, noise**2 / max(spread**2, 1e-12))
    return Finding("judge noisy", "The judge gives the same two pictures different scores.",
                   f"{rate(len(differ), len(again))} of the pairs that were judged more than once; noise "
                   f"{noise:.3f} (standard deviation), spread within groups {spread:.3f}",
                   WRONG if run.embedded or part > 0.2 else LOST, part,
                   f"about {part:.0%} of the differences within groups are noise",
                   "temperature 0, or the mean of several answers; larger groups",
                   _some([run.turn.of[i] for pair in differ for i in twice[pair]]))


def several_judges(run):
    """One run, scored by more than one judge: resumed with another one, or folders thrown together."""
    if len(run.judges) < 2:
        return None
    of = np.array([str(row["info"].get("judge")) for row in run.rows])
    counts = ", ".join(f"{name} {np.mean(of == name):.0%}" for name in run.judges)
    mixed = [len({*of[some]}) > 1 for some in run.groups]
    return Finding("several judges", "The rollouts were scored by several judges.",
                   f"{counts} of {len(run):,} rollouts; {sum(mixed)} of {len(mixed)} groups mix them", WRONG,
                   1 - max(np.mean(of == name) for name in run.judges),
                   "a curve over steps shows the change of the judge, not of the policy",
                   "resume with the same judge (settings name one, make_trainer(judge=...) gives one), or "
                   "score all alike: rl.rejudge(run, judge)",
                   _some(np.flatnonzero(of != run.judges[0])))


def judge_gave_other_scores(run):
    """The embedded judge, asked again, gives other scores: another version, noise, or something else."""
    if not run.embedded or len(run.judged_again) < 8:
        return None
    told, now = _again(run)
    bad = np.abs(told - now) > 0.01
    if share(bad)["low"] < 0.05 or judge_says_one_thing(run) or judge_saw_pictures_swapped(run) \
            or not bad[told > 0].any() and pictures_without_comparison(run):
        return None
    (order, _), gone = trend(now, told), (told - now)[bad]
    if order > 0.95 and share(bad)["low"] > 0.5:
        name, what = "judge: another version", "in nearly the same order: another version of the judge"
    elif share(bad)["low"] > 0.5 and order > 0.3 and above_zero(gone) > 0.001 < above_zero(-gone):
        name, what = "judge noisy", "sometimes more, sometimes less"
    else:
        name, what = "judge: scores are not the judge's", "in another order"
    if name == "judge noisy" and judge_is_noisy(run):
        return None  # said there, from pairs that were judged more than once
    return Finding(name, f"The embedded judge now gives other scores: {what}.",
                   f"{rate(bad)} of a sample differ by more than 0.01, on average by "
                   f"{mean(np.abs(told - now)):.3f} (mean difference {average(told - now)}; rank correlation "
                   f"{order:+.2f})", NOTE if name == "judge: another version" else WRONG, float(bad.mean()),
                   "the run was not trained on the scores that are shown for it",
                   "check the order of the arguments judge(target, image), and which judge was passed",
                   _some(run.turn.of[[one["turn"] for one in run.judged_again]][bad],
                         -np.abs(told - now)[bad]))


def judge_saw_pictures_swapped(run):
    """What is recorded is what the embedded judge says with render and target exchanged, or nearer to it;
    also of a judge that was made of it."""
    turn = run.turn
    sample = [one for one in run.judged_again if one["verdict"].feedback != turn.feedback[one["turn"]]
              or abs(one["verdict"].score - turn.score[one["turn"]]) > 0.01]
    if len(sample) < 8 or 2 * len(sample) < len(run.judged_again):
        return None
    nearer, equal, judge = [], 0, PixelJudge()
    for one in sample[:20]:
        i, said = one["turn"], _vocabulary(turn.feedback[one["turn"]])
        other = judge(run.picture(turn.picture[i]), run.picture(run.target[turn.of[i]]))
        right, turned = _vocabulary(one["verdict"].feedback), _vocabulary(other.feedback)
        nearer.append(_alike(said, turned) - _alike(said, right))
        equal += abs(other.score - turn.score[i]) < EXACT and other.score > 0
    chance = 0.0 if equal > len(nearer) / 2 else max(above_zero(nearer), 1e-300)
    if chance > 0.01 or chance and not run.its_words:
        return None
    return Finding("judge: pictures swapped",
                   "The judge took the render for the target: what it calls missing is extra.",
                   f"{equal} of {len(nearer)} scores are exactly those of the swapped pictures; words shared "
                   f"with what it says of them minus of the right ones: {average(nearer)}", WRONG, 1.0,
                   "feedback points away from the target", "the order is judge(target, image)",
                   _some(turn.of[[one["turn"] for one in sample[:20]]], -np.array(nearer)), chance)


def scores_do_not_follow_pictures(run):
    """Whatever the judge is, pictures nearer to their target should score higher, by the embedded judge."""
    if run.embedded or len(run.judged_again) < 20:
        return None
    told = np.array([run.turn.score[one["turn"]] for one in run.judged_again])
    now = np.array([one["verdict"].score for one in run.judged_again])
    order, chance = trend(now, told)
    if order > 0 and chance < 0.05 or np.ptp(told) < EXACT:
        return None
    return Finding("scores do not follow pictures",
                   "The judge's scores have nothing to do with how near pictures are to their targets, as "
                   "the embedded judge sees it.",
                   f"rank correlation {order:+.2f} over {len(told)} pictures",
                   WRONG if order < 0 else LOST, 0.9, "the reward pushes anywhere",
                   "audit the judge: rl.audit(judge, images)",
                   _some(run.turn.of[[one["turn"] for one in run.judged_again]], now))


def feedback_of_another_image(run):
    """Sentences of the embedded judge should be nearer to what it says of this pair than of others."""
    if len(run.judged_again) < 15 or not run.its_words:
        return None
    sample, now = run.judged_again, [_vocabulary(one["verdict"].feedback) for one in run.judged_again]
    recorded = [run.turn.feedback[one["turn"]] for one in sample]
    same = np.mean([one["verdict"].feedback == words for one, words in zip(sample, recorded, strict=True)])
    if same > 0.5 or not any(recorded):
        return None
    said = [_vocabulary(words) for words in recorded]
    near = np.array([[_alike(a, b) for b in now] for a in said])
    own, others = np.diag(near), (near.sum(1) - np.diag(near)) / (len(near) - 1)
    evidence = ("words shared with what the judge says of the same pictures minus of others: "
                f"{average(own - others)}")
    if above_zero(own - others) < 0.01:  # of another rollout of the same image, or of another version
        moved = _told_of_a_neighbour(run)
        if not moved or share(moved)["low"] < 0.25:
            return None
        evidence = (f"{rate(moved)} of a sample are word for word what the judge says of another picture for "
                    "the same target, and not of their own")
    return Finding("feedback of another image",
                   "The sentences that the policy reads are not about its picture.", evidence, WRONG, 0.95,
                   "following the feedback leads away from the target",
                   "look at how verdicts are matched to rollouts",
                   _some(run.turn.of[[one["turn"] for one in sample]], own - others))


def _told_of_a_neighbour(run):
    """Of up to twenty turns whose sentences are not what the judge says of their picture: whether they are
    what it says of a picture recorded near them for the same target."""
    turn, judge, moved = run.turn, PixelJudge(), []
    wrong = [one["turn"] for one in run.judged_again if one["verdict"].feedback != turn.feedback[one["turn"]]]
    for i in wrong[:20]:
        target = run.target[turn.of[i]]
        near = np.flatnonzero(turn.ran & (run.target[turn.of] == target) & (turn.picture != turn.picture[i]))
        near = near[np.argsort(np.abs(turn.of[near] - turn.of[i]), kind="stable")]
        pictures = list(dict.fromkeys(turn.picture[near]))[:NEIGHBOURS]
        told = (judge(run.picture(target), run.picture(name)).feedback for name in pictures)
        moved.append(turn.feedback[i] in told)
    return moved


def _vocabulary(text):
    words = re.findall(r"\w+", text.lower())
    return {*words, *zip(words, words[1:], strict=False)}


def _alike(a, b):
    return len(a & b) / max(1, len(a | b))


def drafts_do_not_look(run):
    """A first draft should fit its own target better than another image's."""
    sample = [one for one in run.judged_again if run.turn.k[one["turn"]] == 0 and not np.isnan(one["other"])]
    if len(sample) < 15:
        return None
    own = np.array([one["verdict"].score for one in sample])
    gain = own - np.array([one["other"] for one in sample])
    # one that sees earns half of its score or more by its own target; here that is out of reach
    if mean(gain) + 1.64 * np.std(gain, ddof=1) / np.sqrt(len(gain)) > 0.4 * mean(own):
        return None
    same = Counter(run.turn.code[one["turn"]] for one in sample).most_common(1)[0][1]
    return Finding("drafts do not depend on the image",
                   "The first drafts fit another image as well as their own: the policy does not see it.",
                   f"score beside the own target minus beside another one: {average(gain)}; the most "
                   f"frequent program stands {same} times among {len(sample)}", WRONG, 0.95,
                   "nothing about images can be learnt",
                   "count image tokens and pictures of a prompt; is the context cut before the image?",
                   _some(run.turn.of[[one["turn"] for one in sample]], gain))


# ---- what is left to learn from ----------------------------------------------------------------------------

def no_spread(run):
    """Groups whose rewards are all equal teach nothing."""
    if not run.groups:
        return None
    flat = np.array([np.nanmax(run.total[some]) - np.nanmin(run.total[some]) < FLAT
                     if not np.isnan(run.total[some]).all() else True for some in run.groups])
    same = np.array([len({_words(run, i) for i in some}) == 1 for some in run.groups])
    if share(same)["low"] > 0.5:
        return Finding("one text in each group", "All rollouts of a group are the same text.",
                       f"{rate(same)} of the groups", WRONG, float(same.mean()),
                       "nothing is explored and nothing learnt",
                       "sample: temperature above 0 (settings say "
                       f"{run.config.get('temperature', 'nothing')}), and look whether the seed is set anew",
                       _some(np.concatenate([some for some, s in zip(run.groups, same, strict=True) if s])))
    if share(flat)["low"] < 0.5:
        return None
    return Finding("groups without spread", "Most groups have equal rewards.", f"{rate(flat)} of the groups",
                   LOST, float(flat.mean()), "these rollouts cost time and move nothing",
                   "larger groups, a higher temperature, harder or easier images",
                   _some(np.concatenate([some for some, f in zip(run.groups, flat, strict=True) if f])))


def _words(run, i):
    return tuple(turn["text"] for turn in run.rows[i]["turns"])


def vision_drowned(run):
    """How much of the differences within groups comes from the picture."""
    if len(run.groups) < 5:
        return None
    inside = [some[~np.isnan(run.total[some])] for some in run.groups]
    inside = [some for some in inside if len(some) > 1 and np.ptp(run.total[some]) > FLAT]
    if len(inside) < 5:
        return None
    drawn = run.weights["vision"] * run.vision
    both = np.array([(np.cov(drawn[some], run.total[some])[0, 1], np.var(run.total[some], ddof=1))
                     for some in inside])
    rng = np.random.default_rng(0)
    draws = both[rng.integers(0, len(both), (1000, len(both)))].sum(1)
    parts = draws[:, 0] / draws[:, 1]
    part, high = both[:, 0].sum() / both[:, 1].sum(), float(np.quantile(parts, 0.975))
    if high >= 0.5:
        return None
    return Finding("other terms drown the picture",
                   "Within groups the reward differs mostly by form and tool calls, not by the picture.",
                   f"the picture makes {max(0.0, part):.0%} of the differences within {len(inside)} groups "
                   f"(95 % interval {np.quantile(parts, 0.025):.0%} to {high:.0%}); weights {run.weights}",
                   LOST, 1 - max(0.0, part), "the policy learns form, and drawing later or never",
                   "lower the weights of format and tool (TrainConfig.reward)",
                   _some(np.concatenate(inside)))


def unscored(run):
    """Rollouts without a reward are kept out of everything."""
    lost = np.isnan(run.total)
    if share(lost)["low"] < 0.005:
        return None
    reasons = Counter(re.sub(r"\d[\d.]*", "#", run.turn.reason[i])[:100] for i in range(len(run.turn))
                      if run.turn.ran[i] and np.isnan(run.turn.score[i]))
    often = f"; most often: {reasons.most_common(1)[0][0]}" if reasons else ""
    return Finding("unscored rollouts", "The judge gave no score to some rollouts.", f"{rate(lost)}{often}",
                   LOST, float(lost.mean()), "smaller groups; what the judge fails on is never learnt",
                   "read the reasons; a longer time-out or another judge", _some(np.flatnonzero(lost)))


def cut_texts(run):
    """Turns that their length limit kept from being read."""
    turn = run.turn
    cut = np.array([error.startswith(CUT) for error in turn.error], bool)
    logged = mean(known([row.get("completions/clipped_ratio", np.nan) for row in run.log]))
    ends = np.isin(np.arange(len(run)), turn.of[cut])
    if share(ends)["low"] < 0.05:
        return None
    clipped = "" if np.isnan(logged) else f"; the trainer's log counts {logged:.0%} clipped"
    return Finding("answers cut by length", "Turns end at the length limit before they are finished.",
                   f"{rate(ends)} of the rollouts{clipped}", LOST, float(ends.mean()),
                   "unfinished turns count as malformed, whatever they would have drawn",
                   "raise max_new_tokens (now "
                   f"{run.config.get('max_new_tokens', 'not recorded')}) and max_completion_length",
                   _some(np.flatnonzero(ends)))


def talks_that_stop(run):
    """A rollout that ends on a tool call although turns are left: its reply found no room."""
    most = run.config.get("max_turns")
    if not most or not len(run):
        return None
    last = np.array([row["turns"][-1]["action"] if row["turns"] else None for row in run.rows], object)
    stop = (last == "render") & (run.turns < most)
    if share(stop)["low"] < 0.02:
        return None
    return Finding("context cut", "Rollouts end after a tool call although turns are left: the reply found "
                   "no room in the context.", rate(stop), LOST, float(stop.mean()),
                   "the policy never sees what it drew",
                   "raise max_completion_length, or lower max_image_tokens", _some(np.flatnonzero(stop)))


def malformed(run):
    """Turns that could not be read at all."""
    turn = run.turn
    hit = np.array([error.startswith("parse:") and not error.startswith(CUT) for error in turn.error], bool)
    if not len(hit):
        return None
    grown, chance = _grown(run, np.bincount(turn.of[hit], minlength=len(run)) / np.maximum(run.turns, 1))
    if grown is False or share(hit[_last_third(run)[turn.of]])["low"] < 0.1:
        return None
    often = Counter(turn.error[hit]).most_common(1)[0]
    return Finding("malformed turns", "Many turns cannot be read: neither a tool call nor an answer.",
                   f"{rate(hit)} of the turns; most often ({often[1]}): {often[0]}", LOST, float(hit.mean()),
                   "what such a turn would have drawn is never seen",
                   "read some; a longer cold start, or a longer max_new_tokens", _some(turn.of[hit]), chance)


# ---- what the policy does ----------------------------------------------------------------------------------

def gets_worse(run):
    """The mean score of steps falls."""
    steps = np.unique(run.step[~np.isnan(run.step)])
    if len(steps) < 6:
        return None
    order, chance = over_steps(run, run.vision)
    third = max(2, len(steps) // 3)
    before, after = (known(run.vision[np.isin(run.step, some)]) for some in (steps[:third], steps[-third:]))
    if order >= 0 or mean(after) >= mean(before):
        return None
    texts = [len({_words(run, i) for i in np.flatnonzero(np.isin(run.step, some))}) / max(1, len(known_))
             for some, known_ in ((steps[:third], before), (steps[-third:], after))]
    norm = known([row.get("grad_norm", np.nan) for row in run.log])
    size = f"; grad_norm up to {norm.max():.2g}" if len(norm) else ""
    return Finding("the score falls", "The policy gets worse while it is trained.",
                   f"vision {mean(before):.3f} in the first {third} steps, {mean(after):.3f} in the last "
                   f"(correlation with the step {order:+.2f}, n = {len(steps)} steps); different texts "
                   f"{texts[0]:.0%} then {texts[1]:.0%}{size}", LOST,
                   min(1.0, (mean(before) - mean(after)) / max(mean(before), 1e-6)), "the run is lost",
                   f"a tenth of the learning rate (now {run.config.get('learning_rate', 'not recorded')}); "
                   "look at what is rewarded: `rl.audit`", _some(np.flatnonzero(run.step == steps[-1])),
                   chance)


def sandbags(run):
    """First drafts get worse while the gain of later turns grows."""
    gain = run.vision - run.first
    steps = np.unique(run.step[~np.isnan(run.step)])
    if len(steps) < 6:
        return None
    first, later = ([mean(known(values[run.step == step])) for step in steps] for values in (run.first, gain))
    down, chance = over_steps(run, run.first)
    up, other = over_steps(run, gain)
    if down >= 0 or up <= 0 or mean(known(gain[_last_third(run)])) <= 0:
        return None
    return Finding("first drafts get worse", "The policy spoils its first draft and repairs it later.",
                   f"over {len(steps)} steps: first draft {first[0]:.3f} to {first[-1]:.3f} (correlation "
                   f"with the step {down:+.2f}), gain of later turns {later[0]:+.3f} to {later[-1]:+.3f} "
                   f"({up:+.2f})", LOST, min(1.0, abs(first[0] - first[-1])),
                   "the shown gain from feedback is not one", "pay the final picture, never the improvement",
                   _some(np.argsort(-gain)), max(chance, other))


def copies(run):
    """Later turns that repeat the code before them."""
    there = run.drafts > 1
    if not there.any() or share(run.copied[there])["low"] < 0.5:
        return None
    return Finding("later turns copy", "Most later turns repeat the program of the turn before.",
                   f"{rate(run.copied[there])} of the rollouts with a second draft", LOST,
                   float(run.copied[there].mean()), "turns are paid for in time and change nothing",
                   "pay tool calls less (reward.cap), or teach edits before training",
                   _some(np.flatnonzero(there & run.copied)))


def later_turns_harm(run):
    """Final code against first draft, of rollouts whose first draft ran."""
    there = (run.drafts > 1) & run.first_ran & ~np.isnan(run.vision)
    grown, chance = _grown(run, np.where(there, run.first - run.vision, np.nan))
    there &= _last_third(run)
    loss = (run.first - run.vision)[there]
    if grown is False or len(loss) < 10 or mean(loss) <= 0:
        return None
    return Finding("later turns harm", "The last turn is worse than the first draft, on average.",
                   f"change {average(-loss)} over rollouts whose first draft ran", LOST,
                   min(1.0, mean(loss)), "answering at once would score more",
                   "compare with the blind control: evaluate(policy, images, blind=True)",
                   _some(np.flatnonzero(there), -loss), max(above_zero(loss), chance, 1e-300))


def programs_that_forge(run):
    """Flagged programs: images in code, files, pages laid over."""
    if not run.flagged.any():
        return None
    more = run.total[run.flagged], run.total[~run.flagged]
    flags = Counter(flag for flags in run.forging for flag in flags)
    return Finding("programs that look like forging", "Some programs do what one does to forge pixels.",
                   f"{rate(run.flagged)}: {', '.join(f'{f} ({n})' for f, n in flags.most_common(3))}; reward "
                   f"{mean(known(more[0])):.3f} against {mean(known(more[1])):.3f}",
                   LOST if mean(known(more[0])) > mean(known(more[1])) else NOTE, float(run.flagged.mean()),
                   "the reward may be earned without drawing the target", "read these programs",
                   _some(np.flatnonzero(run.flagged), -run.total[run.flagged]))


def paid_for_nothing_drawn(run):
    """Pictures that have nothing of their target, as the embedded judge sees it, and are paid like others."""
    if run.embedded or paid_for_little_ink(run):
        return None
    (told, now), turn = _again(run), run.turn
    at = np.array([one["turn"] for one in run.judged_again], int)
    empty = now < NOTHING
    empty[empty] = [_ink(run.picture(turn.picture[i])) < 0.5 * _ink(run.picture(run.target[turn.of[i]]))
                    for i in at[empty]]
    if empty.sum() < 4 or (~empty).sum() < 8:
        return None
    paid, usual = told[empty], told[~empty]
    chance = above_zero(paid - mean(usual) / 2)
    if chance > 0.001:
        return None
    return _empty_paid(f"{rate(empty)} of a sample have less than half of their target's ink and nothing of "
                       f"it; they score {average(paid)}, others {average(usual)}", empty.mean(),
                       _some(turn.of[at][empty], -paid), chance)


def _empty_paid(evidence, part, rollouts, chance=0.0):
    return Finding("paid for nearly empty pictures", "Pictures with hardly any ink score as much as others.",
                   evidence, WRONG, max(0.95, float(part)),
                   "empty axes are the best that the policy can find",
                   "a reward that subtracts what a blank page earns, such as PixelJudge", rollouts, chance)


def paid_for_little_ink(run):
    """High scores for pictures that have hardly any of the target's ink."""
    turn = run.turn
    there = np.flatnonzero(turn.ran & ~np.isnan(turn.score))
    if len(there) < 8:
        return None
    high = there[turn.score[there] >= np.quantile(turn.score[there], 0.5)]
    little, at, ink = [], [], functools.cache(lambda name: _ink(run.picture(name)))
    for i in high[np.unique(np.linspace(0, len(high) - 1, min(60, len(high))).astype(int))]:
        try:
            little.append(ink(turn.picture[i]) < 0.2 * ink(run.target[turn.of[i]]))
            at.append(i)
        except OSError:  # a copy without its pictures
            continue
    if more_than(int(sum(little)), len(little), 0.05) > 1e-4:
        return None
    hit = np.array(at)[np.array(little, bool)]
    return _empty_paid(f"{rate(little)} of a sample of the better half of the scores have less than a fifth "
                       f"of their target's ink; they score {turn.score[hit].min():.2f} to "
                       f"{turn.score[hit].max():.2f}", np.mean(little), _some(turn.of[hit]))


def _ink(picture):
    """The share of pixels that differ from the most frequent colour."""
    small = np.asarray(picture.resize((96, 72)), int)
    shades = (small // 16) @ np.array([256, 16, 1])
    return float((shades != np.bincount(shades.ravel()).argmax()).mean())


FINDINGS = [
    reward_is_not_its_terms, vision_is_not_the_final_verdict, unscored_as_zero, pictures_without_comparison,
    failures_that_are_not_the_programs, advantages_are_not_the_groups,
    update_reads_another_text, groups_mixed, images_twice,
    held_out_in_training, target_in_the_render, pictures_do_not_follow_programs, several_judges,
    judge_says_one_thing, judge_is_noisy, judge_saw_pictures_swapped, judge_gave_other_scores,
    scores_do_not_follow_pictures, feedback_of_another_image,
    drafts_do_not_look, no_spread, vision_drowned, unscored, cut_texts, malformed, talks_that_stop,
    gets_worse, sandbags, copies, later_turns_harm, programs_that_forge, paid_for_little_ink,
    paid_for_nothing_drawn,
]
