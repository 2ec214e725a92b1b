"""Self-contained pages: report.html of a training run (curve, numbers, strips of pictures), and of one evaluation.

What a policy wrote appears as the picture that the renderer made or as escaped text, never live.

Left out: anything to click; see `export` for rollouts turn by turn, and the widgets.
"""

from __future__ import annotations

import base64
import html
import io
import json
from pathlib import Path

from ..rollout import load_rollouts, picture
from .rollout import text_html

CSS = """body{font:15px/1.5 system-ui,sans-serif;max-width:1080px;margin:2rem auto;padding:0 1rem;color:#222}
table{border-collapse:collapse}td,th{padding:.25rem .8rem;border-bottom:1px solid #ddd;text-align:right}
th:first-child,td:first-child{text-align:left}
.strip{display:grid;grid-template-columns:repeat(3,1fr);gap:.6rem;margin:.8rem 0}
figure{margin:0}figcaption{font-size:13px;color:#444}img{max-width:100%}"""


def write_report(folder, report: dict) -> Path:
    """Write both files into the run folder; without an evaluation the page holds the curve alone."""
    folder = Path(folder)
    (folder / "report.json").write_text(json.dumps(report, indent=2))
    path = folder / "report.html"
    path.write_text(_page(folder, report))
    return path


def write_evaluation(report, path, title: str = "Evaluation") -> Path:
    """One page of an evaluation (`Report`): numbers with intervals and n, by turn, part and kind, and galleries."""
    from .plots import estimates, scores

    n = len(report.rollouts)
    parts = [f"<h1>{html.escape(title)}</h1><p>{n} rollouts. Intervals: 95 %, percentile bootstrap over items. "
             "Failures count as 0 unless the line says otherwise; rollouts without a verdict are left out.</p>",
             _frame(report.shown())]
    if report.undone:
        rows = "".join(f"<li>{html.escape(str(id))}: {html.escape(why)}</li>" for id, why in report.undone.items())
        parts.append(f"<p><b>{len(report.undone)} items are undone</b> and in no number:</p><ul>{rows}</ul>")
    turns = ", ".join(f"{row.value:.3f} after turn {k}" for k, row in report.per("turn").iterrows())
    parts.append(_drawing(scores(report), f"how the final scores of {n} rollouts spread; mean score {turns}"))
    ways = {"turn": "After each turn", "part": "The judge's parts of the final render (those that ran)"}
    if any("kind" in r.info for r in report.rollouts):
        ways["kind"] = "By kind"
    for way, words in ways.items():
        frame = report.per(way)
        if len(frame):
            said = ", ".join(f"{name} {row.value:.2f} (n = {row.n:.0f})" for name, row in frame.iterrows())
            parts += [f"<h2>{words}</h2>", _drawing(estimates(frame, "score"), f"{words}, mean score: {said}"),
                      _frame(frame.round(3).reset_index())]
    failed = [r for r in report.rollouts if r.final is None or not r.final.ran]
    shown = ", the first twelve" if len(failed) > 12 else ""
    parts.append(gallery(failed[:12], f"Failures: {len(failed)} of {n}{shown}"))
    drawn = sorted((r for r in report.rollouts if r not in failed), key=lambda r: r.reward.vision)
    parts.append(gallery(drawn[:6], "The lowest scores of what ran"))
    parts.append(gallery(drawn[-6:][::-1], "The highest scores"))
    Path(path).write_text(_document(title, parts))
    return Path(path)


def gallery(rollouts, title: str = "", width: int = 150, before=()) -> str:
    """HTML: target and final render of each rollout, its score; for one that failed the error in its place.

    `before` are rollouts of another policy: what it drew of the same target is shown between the two.

        IPython.display.HTML(gallery(after.rollouts[:6], "before and after", before=before.rollouts))
    """
    earlier, cells = {r.id: r for r in before}, []
    for r in rollouts:
        pictures = [picture(r.target, f"target {r.id}", width)]
        drawn = [(earlier[r.id], "before"), (r, "after")] if r.id in earlier else [(r, "final")]
        pictures += [_drawn(one, f"{name} render of {r.id}", width) for one, name in drawn]
        scores = " → ".join(_scored(one) for one, _ in drawn)
        cells.append(f'<figure style="margin:4px"><div style="display:flex;gap:4px;align-items:center">'
                     f"{''.join(pictures)}</div><figcaption>{html.escape(r.id)}: {scores}</figcaption></figure>")
    head = f"<h3>{html.escape(title)}</h3>" if title else ""
    return f'{head}<div style="display:flex;flex-wrap:wrap;gap:8px">{"".join(cells)}</div>'


def _drawn(rollout, alt, width):
    if rollout.final is not None and rollout.final.ran:
        return picture(rollout.final.rendering.image, alt, width)
    return f'<div style="width:{width}px;font:12px monospace;overflow-wrap:anywhere">{text_html(_why(rollout))}</div>'


