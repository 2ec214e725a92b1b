"""Every look over hostile records: nothing they brought is live, hidden, endless or without a name."""
import pytest
from hostile import ELEMENTS, EVIL, UNSEEN, Tags, evil_rollout, looks, rollout, turn

from rrvf_lab.show.html import document
from rrvf_lab.show.install import LOOKS
from rrvf_lab.show.pages import export
from rrvf_lab.show.runs import thumbnail

EVIL_LOOKS = looks(evil_rollout())


def run_looks(run):
    return {"run": run._repr_html_()} | {f"thumbnail {i}": thumbnail(run, i) for i in range(len(run))}


@pytest.fixture
def pages(run):
    return EVIL_LOOKS | run_looks(run)


def test_no_look_of_hostile_text_holds_an_element_it_brought(pages):
    for name, page in pages.items():
        for tag, attributes in Tags(page).found:
            assert tag in ELEMENTS, (name, tag)
            assert not [key for key in attributes if key.startswith("on") or key in ("href", "srcdoc")], name
            assert attributes.get("src", "data:image/png;base64,").startswith("data:image/png;base64,"), name


def test_control_and_direction_marks_are_seen_not_obeyed(pages):
    for name, page in pages.items():
        assert not UNSEEN.search(page), name
        page.encode()


def test_a_line_of_a_megabyte_stays_small(pages):
    assert {name: len(page) for name, page in pages.items() if len(page) > 250_000} == {}


def test_every_picture_and_every_bar_says_what_it_shows(pages, run):
    pages = pages | looks(rollout(turn(), turn(code="a = 2", score=0.7)))
    tags = [tag for page in pages.values() for tag in Tags(page).found]
    pictures = [attributes for tag, attributes in tags if tag == "img"]
    assert len(pictures) > 80 and all(len(a["alt"]) > 5 for a in pictures)
    assert any("score 0.700" in a["alt"] for a in pictures)
    bars = [a for tag, a in tags if tag == "span" and "display:inline-block" in a.get("style", "")]
    assert bars and all(a.get("aria-hidden") == "true" or a["aria-label"] for a in bars)


def test_every_class_with_a_look_is_among_those_tried(run):
    tried = {"rollout", "lone turn 1", "rendering 1", "verdict 1", "reward", "report", "comparison", "run",
             "isolation", "audit", "diagnosis", "probe", "curve", "zoo", "rejudged", "judges", "what if",
             "tokens"}
    assert tried <= set(EVIL_LOOKS | run_looks(run))
    assert len(tried) == len(LOOKS) - 3  # Estimate, Preflight and Claims hold our own words and numbers


@pytest.mark.slow
@pytest.mark.browser
def test_in_a_browser_nothing_they_wrote_runs(chromium, pages, tmp_path):
    """Without the policy that forbids scripts, so that only the escaping stands between them and the page."""
    export([evil_rollout()], tmp_path / "exported.html", EVIL)
    (tmp_path / "looks.html").write_text("<!doctype html><meta charset=utf-8>" + "".join(pages.values()))
    for name in ("looks", "exported"):
        page = chromium.new_page()
        errors = []
        page.on("pageerror", lambda error, errors=errors: errors.append(str(error)))
        page.goto((tmp_path / f"{name}.html").as_uri())
        page.evaluate("() => document.querySelectorAll('details').forEach(e => { e.open = true })")
        page.mouse.move(200, 200)
        page.wait_for_timeout(300)
        assert page.evaluate("window.pwned") is None and errors == []
        brought = "script, iframe, textarea, [onerror], [onload], [onmouseover], [onfocus]"
        assert page.locator(brought).count() == 0
        assert page.locator("img").count() > 3 and page.locator("img:not([alt])").count() == 0
        words = page.locator("body").inner_text()
        assert "‹U+202E›" in words and "‹U+001B›[31m" in words and "more characters" in words
        page.close()


@pytest.mark.slow
@pytest.mark.browser
def test_in_a_browser_a_document_runs_not_even_a_script_of_its_own(chromium, tmp_path):
    (tmp_path / "page.html").write_text(document("x", ["<script>window.pwned = 1</script><p>here</p>"]))
    page = chromium.new_page()
    page.goto((tmp_path / "page.html").as_uri())
    assert page.inner_text("p") == "here" and page.evaluate("window.pwned") is None
    page.close()
