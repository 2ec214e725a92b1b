"""The process that runs programs: imports the plotting libraries once, forks a child for each program.

Started by `sandbox.Jail` as a script, never imported. Three generations: the *zygote* loads the libraries and
waits; for each `lane` it forks a process that takes one program at a time; that one forks the *child* which
puts the limits on itself, runs the program and writes picture and report into the shared memory it was given.

A program may do anything with its own child, so nothing said here is trusted by the other side: it reads
plain pixels and a small JSON report, after the child is dead. Unseeded random numbers are the same in each
render, and sleeping is skipped: the picture should depend on the program alone. Files a program writes live
in its own memory.
"""

import builtins
import ctypes
import gc
import glob
import importlib.util
import io
import json
import os
import random
import re
import resource
import signal
import socket
import sys
import time
import traceback
import types

NAME = "program.py"                # what the program is called in its own tracebacks
MAX_FIGURE = 40 * 2**20            # pixels a figure may ask for; above MAX_PIXELS its dpi is lowered instead

HERE = os.path.dirname(os.path.abspath(__file__))
spec = importlib.util.spec_from_file_location("sandbox", os.path.join(HERE, "sandbox.py"))
sandbox = importlib.util.module_from_spec(spec)
sys.modules["sandbox"] = sandbox
spec.loader.exec_module(sandbox)
del sys.modules["sandbox"]


# -------------------------------------------------------------------------------------------- three processes

def zygote(control, task):
    """Load, confine, report ready, then fork a lane per socket that arrives; end with the control stream."""
    preload()
    null = os.open(os.devnull, os.O_RDWR)
    own_namespace = None
    if task["mode"] == "bwrap":
        own_namespace = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
    sandbox.remember_mapped_pages()
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        libc.prctl(4, 0, 0, 0, 0)                                # not dumpable: no ptrace, no /proc/PID/mem
        if task["mode"] == "bwrap":
            libc.umount2(b"/proc", 2)
    if task["mode"] in sandbox.MODES:
        try:
            sandbox.apply_landlock(task["readable"])
        except OSError:
            pass                                 # the test program of `Jail` finds out what that means
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)                # nobody waits for a lane
    control.sendall(b"R")
    serve(control, null, own_namespace, task)


def serve(control, null, own_namespace, task):
    """Fork a lane for each socket that comes with an L, and a zygote with more libraries for an H."""
    gc.collect()
    gc.freeze()
    while True:
        message, fds, _, _ = socket.recv_fds(control, 1, 1)
        if not message:
            os._exit(0)
        if os.fork() == 0:
            control.close()
            if sys.platform == "linux":
                ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)      # dies with its zygote
            if message == b"H":
                preload_heavy()
                serve(socket.socket(fileno=fds[0]), null, own_namespace, task)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            lane(socket.socket(fileno=fds[0]), null, own_namespace, task)
        os.close(fds[0])


def lane(connection, null, own_namespace, task):
    """Take programs, one at a time, until the other side hangs up."""
    child_pid = 0

    def too_late(*_):
        nonlocal late
        late = True
        if child_pid:
            os.kill(child_pid, signal.SIGKILL)

    signal.signal(signal.SIGALRM, too_late)
    while True:
        message, fds, _, _ = socket.recv_fds(connection, 4096, 1)
        if not message or not fds:
            os._exit(0)
        job = json.loads(message)
        late = False
        if own_namespace is not None:
            sandbox.fresh_pid_namespace(own_namespace)
        child_pid = os.fork()
        if child_pid == 0:
            try:
                signal.setitimer(signal.ITIMER_REAL, 0)
                child(fds[0], null, job, task)
            finally:
                os._exit(70)
        signal.setitimer(signal.ITIMER_REAL, job["wall"])
        _, status, usage = os.wait4(child_pid, 0)
        child_pid = 0
        signal.setitimer(signal.ITIMER_REAL, 0)
        os.close(fds[0])
        end = {"status": status, "late": late, "cpu": usage.ru_utime + usage.ru_stime}
        connection.sendall(json.dumps(end).encode() + b"\n")


