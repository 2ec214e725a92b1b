"""Draws loop.png: one recorded rollout and its group, from the target to the advantage.

    python notebooks/pictures/loop.py

All pictures and numbers in it are read from one rollout of data/rollouts/group. Left out: what a rollout does
not show (token budget, checkpoints, evaluation).
"""
import textwrap
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import FancyBboxPatch
from PIL import Image

import rrvf_lab as rl

NUMBER = 11  # the rollout: a draft, a repair that was told, the choice of the repair
SIZE = 1260, 800
INK, SOFT, BLUE, EDGE = "#1b2733", "#5b6773", "#1f6fb2", "#b9c4ce"
WRITES, SEES, SCORES = "#fff6e5", "#eef5fb", "#f1f7ee"  # who is at work: policy, sandbox, judge and reward
ARROW = {"arrowstyle": "-|>", "color": SOFT, "lw": 1.8}
OUT = Path(__file__).with_name("loop.png")


def main():
    """Draw the picture beside this file."""
    group = list(rl.load_rollouts("data/rollouts/group"))
    rollout = group[NUMBER]
    group = [one for one in group if one.info["group"] == rollout.info["group"]]
    figure = plt.figure(figsize=(SIZE[0] / 100, SIZE[1] / 100), dpi=100, facecolor="white")
    page = figure.add_axes([0, 0, 1, 1], xlim=(0, SIZE[0]), ylim=(SIZE[1], 0))
    page.axis("off")
    _draft(page, rollout, 0, 16)
    _draft(page, rollout, 1, 282)
    _end(page, rollout, group, 548)
    figure.canvas.draw()
    drawn = Image.fromarray(np.asarray(figure.canvas.buffer_rgba())).convert("RGB")
    drawn.quantize(128, dither=Image.Dither.NONE).save(OUT, optimize=True)


def _draft(page, rollout, i, top):
    """One turn as a row: what the policy gets and writes, what the sandbox draws, what the judge says."""
    turn, k = rollout.drafts[i], i + 1
    seen = {"target, a raw image": rollout.target} if i == 0 else {
        "its draft": rollout.drafts[i - 1].rendering.image, "the target again": rollout.target}
    _box(page, 16, top, 226, 236, SEES, f"seen before turn {k}")
    for place, (name, image) in enumerate(seen.items()):
        high = 168 / len(seen)
        below = top + 34 + place * (high + 16)
        _picture(page, image, 30, below, 198, high - 4)
        page.text(129, below + high + 5, name, ha="center", va="center", fontsize=9.5, color=SOFT)
    _arrow(page, 242, top + 118, 270)
    _box(page, 272, top, 396, 236, WRITES, f"turn {k}: the policy thinks and writes")
    _text(page, 286, top + 38, f"“{turn.thought}”", 50, style="italic")
    kept = ("ax.set_title", "x =", "a =", "ax.bar")
    said = [line for line in turn.code.splitlines() if line.startswith(kept)]
    _text(page, 286, top + 96, "\n".join(["…", *said, "…"]), None, size=9.5, family="DejaVu Sans Mono")
    _arrow(page, 668, top + 118, 696)
    _box(page, 698, top, 254, 236, SEES, "the sandbox draws it")
    _picture(page, turn.rendering.image, 712, top + 34, 226, 124)
    _picture(page, rl.difference(rollout.target, turn.rendering.image), 712, top + 164, 96, 64)
    _text(page, 818, top + 168, "difference: red is missing, blue is extra", 19, size=9.5, color=SOFT)
    _arrow(page, 952, top + 118, 978)
    _box(page, 980, top, 264, 236, SCORES, "the judge compares")
    page.text(994, top + 62, f"{turn.score:.3f}", fontsize=21, color=BLUE, weight="bold", va="center")
    _text(page, 994, top + 90, turn.verdict.feedback, 34)
    _down(page, top + 236, "the tool's reply: picture, difference, sentences, target" if not i else
          f"the reply again; turn 3 writes no code and chooses: “{rollout.answer}”")


