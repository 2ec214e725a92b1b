"""What chat models put around programs and choices: each form by itself, and texts that stay as they are."""
import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rrvf_lab.leaves.fences import turn_named, unfence

X = "import a\nx = 1"
PAGE = "<!DOCTYPE html>\n<p>a</p>\n</html>"
DRAWING = '<svg xmlns="http://www.w3.org/2000/svg"><text>a</text></svg>'
FENCED = {
    "with its language": f"```python\n{X}\n```",
    "bare": f"```\n{X}\n```",
    "tildes": f"~~~python\n{X}\n~~~",
    "more marks than three": f"````python\n{X}\n````",
    "other line ends": f"```python\r\n{X}\r\n```\r\n".replace("\nx", "\r\nx"),
    "blanks behind the marks": f"```python  \n{X}\n```  \t\n",
    "a blank before the language": f"``` python\n{X}\n```",
    "an attribute behind the language": f"```python title=\"a.py\"\n{X}\n```",
    "R's notebooks": f"```{{python}}\n{X}\n```",
    "c++ and the like": f"```c++\n{X}\n```",
    "closed on the program's line": f"```python\n{X}```",
    "never closed": f"```python\n{X}",
    "closed and never opened": f"{X}\n```",
    "closed with more marks": f"```python\n{X}\n`````",
    "empty lines around": f"\n\n```python\n\n{X}\n\n```\n\n",
    "prose before": f"Here is the program:\n\n```python\n{X}\n```",
    "prose after": f"```python\n{X}\n```\nIt draws the chart.",
    "prose around, with an apostrophe": f"Here's it:\n```py\n{X}\n```\nThat's all.",
    "indented": "Here:\n  ```python\n  import a\n  x = 1\n  ```",
    "quoted": f"> Done.\n```\n{X}\n```",
    "a shorter block before": f"First\n```bash\npip install a\n```\nthen\n```python\n{X}\n```",
    "a shorter block after": f"```python\n{X}\n```\nRun it:\n```\npython a.py\n```",
}


@pytest.mark.parametrize("form", FENCED)
def test_the_program_is_found_in_its_fence(form):
    assert unfence(FENCED[form]).strip("\n") == X


@pytest.mark.parametrize("text, inside", [
    (f"```html\n{PAGE}\n```", PAGE), (f"The page:\n~~~html\n{PAGE}\n~~~", PAGE),
    (f"{PAGE}\n```\nA page with one word.", PAGE), (f"```svg\n{DRAWING}\n```", DRAWING),
    (f"```xml\r\n{DRAWING}\r\n``` ", DRAWING), (f"{DRAWING}\n```", DRAWING),
    ("```x = 1```", "x = 1"), ("```python x = 1```", "x = 1"), ("`turn 1`", "turn 1"),
])
def test_markup_and_single_lines_are_found_too(text, inside):
    assert unfence(text) == inside


@pytest.mark.parametrize("program", [
    X, "", "x = '```'", 'print("""\n```\nnot a fence\n```\n""")', "s = '''\n~~~\n'''\nx = 1",
    "<pre>\n```python\nx = 1\n```\n</pre>", "<svg><text>\n```\n</text></svg>", "x = `1`", "    x = 1\n",
    "# ```python\nx = 1\n# ```",
])
def test_a_program_without_a_fence_around_it_stays_as_it_is(program):
    assert unfence(program) == program


@given(st.text(alphabet=st.sampled_from(list("`~ \t\r\n>ab'\"<")), max_size=60))
@example("```")
def test_any_text_gives_a_text(text):
    assert isinstance(unfence(text), str)
    assert turn_named(text) is None


@given(st.text(alphabet=string.ascii_letters + "()=#'\" \n", min_size=1).map(str.strip).filter(bool),
       st.sampled_from(["```", "~~~", "`````"]), st.sampled_from(["", "python", "py ", " python title=1"]),
       st.sampled_from(["\n", "\r\n"]), st.sampled_from(["", "Here you are:\n", "One.\n\nTwo:\n\n"]),
       st.sampled_from(["", "\n", "\nDone.", "  \n\nThat is it.\n"]))
def test_what_is_fenced_comes_out_whatever_the_fence_is_like(program, marks, language, end, before, after):
    text = f"{before}{marks}{language}\n{program}\n{marks}{after}".replace("\n", end)
    assert unfence(text) == program


CHOICES = {"turn 2": 1, "Turn 2": 1, "turn 2.": 1, "`turn 2`": 1, "TURN 2": 1, " turn 2\n": 1, "turn  2": 1,
           "**Turn 2**": 1, "'turn 2'": 1, '"turn 2"': 1, "turn: 2": 1, "turn #2": 1, "Turn-2": 1,
           "turn_2": 1,
           "```\nturn 2\n```": 1, "```turn 2```": 1, "Turn 2!": 1, "I choose turn 2.": 1, "(turn 2)": 1,
           "The best program is the one of turn 2, as its colours match.": 1, "turn 10": 9,
           "Answer: turn 2": 1, "turn 0": -1}
NO_CHOICES = ["", None, "turn", "turn two", "2", "turn 1 or turn 2", "return 2", "turn 12345", "turns 2",
              "# turn 2", "# turn 2\nx = 1", "turn 2\nx = 1", "x = 'turn 2'", "plt.title('turn 2')",
              "<svg>turn 2</svg>", "turn 1.5x", "turn 99999999999999999999999"]


@pytest.mark.parametrize("words", CHOICES)
def test_a_choice_is_understood(words):
    assert turn_named(words) == CHOICES[words]


@pytest.mark.parametrize("words", NO_CHOICES)
def test_what_is_no_choice_is_none(words):
    assert turn_named(words) is None