class CpuLimit(BaseException):
    """Raised inside a program that has used its CPU time, so that its traceback shows where."""


def child(memory, null, job, task):
    """Confine this process, run the program, write the result. Does not return."""
    gc.disable()
    os.setsid()
    code = os.pread(memory, job["length"], 0).decode("utf-8", "surrogatepass")
    os.pwrite(memory, bytes(8), 0)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    os.dup2(memory, 3)
    os.closerange(4, 4096)
    for number in (signal.SIGALRM, signal.SIGCHLD, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGPROF, over_time)
    signal.setitimer(signal.ITIMER_PROF, job["cpu"])
    if task["mode"] != "bare":
        sandbox.apply_limits(job["cpu"], task["memory"])
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)      # die with the lane
    try:
        if task["mode"] in sandbox.MODES:
            sandbox.drop_capabilities()
            program = sandbox.seccomp_program(os.getpid())
            if program:
                sandbox.apply_seccomp(program)
    except OSError:
        pass
    report = {"width": 0, "height": 0}
    if job["language"] == "selftest":
        report["prevented"] = sandbox.attempt_everything(json.loads(code))
    else:
        report = RUN[job["language"]](code, job)
    pixels = report.pop("pixels", None)
    if pixels is not None:
        os.pwrite(3, pixels, sandbox.HEAD)
    text = json.dumps(report).encode()
    os.pwrite(3, b"RRVF" + len(text).to_bytes(4, "little") + text, 0)
    os._exit(0)


def over_time(*_):
    raise CpuLimit("the CPU time limit was reached here")


# ------------------------------------------------------------------------------------------ running a program

class Tail(io.RawIOBase):
    """A stream that keeps only the last bytes written to it."""

    def __init__(self):
        self.kept = b""

    def writable(self):
        return True

    def write(self, data):
        self.kept = (self.kept + bytes(data[-2000:]))[-2000:]
        return len(data)


def execute(code, namespace):
    """Run the program as `__main__` -> (error or None, text it printed)."""
    out = Tail()
    sys.stdout = sys.stderr = io.TextIOWrapper(out, "utf-8", "replace", write_through=True)
    sys.stdin = io.StringIO()
    sys.argv = [NAME]
    error = None
    try:
        exec(compile(code, NAME, "exec", dont_inherit=True), namespace)
    except BaseException as problem:
        if not (isinstance(problem, SystemExit) and problem.code in (None, 0)):
            error = explain(problem, code)
    return error, out.kept.decode("utf-8", "replace")


def explain(problem, code):
    """The traceback as the program's author needs it: own lines and message, nobody else's frames."""
    lines = code.split("\n")
    text = ["Traceback (most recent call last):"]
    frames = [f for f in traceback.walk_tb(problem.__traceback__) if f[0].f_code.co_filename == NAME]
    for frame, number in frames[-4:]:
        text.append(f'  File "{NAME}", line {number}, in {frame.f_code.co_name}')
        if 0 < number <= len(lines) and lines[number - 1].strip():
            text.append("    " + lines[number - 1].strip()[:200])
    try:
        last = "".join(traceback.format_exception_only(problem)).rstrip()
    except BaseException:
        last = type(problem).__name__
    if not frames:
        text = [] if isinstance(problem, SyntaxError) else ["While the figure was drawn:"]
    if isinstance(problem, CpuLimit):
        last = "TimeoutError: the program used all of its CPU time here"
    if len(last) > 1500:
        last = last[:1000] + " [...] " + last[-500:]             # plotly says what is wrong first, others last
    return "\n".join(text + [last])


def new_main():
    module = types.ModuleType("__main__")
    module.__dict__.update(__builtins__=builtins, __file__=NAME)
    sys.modules["__main__"] = module
    return module.__dict__


files = {}      # absolute path -> bytes, or a function that makes them, of what was written


class MemoryFile(io.BytesIO):
    """A file of the program's own, kept in `files` when it is closed."""

    def __init__(self, path, content=b""):
        super().__init__(content)
        self.name, self.path = path, os.path.abspath(path)

    def close(self):
        if not self.closed:
            files[self.path] = self.getvalue()
        super().close()


