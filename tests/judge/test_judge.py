"""One property of the pixel judge per test, on small charts drawn here.

Left out: other judges, real model output.
"""
import functools
import random
import sys
from concurrent.futures import ThreadPoolExecutor

import matplotlib
import numpy as np
import pytest
from PIL import Image, ImageFilter, ImageOps

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

from rrvf_lab.judge import PixelJudge, difference, judge  # noqa: E402
from rrvf_lab.judge.see import LONGEST_SIDE  # noqa: E402

BASE = dict(kind="bar", values=(3, 7, 5, 2), colour="teal", title="Speed", x="week", y="units", grid=False)


@functools.cache
def chart(size=(4, 3), dpi=100, **changes):
    c = BASE | changes
    fig = plt.figure(figsize=size, dpi=dpi)
    ax = fig.add_axes([0.15, 0.2, 0.8, 0.68])
    names, values, colour = list("ABCDEFGH")[:len(c["values"])], c["values"], c["colour"]
    if c["kind"] == "bar":
        ax.bar(names, values, color=colour)
    elif c["kind"] == "barh":
        ax.barh(names, values, color=colour)
    elif c["kind"] == "line":
        ax.plot(names, values, color=colour, label="series")
    elif c["kind"] == "area":
        ax.fill_between(range(len(values)), values, color=colour)
    elif c["kind"] == "hist":
        ax.stairs(values, fill=True, color=colour)
    elif c["kind"] == "pie":
        ax.pie(values)
    if c["kind"] == "barh":
        ax.set_xlim(0, 10)
    elif c["kind"] != "pie":
        ax.set_ylim(0, 10)
    ax.set_title(c["title"]), ax.set_xlabel(c["x"]), ax.set_ylabel(c["y"])
    ax.grid(c["grid"])
    if c.get("legend"):
        ax.legend(loc="upper right")
    fig.canvas.draw()
    image = Image.fromarray(np.asarray(fig.canvas.buffer_rgba())[..., :3].copy())
    plt.close(fig)
    return image


@pytest.fixture(scope="module")
def target():
    return chart()


@pytest.mark.parametrize("kind", ["bar", "barh", "line", "area", "hist", "pie"])
def test_gold_the_target_itself_scores_exactly_one(kind):
    verdict = judge(chart(kind=kind), chart(kind=kind))
    assert verdict.score == 1.0 and verdict.feedback == "No difference seen."


def test_spoilings_lower_the_score_in_order(target):
    wrong = (8, 2, 1, 6)
    ladder = [target, chart(values=(3, 7, 5, 3)), chart(values=wrong), chart(values=wrong, colour="red"),
              chart(kind="line", values=wrong, colour="red", title="Heat"),
              Image.new("RGB", (400, 300), "white")]
    scores = [judge(target, image).score for image in ladder]
    assert scores == sorted(scores, reverse=True) and len(set(scores)) == len(scores)


@pytest.mark.parametrize("kind", ["bar", "line", "pie"])
def test_pictures_without_a_chart_earn_next_to_nothing(kind):
    target = chart(kind=kind)
    fig, _ = plt.subplots(figsize=(4, 3))
    fig.canvas.draw()
    axes = Image.fromarray(np.asarray(fig.canvas.buffer_rgba())[..., :3].copy())
    plt.close(fig)
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 255, (300, 400, 3), dtype=np.uint8))
    mean = tuple(int(v) for v in np.asarray(target).mean((0, 1)))
    fills = [Image.new("RGB", (400, 300), colour) for colour in ("white", "black", "teal", mean)]
    assert max(judge(target, image).score for image in [*fills, axes, noise]) <= 0.1


def test_pictures_made_from_the_targets_own_pixels_earn_little(target):
    mosaic = target.resize((16, 16), Image.Resampling.BOX).resize(target.size, Image.Resampling.NEAREST)
    blur = target.filter(ImageFilter.GaussianBlur(8))
    for image in (mosaic, blur, ImageOps.mirror(target), ImageOps.flip(target)):
        assert judge(target, image).score <= 0.35


