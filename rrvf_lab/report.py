"""report.json and a self-contained report.html of a training run: curve, numbers, before/after strips of pictures."""

from __future__ import annotations

import base64
import html
import io
import json
from pathlib import Path

from .rollout import picture, load_rollouts

CSS = """body{font:15px/1.5 system-ui,sans-serif;max-width:1080px;margin:2rem auto;padding:0 1rem;color:#222}
table{border-collapse:collapse}td,th{padding:.25rem .8rem;border-bottom:1px solid #ddd;text-align:right}
th:first-child,td:first-child{text-align:left}.strip{display:grid;grid-template-columns:repeat(3,1fr);gap:.6rem;margin:.8rem 0}
figure{margin:0}figcaption{font-size:13px;color:#444}img{max-width:100%}"""


def write_report(folder, report: dict) -> Path:
    """Write both files into the run folder; without an evaluation the page holds the curve alone."""
    folder = Path(folder)
    (folder / "report.json").write_text(json.dumps(report, indent=2))
    path = folder / "report.html"
    path.write_text(_page(folder, report))
    return path


def _page(folder, report):
    from .plots import learning_curve

    before, after = report.get("before"), report.get("after")
    data = io.BytesIO()
    learning_curve(report["log"], before, after).savefig(data, format="png", dpi=130)
    curve = base64.b64encode(data.getvalue()).decode()
    config = report["config"]
    parts = [f"<h1>RRVF: {html.escape(config['model'])} trained on images alone</h1>",
             f"<p>{report['steps']} steps of {config['prompts']} images x {config['group']} rollouts, up to "
             f"{config['max_turns']} turns, seed {config['seed']}.</p>"]
    if after:
        parts.append(f"<p><b>Held-out vision score {before['vision']:.3f} &rarr; {after['vision']:.3f}: paired gain "
                     f"{report['gain']:+.3f} &plusmn; {report['gain_se']:.3f}</b> (standard error, n = {report['gain_n']} images "
                     "nobody trained on).</p>")
    parts.append(f'<img alt="learning curves: reward, behaviour, held-out score" src="data:image/png;base64,{curve}">')
    if after:
        parts += [_table(before, after), "<h2>Before and after, on held-out images</h2>",
                  "<p>The largest gains, the median, and the largest losses.</p>", *_strips(folder)]
    seconds = "".join(f"<tr><td>{name}</td><td>{value:.0f} s</td></tr>" for name, value in report["seconds_by"].items())
    parts.append(f"<h2>Where the time went</h2><table>{seconds}</table>")
    if "seconds" in report:
        parts.append(f"<p>{report['seconds'] / 60:.1f} minutes in all, with both evaluations.</p>")
    return f"<!doctype html><html lang=en><meta charset=utf-8><title>RRVF report</title><style>{CSS}</style>{''.join(parts)}</html>"


def _table(before, after):
    rows = [("vision score", "vision", "{:.3f}"), ("&plusmn; standard error", "se", "{:.3f}"), ("execution rate", "exec", "{:.1%}"),
            ("vision score, executed only", "vision_executed", "{:.3f}"), ("score after turn 1", "vision_turn_1", "{:.3f}"),
            ("renders a rollout", "renders", "{:.2f}"), ("tool calls a rollout", "tool_calls", "{:.2f}"), ("images", "n", "{}")]
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
    return [f'<div class="strip">{_figure(old[i].target, "target", f"target {i}")}{_final(old[i], "before")}{_final(new[i], "after")}</div>'
            for i in picked]


def _final(rollout, when):
    final = rollout.final
    if final is None or not final.ran:
        return f"<figure><figcaption>{when}: {html.escape(rollout.turns[-1].error or 'no code')}</figcaption></figure>"
    return _figure(final.rendering.image, f"{when}: {rollout.reward.vision:.3f}", f"render {when} training of {rollout.id}")


def _figure(image, caption, alt):
    return f"<figure>{picture(image, alt, 320)}<figcaption>{html.escape(caption)}</figcaption></figure>"
