"""Records that want to act, every look over them, and what a page may hold of them."""
import math
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
from PIL import Image

from rrvf_lab.diagnose import Finding, diagnose
from rrvf_lab.judge import Audit, Verdict
from rrvf_lab.judge.zoo import Exhibit, Zoo
from rrvf_lab.probe import Curve, Probe
from rrvf_lab.probe.interventions import INTERVENTIONS
from rrvf_lab.records import Report
from rrvf_lab.render import Isolation, Rendering
from rrvf_lab.reward import reward
from rrvf_lab.rollout import Rollout, Turn
from rrvf_lab.show.groups import sheet
from rrvf_lab.show.ledger import ledger, ledger_html
from rrvf_lab.show.pages import gallery
from rrvf_lab.show.rollout import beside_html, strip_html, turn_html, verdict_html
from rrvf_lab.show.superpose import HOW
from rrvf_lab.whatif import compare_judges, rejudge, what_if
from rrvf_lab.whatif.tokens import TokenLogprobs

EVIL = ("<img src=x onerror='window.pwned = 1'></pre></script></textarea></svg></title>"
        "<script>window.pwned = 2</script><svg onload='window.pwned = 3'></svg>"
        "\" onmouseover=\"window.pwned = 4\" ' onfocus='window.pwned = 5' "
        "<a href='javascript:window.pwned = 6'>x</a>"
        "<iframe srcdoc='<script>top.pwned = 7</script>'></iframe>"
        "\x1b[31m\x1b[2J\x07\x00\u202e\u2066\u200b\ud800\x85<img src=x onerror='window.pwned = 8'>")
LONG = EVIL + "A" * 1_000_000
RED, BLUE = Image.new("RGB", (60, 40), "red"), Image.new("RGB", (60, 40), "blue")
ELEMENTS = set("figure figcaption div b u br p pre code span del ins details summary img svg title rect "
               "table caption tr td th ul li ol h3".split())
UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