def _end(page, rollout, group, top):
    """The last row: the reward of the rollout, its group, and what the group makes of it."""
    reward = rollout.reward
    _box(page, 16, top, 370, 236, SCORES, "reward of the whole rollout")
    page.text(30, top + 62, f"{reward.total:.3f}", fontsize=21, color=BLUE, weight="bold", va="center")
    parts = (f"vision {reward.vision:.3f} (weight 1), of the chosen draft\n"
             f"format {reward.format:.3f} (weight 0.1), a penalty\n"
             f"tool {reward.tool:.3f} (weight 0.1), for drafts that ran\n\n"
             "No label, no reference program: pictures alone.")
    _text(page, 30, top + 92, parts, None)
    _arrow(page, 386, top + 118, 416)
    _box(page, 418, top, 826, 236, SCORES, "its group: eight rollouts of one target, set side by side")
    ordered = sorted(group, key=lambda one: -one.reward.total)
    for k, one in enumerate(ordered):
        left, mine = 434 + k * 100, one is rollout
        _picture(page, one.final.rendering.image, left, top + 36, 90, 74, BLUE if mine else EDGE)
        advantage = one.info["advantage"]
        colour, below = ("#3f8f4f", 192) if advantage > 0 else ("#c0392b", 164)
        page.bar(left + 45, -advantage * 16, 34, bottom=top + 178, color=colour)
        for y, said in ((122, f"{one.reward.total:.3f}"), (below, f"{advantage:+.2f}")):
            page.text(left + 45, top + y, said, ha="center", va="center", fontsize=10, color=INK,
                      weight="bold" if mine else "normal")
    page.plot([434, 1228], [top + 178] * 2, color=SOFT, lw=0.8)
    _text(page, 434, top + 213, "advantage = (reward - mean) / spread: GRPO makes what is above the line "
          "more likely, what is below it less", None, color=SOFT)


def _box(page, left, top, wide, high, colour, title):
    page.add_patch(FancyBboxPatch((left, top), wide, high, boxstyle="round,pad=0,rounding_size=8",
                                  fc=colour, ec=EDGE))
    page.text(left + 14, top + 17, title, fontsize=10.5, weight="bold", color=INK, va="center")


def _picture(page, image, left, top, wide, high, edge=EDGE):
    """An image fitted into a box, whole, in its middle."""
    scale = min(wide / image.width, high / image.height)
    w, h = image.width * scale, image.height * scale
    x, y = left + (wide - w) / 2, top + (high - h) / 2
    page.imshow(image, extent=(x, x + w, y + h, y), aspect="auto", interpolation="antialiased",
                zorder=2)
    page.add_patch(plt.Rectangle((x, y), w, h, fill=False, ec=edge, lw=2.5 if edge == BLUE else 0.8,
                                 zorder=3))
    page.set(xlim=(0, SIZE[0]), ylim=(SIZE[1], 0))


def _text(page, left, top, said, most, size=10, color=INK, **style):
    """Text from its upper left corner; lines of `most` characters, or as it is with None."""
    if most is not None:
        said = textwrap.fill(said, most, break_long_words=False, break_on_hyphens=False)
    page.text(left, top, said, fontsize=size, color=color, va="top", linespacing=1.35, **style)


def _arrow(page, left, y, right):
    page.annotate("", (right, y), (left, y), arrowprops=ARROW)


def _down(page, top, said):
    """From the right end of a row back to the left end of the next, with what is handed on."""
    page.plot([1112, 1112, 134, 134], [top, top + 15, top + 15, top + 22], color=SOFT, lw=1.8)
    page.annotate("", (134, top + 31), (134, top + 14), arrowprops=ARROW)
    page.text(620, top + 15, said, fontsize=9.5, color=SOFT, ha="center", va="center",
              bbox={"fc": "white", "ec": "none", "pad": 2})


if __name__ == "__main__":
    main()
