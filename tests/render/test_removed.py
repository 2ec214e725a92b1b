"""Programs in the Python of other years, run: what is said of each names what to write instead.

Left out: every row of the table (judge/test_errors tries their messages).
"""
import pytest

from rrvf_lab.judge import in_short
from rrvf_lab.render import shared

MPL = "import matplotlib.pyplot as plt\nimport numpy as np\nimport pandas as pd\n"
PROGRAMS = {
    "plt.plot(np.array([1, 2], dtype=np.float))": "In this version of numpy: write float.",
    "plt.plot([1], [2], c='r', dtype=np.int)": "In this version of numpy: write int.",
    "plt.boxplot([[1, 2, 3], [2, 3, 4]], labels=['a', 'b'])": "write tick_labels=[...].",
    "plt.scatter([1], [1], color=plt.cm.get_cmap('tab10')(0))": "write plt.get_cmap(name).",
    "from matplotlib.cm import get_cmap": "write plt.get_cmap(name).",
    "plt.hist([1, 2], normed=True)": "write density=True.",
    "plt.style.use('seaborn-darkgrid')": "write plt.style.use('seaborn-v0_8-darkgrid').",
    "plt.contour([[1, 2], [3, 4]]).collections": "one collection now.",
    "plt.plot([1], label='a')\nplt.legend().legendHandles": "write legend.legend_handles.",
    "pd.DataFrame({'a': [1]}).append({'a': 2}, ignore_index=True)": "write pd.concat(",
    "pd.Series([1]).iteritems()": "write .items().",
    "pd.Series([1, 2]).fillna(method='ffill')": "write .ffill() or .bfill().",
    "pd.date_range('2020', periods=3, freq='M')": "write freq='ME'.",
    "np.trapz([1, 2])": "write np.trapezoid.",
}


@pytest.mark.parametrize("line", PROGRAMS)
def test_a_removed_call_is_answered_with_what_replaces_it(line):
    error = shared().render(MPL + line).error
    assert PROGRAMS[line] in error and PROGRAMS[line] in in_short(error)


@pytest.mark.parametrize("program, words", [
    ("plt.plot([1], color='notacolour')", "'notacolour' is not a valid value for color"),
    ("plt.plot([1], ls='dashy')", "'dashy' is not a valid value for ls"),
    ("plt.bar([1, 2, 3], [1, 2])", "shape mismatch"), ("plt.colour('r')", "has no attribute 'colour'"),
    ("pd.DataFrame({'a': [1]})['b']", "KeyError: 'b'"), ("plt.title('$\\\\frac{$')", "Expected"),
    ("float('12a')", "could not convert string to float: '12a'"), ("open('data.csv')", "data.csv"),
    ("raise ValueError('first\\n  second\\nlast')", "ValueError: first"),
])
def test_the_value_at_fault_is_named(program, words):
    assert words in in_short(shared().render(MPL + program).error)


@pytest.mark.browser
@pytest.mark.parametrize("program, words", [
    ("go.Figure(go.Scatter(y=[1, 2], marker_color='notacolour'))",
     "'color' property of scatter.marker. Received value: 'notacolour'"),
    ("go.Figure(layout=dict(titlefont=dict(size=3)))", "titlefont is gone: write title=dict("),
    ("go.Figure(go.Bar(y=[1], orientation='up'))", "Received value: 'up'"),
    ("go.Figure(go.Scatter(y=[1], mode='dots'))", "Received value: 'dots'"),
])
def test_plotly_names_the_property_and_the_value(program, words):
    error = shared().render("import plotly.graph_objects as go\nfig = " + program, "plotly").error
    assert words in in_short(error)


@pytest.mark.parametrize("program, words", [
    ('<svg xmlns="http://www.w3.org/2000/svg">\n<text>a&nbsp;b</text></svg>', ("undefined entity", "line 2")),
    ('<svg xmlns="http://www.w3.org/2000/svg"><g></svg>', ("mismatched tag", "line 1")),
    ('<svg xmlns="http://www.w3.org/2000/svg"><rect x=5/></svg>', ("not well-formed", "line 1")),
    ("<svg></svg>", ('xmlns="http://www.w3.org/2000/svg"',)),
])
def test_svg_says_what_the_parser_found_first(program, words):
    said = in_short(shared().render(program, "svg").error)
    assert all(word in said for word in words)