def patch_files():
    """Let a program write files in its own memory and read them again, as no folder is writable here."""
    real_open, real_remove = builtins.open, os.remove

    def open_file(file, mode="r", buffering=-1, encoding=None, errors=None, newline=None, closefd=True,
                  opener=None):
        writes = isinstance(mode, str) and set(mode) & set("wax+")
        if isinstance(file, int) or opener or not (writes or os.path.abspath(os.fspath(file)) in files):
            return real_open(file, mode, buffering, encoding, errors, newline, closefd, opener)
        path = os.path.abspath(os.fspath(file))
        kept = files.get(path, b"")
        kept = kept() if callable(kept) else kept
        if "x" in mode and path in files:
            raise FileExistsError(17, "File exists", file)
        if "r" in mode and path not in files:
            raise FileNotFoundError(2, "No such file or directory", file)
        stream = MemoryFile(os.fspath(file), b"" if "w" in mode else kept) if writes else io.BytesIO(kept)
        if "a" in mode:
            stream.seek(0, 2)
        return stream if "b" in mode else io.TextIOWrapper(stream, encoding or "utf-8", errors, newline)

    def make_folder(path, mode=0o777, exist_ok=False, **_):
        if os.path.exists(path) and not exist_ok:
            raise FileExistsError(17, "File exists", os.fspath(path))

    def remove(path, **_):
        if files.pop(os.path.abspath(os.fspath(path)), None) is None:
            real_remove(path)

    builtins.open = io.open = open_file
    os.mkdir = os.makedirs = make_folder
    os.remove = os.unlink = remove


# ------------------------------------------------------------------------------------------------- matplotlib

class TooLarge(ValueError):
    pass


class Shot:
    """What the program has shown so far, as the patched matplotlib functions saw it."""
    size = None                    # (width, height) asked for by the caller
    saved = cleared = closed = None
    shown = ()
    animations = ()


class Sink:
    """A file for matplotlib's raw format: takes the RGBA array it is given."""

    def seek(self, *_):
        pass

    def write(self, view):
        self.view = view


def preload():
    """Import what charts use and draw one of each kind, so that a child finds everything warm."""
    import matplotlib
    matplotlib.use("agg")
    import matplotlib.pyplot as plt
    import numpy as np
    import mpl_toolkits.axes_grid1.inset_locator  # noqa: F401
    import mpl_toolkits.mplot3d  # noqa: F401
    for name in ("animation", "dates", "gridspec", "patheffects", "sankey", "table", "tri", "widgets", "_qhull"):
        importlib.import_module("matplotlib." + name)
    load("calendar", "colorsys", "csv", "datetime", "glob", "math", "statistics", "textwrap", "resvg_py",
         "xml.etree.ElementTree")
    warm_up(plt, np)
    patch(matplotlib, plt, np)
    patch_files()
    random.seed(0)
    np.random.seed(0)
    np.random.bit_generator.randbits = lambda bits: 20250720 & (1 << bits) - 1      # seeds default_rng()


def load(*names):
    for name in names:
        try:
            importlib.import_module(name)
        except ImportError:
            pass


def preload_heavy():
    """The libraries that only some programs use; each makes every fork after it dearer."""
    load("pandas", "pandas.plotting._matplotlib", "scipy.stats", "scipy.interpolate", "scipy.ndimage", "seaborn",
         "sklearn", "networkx", "plotly.express", "plotly.io", "plotly.subplots")
    sandbox.remember_mapped_pages()


def warm_up(plt, np):
    """Fill matplotlib's caches (fonts, glyphs, ticks, math text) with small charts; leave no state behind."""
    before = dict(plt.rcParams)
    fig = plt.figure(figsize=(6, 4))
    axes = fig.subplots(2, 2)
    axes[0, 0].plot([1, 2, 3], label="$x^2$")
    axes[0, 0].legend()
    axes[0, 1].bar(["a", "b"], [1, 2])
    fig.colorbar(axes[1, 0].imshow(np.eye(3)))
    axes[1, 1].scatter([1, 2], [3, 4], c=[1, 2])
    axes[1, 1].set_title("0123456789 abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ", weight="bold")
    fig.tight_layout()
    fig.savefig(io.BytesIO(), format="raw")
    fig = plt.figure(figsize=(4, 3))
    fig.add_subplot(121, projection="polar").pie([1, 2], labels=["a", "b"])
    fig.add_subplot(122, projection="3d").plot([1, 2], [1, 2], [1, 2])
    fig.savefig(io.BytesIO(), format="raw", bbox_inches="tight")
    plt.close("all")
    plt.rcParams.update(before)


