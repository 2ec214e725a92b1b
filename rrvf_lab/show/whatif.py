"""Looks of what might have been: judges side by side, a step under two rules, tokens coloured by change.

Colours never stand alone: signs, numbers and underlines say the same.

Left out: the numbers themselves (`whatif`), and clicks (`widgets.compare`).
"""

from __future__ import annotations

from itertools import combinations

import numpy as np

from ..whatif.again import Rejudged
from ..whatif.judges import Judges
from ..whatif.step import WhatIf
from ..whatif.tokens import TokenLogprobs
from .html import CODE, card, drawn, escaped, folded, number, picture, row, says, table, text_html
from .plots import COLOURS
from .rollout import no_picture

SHOWN = 6    # rollouts pictured
MOST = 20    # lines of a table that stands open
SMALL = 130
BRIGHT = 1.0  # nats of change, at which a colour is full
MEASURES = {"rank": "rank correlation of pictures", "order": "pairs of a group put the other way round",
            "sign": "rollouts pushed the other way"}


def rejudged_html(rejudged: Rejudged) -> str:
    """Means before and after, and what had to be rendered again."""
    was = [rollout.reward.vision for rollout in rejudged.rollouts if rollout.reward]
    now = [reward.vision for reward in rejudged.rewards]
    rows = [(name, number(_mean(values)), sum(np.isnan(values)), len(values))
            for name, values in (("recorded", was), (text_html(rejudged.judge, total=60), now))]
    count = len(rejudged.rendered)
    again = f"{count} of them with a picture that was rendered again" if count else ""
    return says(f"{len(rejudged)} rollouts judged again", again) + table(
        rows, ("judge", "mean vision", "unscored", "n"), "lrrr")


def _mean(values):
    known = [value for value in values if value == value]
    return sum(known) / len(known) if known else float("nan")


# ------------------------------------------------------------------------------------------------ two judges

def judges_html(judges: Judges) -> str:
    """Each judge's numbers, each two judges' agreement, and the rollouts that the two which agree least push
    apart."""
    own = [(text_html(name, total=60), number(one["mean"]), _interval(one, ""),
            *(number(one[what], unknown="-") for what in ("spread", "within")), int(one["unscored"]),
            int(one["n"]))
           for name, one in judges.table().iterrows()]
    parts = [table(own, ("judge", "mean vision", "95 % interval", "spread", "within groups", "unscored", "n"),
                   "lrrrrrr")]
    rows = []
    for (a, b), one in judges.pairs().iterrows():
        for name, what in MEASURES.items():
            way = ".3f" if name == "rank" else ".1%"
            value = "-" if np.isnan(one[name]) else format(one[name], way)
            rows.append((text_html(f"{a} and {b}", total=120), what, value, _interval(one, f"{name} ", way),
                         int(one[f"{name} n"])))
    parts.append(table(rows, ("judges", "measure", "value", "95 % interval over images", "n"), "llrrr"))
    a, b = max(combinations(judges.vision, 2), key=lambda pair: len(judges.flips(*pair)))
    if len(found := judges.flips(a, b)):
        parts += [says(text_html(f"Pushed the other way by {b} than by {a}", total=160),
                       f"{len(found)} of {len(judges.ids)} rollouts, the largest change first"),
                  row([_pushed(judges, int(i), a, b) for i in found[:SHOWN]])]
    return "".join(parts)


def _interval(one, name, way=".3f"):
    low, high = one[f"{name}low"], one[f"{name}high"]
    return "-" if np.isnan(low) else f"{low:{way}} to {high:{way}}"


def _pushed(judges, i, a, b):
    """Target and final render of one rollout, with both judges' numbers."""
    rollout = judges.rollout(a, i)
    target = picture(rollout.target, f"target {rollout.id}", SMALL)
    render = drawn(rollout.picture, f"final render of rollout {i}", no_picture(rollout), SMALL, most=90)
    lines = [f"{text_html(name, total=40)}: vision {number(judges.vision[name][i])}, advantage "
             f"{judges.advantages[name][i]:+.2f}" for name in (a, b)]
    caption = "<br>".join([f"<b>rollout {i}</b> {text_html(rollout.id, total=60)}", *lines])
    return card(f'<div style="display:flex;gap:4px">{target}{render}</div>', caption, 2 * SMALL + 10)


