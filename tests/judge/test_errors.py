"""Errors in the words that a model can act on, and none that breaks a token budget."""
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from rrvf_lab.environment import Episode
from rrvf_lab.judge import Verdict, in_short
from rrvf_lab.judge.errors import BYTES
from rrvf_lab.nano import load_model
from rrvf_lab.render import Rendering
from rrvf_lab.render.removed import advised
from rrvf_lab.talk import TOKENS_OF_TEXT, opening, reply
from rrvf_lab.training import TrainConfig
from rrvf_lab.training.budget import token_budget

TRACE = 'Traceback (most recent call last):\n  File "program.py", line 4, in <module>\n    f(x)\n'
PLOTLY = TRACE + """ValueError: 
    Invalid value of type 'builtins.str' received for the 'color' property of scatter.marker
        Received value: 'notacolour'

    The 'color' property is a color and may be specified as:
      - A hex string (e.g. '#ff0000')
      - A list or array of any of the above"""  # noqa: W291
NUMPY = TRACE + """AttributeError: module 'numpy' has no attribute 'float'.
`np.float` was a deprecated alias for the builtin `float`. To avoid this error in existing code, use `float`.
    https://numpy.org/devdocs/release/1.20.0-notes.html#deprecations"""
SAID = {  # error -> what is said of it
    PLOTLY: "ValueError: Invalid value of type 'builtins.str' received for the 'color' property of "
            "scatter.marker. Received value: 'notacolour'",
    NUMPY: "AttributeError: module 'numpy' has no attribute 'float'.",
    TRACE + "ValueError: Invalid property specified for object of type plotly.graph_objs.Layout: 'titlefont'"
    '\n\nDid you mean "title"?\n\n    Valid properties:\n        activeselection':
        "ValueError: Invalid property specified for object of type plotly.graph_objs.Layout: 'titlefont'. "
        'Did you mean "title"?',
    TRACE + "ValueError: Invalid property specified for object of type "
    "plotly.graph_objs.layout.polar.radialaxis.title.font.Tickformatstop.and.more.of.it: 'wrong'":
        "ValueError: Invalid property specified for object of type "
        "plotly.graph_objs.layout.polar.radialaxis.title.font.Tickforma ... 'wrong'",
    TRACE + "ValueError: \n$\\frac{$\n^\nParseSyntaxException: Expected \\frac{num}{den}":
        "ValueError: $\\frac{$. ParseSyntaxException: Expected \\frac{num}{den}",
    '  File "program.py", line 1\n    x = [\n        ^\nSyntaxError: \'[\' was never closed':
        "SyntaxError: '[' was never closed",
    "While the figure was drawn:\nValueError: a": "ValueError: a",
    TRACE + "ImportError: cannot import name 'f' from 'matplotlib' (/usr/lib/python3/matplotlib/__init__.py)":
        "ImportError: cannot import name 'f' from 'matplotlib'",
    TRACE + "ModuleNotFoundError: No module named 'cv2'": "ModuleNotFoundError: No module named 'cv2'",
    TRACE + "AssertionError": "AssertionError",
    TRACE + "SystemExit: 3": "SystemExit: 3",
    TRACE + "KeyError: 'b'": "KeyError: 'b'",
    "not well-formed XML: undefined entity &nbsp;: line 2, column 20\n    <text>a&nbsp;b</text>":
        "not well-formed XML: undefined entity &nbsp;: line 2, column 20",
    "the program was stopped: it used its 10 s of CPU time":
        "the program was stopped: it used its 10 s of CPU time",
    "plotly.js: no such map": "plotly.js: no such map",
    "no figure was drawn": "no figure was drawn", "": "no picture was drawn", None: "no picture was drawn",
    " \n \n": "no picture was drawn", "  indented alone": "indented alone",
}


@pytest.mark.parametrize("error", SAID)
def test_an_error_is_said_by_its_first_line_and_the_value_received(error):
    assert in_short(error) == SAID[error]
    assert Verdict.no_picture(error).feedback == f"Failed: {SAID[error]}"


