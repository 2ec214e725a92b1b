"""Looks come from outside: once they are hung, records show themselves, and nothing heavy is loaded."""
import subprocess
import sys

from rrvf_lab.show.install import LOOKS, install
from rrvf_lab.show.pages import write_run
from rrvf_lab.training import report as training_report


def _python(code):
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_records_show_themselves_as_soon_as_the_package_is_there():
    _python("import rrvf_lab as rl; kinds = rl.Rollout, rl.Turn, rl.Reward, rl.Verdict, rl.Rendering, "
            "rl.Report, rl.Run, rl.Audit; assert all(hasattr(kind, '_repr_html_') for kind in kinds); "
            "assert rl.Report.plot and rl.Report.to_html and rl.Run.plot")


def test_installing_twice_changes_nothing():
    before = {kind: kind._repr_html_ for kind in LOOKS}
    install()
    assert {kind: kind._repr_html_ for kind in LOOKS} == before
    assert training_report.pages.count(write_run) == 1


def test_the_room_loads_nothing_heavy():
    heavy = "{'torch', 'matplotlib', 'plotly', 'playwright', 'pandas', 'skimage'}"
    _python(f"import sys, rrvf_lab.show; bad = {heavy} & set(sys.modules); assert not bad, bad")


def test_the_class_show_is_found_under_its_name():
    _python("import rrvf_lab as rl; from PIL import Image; import rrvf_lab.show.html; "
            "assert 'alt=\"red\"' in rl.show(Image.new('RGB', (4, 3)), 'red')._repr_html_()")
