"""The book: pages that need no kernel, no script and no network."""
import re
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGES = "index", "02_one_rollout", "04_groups_and_advantages", "solutions"
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """{page: HTML} of a few pages."""
    folder = tmp_path_factory.mktemp("book") / "pages"
    runpy.run_path(ROOT / "notebooks" / "book.py")["make"](folder, PAGES)
    return {page: (folder / f"{page}.html").read_text() for page in PAGES} | {"folder": folder}


def test_pictures_are_there_and_say_what_they_show(book):
    for page in PAGES[1:3]:
        tags = re.findall(r"<img [^>]*>", book[page])
        assert len(tags) >= 8 and all(' alt="' in tag and 'src="data:image/png' in tag for tag in tags), page
    assert (book["folder"] / "pictures" / "loop.png").exists() and "pictures/loop.png" in book["index"]


def test_no_widget_shows_its_repr_and_nothing_runs(book):
    live = re.compile(r"\w+\(children=|widget-view|<script|\bon(load|click|error)=")
    assert [page for page in PAGES if live.search(book[page])] == []


def test_every_link_to_another_page_or_picture_has_its_target(book):
    pages = runpy.run_path(ROOT / "notebooks" / "book.py")["pages"]()
    pictures = {f"pictures/{path.name}" for path in (ROOT / "notebooks" / "pictures").glob("*.png")}
    known = {f"{page}.html" for page in pages} | pictures
    for page in PAGES:
        local = {link.partition("#")[0] for link in re.findall(r'(?:href|src)="([^":]*)"', book[page])} - {""}
        assert local <= known, (page, local - known)


def test_solutions_are_folded(book):
    assert book["solutions"].count('<details class="answer">') >= 10


def test_formulas_are_drawn(book):
    assert "\\(" not in book["04_groups_and_advantages"] and r'alt="r_i=' in book["04_groups_and_advantages"]
