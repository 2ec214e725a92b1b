"""One rollout: how it ends, what the tool shows, what a judge that fails means, and that each code is worked
on once."""
import math

import pytest
from PIL import Image

import rrvf_lab as rl
from rrvf_lab import talk
from rrvf_lab.environment import Environment, Episode
from rrvf_lab.judge import JudgeStopped, Verdict
from rrvf_lab.render import Rendering
from rrvf_lab.talk import write_turn


class Painter:
    """A renderer of one-word programs: a colour name paints a square of it, anything else fails."""

    def __init__(self):
        self.rendered, self.sizes = [], []

    def render(self, code, language="matplotlib", size=None):
        self.rendered.append(code)
        self.sizes.append(size)
        try:
            image = Image.new("RGB", (64, 48), "white")
            image.paste(Image.new("RGB", (32, 24), code), (16, 12))
            return Rendering(image)
        except ValueError:
            return Rendering(None, f"Traceback\nValueError: no colour {code}")


@pytest.fixture
def target():
    return Painter().render("red").image


def _play(target, turns, **options):
    return rl.play(rl.Recording(turns), target, renderer=Painter(), **options)


def test_a_perfect_render_gets_the_highest_reward(target):
    rollout = _play(target, [write_turn("a", "red"), write_turn("b", answer="turn 1")])
    assert rollout.reward.vision == 1.0 and rollout.reward.total == pytest.approx(1.1)
    worse = _play(target, [write_turn("a", "salmon"), write_turn("b", answer="turn 1")])
    broken = _play(target, [write_turn("a", "nocolour"), write_turn("b", answer="turn 1")])
    assert rollout.reward.total > worse.reward.total > broken.reward.total


def test_the_answer_may_choose_an_earlier_turn(target):
    rollout = _play(
        target, [write_turn("a", "red"), write_turn("b", "blue"), write_turn("c", answer="turn 1")]
    )
    assert rollout.choice == 0 and rollout.code == "red"


def test_code_in_the_answer_is_rendered_and_judged(target):
    rollout = _play(target, [write_turn("a", "blue"), write_turn("b", answer="```python\nred\n```")])
    assert rollout.code == "red" and rollout.reward.vision == 1.0


def test_without_an_answer_the_last_code_counts(target):
    rollout = _play(target, [write_turn("a", "blue"), write_turn("b", "red")], max_turns=2)
    assert rollout.answer is None and rollout.code == "red" and rollout.reward.vision == 1.0


def test_a_crash_is_data_named_by_its_boundary(target):
    rollout = _play(target, [write_turn("a", "nocolour"), "gibberish"])
    assert rollout.turns[0].error == "run: ValueError: no colour nocolour"
    assert rollout.turns[1].error.startswith("parse: ")
    assert rollout.reward.vision == 0.0 and rollout.reward.format == -1.0


def test_the_reply_shows_render_difference_text_and_target_last(target):
    env = Environment(Painter(), difference=True)
    env.reset(target)
    blocks = env.render("blue")
    assert [b["type"] for b in blocks] == ["image", "image", "text", "image"]
    assert blocks[0]["image"].getpixel((32, 24)) == (0, 0, 255) and blocks[-1]["image"] is target
    assert [b["type"] for b in env.render("nocolour")] == ["text", "image"]
    assert "no colour nocolour" in env.render("nocolour")[0]["text"]


def test_blind_keeps_the_form_of_the_reply_and_none_of_its_content(target):
    env = Environment(Painter(), difference=True, blind=True)
    env.reset(target)
    blocks = env.render("blue")
    assert [b["type"] for b in blocks] == ["image", "image", "text", "image"]
    assert blocks[2]["text"] == "" and blocks[0]["image"].getcolors() == [(64 * 48, (255, 255, 255))]


def test_reset_forgets_the_last_rollout(target):
    env = Environment(Painter())
    env.reset(target, id="one")
    env.render("red")
    env.reset(Painter().render("blue").image, id="two")
    rollout = env.episode.settle([write_turn("a", "red")])
    assert rollout.id == "two" and rollout.reward.vision < 0.9