class Tags(HTMLParser):
    """The elements of a page with their attributes, and the words one reads."""

    def __init__(self, page):
        super().__init__()
        self.found, self.words = [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.words.append(data)


def turn(text="bar", code="a = 1", score=0.5, image=RED):
    verdict = Verdict(score, text, {text[:60]: 0.5}, text)
    failed = None if image else text
    rendering = Rendering(image, failed, 0.1, text[:60], printed=text, flags=(text[:60],))
    return Turn(text, code, rendering, verdict, text, "render", failed and f"run: {failed}")


def rollout(*turns, **options):
    made = Rollout(BLUE, "matplotlib", turns, "turn 1", 0 if turns else None, **{"id": "x"} | options)
    return replace(made, reward=reward(made))


def evil_rollout():
    """Hostile in every text there is, among them one of a megabyte; it ran, failed, or wrote no code."""
    neither = Turn(EVIL, None, None, None, EVIL, None, "parse: " + EVIL)
    answer = replace(neither, action="answer", error=None)
    turns = turn(EVIL, EVIL), turn(LONG, LONG), turn(EVIL, EVIL, 0.0, None), neither, answer
    info = {"model": EVIL, "kind": EVIL, "branch": {"turn": 1, "changed": [EVIL]}}
    return replace(rollout(*turns, info=info), id=EVIL, language="html")


def evil_audit():
    ladder = {"mean": 1.0, "worst": 1.0, "target": 0, "n": 2}
    trap = {"mean": 0.1, "max": 0.1, "target": 0, "n": 2}
    return Audit(EVIL, 2, {EVIL: ladder}, {"blank": trap}, {"mean": 1.0, "min": 1.0, "beaten": 0}, 0.0,
                 {"mean": 0.0, "max": 0.0}, None, 1, EVIL, (EVIL,), [], {EVIL: (RED, math.nan)})


def evil_diagnosis(rollouts):
    finding = Finding(EVIL, EVIL, EVIL, costs=EVIL, remedy=EVIL, rollouts=(0, 1))
    return diagnose(rollouts, [lambda run: finding])


def evil_probe(rollouts):
    row = {"rollout": 0, "id": EVIL, "turn": 2, "image": 0, "logprob": math.nan, "logprob shown": math.nan,
           "score": 0.1, "score shown": 0.5, "code": EVIL, "code shown": LONG, "changed": True,
           "wrote": "program"}
    told = {"rollout": 0, "turn": 2, "kind": "colour", "followed": True, "untold": False}
    return Probe([row | {"intervention": one.name} for one in INTERVENTIONS], [told], (EVIL,), EVIL, rollouts)


def evil_zoo():
    drawn = Exhibit(EVIL, EVIL, EVIL, LONG, RED, None, {EVIL: 0.9}, (EVIL,), EVIL)
    failed = Exhibit(EVIL, LONG, "html", EVIL, None, LONG, {EVIL: math.nan}, (), "")
    return Zoo((drawn, failed), BLUE)


def whatif_looks(it):
    """Looks of the room of what might have been, over a group of rollouts that another judge turns round."""
    name = EVIL.replace("\ud800", "")  # pandas takes no half a character pair, and no token is one
    some = [replace(it, turns=(turn(EVIL, EVIL, score, image), *it.turns[1:]), choice=0, id=name,
                    info={"step": 1, "group": EVIL})
            for score, image in ((0.2, RED), (0.8, BLUE), (0.0, None), (0.9, RED))]
    some = [replace(one, reward=reward(one)) for one in some]

    def judge(target, image, error=None) -> Verdict:
        return Verdict(float(image.getpixel((0, 0)) == (255, 0, 0)), LONG)

    judge.__name__ = EVIL
    words = TokenLogprobs([name, name + "A" * 1_000_000], np.array([0, 1]), np.array([-1.0, -2.0]))
    changed = what_if(some, scale="none")
    tokens = [words.since(words)] * len(some)
    terms = {"terms": [np.zeros(2)] * len(some), "stopped": [np.zeros(2)] * len(some)}
    changed = replace(changed, tokens=tokens, notes=[EVIL, LONG], recorded=replace(changed.recorded, **terms),
                      changed=replace(changed.changed, **terms))
    judges = compare_judges(some, {"recorded": None, name: judge})
    pages = {"rejudged": rejudge(some, judge), "judges": judges, "what if": changed, "tokens": words,
             "tokens changed": tokens[0]}
    return {name: one._repr_html_() for name, one in pages.items()}


def looks(it):
    """{name: HTML} of every look over rollout `it`, and over what else can hold its texts."""
    failed = replace(it, choice=len(it.drafts) - 1, id="y")
    report = Report([it, failed], undone={EVIL: EVIL})
    paired = Report([replace(it, id="x")])  # ids come from a dataset; pandas takes no half a character pair
    isolation = Isolation("limits", False, ((EVIL, False, EVIL, EVIL),), (EVIL,))
    pages = {"rollout": it._repr_html_(), "failed rollout": failed._repr_html_(), "strip": strip_html(it, 1),
             "reward": it.reward._repr_html_(), "ledger": ledger_html(ledger(it)),
             "beside": beside_html(it, it), "gallery": gallery([it, failed], EVIL, before=[it, failed]),
             "sheet": sheet([it, failed])._repr_html_(), "report": report._repr_html_(),
             "comparison": paired.compare(paired)._repr_html_(), "audit": evil_audit()._repr_html_(),
             "isolation": isolation._repr_html_(), "diagnosis": evil_diagnosis([it, failed])._repr_html_()}
    probe = evil_probe([it])
    pages |= {"probe": probe._repr_html_(), "curve": Curve({0: probe})._repr_html_(),
              "zoo": evil_zoo()._repr_html_()} | whatif_looks(it)
    for k, one in enumerate(it.turns, 1):
        pages |= {f"turn {k} {how}": turn_html(it, k, how) for how in HOW}
        pages[f"lone turn {k}"] = one._repr_html_()
        if one.rendering is not None:
            pages |= {f"rendering {k}": one.rendering._repr_html_(), f"parts {k}": verdict_html(one.verdict),
                      f"verdict {k}": one.verdict._repr_html_()}
    return pages
