"""How often each sentence of PixelJudge is true on policies' own drafts, and what obeying them would bring.

    python tests/benchmarks/bench_sentences.py              # data/charts/test, 160 charts, nano and nano-base
    python tests/benchmarks/bench_sentences.py --split train --start 160   # what the reader was tuned on
    python tests/benchmarks/bench_sentences.py --policies nano --plotly 60

Targets are the first charts of a split; what they show is sampled again from data/charts/make.py, which needs
no picture. Drafts are the policies' first turns, greedy, at their targets' width; what those draw is in their
code (`dialect.parse_program`), so drafts beyond the dialect are left out. The plotly rows draw target and
draft anew with plotly, in three of its templates by turns.

    said     drafts on which the sentence was said
    true     share of these on which it is true: both halves of "<this>, not <that>", each mark of a list to
             one tenth of the axis
    silent   drafts on which it was not said although it would have been true

The rule edits the draft as the sentences say and draws it again: an upper bound of what obeying can bring.
Left out: sentences on ticks, legends and placement, and drafts of other policies.
"""

import argparse
import re
import sys
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from makers import maker  # noqa: E402

from rrvf_lab import load_images, load_policy  # noqa: E402
from rrvf_lab.judge import PixelJudge  # noqa: E402
from rrvf_lab.nano.dialect import Chart, Look, basic, parse_program, program  # noqa: E402
from rrvf_lab.nano.fields import axis  # noqa: E402
from rrvf_lab.nano.told import Told  # noqa: E402
from rrvf_lab.render import Renderer  # noqa: E402
from rrvf_lab.talk import opening, parse_turn  # noqa: E402

labels = maker("charts/labels")
charts, kind_of, tenths = labels.charts, labels.kind_of, labels.tenths

TEMPLATES = ["plotly", "plotly_white", "simple_white"]
PATTERNS = {"Type": r"Type (\w+), not (\w+)\.", "Colour": r"Colour ([\w; ]+), not ([\w; ]+)\.",
            "Grid": r"Grid (on|off)\.", "Title": r"Title differs\.", "X label": r"X label differs\.",
            "Y label": r"Y label differs\.", "Aspect": r"Aspect differs\.",
            "Numbers": r"(?:Values|Change) ([\w, /+-]+) of 10\."}


# ---- what is true ------------------------------------------------------------------------------------------

def truth(spec):
    """(a `Chart` with unrounded tenths of what was sampled, its aspect)."""
    words = (spec[name] or "" for name in ("title", "xlabel", "ylabel"))
    chart = Chart(kind_of(spec), tuple(spec["colours"]), tuple(map(tuple, tenths(spec))), *words,
                  "both -" if spec["grid"] else "")
    return chart, spec["aspect"]


def as_written(chart):
    """A draft's series as its program lists them: None where a scatter has no point."""
    return tuple(tuple(value or None for value in row) for row in chart.series)


def as_drawn(chart):
    """The same in tenths of the axis that is drawn: its end is `top`, or 5 % above the largest value."""
    rows = as_written(chart)
    if chart.top == "10" or chart.look.legend:
        return rows
    low, high = axis(chart.kind, [[value for value in row if value] for row in rows])
    return tuple(tuple(value and 10 * (value - low) / (high - low) for value in row) for row in rows)


def verdicts(text, target, aspect, draft):
    """{sentence: (said, true, wanted)}; for numbers also the entries' own hits under "Entries"."""
    said = {name: re.search(pattern, text) for name, pattern in PATTERNS.items()}
    colours = said["Colour"] and tuple(said["Colour"][1].split("; "))
    if target.kind == "lines" and (colours == target.colours[::-1] or not colours):  # in no order
        other = replace(target, kind="two lines", colours=target.colours[::-1], series=target.series[::-1])
        found = [verdicts(text, replace(one, kind="two lines"), aspect, draft) for one in (target, other)]
        return max(found, key=lambda pair: pair[0]["Numbers"][1])
    kind = "lines" if target.kind == "two lines" else target.kind
    drawn = as_drawn(draft)
    shown = tuple(map(basic, draft.colours))
    shown = shown[:1] if len(set(shown)) == 1 else shown
    pairs = {"Type": (kind, draft.kind), "Grid": (bool(target.grid), bool(draft.grid)),
             "Colour": ("; ".join(target.colours), "; ".join(shown)),
             "Title": (target.title, draft.title), "X label": (target.xlabel, draft.xlabel),
             "Y label": (target.ylabel, draft.ylabel),
             "Aspect": (max(aspect, draft.look.aspect) / min(aspect, draft.look.aspect) > 1 / 0.97, False)}
    out = {}
    for name, (wanted, shown) in pairs.items():
        found, differs = said[name], wanted != shown
        true = differs
        if found and name in ("Type", "Colour"):
            true = differs and found.groups() == (wanted, shown)
        elif found and name == "Grid":
            true = differs and (found[1] == "on") == bool(target.grid)
        out[name] = bool(found), bool(found) and true, differs
    entries = _entries(said["Numbers"], target.series, drawn, "Values" in text)
    out["Numbers"] = entries is not None, bool(entries) and all(e <= 1 for e in entries), \
        _entries_wanted(target.series, drawn)
    return out, [e <= 0.6 for e in entries or []]


