"""Self-contained pages: rollouts for slides and papers, one evaluation, report.html of a training run.

Pictures are inside, scripts and the network are forbidden to the page. What a policy wrote appears as the
picture that the renderer made or as escaped text. `gallery`, `report_html`, `comparison_html` are for cells.

Left out: anything to click; see the widgets.
"""

from __future__ import annotations

import math
from pathlib import Path

from ..diagnose import diagnose
from ..leaves.files import write_whole
from ..records import load_rollouts
from .diagnosis import diagnosis_html
from .html import card, document, drawn, folded, number, picture, row, says, table, text_html
from .ledger import ledger, ledger_html
from .plots import estimates, learning_curve, raster, scores
from .rollout import no_picture, reward_html, rollout_html, strip_html, turn_html

WAYS = {"turn": "After each turn", "part": "The judge's parts of the final render (those that ran)",
        "kind": "By kind"}  # what `Report.per` splits by
MEASURES = {"vision": ("vision score", "{:.3f}"), "se": ("&plusmn; standard error", "{:.3f}"),
            "exec": ("execution rate", "{:.1%}"),
            "vision_executed": ("vision score, executed only", "{:.3f}"),
            "vision_turn_1": ("score after turn 1", "{:.3f}"), "renders": ("renders a rollout", "{:.2f}"),
            "tool_calls": ("tool calls a rollout", "{:.2f}"), "answered": ("ended with an answer", "{:.1%}"),
            "malformed": ("malformed turns", "{:.1%}"), "n": ("images", "{}")}
FATES = ("repaired", "still_broken", "better", "worse", "copied", "kept")  # of later turns


# ------------------------------------------------------------------------------------------------- rollouts

def export(rollouts, path, title: str = "Rollouts") -> Path:
    """One self-contained HTML file of a rollout or of many: a group, highlights, a `Report`.

    Returns the path. Raises ValueError when there is no rollout.

    Example: `export(load_rollouts("runs/demo").where(step=3), "group.html", "Step 3")`.
    """
    rollouts = [rollouts] if hasattr(rollouts, "turns") else list(getattr(rollouts, "rollouts", rollouts))
    if not rollouts:
        raise ValueError("no rollouts to export; give a Rollout or some, such as "
                         "load_rollouts('data/rollouts')")
    parts = [row(_link(k, rollout) for k, rollout in enumerate(rollouts, 1))] if len(rollouts) > 1 else []
    parts += [_section(k, rollout) for k, rollout in enumerate(rollouts, 1)]
    return _write(path, title, parts)


def _write(path, title, parts):
    write_whole(path, document(title, parts))
    return Path(path)


def _link(k, rollout):
    body = picture(rollout.picture or rollout.target, f"final render {k}" if rollout.ran else
                   f"target {k}; its final program failed", 150)
    total = number(rollout.reward.total if rollout.reward else math.nan)
    return card(body, f'<a href="#r{k}">{k}</a>: reward {total}' + ("" if rollout.ran else ", failed"), 160)


def _section(k, rollout):
    info = [f"{name} {value}" for name, value in rollout.info.items() if isinstance(value, int | float | str)]
    about = text_html(", ".join([rollout.language, *info]), total=400)
    parts = [f"<h2>{k}. {text_html(rollout.id or 'rollout', total=80)}</h2><p>{about}</p>"]
    parts.append(strip_html(rollout, width=160))
    parts += [f"<h3>Turn {i}</h3>{turn_html(rollout, i)}" for i in range(1, len(rollout.turns) + 1)]
    parts += [reward_html(rollout.reward)] if rollout.reward else []
    return f'<section id="r{k}">{"".join(parts)}{ledger_html(ledger(rollout))}</section>'