def blocks(*colours, size=(300, 400), height=80):
    """Bars of text-like stripes, one under the other, as a page has its sections."""
    page = Image.new("RGB", size, "white")
    for i, colour in enumerate(colours):
        page.paste(colour, (0, i * height, size[0], i * height + height // 2))
        for x in range(20, size[0] - 20, 12 + 4 * i):
            page.paste("black", (x, i * height + height // 2 + 12, x + 7, i * height + height // 2 + 22))
    return page


def test_a_ground_stays_the_ground_where_another_colour_outgrows_it():
    target, larger = Image.new("RGB", (200, 200), "white"), Image.new("RGB", (200, 200), "white")
    target.paste("teal", (32, 32, 168, 168)), larger.paste("teal", (24, 24, 176, 176))
    assert np.mean(np.asarray(larger) == 255) < 0.6 and judge(target, larger).score > 0.6


def test_a_page_without_its_last_block_is_not_stretched_over_the_whole():
    target = blocks("navy", "orange", "green", "purple", "red")
    shorter = blocks("navy", "orange", "green", "purple", size=(300, 320))
    assert judge(target, shorter).score > 0.6 > judge(target, blocks("navy", size=(300, 80))).score


def test_a_mirrored_pattern_is_seen_by_its_colours_where_its_shapes_are_symmetric():
    pattern = Image.new("RGB", (300, 300), "white")
    for i, colour in enumerate("red gold navy teal purple green black orange brown".split()):
        x, y = 20 + 95 * (i % 3), 20 + 95 * (i // 3)
        pattern.paste(colour, (x, y, x + 70, y + 70))
    assert judge(pattern, ImageOps.mirror(pattern)).score <= 0.35


@pytest.mark.parametrize("kind", ["pie", "area"])
def test_a_coarse_copy_of_large_flat_areas_earns_little(kind):
    target = chart(kind=kind, title="", x="", y="")
    mosaic = target.resize((16, 12), Image.Resampling.BOX).resize(target.size, Image.Resampling.NEAREST)
    for image in (mosaic, target.filter(ImageFilter.GaussianBlur(10))):
        assert judge(target, image).score <= 0.35


def test_feedback_tells_labels_from_ticks_where_there_are_no_tick_marks():
    bare = {"xtick.major.size": 0, "ytick.major.size": 0, "xtick.major.pad": 2, "ytick.major.pad": 2}
    with plt.rc_context(bare):
        a, b, c = chart.__wrapped__(), chart.__wrapped__(x="month"), chart.__wrapped__(y="cost")
    assert PixelJudge().feedback(a, b) == "X label differs."
    assert PixelJudge().feedback(a, c) == "Y label differs."


def test_a_wrong_title_and_a_missing_legend_are_seen_by_the_score(target):
    assert judge(target, chart(title="Traffic")).score <= 0.93
    assert judge(chart(kind="line", legend=True), chart(kind="line")).score <= 0.93


def test_same_picture_at_another_scale_stays_near_one(target):
    for factor in (0.75, 1.5):
        other = target.resize((round(400 * factor), round(300 * factor)), Image.Resampling.LANCZOS)
        assert judge(target, other).score > 0.85


SINGLE = [(dict(title="Heat"), "Title differs."), (dict(x="month"), "X label differs."),
          (dict(y="cost"), "Y label differs."), (dict(grid=True), "Grid off."),
          (dict(kind="line"), "Type bar, not line."), (dict(colour="red"), "Colour teal, not red."),
          (dict(values=(3, 7, 5)), "X ticks differ. Change 0, 0, 0, new of 10."),
          (dict(values=(3, 7, 5, 2, 2)), "X ticks differ. Change 0, 0, 0, 0 of 10."),
          (dict(values=(3, 4, 5, 2)), "Change 0, +3, 0, 0 of 10."),
          (dict(values=(3, 7, 5, 9)), "Change 0, 0, 0, -7 of 10.")]


@pytest.mark.parametrize("changes, expected", SINGLE)
@pytest.mark.parametrize("dpi", [100, 56])
def test_feedback_names_a_single_error_first(changes, expected, dpi):
    assert PixelJudge().feedback(chart(dpi=dpi), chart(dpi=dpi, **changes)).startswith(expected)


def test_feedback_on_horizontal_bars_counts_from_the_bottom():
    feedback = PixelJudge().feedback(chart(kind="barh"), chart(kind="barh", values=(3, 7, 9, 2)))
    assert feedback == "Change 0, 0, -4, 0 of 10."


def _changes(wanted, drawn):
    gaps = [a - b for a, b in zip(wanted, drawn, strict=True)]
    return f"Change {', '.join(f'{gap:+d}' if gap else '0' for gap in gaps)} of 10."


def test_feedback_on_random_single_errors_is_right_first_in_most_cases():
    rng, hits = random.Random(11), []
    for _ in range(25):
        kind = rng.choice(["bar", "barh", "line", "area", "hist"])
        values = [rng.randint(1, 9) for _ in range(rng.randint(3, 6))]
        colour = rng.choice(["red", "gold", "gray", "brown", "steelblue"])
        base = dict(kind=kind, values=tuple(values), colour=colour, dpi=rng.choice([56, 100]))
        at = rng.randrange(len(values))
        values[at] = rng.choice([v for v in range(1, 10) if v != values[at]])
        change, start = rng.choice([
            (dict(title="Waste"), "Title differs."), (dict(y="points"), "Y label differs."),
            (dict(values=tuple(values)), _changes(base["values"], values))])
        hits.append(PixelJudge().feedback(chart(**base), chart(**(base | change))).startswith(start))
    assert np.mean(hits) >= 0.9


def test_feedback_says_blank_failed_missing_legend_and_shift(target):
    assert judge(target, Image.new("RGB", (400, 300), "white")).feedback == "Blank."
    failed = judge(target, None, "Traceback\n  x\nNameError: name 'ax' is not defined\n\n")
    assert failed.score == 0.0 and failed.feedback == "Failed: NameError: name 'ax' is not defined"
    assert len(judge(target, None, "x" * 500).feedback) == len("Failed: ") + 120
    assert judge(target, None).feedback.startswith("Failed: ")
    assert "Legend missing." in judge(chart(kind="line", legend=True), chart(kind="line")).feedback
    shifted = Image.new("RGB", (400, 300), "white")
    shifted.paste(target, (-30, 0))
    assert judge(target, shifted).feedback.startswith("Shifted left.")


def test_feedback_is_at_most_seven_sentences_and_numbers_come_last(target):
    wrong = chart((6, 3), kind="barh", values=(9, 9), colour="pink", title="Crime", x="age", y="tons",
                  grid=True)
    said = PixelJudge().feedback(target, wrong)
    assert said.count(".") == 7 and said.endswith(" of 10.")
    assert said.startswith("Aspect differs. Type bar, not barh. Colour teal, not pink. Grid off.")


def test_registers_say_the_same_gap_and_touch_no_score(target):
    other = chart(values=(3, 4, 5))
    telling, pointing = PixelJudge(register="telling")(target, other), PixelJudge()(target, other)
    assert telling.feedback.endswith("Values 3, 7, 5, 2 of 10.")
    assert pointing.feedback.endswith("Change 0, +3, 0, new of 10.")
    assert (telling.score, telling.parts, telling.reason) == (pointing.score, pointing.parts, pointing.reason)
    with pytest.raises(ValueError, match="pointing, telling"):
        PixelJudge(register="shouting")


def test_the_type_is_the_same_at_another_aspect():
    for kind in ("bar", "barh", "line", "area", "hist"):
        said = PixelJudge().feedback(chart(kind=kind), chart((6, 3), kind=kind))
        assert "Type" not in said and "of 10" not in said and "Grid" not in said, said


def test_verdicts_repeat_bit_for_bit_with_and_without_the_cache(target, monkeypatch):
    monkeypatch.setattr(sys.modules["rrvf_lab.judge.pixel"], "CACHED_TARGETS", 3)
    other, warm = chart(values=(5, 5, 5, 5), title="Heat"), PixelJudge()
    cold = [PixelJudge()(target, other) for _ in range(2)]
    assert cold[0] == cold[1] == warm(target, other) == warm(target, other)
    for i in range(4):  # more targets than the cache holds
        warm(Image.new("RGB", (8, 8), (i, i, i)), other)
    assert warm(target, other) == cold[0] and warm.feedback(target, other) == cold[0].feedback


def test_verdicts_sought_by_several_threads_are_those_of_one(target):
    targets = target, chart(kind="line"), chart(kind="pie")
    pairs = [(a, b) for a in targets for b in (chart(values=(5, 5, 5, 5)), target)]
    alone, shared = PixelJudge(), PixelJudge()
    expected = [alone(*pair) for pair in pairs] * 3
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda pair: shared(*pair), pairs * 3)) == expected


def test_painting_on_a_target_later_does_not_change_what_is_remembered_of_it(target):
    mine, remembering = target.copy(), PixelJudge()
    remembering.feedback(mine, target)
    mine.paste("red", (0, 0, 400, 150))
    assert remembering(target, mine) == PixelJudge()(target, mine)
    assert remembering(target, target).score == 1.0 > remembering(mine, target).score


ODD = [("RGB", (1, 1)), ("L", (50, 40)), ("RGBA", (300, 10)), ("P", (64, 64)), ("1", (30, 30)),
       ("I;16", (20, 20)), ("F", (20, 20)), ("LA", (33, 500)), ("CMYK", (40, 40)), ("RGB", (2400, 1800))]


@pytest.mark.parametrize("mode, size", ODD)
def test_odd_pictures_get_a_finite_score_on_either_side(mode, size, target):
    odd = Image.new(mode, size)
    for a, b in ((target, odd), (odd, target), (odd, odd)):
        verdict = judge(a, b)
        assert 0 <= verdict.score <= 1 and verdict.feedback
        shrink = min(1, LONGEST_SIDE / max(a.size))
        assert difference(a, b).size == tuple(max(1, round(side * shrink)) for side in a.size)
    assert judge(odd, odd).score == 1.0


def test_transparent_background_counts_as_white(target):
    clear = target.convert("RGBA")
    pixels = np.array(clear)
    pixels[(pixels[..., :3] == 255).all(2)] = 0
    assert judge(target, Image.fromarray(pixels)).score == 1.0


def test_what_is_not_a_picture_is_refused_in_words(target):
    with pytest.raises(TypeError, match="PIL"):
        judge(target, "chart.png")


def test_difference_colours_missing_extra_recoloured_and_same():
    a, b = (Image.new("RGB", (40, 10), "white") for _ in range(2))
    pairs = ("teal", "white"), ("white", "teal"), ("teal", "red"), ("teal", "teal")
    for x, (one, two) in zip((0, 10, 20, 30), pairs, strict=True):
        a.paste(one, (x, 2, x + 5, 8)), b.paste(two, (x, 2, x + 5, 8))
    seen = np.asarray(difference(a, b))[5]
    assert seen[2].tolist() == [220, 30, 30] and seen[12].tolist() == [30, 60, 220]
    assert seen[22].tolist() == [40] * 3 and seen[32].tolist() == [205] * 3 and seen[7].tolist() == [255] * 3