def _entries_wanted(series, drawn):
    if [len(row) for row in series] != [len(row) for row in drawn]:
        return True
    pairs = [pair for rows in zip(series, drawn, strict=True) for pair in zip(*rows, strict=True)]
    return any((a is None) != (b is None) or (a is not None and abs(_inside(a) - b) > 0.6) for a, b in pairs)


def _inside(tenths):
    return min(9, max(1, tenths))


def _entries(found, series, drawn, telling):
    """How far off each entry of a list is, in tenths: inf for another kind, [inf] for another length."""
    if not found:
        return None
    rows = [row.split(", ") for row in found[1].split(" / ")]
    if [len(row) for row in rows] != [len(row) for row in series]:
        return [np.inf]
    out = []
    for i, row in enumerate(rows):
        for k, entry in enumerate(row):
            wanted = series[i][k]
            shown = drawn[i][k] if i < len(drawn) and k < len(drawn[i]) else None
            if wanted is None or entry == "None":
                out.append(0 if entry == "None" and wanted is None else np.inf)
            elif telling:
                out.append(abs(int(entry) - _inside(wanted)))
            elif shown is None or entry == "new":
                out.append(0 if entry == "new" and shown is None else np.inf)
            else:
                out.append(abs(int(entry) - (_inside(wanted) - shown)))
    return out


# ---- drafts ------------------------------------------------------------------------------------------------

def first_drafts(name, rows, renderer):
    """[(picture, its `Chart`) or None] of a policy's greedy first turns."""
    policy, codes = load_policy(name), []
    for start in range(0, len(rows), 32):
        talks = [opening(row["image"], "matplotlib", 3) for row in rows[start:start + 32]]
        parsed = [parse_turn(text) for text in policy.write(talks)]
        codes += [turn.calls[0] if turn.calls and turn.calls[0] else turn.answer or "" for turn in parsed]
    out = []
    for row, code in zip(rows, codes, strict=True):
        chart = parse_program(code)
        image = renderer.render(code, size=(row["image"].width, None)).image if chart else None
        out.append((image, chart) if image is not None else None)
    return out


def plotly_program(chart, template):
    """A plotly program for a `Chart` of tenths, or None for a kind it is not drawn for."""
    n = len(chart.series[0])
    x, rows = list(range(1, n + 1)), [list(row) for row in chart.series]
    trace = {"bar": "go.Bar(x={x}, y={y}, marker_color='{c}')",
             "group": "go.Bar(x={x}, y={y}, marker_color='{c}')",
             "stacked": "go.Bar(x={x}, y={y}, marker_color='{c}')",
             "barh": "go.Bar(x={y}, y={x}, orientation='h', marker_color='{c}')",
             "line": "go.Scatter(x={x}, y={y}, mode='lines+markers', line_color='{c}')",
             "lines": "go.Scatter(x={x}, y={y}, mode='lines', line_color='{c}')",
             "step": "go.Scatter(x={x}, y={y}, mode='lines', line_color='{c}', line_shape='hvh')",
             "area": "go.Scatter(x={x}, y={y}, mode='lines', fill='tozeroy', fillcolor='{c}', "
                     "line_color='{c}')",
             "hist": "go.Bar(x={x}, y={y}, width=1, marker_color='{c}')",
             "scatter": "go.Scatter(x={x}, y={y}, mode='markers', marker=dict(size=11, color='{c}'))"}
    if chart.kind not in trace:
        return None
    traces = ", ".join(trace[chart.kind].format(x=x, y=row, c=basic(colour))
                       for row, colour in zip(rows, chart.colours, strict=True))
    value, other = ("xaxis", "yaxis") if chart.kind == "barh" else ("yaxis", "xaxis")
    layout = [f"template='{template}'", "width=400", "height=300", "showlegend=False",
              f"title='{chart.title}'", f"{value}_range=[0, 10]", "margin=dict(l=60, r=20, t=40, b=50)",
              f"xaxis_title='{chart.xlabel}'", f"yaxis_title='{chart.ylabel}'",
              f"xaxis_showgrid={bool(chart.grid)}", f"yaxis_showgrid={bool(chart.grid)}"]
    if chart.kind == "scatter":
        layout.append(f"{other}_range=[0, 10]")
    if chart.kind == "stacked":
        layout.append("barmode='stack'")
    return f"import plotly.graph_objects as go\nfig = go.Figure([{traces}])\n" \
           f"fig.update_layout({', '.join(layout)})\nfig.show()\n"


