"""What matplotlib, numpy, pandas, seaborn and scipy took away, and what to write instead.

Models write the Python of many years. Where the library's own message names no replacement, or names it
after a paragraph, `advised` adds one line to the error; plotly's table stands beside plotly (`_plotly`).

Left out: calls that still work and only warn, and what changed its meaning without an error.
"""

from __future__ import annotations

import re


def _gone(library, owner, **names):
    """Rows for attributes and imports: {name: what to write}; `owner` is how the message calls what had it.
    """
    return [(library, rf"(?:{owner}).*has no attribute '{name}'|cannot import name '{name}' from '{library}",
             text) for name, text in names.items()]


def _keyword(library, function, **names):
    """Rows for keywords that a function no longer takes."""
    return [(library, rf"\b(?:{function})\(\) got an unexpected keyword argument '{name}'", text)
            for name, text in names.items()]


# (library, pattern in the exception's text, what to write)
_TABLE = [
    # ---- matplotlib
    *_gone("matplotlib", "matplotlib.cm'", get_cmap="plt.get_cmap(name)",
           register_cmap="matplotlib.colormaps.register(cmap)"),
    *_gone("matplotlib", "matplotlib.colors'", DivergingNorm="matplotlib.colors.TwoSlopeNorm"),
    *_gone("matplotlib", "matplotlib.pyplot'", hold="nothing: each call draws into the same axes",
           plot_date="plt.plot(dates, values)"),
    *_gone("matplotlib", "'Axes(?:Subplot|3D)?'", hold="nothing: each call draws into the same axes",
           plot_date="ax.plot(dates, values)", set_axis_bgcolor="ax.set_facecolor(colour)",
           get_axis_bgcolor="ax.get_facecolor()", set_color_cycle="ax.set_prop_cycle(color=[...])",
           is_first_col="ax.get_subplotspec().is_first_col()",
           is_last_col="ax.get_subplotspec().is_last_col()",
           is_first_row="ax.get_subplotspec().is_first_row()",
           is_last_row="ax.get_subplotspec().is_last_row()",
           w_xaxis="ax.xaxis", w_yaxis="ax.yaxis", w_zaxis="ax.zaxis"),
    *_gone("matplotlib", "'Legend'", legendHandles="legend.legend_handles"),
    *_gone("matplotlib", "'(?:Quad|Tri)?ContourSet'",
           collections="the contour set itself, for example cs.set_linewidth(2); it is one collection now"),
    *_gone("matplotlib", "'GrouperView'", join="ax1.sharex(ax2) or plt.subplots(..., sharex=True)"),
    *_gone("matplotlib", "'FigureCanvas\\w*'",
           set_window_title="fig.suptitle(text); a picture has no window"),
    *_gone("matplotlib", "'[XY]Tick'", label="tick.label1"),
    *_gone("matplotlib", "'ArtistList'", append="ax.add_line(...), ax.add_patch(...) or ax.add_artist(...)",
           remove="artist.remove()", pop="artist.remove()", clear="ax.clear(), or artist.remove() for each"),
    *_gone("matplotlib", "matplotlib.mlab'", normpdf="scipy.stats.norm.pdf(x, mean, std)",
           bivariate_normal="scipy.stats.multivariate_normal(mean, cov).pdf(points)",
           griddata="scipy.interpolate.griddata(points, values, grid)"),
    *_keyword("matplotlib", r"[\w.]*boxplot", labels="tick_labels=[...]"),
    *_keyword("matplotlib", r"[\w.]*gca", projection="fig.add_subplot(projection='3d')"),
    *_keyword("matplotlib", r"[\w.]*stem", use_line_collection="stem(...) without it"),
    *_keyword("matplotlib", r"\w+\.set", normed="density=True", axisbg="facecolor=colour",
              axis_bgcolor="facecolor=colour", verts="marker=...", colour="color=...", colours="colors=[...]",
              bgcolor="facecolor=..."),
    *_keyword("matplotlib", r"[\w.]*print_\w+", frameon="facecolor='none' or transparent=True",
              papertype="savefig(...) without it", bbox="bbox_inches='tight'"),
    ("matplotlib", r"keyword grid_b is not recognized", "grid(visible=True)"),
    ("matplotlib", r"'seaborn((?:-[\w-]+)?)' is not a valid package style",
     "plt.style.use('seaborn-v0_8{0}')"),
    ("matplotlib", r"'axes\.color_cycle' is not a valid value for rcParam",
     "rcParams['axes.prop_cycle'] = plt.cycler(color=[...])"),
    ("matplotlib", r"\bbar\(\) missing 1 required positional argument: 'x'", "bar(x=..., height=...)"),
    ("matplotlib", r"\bbarh\(\) missing 1 required positional argument: 'y'", "barh(y=..., width=...)"),
    ("matplotlib", r"No module named 'mpl_toolkits\.axes_grid'", "from mpl_toolkits.axes_grid1 import ..."),
    ("matplotlib", r"No module named 'matplotlib\.finance'|No module named 'mpl_finance'",
     "ax.vlines(...) and ax.bar(...) for candles"),
    # ---- numpy
    ("numpy", r"module 'numpy' has no attribute '(float|int|bool|object|str|complex)'", "{0}"),
    *_gone("numpy", "module 'numpy'", product="np.prod", cumproduct="np.cumprod", trapz="np.trapezoid",
           in1d="np.isin", msort="np.sort(a, axis=0)", asscalar="a.item()", bool8="np.bool_", rank="np.ndim",
           unicode="str", row_stack="np.vstack", matrix_rank="np.linalg.matrix_rank",
           typeDict="np.dtype(name)"),
    # ---- pandas
    *_gone("pandas", "'(?:DataFrame|Series)'", append="pd.concat([a, b], ignore_index=True)",
           ix=".loc[labels] or .iloc[positions]", iteritems=".items()", as_matrix=".to_numpy()",
           applymap=".map(function)", sort=".sort_values(column)", order=".sort_values()",
           get_value=".at[row, column]", set_value=".at[row, column] = value",
           mad="(a - a.mean()).abs().mean()", lookup=".to_numpy()[rows, columns]", swapaxes=".T",
           ravel=".to_numpy()", pad=".ffill()",
           backfill=".bfill()", first=".head(n)", last=".tail(n)", get_values=".to_numpy()",
           from_csv="pd.read_csv(...)"),
    *_gone("pandas", "module 'pandas'", datetime="import datetime", np="import numpy as np",
           Panel="a DataFrame with a MultiIndex", rolling_mean="a.rolling(n).mean()",
           rolling_std="a.rolling(n).std()", ewma="a.ewm(span=n).mean()",
           scatter_matrix="pd.plotting.scatter_matrix(df)", value_counts="pd.Series(a).value_counts()",
           Int64Index="pd.Index(values)", Float64Index="pd.Index(values)", UInt64Index="pd.Index(values)"),
    *_keyword("pandas", r"[\w.]*fillna", method=".ffill() or .bfill()"),
    *_keyword("pandas", r"[\w.]*resample", how=".resample(rule).mean()"),
    *_keyword("pandas", r"[\w.]*groupby", axis=".T.groupby(...)"),
    *_keyword("pandas", r"[\w.]*_range", closed="inclusive='left' (or 'right', 'both', 'neither')"),
    *_keyword("pandas", r"read_\w+", delim_whitespace=r"sep=r'\s+'", error_bad_lines="on_bad_lines='skip'",
              squeeze=".squeeze('columns')", prefix="names=[...]"),
    *_keyword("pandas", r"to_datetime", infer_datetime_format="to_datetime(...) without it"),
    ("pandas", r"DataFrame\.drop\(\) takes from 1 to 2 positional", ".drop(columns=name)"),
    ("pandas", r"Please use \\?'(\w+)\\?' instead|Invalid frequency: .*Did you mean (\w+)\?", "freq='{0}'"),
    ("pandas", r"No module named 'pandas\.tools", "from pandas.plotting import ..."),
    ("pandas", r"Cannot perform reduction '(\w+)' with string dtype", ".{0}(numeric_only=True)"),
    # ---- seaborn
    *_gone("seaborn", "module 'seaborn'", factorplot="sns.catplot(...)", tsplot="sns.lineplot(x=..., y=...)",
           distplot="sns.histplot(values, kde=True)", apionly="import seaborn as sns"),
    *_keyword("seaborn", r"(?:lm|cat|rel|pair|joint|dis)plot|FacetGrid\.__init__|PairGrid\.__init__",
              size="height="),
    ("seaborn", r"\b(\w+(?:plot|map))\(\) (?:takes from 0 to 1 positional|got multiple values for argument "
                r"'data')", "sns.{0}(data=..., x=..., y=...)"),
    # ---- scipy
    *_gone("scipy", "'scipy.integrate'", simps="scipy.integrate.simpson", trapz="scipy.integrate.trapezoid",
           cumtrapz="scipy.integrate.cumulative_trapezoid"),
    *_gone("scipy", "'scipy.stats'", binom_test="scipy.stats.binomtest",
           itemfreq="np.unique(a, return_counts=True)"),
    *_gone("scipy", "'scipy.signal'", gaussian="scipy.signal.windows.gaussian"),
    *_gone("scipy", "'scipy.interpolate'", spline="scipy.interpolate.make_interp_spline(x, y)(new_x)"),
    *_gone("scipy", "'scipy'", interp="np.interp", randn="np.random.randn", array="np.array"),
    ("scipy", r"`interp2d` has been removed", "scipy.interpolate.RegularGridInterpolator((x, y), z)"),
]
_ROWS = [(library, re.compile(pattern, re.IGNORECASE), text) for library, pattern, text in _TABLE]
_TEXT = 2000  # characters of an exception that are looked at


def advised(error: str) -> str:
    """The error of a Python program, and a last line with what to write instead of what was removed.

    Example: `advised("AttributeError: 'DataFrame' object has no attribute 'ix'").splitlines()[-1] ==
    "In this version of pandas: write .loc[labels] or .iloc[positions]."`.
    """
    said = error.rpartition("\n  File ")[2][:_TEXT]
    for library, pattern, text in _ROWS:
        if found := pattern.search(said):
            named = [group for group in found.groups() if group is not None]
            return f"{error}\nIn this version of {library}: write {text.format(*named)}."
    return error
