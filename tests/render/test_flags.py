"""Flags of programs: words for pictures held in the code, and none for what honest programs hold."""
import base64
import os

import pytest

from rrvf_lab.render import suspicious

PICTURE = base64.b64encode(os.urandom(900)).decode()
WORDS = "import matplotlib.pyplot as plt\nplt.title('" + "a longer title than most, " * 60 + "')"


@pytest.mark.parametrize("code, language", [
    ("import base64\nx = base64.b64decode('aGVsbG8=')", "matplotlib"),
    ("from zlib import decompress", "plotly"), (f"x = '{PICTURE}'", "matplotlib"),
    (f"x = {os.urandom(700)!r}", "matplotlib"),
    (f'<img src="data:image/png;base64,{PICTURE}">', "html"),
    (f'<svg><image href="data:image/png;base64,{PICTURE}"/></svg>', "svg")])
def test_a_picture_in_the_code_is_flagged(code, language):
    assert suspicious(code, language) == ("holds an embedded picture",)


@pytest.mark.parametrize("code, language", [
    (WORDS, "matplotlib"), ("x = 'https://example.com/" + "a/" * 80 + "'", "matplotlib"),
    ('<img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=">', "html"), ("<p>" + "word " * 900, "html")])
def test_long_words_and_small_icons_are_not(code, language):
    assert suspicious(code, language) == ()