def judge_scatter(judges: Judges, a: str | None = None, b: str | None = None):
    """A plotly scatter of each rollout's final vision score by two judges (the first two by default); those
    that they push to different sides are crosses. A point's `customdata` is the rollout's position.

    Example: `judge_scatter(compare_judges(rollouts, {"recorded": None, "mine": mine}))`.
    """
    import plotly.graph_objects as go

    a, b = _two(judges, a, b)
    return go.Figure(scatter_traces(judges, a, b), scatter_layout(judges, a, b))


def _two(judges, a, b):
    first, second = list(judges.vision)[:2]
    return a or first, b or second


def scatter_traces(judges: Judges, a: str, b: str) -> list[dict]:
    """The points of `judge_scatter`, as dicts: of rollouts pushed the same way, and the other way."""
    apart = np.isin(np.arange(len(judges.ids)), judges.flips(a, b))
    scored = ~np.isnan(judges.vision[a]) & ~np.isnan(judges.vision[b])
    traces = []
    for name, some, colour, symbol in (("same way", ~apart, COLOURS[1], "circle"),
                                       ("other way", apart, COLOURS[2], "x")):
        at = np.flatnonzero(some & scored)
        told = [f"rollout {i}, {escaped(judges.ids[i], total=60)}<br>advantage "
                f"{judges.advantages[a][i]:+.2f} and {judges.advantages[b][i]:+.2f}" for i in at]
        traces.append({"type": "scatter", "mode": "markers", "name": f"pushed the {name} ({len(at)})",
                       "x": judges.vision[a][at], "y": judges.vision[b][at], "customdata": at, "text": told,
                       "marker": {"color": colour, "symbol": symbol, "size": 8},
                       "hovertemplate": "%{text}<br>%{x:.3f} and %{y:.3f}<extra></extra>"})
    return traces


def scatter_layout(judges: Judges, a: str, b: str) -> dict:
    """The layout of `judge_scatter`."""
    a, b = (escaped(name, total=60) for name in (a, b))
    line = {"type": "line", "x0": 0, "y0": 0, "x1": 1, "y1": 1, "line": {"dash": "dot", "color": "#888888"}}
    return {"template": "plotly_white", "width": 640, "height": 480, "margin": {"t": 50, "b": 40},
            "title": f"Final vision score of {len(judges.ids)} rollouts by two judges", "shapes": [line],
            "xaxis": {"title": a, "range": [-0.03, 1.03]}, "yaxis": {"title": b, "range": [-0.03, 1.03]}}


# ------------------------------------------------------------------------------------------ a step, two rules

def what_if_html(found: WhatIf) -> str:
    """Formulas (typeset where a page has MathJax), rollouts side by side, the tokens of the most changed."""
    old, new = found.recorded, found.changed
    loss = "" if np.isnan(old.loss) else f"; loss {old.loss:+.4f} and {new.loss:+.4f}"
    head = f"{len(found.rollouts)} rollouts, {found.flips.mean():.0%} pushed the other way{loss}"
    parts = [says("recorded and changed", head), *(says("Mind:", text_html(note)) for note in found.notes)]
    parts.append(_formulas(found))
    change = np.abs(new.advantages - old.advantages).round(4)  # recorded ones have five digits
    rows = [_rollout(found, i) for i in np.argsort(-change, kind="stable")]
    columns = ("rollout", "group", "image", "reward", "new", "advantage", "new", "turned round", "tokens",
               "loss of a token", "new")
    sides = "rllrrrrrrrr"
    parts.append(table(rows[:MOST], columns, sides, "The largest change of the advantage first."))
    if rest := rows[MOST:]:
        parts.append(folded(f"the other {len(rest)} rollouts", table(rest, columns, sides)))
    if found.tokens:
        i = int(np.argmax(change))
        parts.append(folded(f"the tokens of rollout {i}", _token_table(found, i)))
    return "".join(parts)