def plotly_pairs(targets, drafts, renderer):
    """[(target picture, (draft picture, Chart), truth)] of the same charts drawn with plotly."""
    out = []
    for k, (target, draft) in enumerate(zip(targets, drafts, strict=True)):
        draft = replace(draft, top="10", look=Look())  # plotly draws it without
        written = replace(draft, series=as_written(draft))
        codes = [plotly_program(chart, TEMPLATES[k % 3]) for chart in (target, written)]
        if None in codes:
            continue
        pictures = [renderer.render(code, "plotly").image for code in codes]
        if None not in pictures:
            out.append((pictures[0], (pictures[1], draft), (target, 4 / 3)))
    return out


# ---- tables ------------------------------------------------------------------------------------------------

def table(title, pairs, register):
    """Print how often each sentence was said, true and missing on (target picture, draft, truth)."""
    judge, rows, entries = PixelJudge(register=register), defaultdict(list), []
    for picture, (image, draft), (target, aspect) in pairs:
        found, hits = verdicts(judge.feedback(picture, image), target, aspect, draft)
        entries += hits
        for name, row in found.items():
            rows[name].append(row)
    print(f"\n{title}, {register}: {len(pairs)} drafts\n{'sentence':10} said  true  silent though wrong")
    for name, found in rows.items():
        said, true, wanted = np.array(found, bool).T
        share = f"{true.sum() / said.sum():.2f}" if said.any() else "   -"
        print(f"{name:10} {said.sum():4d}  {share}  {(wanted & ~said).sum():4d} of {wanted.sum()}")
    print(f"{'entries':10} {len(entries):4d}  {np.mean(entries or [0]):.2f}  (right within 0.6 tenths)")


# ---- the rule ----------------------------------------------------------------------------------------------

def gains(title, pairs, total, renderer):
    """Print what one turn of obeying brings over the drafts, with its standard error, over all charts."""
    for register in ("telling", "pointing"):
        judge = PixelJudge(register=register)
        first, last, best = np.zeros(total), np.zeros(total), np.zeros(total)
        for k, (picture, (image, draft), _) in enumerate(pairs):
            verdict = judge(picture, image)
            code = program(Told.parse(verdict.feedback).follow(draft))
            redrawn = renderer.render(code, size=(picture.width, None)).image
            first[k], last[k] = verdict.score, judge(picture, redrawn).score
            best[k] = max(first[k], last[k])
        for name, scores in (("last", last), ("best", best)):
            gain = scores - first
            print(f"{title}, {register}: draft {first.mean():.3f}, {name} of two {scores.mean():.3f}, gain "
                  f"{gain.mean():+.3f} ± {gain.std(ddof=1) / total ** 0.5:.3f} (n = {total})")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--split", default="test", choices=("train", "test"))
    parser.add_argument("--start", type=int, default=0)
    parser.add_argument("--n", type=int, default=160)
    parser.add_argument("--plotly", type=int, default=60, help="charts drawn anew with plotly")
    parser.add_argument("--policies", nargs="*", default=["nano", "nano-base"])
    options = parser.parse_args()
    images = load_images(f"data/charts/{options.split}")
    rows = [images[i] for i in range(options.start, options.start + options.n)]
    known = [truth(charts.spec(options.split, int(row["id"].split("-")[1]))) for row in rows]
    with Renderer(workers=1) as renderer:
        for policy in options.policies:
            drafts = first_drafts(policy, rows, renderer)
            pairs = [(row["image"], draft, true) for row, draft, true in zip(rows, drafts, known, strict=True)
                     if draft and true[0].kind != "pie"]
            for register in ("pointing", "telling"):
                table(policy, pairs, register)
            gains(policy, pairs, options.n, renderer)
            if policy == options.policies[0] and options.plotly:
                some = pairs[:options.plotly]
                drawn = plotly_pairs([true[0] for *_, true in some],
                                     [draft[1] for _, draft, _ in some], renderer)
                for register in ("pointing", "telling"):
                    table(f"{policy} in plotly", drawn, register)


if __name__ == "__main__":
    main()