def _scored(rollout):
    return f"{rollout.reward.vision:.3f}" if rollout.final is not None and rollout.final.ran else "failed"


def _why(rollout):
    errors = [turn.error for turn in rollout.turns if turn.error]
    return errors[-1][:160] if errors else "no code"


def _frame(frame):
    return frame.to_html(index=False, border=0, na_rep="")


def _drawing(figure, alt):
    data = io.BytesIO()
    figure.savefig(data, format="png", dpi=110)
    return f'<img alt="{html.escape(alt)}" src="data:image/png;base64,{base64.b64encode(data.getvalue()).decode()}">'


def _document(title, parts):
    return (f"<!doctype html><html lang=en><meta charset=utf-8><title>{html.escape(title)}</title><style>{CSS}</style>"
            f"{''.join(parts)}</html>")


def _page(folder, report):
    from .plots import learning_curve

    before, after = report.get("before"), report.get("after")
    config = report["config"]
    parts = [f"<h1>RRVF: {html.escape(config['model'])} trained on images alone</h1>",
             f"<p>{report['steps']} steps of {config['prompts']} images x {config['group']} rollouts, up to "
             f"{config['max_turns']} turns, seed {config['seed']}.</p>"]
    if after:
        parts.append(f"<p><b>Held-out vision score {before['vision']:.3f} &rarr; {after['vision']:.3f}: paired gain "
                     f"{report['gain']:+.3f} &plusmn; {report['gain_se']:.3f}</b> (standard error; 95 % interval "
                     f"{report['gain_low']:+.3f} to {report['gain_high']:+.3f}; n = {report['gain_n']} images nobody "
                     "trained on).</p>")
    curve = learning_curve(report["log"], before, after)
    parts.append(_drawing(curve, "learning curves: reward, behaviour, held-out score"))
    if after:
        parts += [_table(before, after), "<h2>Before and after, on held-out images</h2>",
                  "<p>The largest gains, the median, and the largest losses.</p>", *_strips(folder)]
    seconds = "".join(f"<tr><td>{name}</td><td>{value:.0f} s</td></tr>" for name, value in report["seconds_by"].items())
    parts.append(f"<h2>Where the time went</h2><table>{seconds}</table>")
    if "seconds" in report:
        parts.append(f"<p>{report['seconds'] / 60:.1f} minutes in all, with both evaluations.</p>")
    return _document("RRVF report", parts)


def _table(before, after):
    rows = [("vision score", "vision", "{:.3f}"), ("&plusmn; standard error", "se", "{:.3f}"),
            ("execution rate", "exec", "{:.1%}"), ("vision score, executed only", "vision_executed", "{:.3f}"),
            ("score after turn 1", "vision_turn_1", "{:.3f}"), ("renders a rollout", "renders", "{:.2f}"),
            ("tool calls a rollout", "tool_calls", "{:.2f}"), ("ended with an answer", "answered", "{:.1%}"),
            ("malformed turns", "malformed", "{:.1%}"), ("images", "n", "{}")]
    body = "".join(f"<tr><td>{name}</td><td>{style.format(before[key])}</td><td>{style.format(after[key])}</td></tr>"
                   for name, key, style in rows)
    for name in ("repaired", "still_broken", "better", "worse", "copied", "kept"):
        body += (f"<tr><td>later turns: {name.replace('_', ' ')}</td><td>{before['second_turn'][name]}</td>"
                 f"<td>{after['second_turn'][name]}</td></tr>")
    return f"<table><tr><th></th><th>before</th><th>after</th></tr>{body}</table>"


def _strips(folder, shown: int = 3):
    recorded = load_rollouts(folder / "evaluation")
    old, new = ({r.id: r for r in recorded.where(name=name)} for name in ("before", "after"))
    order = sorted(new, key=lambda i: new[i].reward.vision - old[i].reward.vision, reverse=True)
    middle = len(order) // 2
    picked = dict.fromkeys(order[:shown] + order[middle:middle + shown] + order[-shown:])
    return [f'<div class="strip">{_figure(old[i].target, "target", f"target {i}")}{_final(old[i], "before")}'
            f'{_final(new[i], "after")}</div>' for i in picked]


def _final(rollout, when):
    final = rollout.final
    if final is None or not final.ran:
        return f"<figure><figcaption>{when}: {text_html(_why(rollout))}</figcaption></figure>"
    score = f"{when}: {rollout.reward.vision:.3f}"
    return _figure(final.rendering.image, score, f"render {when} training of {rollout.id}")


def _figure(image, caption, alt):
    return f"<figure>{picture(image, alt, 320)}<figcaption>{html.escape(caption)}</figcaption></figure>"