def gallery(rollouts, title: str = "", width: int = 150, before=()) -> str:
    """HTML: target and final render of each rollout with its score; where it failed the error in its place.

    `before` are rollouts of another policy: what it drew of the same target is shown between the two.

    Example: `IPython.display.HTML(gallery(after.rollouts[:6], before=before.rollouts))`.
    """
    earlier, shown = {r.id: r for r in before}, []
    for r in rollouts:
        cells = [card(picture(r.target, f"target {r.id}", width), text_html(r.id, total=80), width)]
        both = {"before": earlier[r.id], "after": r} if r.id in earlier else {"final": r}
        for name, one in both.items():
            score = number(one.reward.vision) if one.ran else "failed"
            body = drawn(one.picture, f"{name} render of {r.id}", no_picture(one), width)
            cells.append(card(body, f"{name}: {score}", width))
        shown.append(row(cells))
    head = f"<h3>{text_html(title)}</h3>" if title else ""
    return f'{head}<div style="display:flex;flex-wrap:wrap;gap:8px 28px">{"".join(shown)}</div>'


# ---------------------------------------------------------------------------------------------- evaluations

def write_evaluation(report, path, title: str = "Evaluation") -> Path:
    """One page of an evaluation (`Report`): numbers with intervals and n, by turn, part and kind; galleries.

    Example: `write_evaluation(evaluate(policy, images), "evaluation.html")`, which is `report.to_html`.
    """
    n = len(report.rollouts)
    parts = [f"<p>{n} rollouts. Intervals: 95 %, percentile bootstrap over items. Failures count as 0 unless "
             "the line says otherwise; rollouts without a verdict are left out.</p>", numbers_table(report)]
    if report.undone:
        rows = "".join(f"<li>{text_html(id)}: {text_html(why)}</li>" for id, why in report.undone.items())
        parts.append(f"<p><b>{len(report.undone)} items are undone</b> and in no number:</p><ul>{rows}</ul>")
    turns = ", ".join(f"{number(line.value)} after turn {k}" for k, line in report.per("turn").iterrows())
    parts.append(_figure(scores(report), f"how the final scores of {n} rollouts spread; mean score {turns}"))
    kinds = any("kind" in r.info for r in report.rollouts)
    parts += [_split(words, report.per(way)) for way, words in WAYS.items() if way != "kind" or kinds]
    failed = [r for r in report.rollouts if not r.ran]
    first = ", the first twelve" if len(failed) > 12 else ""
    ran = sorted((r for r in report.rollouts if r.ran), key=lambda r: r.reward.vision)
    parts += [gallery(failed[:12], f"Failures: {len(failed)} of {n}{first}"),
              gallery(ran[:6], "The lowest scores of what ran"),
              gallery(ran[-6:][::-1], "The highest scores")]
    return _write(path, title, parts)