def test_a_failing_judge_leaves_the_rollout_unscored_not_zero(target):
    def judge(target, image, error=None):
        raise ConnectionError("endpoint down")

    rollout = _play(target, [write_turn("a", "red")], judge=judge, max_turns=1)
    assert math.isnan(rollout.reward.total) and "endpoint down" in rollout.final.verdict.reason


def test_a_judge_that_says_stop_ends_the_rollout(target):
    def judge(target, image, error=None):
        raise JudgeStopped("the endpoint is down")

    with pytest.raises(JudgeStopped):
        _play(target, [write_turn("a", "red")], judge=judge, max_turns=1)


def test_an_error_message_cannot_spell_an_image_token(target):
    env = Environment(Painter())
    env.reset(target)
    assert "<|" not in env.render("<|image_pad|>")[0]["text"]


def test_only_render_is_offered_as_a_tool():
    tools = [n for n in vars(Environment) if not n.startswith("_") and n != "reset"]
    assert tools == ["render"]


def test_a_turn_is_parsed_once_and_each_code_is_rendered_and_judged_once(target, monkeypatch):
    import rrvf_lab.environment as environment

    read, judged, painter = [], [], Painter()
    monkeypatch.setattr(environment, "parse_turn", lambda text: read.append(text) or talk.parse_turn(text))

    def judge(target, image, error=None):
        judged.append(image)
        return Verdict(0.5, "")

    turns = [
        write_turn("a", "blue"),
        write_turn("b", "blue"),
        write_turn("c", "red"),
        write_turn("d", answer="turn 1"),
    ]
    seen = []
    rollout = rl.play(rl.Recording(turns), target, 4, renderer=painter, judge=judge, on_turn=seen.append)
    assert read == turns and painter.rendered == ["blue", "red"] and len(judged) == 2
    assert [len(one.turns) for one in seen] == [1, 2, 3, 4] and rollout.turns == seen[-1].turns


def test_what_is_settled_are_exactly_the_turns_given(target):
    episode = Episode(Painter())
    episode.open(target)
    episode.take(write_turn("a", "red") + "<|im_end|>")
    kept = episode.settle([write_turn("a", "red") + "<|im_end|>\n"])
    assert [turn.code for turn in kept.turns] == ["red"] and kept.reward.vision == 1.0
    cut = episode.settle(["<think>a</think>\n<tool_call>"])
    assert cut.turns[0].code is None and cut.turns[0].error.startswith("parse: ") and cut.reward.vision == 0.0


def test_what_was_put_is_neither_rendered_nor_judged(target):
    episode = Episode(Painter(), difference=True)
    episode.open(target)
    episode.put("blue", Rendering(target), Verdict(0.25, "As told."))
    assert episode.take(write_turn("a", "blue"))
    said, told = episode.answer()
    assert said["role"] == "assistant" and told["content"][2]["text"] == "Score 0.25. As told."
    assert episode.renderer.rendered == [] and episode.close().reward.vision == 0.25


@pytest.mark.parametrize(
    "judge", [lambda target, image: 0.25, lambda target, image, error: Verdict(0.25, "x")]
)
def test_any_function_of_two_pictures_is_a_judge(target, judge):
    assert _play(target, [write_turn("a", "blue")], judge=judge, max_turns=1).reward.vision == 0.25


# ---- the best so far ---------------------------------------------------------------------------------------

SCORES = {"red": 0.9, "salmon": 0.5, "blue": 0.2, "teal": 0.5, "gray": math.nan}


def _told(target, *turns, **options):
    """[the texts of the replies to each turn] where the judge scores colours as in SCORES."""
    names = {Painter().render(name).image.getpixel((32, 24)): name for name in SCORES}

    def judge(target, image, error=None):
        return Verdict(SCORES[names[image.getpixel((32, 24))]] if image else 0.0, "Words.")

    episode = Episode(Painter(), judge, **options)
    episode.open(target)
    replies = []
    for text in turns:
        episode.take(text)
        replies.append([part["text"] for message in episode.answer() if message["role"] == "tool"
                        for part in message["content"] if isinstance(part, dict) and part["type"] == "text"])
    return replies


