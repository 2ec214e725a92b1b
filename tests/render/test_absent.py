"""What a picture misses is named, in one sentence that reaches the policy; what is there is not."""
import pytest
from PIL import Image

import rrvf_lab as rl
from rrvf_lab.render.absent import absent, absent_from_figure
from rrvf_lab.talk import write_turn


@pytest.mark.parametrize("text, words", [
    ('<script src="https://cdn.tailwindcss.com"></script><p class="p-8">', ["script https://cdn.tailwindcss.com",
                                                                           "write the rules in <style>"]),
    ("<link href='https://x.org/bootstrap.min.css' rel='stylesheet'>", ["style sheet https://x.org/bootstrap"]),
    ('<style>@import url("https://fonts.googleapis.com/css2?family=Inter");</style>', ["style sheet https://fonts"]),
    ("<style>@font-face{font-family:A;src:url(https://x.org/a.woff2)}</style>", ["font https://x.org/a.woff2"]),
    ('<iframe src="https://maps.x.org"></iframe>', ["frame https://maps.x.org"]),
    ('<video><source src="a.mp4"></video>', ["film or sound a.mp4"]),
    ('<script>draw()</script>', ["the page's own script", "no scripts here"]),
    ('<img src="/logo.png">', ["picture /logo.png", "gray boxes"]),
    ('<div style="background-image: url(hero.jpg)">', ["picture hero.jpg"]),
    ('<svg><use href="icons.svg#a"/></svg>', ["part of another drawing icons.svg#a"]),
    ('<svg><image xlink:href="http://x.org/a.png"/></svg>', ["picture http://x.org/a.png"])])
def test_what_is_asked_for_in_vain_is_named(text, words):
    said = absent(text)
    assert said.startswith("Not drawn: ") and said.endswith(".") and "\n" not in said
    assert all(word in said for word in words)


@pytest.mark.parametrize("text", [
    "<p>script src, link, url(x)</p>", '<img src="data:image/png;base64,AA==">', '<a href="https://x.org">x</a>',
    '<script type="application/ld+json">{"a": 1}</script>', '<link rel="icon" href="a.ico">',
    "<!-- <script src='a.js'></script> -->", '<svg><use href="#a"/><rect fill="url(#g)"/></svg>',
    "<style>p{background:url(data:image/png;base64,AA)}</style>"])
def test_what_is_there_is_not_named(text):
    assert absent(text) == ""


def test_many_things_are_said_shortly():
    text = "".join(f'<img src="https://x.org/{n}{"a" * 300}.png">' for n in range(40))
    assert "and 37 more" in absent(text) and len(absent(text)) < 420


def test_a_hostile_text_costs_no_time():
    for part in ("<script ", "<link ", "url(", "@font-face{", "<!--", "<img a=", "background:url"):
        absent(part * (100_000 // len(part)))


def test_tex_in_a_figure_is_named():
    assert "$x^2$" in absent_from_figure('{"title": {"text": "$x^2$"}}')
    assert not absent_from_figure('{"a": "5 $"}')


def test_the_policy_is_told():
    class Page:
        def render(self, code, language, size=None):
            return rl.Rendering(Image.new("RGB", (20, 20), "white"), missing=absent(code))

    page = '<script src="https://cdn.tailwindcss.com"></script>'
    policy = rl.Recording([write_turn("a", code=page), write_turn("b", answer="turn 1")])
    rollout = rl.play(policy, {"image": Image.new("RGB", (20, 20), "navy"), "language": "html", "id": "x"},
                      renderer=Page())
    assert rollout.turns[0].verdict.feedback.startswith("Not drawn: the script https://cdn.tailwindcss.com")


@pytest.mark.browser
@pytest.mark.slow
def test_a_rendering_names_what_it_misses_and_hides_noscript():
    page = '<script src="https://cdn.tailwindcss.com"></script><body style="background:#0f0">'
    page += "<noscript><style>body{background:red}</style>Turn scripts on</noscript>"
    hidden = rl.render(page, "html")
    assert "tailwind" in hidden.missing and hidden.printed == hidden.missing
    assert hidden.image.getcolors() == [(1024 * 768, (0, 255, 0))]