def _formulas(found):
    old, new = found.recorded.setting.formulas(), found.changed.setting.formulas()
    lines = []
    for name in old:
        same = old[name] == new[name]
        for side, formula in (("both", old), ) if same else (("recorded", old), ("changed", new)):
            lines.append(says(f"{name}, {side}", f"\\({escaped(formula[name])}\\)"))
    return "".join(lines)


def _rollout(found, i):
    rollout, old, new = found.rollouts[i], found.recorded, found.changed
    group = found.groups[i]
    group = group[1] if isinstance(group, tuple) else group
    of_tokens = ["-"] * 3
    if found.tokens:
        count = len(found.tokens[i])
        each = [f"{one.terms[i].sum() / max(1, count):+.2e}" for one in (old, new)]
        of_tokens = [count, *each]
    turned = "-" if not found.flips[i] else f"{found.flips[i]:.0%}" if new.setting.group else "yes"
    return (int(i), text_html(group, total=40), text_html(rollout.id, total=40), number(old.totals[i]),
            number(new.totals[i]), f"{old.advantages[i]:+.3f}", f"{new.advantages[i]:+.3f}", turned,
            *of_tokens)


def _token_table(found, i):
    frame = found.of_tokens(i)
    rows = [(k, _word(one["token"]), f"{one['ratio']:.4f}", f"{one['loss']:+.2e}", f"{one['loss new']:+.2e}",
             f"{float(one['stopped new']):.0%}" if one["stopped new"] else "") for k, one in frame.iterrows()]
    return table(rows, ("", "token", "ratio", "loss", "new", "clipped"), "rlrrrr")


# ---------------------------------------------------------------------------------------------- coloured text

def logprobs_html(found: TokenLogprobs) -> str:
    """The text that was written: green and underlined where it became likelier, red and dotted where less;
    without an earlier policy, the more orange the less it was expected. Hover for the numbers."""
    if found.before is None:
        values, said = found.logprobs, "each token's log-probability; the more orange, the less expected"
    else:
        values, said = found.change, ("what became likelier is green and underlined, what became less likely "
                                      "is red and dotted")
    total = f"{len(found)} tokens, sum {np.nansum(values):+.3f} nats: {said}"
    lines = [says("tokens", total)]
    for message in dict.fromkeys(found.message):
        here = np.flatnonzero(found.message == message)
        text = "".join(_span(found, int(k)) for k in here)
        lines.append(says(f"message {message + 1}", f"{np.nansum(values[here]):+.3f} nats"))
        lines.append(f'<pre dir="ltr" style="{CODE}">{text}</pre>')
    order = np.argsort(-np.abs(values))[:MOST]
    rows = [(int(k), _word(found.words[k]), *_numbers(found, k)) for k in order]
    head = ("", "token", "log-probability") + (() if found.before is None else ("before", "change"))
    return "".join(lines) + folded(f"the {len(rows)} largest", table(rows, head, "rlrrr"))


def _numbers(found, k):
    values = [f"{found.logprobs[k]:.3f}"]
    return values if found.before is None else [*values, f"{found.before[k]:.3f}", f"{found.change[k]:+.3f}"]


def _span(found, k):
    """One token, coloured."""
    if found.before is None:
        strength, colour, line = -found.logprobs[k] / 3, "217,130,43", ""
    else:
        change = found.change[k]
        strength = abs(change) / BRIGHT
        colour, line = ("46,160,67", "solid") if change > 0 else ("248,81,73", "dotted")
    strength = 0 if np.isnan(strength) else min(1.0, strength)
    style = f"background:rgba({colour},{0.6 * strength:.2f})"
    if line and strength > 0.02:
        style += f";text-decoration:underline {line}"
    title = escaped(" ".join(("log-probability", *_numbers(found, k))))
    return f'<span style="{style}" title="{title}">{escaped(found.words[k])}</span>'


def _word(word):
    """A token in a table: its blanks visible."""
    return f"<code>{text_html(repr(word), total=80)}</code>"