def patch(matplotlib, plt, np):
    """Listen to matplotlib: what is saved, shown, closed or cleared becomes pixels, never a file."""
    from matplotlib.animation import Animation
    from matplotlib.backend_bases import FigureCanvasBase
    from matplotlib.backends import backend_agg
    from matplotlib.figure import Figure

    print_figure = FigureCanvasBase.print_figure
    new_renderer = backend_agg.RendererAgg.__init__
    close, clear, animate = plt.close, Figure.clear, Animation.__init__
    open_figures, rc = matplotlib._pylab_helpers.Gcf.figs, matplotlib.rcParams

    def capture(canvas, dpi=None, **options):
        """Draw as `print_figure` does and return the RGBA array, with a lower dpi if above MAX_PIXELS."""
        figure = canvas.figure
        before = figure.get_size_inches().copy()
        dpi, box = rc["savefig.dpi"] if dpi is None else dpi, rc["savefig.bbox"]
        dpi = figure.dpi if dpi == "figure" else dpi
        if Shot.size:
            width, height = Shot.size
            dpi = min(width / before[0], height / before[1])
            # a hundredth of a pixel more, as matplotlib rounds down
            figure.set_size_inches((width + 0.01) / dpi, (height + 0.01) / dpi, forward=False)
            options["bbox_inches"] = rc["savefig.bbox"] = None
        pixels = before[0] * before[1] * dpi**2
        if not Shot.size and sandbox.MAX_PIXELS < pixels <= MAX_FIGURE * 4:
            dpi *= (sandbox.MAX_PIXELS / pixels) ** 0.5 * 0.999
        try:
            for _ in range(3):
                sink = Sink()
                print_figure(canvas, sink, dpi=dpi, format="raw", **options)
                height, width = sink.view.shape[:2]
                if height * width <= sandbox.MAX_PIXELS:
                    return np.array(sink.view)
                dpi *= (sandbox.MAX_PIXELS / (height * width)) ** 0.5 * 0.99
            raise TooLarge(f"Image size of {width}x{height} pixels is too large")
        finally:
            rc["savefig.bbox"] = box
            figure.set_size_inches(before, forward=False)

    def limited_renderer(self, width, height, dpi):
        if width * height > MAX_FIGURE:
            raise TooLarge(f"Image size of {int(width)}x{int(height)} pixels is too large: "
                           f"the limit is {MAX_FIGURE} pixels")
        new_renderer(self, width, height, dpi)

    def saving(self, filename, dpi=None, facecolor=None, edgecolor=None, orientation="portrait", format=None,
               *, bbox_inches=None, pad_inches=None, bbox_extra_artists=None, backend=None, **kwargs):
        if format is None and isinstance(filename, (str, os.PathLike)):
            format = os.path.splitext(os.fspath(filename))[1][1:]
        format = (format or "png").lower()
        if format not in self.get_supported_filetypes():
            raise ValueError(f"Format {format!r} is not supported (supported formats: "
                             f"{', '.join(sorted(self.get_supported_filetypes()))})")
        unknown = sorted(set(kwargs) - {"metadata", "pil_kwargs"})
        if unknown and format not in ("pdf", "ps", "eps", "pgf", "svg", "svgz"):
            raise TypeError(f"FigureCanvasAgg.print_{format}() got an unexpected keyword argument "
                            f"{unknown[0]!r}")
        Shot.saved = capture(self, dpi, facecolor=facecolor, edgecolor=edgecolor, bbox_inches=bbox_inches,
                             pad_inches=pad_inches, bbox_extra_artists=bbox_extra_artists)
        if isinstance(filename, (str, os.PathLike)):
            shot = Shot.saved
            files[os.path.abspath(os.fspath(filename))] = lambda: encoded(shot)
        if hasattr(filename, "write"):           # a buffer that the program may read again
            print_figure(self, filename, dpi, facecolor, edgecolor, orientation, format,
                         bbox_inches=bbox_inches, pad_inches=pad_inches, backend=backend,
                         bbox_extra_artists=bbox_extra_artists, **kwargs)

    def showing(*_, **__):
        Shot.shown = tuple(manager.canvas.figure for manager in open_figures.values())

    def closing(fig=None):
        before = [manager.canvas.figure for manager in open_figures.values()]
        close(fig)
        after = [manager.canvas.figure for manager in open_figures.values()]
        for figure in before:
            if figure not in after and drawn_on(figure):
                Shot.closed = figure

    def clearing(self, *args, **kwargs):
        if self in Shot.shown and drawn_on(self) and Shot.saved is None:
            Shot.cleared = capture(self.canvas)
        return clear(self, *args, **kwargs)

    def animating(self, *args, **kwargs):
        animate(self, *args, **kwargs)
        Shot.animations += (self,)

    def saving_animation(self, *_, **__):
        first_frame(self)
        Shot.saved = capture(self._fig.canvas)

    def as_text(self, *_, **__):
        saving_animation(self)
        return ""

    Shot.capture = staticmethod(capture)
    agg, renderer = backend_agg.FigureCanvasAgg, backend_agg.RendererAgg
    Shot.tools = lambda: (renderer.__init__, renderer.buffer_rgba, FigureCanvasBase.print_figure, Figure.draw,
                          agg.draw, agg.print_raw, agg.get_renderer, Shot.capture, os.pwrite, json.dumps)
    backend_agg.RendererAgg.__init__ = limited_renderer
    FigureCanvasBase.print_figure = saving
    FigureCanvasBase.draw_idle = lambda *_, **__: None           # for windows only; pyplot.savefig calls it
    plt.show = Figure.show = showing
    plt.pause = lambda interval: showing()
    plt.close = closing
    Figure.clear = clearing
    Animation.__init__ = animating
    Animation.save, Animation.to_jshtml, Animation.to_html5_video = saving_animation, as_text, as_text
    Animation.__del__ = lambda self: None
    matplotlib.use = plt.switch_backend = lambda *_, **__: None  # a window could not be opened here
    time.sleep = lambda seconds: None
    Shot.honest = Shot.tools()
    delaunay = matplotlib._qhull.delaunay        # when silent it wants to open /dev/null for writing
    matplotlib._qhull.delaunay = lambda x, y, verbose: delaunay(x, y, True)