# what the embedded model was taught: these replies are part of its cold start
TAUGHT = [
    "SyntaxError: '[' was never closed", "NameError: name 'ax' is not defined",
    "ValueError: x and y must have same first dimension, but have shapes (4,) and (5,)",
    "ValueError: operands could not be broadcast together with shapes (4,) (5,)",
    "ValueError: shape mismatch: objects cannot be broadcast to a single shape.  Mismatch is between arg 0 "
    "with shape (4,) and arg 1 with shape (5,).",
    "AttributeError: 'Axes' object has no attribute 'grids'", "IndexError: list index out of range",
    "SyntaxError: unterminated string literal (detected at line 4)", "x" * 500,
]


@pytest.mark.parametrize("line", TAUGHT)
def test_errors_of_one_line_read_as_they_always_did(line):
    assert in_short(line) == in_short(TRACE + line) == line[:120]


REMOVED = {  # the exception's first line -> a word of the advice
    "AttributeError: module 'numpy' has no attribute 'float'.\n`np.float` was": "numpy: write float.",
    "AttributeError: module 'numpy' has no attribute 'trapz'": "np.trapezoid",
    "AttributeError: module 'numpy' has no attribute 'product'": "np.prod.",
    "TypeError: boxplot() got an unexpected keyword argument 'labels'": "tick_labels=[...]",
    "TypeError: Axes.boxplot() got an unexpected keyword argument 'labels'": "tick_labels=[...]",
    "AttributeError: module 'matplotlib.cm' has no attribute 'get_cmap'": "plt.get_cmap(name)",
    "ImportError: cannot import name 'get_cmap' from 'matplotlib.cm' (/a/b.py)": "plt.get_cmap(name)",
    "AttributeError: Rectangle.set() got an unexpected keyword argument 'normed'": "density=True",
    "AttributeError: Line2D.set() got an unexpected keyword argument 'colour'": "color=...",
    "AttributeError: 'Legend' object has no attribute 'legendHandles'": "legend_handles",
    "AttributeError: 'QuadContourSet' object has no attribute 'collections'": "one collection",
    "AttributeError: 'GrouperView' object has no attribute 'join'": "ax1.sharex(ax2)",
    "AttributeError: 'Axes3D' object has no attribute 'w_xaxis'": "ax.xaxis",
    "TypeError: FigureBase.gca() got an unexpected keyword argument 'projection'": "add_subplot(projection=",
    "OSError: 'seaborn' is not a valid package style, path of": "'seaborn-v0_8'",
    "OSError: 'seaborn-whitegrid' is not a valid package style, path of": "'seaborn-v0_8-whitegrid'",
    "ValueError: keyword grid_b is not recognized; valid keywords are": "visible=True",
    "TypeError: stem() got an unexpected keyword argument 'use_line_collection'": "without it",
    "AttributeError: 'DataFrame' object has no attribute 'append'": "pd.concat",
    "AttributeError: 'Series' object has no attribute 'append'": "pd.concat",
    "AttributeError: 'DataFrame' object has no attribute 'ix'": ".loc[labels]",
    "AttributeError: 'DataFrame' object has no attribute 'iteritems'": ".items()",
    "AttributeError: 'DataFrame' object has no attribute 'applymap'": ".map(function)",
    "TypeError: NDFrame.fillna() got an unexpected keyword argument 'method'": ".ffill()",
    "ValueError: Invalid frequency: M. Failed to parse with error message: ValueError(\"'M' is no longer "
    "supported for offsets. Please use 'ME' instead.\")": "freq='ME'",
    "ValueError: Invalid frequency: H. Failed to parse with error message: ValueError('Invalid frequency: H. "
    "Did you mean h?') Did you mean h?": "freq='h'",
    "TypeError: read_csv() got an unexpected keyword argument 'delim_whitespace'": "sep=r'\\s+'",
    "AttributeError: module 'seaborn' has no attribute 'factorplot'": "sns.catplot",
    "TypeError: lmplot() got an unexpected keyword argument 'size'": "height=",
    "TypeError: barplot() takes from 0 to 1 positional arguments but 2 were given": "sns.barplot(data=",
    "TypeError: catplot() got multiple values for argument 'data'": "sns.catplot(data=",
    "AttributeError: module 'scipy.integrate' has no attribute 'simps'": "scipy.integrate.simpson",
    "NotImplementedError: `interp2d` has been removed in SciPy 1.14.0.": "RegularGridInterpolator",
}


