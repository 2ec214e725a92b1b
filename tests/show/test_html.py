"""The one place that makes HTML: text stays text, code reads as written, pictures say what they show."""
import ast
import math
import re
from pathlib import Path

import pytest
from hostile import ELEMENTS, EVIL, RED, UNSEEN, Tags
from PIL import Image

import rrvf_lab
from rrvf_lab.leaves.pictures import png
from rrvf_lab.show.html import (
    bar,
    card,
    code_html,
    diff_html,
    document,
    drawn,
    folded,
    number,
    output_html,
    picture,
    plain,
    row,
    says,
    table,
    text_html,
)

TAKES_TEXT = {"text_html": text_html, "code_html": code_html, "output_html": output_html,
              "language": lambda text: code_html(text, text), "svg": lambda text: code_html(text, "svg"),
              "diff_html": lambda text: diff_html(text, f"{text} more"),
              "same": lambda text: diff_html(text, text),
              "alt": lambda text: picture(RED, text), "error": lambda text: drawn(None, "", text),
              "bar": lambda text: bar(0.5, text), "title": lambda text: document(text, [])}


@pytest.mark.parametrize("name", TAKES_TEXT)
def test_text_brings_no_element_and_no_attribute(name):
    make = TAKES_TEXT[name]
    page, harmless = make(EVIL), make("words")
    tags = {tag for tag, _ in Tags(page).found}
    assert tags <= ELEMENTS | {"html", "meta", "style", "main", "h1"}
    assert _attributes(page) <= _attributes(harmless) | {"style"}
    assert not UNSEEN.search(page)


def _attributes(page):
    return {key for _, attributes in Tags(page).found for key in attributes}


def test_only_html_py_escapes():
    """Any other file of the room would be a second place to be wrong."""
    for path in Path(rrvf_lab.__file__).parent.glob("show/*.py"):
        nodes = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Import)]
        modules = {alias.name for node in nodes for alias in node.names}
        assert path.name == "html.py" or not {"html", "base64"} & modules, path.name


def test_what_acts_is_made_visible_and_the_rest_left_alone():
    assert plain("a\x1b[0m\u202eb") == "a‹U+001B›[0m‹U+202E›b"
    assert plain("ab\ncd\té — 図") == "ab\ncd\té — 図"


def test_what_is_long_is_cut_with_a_note():
    assert "998,000 more characters in this line" in plain("A" * 1_000_000, total=2_000_000)
    assert plain("A" * 30_000).endswith("(10,000 more characters)")


def test_text_keeps_its_line_breaks():
    assert text_html("a < b\nc & \"d\"") == "a &lt; b<br>c &amp; &quot;d&quot;"


def test_code_is_highlighted_and_reads_as_written():
    code = "import os\n# note\nx = 'a' + \"<b>\" + str(12)\n"
    page = code_html(code)
    assert "".join(Tags(page).words) == code
    colours = re.compile(r"--jp-mirror-editor-(\w+)-color")
    assert {"keyword", "comment", "string", "number"} <= set(colours.findall(page))
    assert "tag" in colours.findall(code_html("<svg/>", "svg"))


def test_a_word_and_its_quotes_share_one_span():
    assert code_html("x = 'word'").count("<span") == 2  # the sign, the string


def test_a_diff_marks_lines_with_signs_and_words_inside_them():
    before = "a = 1\nplt.bar([1, 2], color='red')\nend"
    page = diff_html(before, "a = 1\nplt.bar([1, 3], color='red')\nend\nmore")
    lines = "".join(Tags(page).words).split("\n")
    assert lines == ["  a = 1", "- plt.bar([1, 2], color='red')", "+ plt.bar([1, 3], color='red')", "  end",
                     "+ more"]
    assert "<b><u>2</u></b>" in page and "<b><u>3</u></b>" in page


def test_the_same_code_is_said_to_be_the_same():
    assert "The same code again." in diff_html("a", "a") and "- a" not in diff_html("a", "a")


def test_a_picture_only_shrinks():
    large, small = (Image.new("RGB", size) for size in ((900, 300), (30, 10)))
    assert _size(picture(large, "a", 100)) == (200, 67) and _size(picture(small, "a", 100)) == (30, 10)
    assert _size(picture(png(large), "a", 100)) == (900, 300)  # a stored file is not decoded


def _size(page):
    import base64
    import io

    data = Tags(page).found[0][1]["src"].partition("base64,")[2]
    return Image.open(io.BytesIO(base64.b64decode(data))).size


def test_a_render_that_failed_has_its_error_in_the_pictures_place():
    assert Tags(drawn(RED, "red", "E")).found[0][1]["alt"] == "red"
    failed = drawn(None, "red", "run: <E>")
    assert "<img" not in failed and "no picture" in failed and "run: &lt;E&gt;" in failed
    assert "no code" in drawn(None, "red")


def test_a_bar_says_its_value_and_which_way_it_goes():
    assert Tags(bar(0.25, "vision")).found[0][1]["aria-label"] == "vision: 0.250"
    assert bar(-0.5, "format").count("#d9822b") == 1 and "#d9822b" not in bar(0.5, "tool")
    assert "width:160px;background" in bar(7.0, "x") and "width:0px;background" in bar(math.nan, "x")
    both = bar(-0.5, width=100, middle=True) + bar(0.5, width=100, middle=True)
    assert re.findall(r"margin-left:(\d+)px;width:(\d+)", both) == [("25", "25"), ("50", "25")]


def test_a_bar_has_no_words_that_stay_behind_where_its_marks_are_taken_out():
    assert "".join(Tags(bar(0.25, "vision")).words) == "" and "<svg" not in bar(0.25, "vision")


def test_unscored_is_no_number():
    assert number(math.nan) == "unscored" and number(0.5) == "0.500" and "unscored" in bar(math.nan, "score")


def test_a_table_names_its_rows_and_columns():
    page = table([("a", 1), ("b", 2)], ("part", "value"), "lr", "numbers")
    cells = [(a.get("scope"), "right" in a["style"]) for tag, a in Tags(page).found if tag in ("th", "td")]
    assert cells == [("col", False), ("col", True)] + [("row", False), (None, True)] * 2
    assert Tags(page).words == ["numbers", "part", "value", "a", "1", "b", "2"]


def test_frames_hold_what_they_are_given():
    page = row([card(picture(RED, "red"), says("target", folded("more", "words")))])
    assert " ".join(tag for tag, _ in Tags(page).found) == "div figure div img figcaption p b details summary"
    assert [word.strip() for word in Tags(page).words] == ["target", "", "more", "words"]


def test_a_document_needs_nothing_else_and_forbids_scripts():
    page = document("a <title>", ["<p>body</p>"])
    tags = Tags(page).found
    assert {"http-equiv": "Content-Security-Policy", "content": "default-src 'none'; img-src data:; "
            "style-src 'unsafe-inline'"} in [a for tag, a in tags if tag == "meta"]
    assert not {"script", "link", "iframe", "object"} & {tag for tag, _ in tags}
    assert page.count("a &lt;title&gt;") == 2  # in the tab and as the heading