def encoded(rgba):
    from PIL import Image
    buffer = io.BytesIO()
    Image.fromarray(rgba).save(buffer, "PNG")
    return buffer.getvalue()


def drawn_on(figure):
    return bool(figure.axes or figure.lines or figure.patches or figure.texts or figure.images
                or figure.subfigs or figure.artists or figure.legends)


def first_frame(animation):
    animation._init_draw()
    frame = next(animation.new_frame_seq(), None)
    if frame is not None:
        animation._draw_next_frame(frame, blit=False)


def run_matplotlib(code, job):
    """Run a program and return its report: the picture it saved last, else its current figure."""
    Shot.size = job["size"]
    namespace = new_main()
    error, printed = execute(code, namespace)
    report = {"width": 0, "height": 0, "error": error, "printed": printed[-2000:],
              "patched": Shot.tools() != Shot.honest}
    if error is None:
        try:
            picture = last_picture(namespace)
        except BaseException as problem:
            report["error"] = explain(problem, code)
        else:
            if picture is None:
                report["error"] = "no figure was drawn"
            else:
                report["height"], report["width"] = picture.shape[:2]
                report["pixels"] = opaque(picture).tobytes()
    return report


def last_picture(namespace):
    from matplotlib import _pylab_helpers
    from matplotlib.figure import Figure
    if Shot.saved is not None:
        return Shot.saved
    manager = _pylab_helpers.Gcf.get_active()
    figure = manager.canvas.figure if manager else None
    if figure is None or not drawn_on(figure):
        if Shot.cleared is not None:
            return Shot.cleared
        own = [v for v in namespace.values() if isinstance(v, Figure) and drawn_on(v)]
        figure = Shot.closed or (own[-1] if own else figure)
    if figure is None:
        figure = next((v for v in reversed(namespace.values()) if isinstance(v, Figure)), None)
    if figure is None:
        return None
    for animation in Shot.animations:
        if animation._fig is figure:
            first_frame(animation)
    return Shot.capture(figure.canvas)