@pytest.mark.parametrize("line", REMOVED)
def test_what_was_removed_is_answered_with_what_replaces_it(line):
    said = in_short(advised(TRACE + line))
    assert said.startswith(line.partition("\n")[0].partition(" (/")[0][:100]) and REMOVED[line] in said


@pytest.mark.parametrize("line", [*TAUGHT, "AttributeError: 'list' object has no attribute 'append_all'",
                                  "AttributeError: 'DataFrame' object has no attribute 'appended'",
                                  "TypeError: f() got an unexpected keyword argument 'labels'",
                                  "AttributeError: module 'numpy' has no attribute 'floats'"])
def test_other_errors_get_no_advice(line):
    assert advised(TRACE + line) == TRACE + line


def test_the_turns_record_says_the_same_words_as_the_reply():
    episode = Episode()
    episode.open(Image.new("RGB", (40, 30)))
    episode.put("x", Rendering(error=PLOTLY), Verdict.no_picture(PLOTLY))
    episode.take("<think>a</think><answer>x</answer>")
    assert episode.close().turns[0].error == f"run: {SAID[PLOTLY]}"


# ---- the budget --------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def processor():
    return load_model("nano")[1]


WILD = ["x" * 5000, "漢字" * 900, "qzxj" * 500, "1234567890" * 90, "😀" * 400, "<|image_pad|>" * 99,
        "é" * 700, "\ud800" * 300, "word " * 1000, "<tool_response>\n" * 80, "\x00\x01" * 400, PLOTLY * 9]


@pytest.mark.parametrize("words", WILD)
@pytest.mark.parametrize("as_error", [True, False])
def test_no_feedback_takes_more_tokens_than_its_budget(processor, words, as_error):
    target = Image.new("RGB", (640, 480), "white")
    picture = None if as_error else target
    verdict = Verdict.no_picture(words) if as_error else Verdict(0.5, words)
    blocks = reply(target, Rendering(picture, words), verdict, picture)
    talk = [*opening(target, "matplotlib", 2), {"role": "assistant", "content": ""}]
    after = [*talk, {"role": "tool", "name": "render", "content": blocks}]
    texts = processor.apply_chat_template([talk, after], tokenize=False)
    before, with_reply = (len(processor.tokenizer(text)["input_ids"]) for text in texts)
    shown = sum(block["type"] == "image" for block in blocks)
    budget = token_budget(TrainConfig.load("nano"), processor, difference=True)
    assert with_reply - before + shown * (budget["picture"] - 1) <= budget["reply"]


@given(st.text(alphabet="aé漢😀'\n: \ud800", max_size=900))
def test_an_error_in_short_is_one_line_that_any_tokenizer_holds(text):
    said = in_short(text)
    assert len(f"Score 0.00. Failed: {said}".encode()) <= TOKENS_OF_TEXT and len(said.encode()) <= BYTES
    assert "\n" not in said


def test_feedback_within_the_budget_is_told_word_for_word(processor):
    said = "Type line, not bar. Colour teal; gold, not red; blue. Grid on. Change 0, +3, new, -1 of 10. " * 3
    message = {"role": "tool", "name": "render", "content": [{"type": "text", "text": said}]}
    assert said in processor.apply_chat_template([message], tokenize=False)