def report_html(report) -> str:
    """A report as a cell shows it: its sentence, three of its rollouts, and all numbers folded."""
    order = sorted(report.rollouts, key=lambda r: r.reward.vision)
    shown = [order[0], order[len(order) // 2], order[-1]] if len(order) > 2 else order
    return (says(text_html(repr(report)), "below: the lowest, the median and the highest score")
            + "".join(map(rollout_html, shown)) + folded("all numbers", numbers_table(report)))


def comparison_html(comparison) -> str:
    """A comparison as a cell shows it: its sentence, and what the effect is made of."""
    return says(text_html(repr(comparison))) + frame_table(comparison.split()) + frame_table(
        comparison.along_turns())


def numbers_table(report) -> str:
    """Every number of a report with its interval and n."""
    shown = report.shown()
    return table([map(text_html, line) for line in shown.itertuples(index=False)], shown.columns, "lrrr")


def frame_table(frame) -> str:
    """A pandas frame with its index as first column; numbers to three decimals, unknown ones left empty."""
    def said(value):
        if isinstance(value, float):
            return "" if math.isnan(value) else f"{value:.3f}"
        return text_html(value)

    rows = [map(said, line) for line in frame.itertuples()]
    return table(rows, (frame.index.name, *frame.columns), "l" + "r" * len(frame.columns))


def _split(words, frame):
    if not len(frame):
        return ""
    means = ", ".join(f"{name} {number(line.value, '.2f')} (n = {line.n:.0f})"
                      for name, line in frame.iterrows())
    shown = _figure(estimates(frame, "score"), f"{words}, mean score: {means}")
    return f"<h2>{words}</h2>{shown}{frame_table(frame)}"


def _figure(figure, alt):
    image = raster(figure)
    return picture(image, alt, image.width)


# ----------------------------------------------------------------------------------------------- a training

def write_run(folder, report: dict) -> Path:
    """report.html of a finished run, from what report.json holds and the rollouts of its two evaluations.

    Without an evaluation the page holds the curve alone. `install` has `training.report` call it.
    """
    config, before, after = report["config"], report.get("before"), report.get("after")
    imitated = config.get("rollouts")
    step = (f"{config['prompts']} recorded rollouts" if imitated else
            f"{config['prompts']} images x {config['group']} rollouts")
    parts = [f"<p>{report['steps']} steps of {step}, up to {config['max_turns']} turns, seed "
             f"{config['seed']}.</p>"]
    if after:
        parts.append(_gain(report))
    curve = learning_curve(report["log"], before, after)
    parts.append(_figure(curve, "learning curves: reward, behaviour, held-out score"))
    if after:
        parts += [_before_and_after(before, after), "<h2>Before and after, on held-out images</h2>",
                  "<p>The largest gains, the median, and the largest losses.</p>", _strips(Path(folder))]
    if not imitated:
        seconds = [(name, f"{value:.0f} s") for name, value in report["seconds_by"].items()]
        parts.append(f"<h2>Where the time went</h2>{table(seconds, align='lr')}")
        if any((Path(folder) / "rollouts").glob("*.jsonl")):
            parts.append(f"<h2>What may be wrong</h2>{diagnosis_html(diagnose(folder))}")
    if "seconds" in report:
        parts.append(f"<p>{report['seconds'] / 60:.1f} minutes in all, with both evaluations.</p>")
    how = "imitates recorded rollouts" if imitated else "trained on images alone"
    return _write(Path(folder) / "report.html", f"RRVF: {config['model']} {how}", parts)


def _gain(report):
    before, after = report["before"]["vision"], report["after"]["vision"]
    interval = f"{report['gain_low']:+.3f} to {report['gain_high']:+.3f}"
    return (f"<p><b>Held-out vision score {before:.3f} &rarr; {after:.3f}: paired gain {report['gain']:+.3f} "
            f"&plusmn; {report['gain_se']:.3f}</b> (standard error; 95 % interval {interval}; n = "
            f"{report['gain_n']} images nobody trained on).</p>"
            "<p>What it is made of: " + ", ".join(
                f"{part} {row['contribution']:+.3f} &plusmn; {row['se']:.3f}"
                for part, row in report.get("gain_along_turns", {}).items()) + ".</p>")


def _before_and_after(before, after):
    rows = [(name, style.format(before[key]), style.format(after[key]))
            for key, (name, style) in MEASURES.items()]
    rows += [(f"later turns: {fate.replace('_', ' ')}", before["second_turn"][fate],
              after["second_turn"][fate]) for fate in FATES]
    return table(rows, ("", "before", "after"), "lrr")


def _strips(folder, shown: int = 3):
    """The rollouts that gained most, those in the middle, and those that lost most."""
    recorded = load_rollouts(folder / "evaluation")
    old, new = ({r.id: r for r in recorded.where(name=name)} for name in ("before", "after"))
    order = sorted(new, key=lambda i: new[i].reward.vision - old[i].reward.vision, reverse=True)
    middle = len(order) // 2
    picked = dict.fromkeys(order[:shown] + order[middle:middle + shown] + order[-shown:])
    return gallery([new[i] for i in picked], width=320, before=old.values())
