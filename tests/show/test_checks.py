"""What is found out before a training is shown with pictures and with words for them."""
import re

import matplotlib.pyplot as plt
import numpy as np
import pytest
from hostile import Tags

from rrvf_lab.data import load_images
from rrvf_lab.judge import audit
from rrvf_lab.judge.audit import TRAPS
from rrvf_lab.render import Isolation
from rrvf_lab.training.memory import ALWAYS, SAMPLING, UPDATE, Estimate


@pytest.fixture(scope="module")
def found():
    def far(target, image):
        """1 for the same pixels, less the further they are from each other on average."""
        both = (np.asarray(picture.convert("L"), float) for picture in (target, image))
        return 1 - np.abs(np.subtract(*both)).mean() / 255

    targets = load_images("data/charts/test").select(range(2))["image"]
    return audit(far, [target.resize((120, 90)) for target in targets], repeats=1, hacks=False)


def test_an_audit_shows_itself_with_pictures_and_words_for_them(found):
    page = found._repr_html_()
    alts = re.findall(r'<img [^>]*alt="([^"]+)"', page)
    assert len(alts) == 1 + 1 + len(TRAPS) and "tau" in alts[0] and "blank" in alts[0]
    assert len(page) < 600_000 and "Audit of far, n = 2 targets" in page


def test_an_audit_on_view_leaves_no_figure_open(found):
    before = plt.get_fignums()
    found._repr_html_()
    assert plt.get_fignums() == before


def test_the_isolation_says_what_holds_what_does_not_and_what_to_do():
    rows = ("files", True, "", ""), ("network", False, "reaches it", "apt install it")
    made = Isolation("filters", True, rows)
    words = " ".join(Tags(made._repr_html_()).words)
    assert "filters, safe for untrusted programs" in words and "files yes" in words
    assert "network NO reaches it apt install it always unprotected" in words and "tried in vain" not in words
    unsafe = Isolation("limits", False, (), ("bwrap: not found",))
    assert "NOT safe" in unsafe._repr_html_() and "tried in vain" in unsafe._repr_html_()


def test_an_estimate_shows_each_part_and_the_peak():
    words = Tags(Estimate(dict.fromkeys((*ALWAYS, *SAMPLING, *UPDATE), 1.5))._repr_html_()).words
    peak = 1.5 * (len(ALWAYS) + max(len(SAMPLING), len(UPDATE)))
    assert words[:3] == ["weights", "always", "1.50 GB"] and words[-2:] == ["peak", f"{peak:.2f} GB"]