def opaque(rgba):
    """RGB, with transparent parts over white."""
    alpha = rgba[..., 3:]
    if alpha.min() == 255:
        return rgba[..., :3]
    a = alpha.astype("uint32")
    return ((rgba[..., :3] * a + 255 * (255 - a) + 127) // 255).astype("uint8")


# ------------------------------------------------------------------------------------------------------------- plotly

# What plotly 6 and 7 took away, where its own message names no replacement or a wrong one: pattern in the error, advice.
REMOVED = (
    (r"'(\w*)titlefont", "titlefont is gone: write title=dict(text='...', font=dict(...)) or title_font=dict(...)"),
    (r"'(\w*)title(side|position|offset|standoff)", "it moved into the title: write title=dict(text='...', {1}=...)"),
    (r"'(scatter|line|choropleth|density|\w+)_mapbox'", "it is px.{0}_map now, with map_style for mapbox_style"),
    (r"'(Scatter|Choropleth|Density)mapbox'", "it is go.{0}map now, drawn on layout.map"),
    (r"'mapbox\w*'", "layout.mapbox is layout.map now"),
    (r"'Heatmapgl'", "use go.Heatmap"),
    (r"'Pointcloud'", "use go.Scattergl(mode='markers')"),
    (r"'Area'", "use go.Barpolar, or go.Scatter(fill='tozeroy') for an area under a line"),
    (r"'transforms?'", "filter, group or sort the data in pandas before plotting"),
    (r"'create_(distplot|gantt|2d_density|annotated_heatmap|bullet|candlestick|ohlc|facet_grid|violin|scatterplotmatrix)'",
     "the figure factory no longer has it: build it with plotly.express or plotly.graph_objects"),
    (r"'autotick'", "write tickmode='auto' or tickmode='linear'"),
    (r"'bardir'", "write orientation='v' or 'h'"),
    (r"No module named 'plotly\.plotly'|No module named 'chart_studio", "import plotly.graph_objects as go, end with fig.show()"),
    (r"has no attribute '(scope|orca)'|Kaleido|kaleido", "no export is needed: leave the figure in `fig` or call fig.show()"),
)


def patch_plotly(shown):
    """Have everything that shows or writes a figure append it to the list `shown` instead."""
    import plotly.graph_objects
    import plotly.io
    import plotly.offline
    from plotly.basedatatypes import BaseFigure

    def as_figure(figure):
        return figure if isinstance(figure, BaseFigure) else plotly.graph_objects.Figure(figure)

    def show(figure, *_, **__):
        shown.append(as_figure(figure))

    def text(figure, *_, **__):
        show(figure)
        return ""

    def data(figure, *_, **__):
        show(figure)
        return b""

    for owner in (BaseFigure, plotly.io):
        owner.show = owner.write_image = owner.write_html = owner.write_json = show
        owner.to_html, owner.to_image = text, data
    plotly.offline.plot, plotly.offline.iplot = text, show
    plotly.offline.init_notebook_mode = lambda *_, **__: None


def run_plotly(code, job):
    """Run a program and return its last figure as JSON. It travels as one row of RGB pixels, padded with spaces."""
    import plotly.io
    from plotly.basedatatypes import BaseFigure
    shown, to_json = [], plotly.io.to_json
    patch_plotly(shown)
    namespace = new_main()
    error, printed = execute(code, namespace)
    report = {"width": 0, "height": 0, "error": error and advice(error), "printed": printed[-2000:]}
    if error is None:
        named = [namespace["fig"]] if isinstance(namespace.get("fig"), BaseFigure) else []
        figures = [v for v in namespace.values() if isinstance(v, BaseFigure)] + named + shown
        if not figures:
            report["error"] = "no figure was made: build a plotly figure and leave it in `fig` or call fig.show()"
            return report
        try:
            text = to_json(figures[-1], validate=False).encode()
        except BaseException as problem:
            report["error"] = advice(explain(problem, code))
            return report
        if len(text) > 3 * sandbox.MAX_PIXELS - 2:
            report["error"] = (f"the figure holds {len(text) / 1e6:.0f} MB of data; the limit is "
                               f"{3 * sandbox.MAX_PIXELS / 1e6:.0f} MB")
            return report
        report["pixels"] = text + b" " * (-len(text) % 3)
        report["width"], report["height"] = len(report["pixels"]) // 3, 1
    return report


def advice(error):
    """The error without plotly's list of every valid property, and with what to write instead of something removed."""
    last = error.rpartition("\n  File ")[2]
    error = re.sub(r"\n\s*Valid properties:.*", "", error, flags=re.DOTALL)
    for pattern, text in REMOVED:
        found = re.search(pattern, last)
        if found:
            return f"{error}\nIn this version of plotly: {text.format(*found.groups())}."
    return error


# ---------------------------------------------------------------------------------------------------------------- svg

SVG = "{http://www.w3.org/2000/svg}"
PICTURE_DATA = re.compile(r"\s*data:image/(png|jpe?g|gif|webp)[;,]", re.IGNORECASE)
UNITS = {"": 1.0, "px": 1.0, "pt": 4 / 3, "pc": 16.0, "mm": 96 / 25.4, "cm": 96 / 2.54, "in": 96.0, "em": 16.0, "rem": 16.0}
FAMILIES = (("sans-serif", r"Arial|Helvetica Neue|Helvetica|Roboto|Inter|Segoe UI|system-ui|Open Sans|Calibri|Tahoma"),
            ("serif", r"Times New Roman|Times|Georgia|Cambria|Garamond"),
            ("monospace", r"Courier New|Courier|Consolas|Menlo|Monaco"))


FONTS = ("/usr/share/fonts", "/usr/local/share/fonts", "/System/Library/Fonts")


class BadSvg(ValueError):
    pass


def stand_ins():
    """What sans-serif, serif and monospace mean here: Liberation, else the DejaVu that matplotlib ships."""
    if glob.glob("/usr/share/fonts/*/liberation*") + glob.glob("/usr/share/fonts/liberation*"):
        return "Liberation Sans", "Liberation Serif", "Liberation Mono"
    return "DejaVu Sans", "DejaVu Serif", "DejaVu Sans Mono"


def run_svg(code, job):
    """Rasterise a drawing with resvg and return its picture over white. Nothing outside the text is ever read."""
    report = {"width": 0, "height": 0}
    try:
        picture = rasterise(code.strip(), job["size"])
    except BadSvg as problem:
        report["error"] = str(problem)
    except BaseException as problem:
        report["error"] = f"the drawing could not be rendered: {problem}"[:1500]
    else:
        report["width"], report["height"], report["pixels"] = *picture.size, picture.tobytes()
    return report


def rasterise(code, size):
    import matplotlib
    import resvg_py
    from PIL import Image
    root, width, height = read_svg(code)
    if size:
        if root.get("viewBox") is None:
            root.set("viewBox", f"0 0 {width} {height}")
        width, height = size
    if width * height > sandbox.MAX_PIXELS:
        raise BadSvg(f"the drawing asks for {width:.0f} x {height:.0f} pixels; the limit is {sandbox.MAX_PIXELS:,} in all")
    root.set("width", str(max(1, round(width))))
    root.set("height", str(max(1, round(height))))
    # Always written again from what was read here, so that no second reader can see something else in it.
    text = known_fonts(ElementTree().tostring(root, encoding="unicode"))
    folders = [p for p in FONTS if os.path.isdir(p)]
    sans, serif, mono = stand_ins()
    png = resvg_py.svg_to_bytes(
        svg_string=text, background="white", skip_system_fonts=True,
        font_dirs=[*folders, os.path.join(matplotlib.get_data_path(), "fonts", "ttf")], font_family=sans,
        sans_serif_family=sans, serif_family=serif, monospace_family=mono, cursive_family=sans, fantasy_family=sans)
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    if picture.width * picture.height > sandbox.MAX_PIXELS:
        raise BadSvg(f"the drawing is {picture.width} x {picture.height} pixels; the limit is {sandbox.MAX_PIXELS:,} in all")
    return picture


def ElementTree():
    import xml.etree.ElementTree as tree
    tree.register_namespace("", SVG[1:-1])
    tree.register_namespace("xlink", "http://www.w3.org/1999/xlink")
    return tree


def read_svg(code):
    """(root, width, height) of a drawing; references to anything outside it become gray boxes. Raises BadSvg."""
    tree = ElementTree()
    if "<!ENTITY" in code:
        raise BadSvg("entity declarations (<!ENTITY ...>) are not read; write the text itself")
    if "http://www.w3.org/2000/svg" not in code:
        raise BadSvg('the root element must be <svg xmlns="http://www.w3.org/2000/svg" ...>')
    try:
        root = tree.fromstring(code)
    except tree.ParseError as problem:
        number = problem.position[0]
        line = code.split("\n")[number - 1].strip()[:200] if number <= code.count("\n") + 1 else ""
        raise BadSvg(f"not well-formed XML: {problem}\n    {line}") from None
    if root.tag != SVG + "svg":
        raise BadSvg('the root element must be <svg xmlns="http://www.w3.org/2000/svg" ...>, not '
                     f"<{root.tag.rpartition('}')[2]}>")
    for element in root.iter():
        name = element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""
        for key in [k for k in element.attrib if k.rpartition("}")[2] == "href"]:
            value = element.get(key)
            if name in ("image", "feImage"):
                if not PICTURE_DATA.match(value):
                    del element.attrib[key]
                    element.tag = SVG + "rect" if name == "image" else element.tag
                    element.set("fill", "#c8c8c8")
            elif not value.strip().startswith("#") and name != "a":
                del element.attrib[key]
    width, height = pixels(root.get("width")), pixels(root.get("height"))
    if width is None or height is None:
        try:
            _, _, w, h = (float(n) for n in root.get("viewBox", "").replace(",", " ").split())
            ratio = w / h
        except (ValueError, ZeroDivisionError):
            raise BadSvg("the <svg> element needs width and height in pixels, or a viewBox") from None
        if width is None and height is None:                     # like a browser, as large as there is room for
            width = 512.0 if ratio >= 1 else 512.0 * ratio
        height = height or width / ratio
        width = width or height * ratio
    if not (0 < width < 1e9 and 0 < height < 1e9):
        raise BadSvg(f"the drawing is {width:g} x {height:g} pixels; nothing to see")
    return root, width, height


def pixels(length):
    """A CSS length in pixels; None when absent, relative or not a length."""
    found = re.fullmatch(r"\s*([+-]?[0-9]*\.?[0-9]+(?:[eE][+-]?[0-9]+)?)\s*([a-z]*)\s*", length or "")
    return float(found[1]) * UNITS[found[2]] if found and found[2] in UNITS else None


def known_fonts(text):
    """Common families that are seldom installed become the generic family that replaces them in a browser too."""
    def replaced(found):
        families = found[2]
        for generic, names in FAMILIES:
            families = re.sub(rf"(?<![\w-])(?:&quot;|['\"])?(?:{names})(?:&quot;|['\"])?(?![\w-])", generic, families)
        return found[1] + families
    return re.sub(r"(font-family\s*(?:=\s*\"|:))((?:&quot;|[^;}<>\"])*)", replaced, text)


RUN = {"matplotlib": run_matplotlib, "plotly": run_plotly, "svg": run_svg}

if __name__ == "__main__":
    sys.path.remove(HERE)
    zygote(socket.socket(fileno=int(sys.argv[1])), json.loads(sys.argv[2]))