def test_from_the_second_draft_on_a_reply_names_the_best_turn(target):
    assert _told(target, *(write_turn("a", code) for code in ("salmon", "red", "blue"))) == [
        ["Score 0.50. Words."], ["Score 0.90. Best so far: turn 2. Words."],
        ["Score 0.20. Best so far: turn 2. Words."]]


def test_what_is_named_best_is_what_an_answer_may_choose(target):
    """Turns count as `turn k` counts them, those without a draft too."""
    nothing = "<think>a</think>"
    told = _told(target, nothing, write_turn("a", "blue"), write_turn("b", "red"))
    assert told[-1] == ["Score 0.90. Best so far: turn 3. Words."]
    turns = [nothing, write_turn("a", "blue"), write_turn("b", "red"), write_turn("c", answer="turn 3")]
    episode = Episode(Painter())
    episode.open(target)
    assert episode.settle(turns).code == "red"


def test_of_equally_good_drafts_the_first_is_best(target):
    told = _told(target, *(write_turn("a", code) for code in ("salmon", "teal", "salmon")))
    assert [text.split("Best")[1:] for [text] in told] == [[], [" so far: turn 1. Words."]] + [
        [" so far: turn 1. Words."]]


def test_a_crashed_draft_counts_as_zero(target):
    first, second, third = _told(target, *(write_turn("a", code) for code in ("nocolour", "blue", "")))
    assert first == ["Score 0.00. Words."] and second == ["Score 0.20. Best so far: turn 2. Words."]
    assert third == ["Score 0.00. Best so far: turn 2. Words."]
    both = _told(target, *(write_turn("a", code) for code in ("nocolour", "nothing")))
    assert both[1] == ["Score 0.00. Best so far: turn 1. Words."]


def test_an_unscored_draft_is_never_best(target):
    told = _told(target, *(write_turn("a", code) for code in ("gray", "blue", "salmon")))
    assert told[1] == ["Score 0.20. Words."]  # one that is known is no choice
    assert told[2] == ["Score 0.50. Best so far: turn 3. Words."]


def test_calls_of_one_turn_are_compared_with_each_other(target):
    def call(code):
        return write_turn("a", code).removeprefix("<think>a</think>\n")

    two, = _told(target, write_turn("a", "blue") + call("red"))
    assert two == ["Score 0.20. Best so far: turn 2. Words.", "Score 0.90. Best so far: turn 2. Words."]


@pytest.mark.parametrize(("blind", "told"), [(True, ""), ("text", ""),
                                             ("pictures", "Score 0.20. Best so far: turn 1. Words.")])
def test_who_is_blind_to_words_is_told_of_no_best(target, blind, told):
    replies = _told(target, write_turn("a", "red"), write_turn("b", "blue"), blind=blind)
    assert replies[1] == [told]


# ---- the size ----------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("language", "size"), [("matplotlib", (64, None)), ("plotly", None), ("svg", None)])
def test_a_figure_is_drawn_as_wide_as_the_target_and_everything_else_as_it_is(target, language, size):
    episode = Episode(Painter())
    episode.open(target, language)
    episode.take(write_turn("a", "red"))
    episode.close()
    assert episode.renderer.sizes == [size]


def test_an_equal_program_scores_one_at_whatever_size_the_target_has():
    code = "import matplotlib.pyplot as plt\nplt.figure(figsize=(4, 3))\nplt.bar([1, 2], [3, 4])"
    for width in (200, 320, 560):
        drawn = rl.render(code, size=(width, None)).image
        assert drawn.size == (width, width * 3 // 4)
        assert rl.play(rl.Recording([write_turn("a", code)]), drawn, max_turns=1).reward.vision == 1
