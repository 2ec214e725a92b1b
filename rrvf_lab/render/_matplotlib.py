"""Inside the sandbox: matplotlib, listened to. What a program saves, shows, closes or clears becomes pixels.

`warm_up` and `patch` are called once, before any program; `run` in the child. A program may do anything with
its own child, so nothing said here is trusted by the other side. Loaded by `_zygote`, never imported.

Left out: windows, and files in vector formats: what is saved can be read again, drawn in pixels.
"""

import io
import json
import math
import os
import time

import sandbox
from _program import encoded, execute, explain, new_main, save_later

MAX_FIGURE = 40 * 2**20            # pixels a figure may ask for; above MAX_PIXELS its dpi is lowered instead


def far_text(figure):
    """What a tight box grows around: the text that lies farthest outside its figure, in words, or ""."""
    from matplotlib.text import Text
    box, found = figure.bbox, []
    for text in figure.findobj(lambda artist: isinstance(artist, Text) and artist.get_visible()):
        if text.get_text():
            x, y = text.get_transform().transform(text.get_unitless_position())
            found.append((max(-x / box.width, x / box.width - 1, -y / box.height, y / box.height - 1), text))
    away, text = max(found, key=lambda pair: pair[0], default=(0, None))
    if not away > 1:                             # also where it is no number
        return ""
    x, y = text.get_position()
    return f"; the text {text.get_text()[:30]!r} at ({x:.4g}, {y:.4g}) lies far outside the figure"


class TooLarge(ValueError):
    """Says why; its other arguments are width and height."""

    def __str__(self):
        return self.args[0]


class Shot:
    """What the program has shown so far, as the patched matplotlib functions saw it."""
    size = None                    # (width, height or None) asked for by the caller
    saved = cleared = closed = None
    shown = ()
    animations = ()


class Sink:
    """A file for matplotlib's raw format: takes the RGBA array it is given."""

    def seek(self, *_):
        pass

    def write(self, view):
        self.view = view


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
        if Shot.size and Shot.size[1] is None:   # its own picture, at another dpi
            dpi = Shot.size[0] / before[0]
            while int(before[0] * dpi) < Shot.size[0]:
                dpi = math.nextafter(dpi, math.inf)
        elif Shot.size:
            width, height = Shot.size
            dpi = min(width / before[0], height / before[1])
            # a hundredth of a pixel more, as matplotlib rounds down
            figure.set_size_inches((width + 0.01) / dpi, (height + 0.01) / dpi, forward=False)
            options["bbox_inches"] = rc["savefig.bbox"] = None
        pixels = before[0] * before[1] * dpi**2
        if not (Shot.size and Shot.size[1]) and sandbox.MAX_PIXELS < pixels <= MAX_FIGURE * 4:
            dpi *= (sandbox.MAX_PIXELS / pixels) ** 0.5 * 0.999
        try:
            for _ in range(3):
                sink = Sink()
                try:
                    print_figure(canvas, sink, dpi=dpi, format="raw", **options)
                    height, width = sink.view.shape[:2]
                except TooLarge as large:        # a tight box grew around something far away
                    width, height = large.args[1:]
                    if width * height > MAX_FIGURE * 4:
                        raise TooLarge(f"{large.args[0]}{far_text(figure)}") from None
                else:
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
                           f"the limit is {MAX_FIGURE} pixels", int(width), int(height))
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
        path = getattr(filename, "_filename", filename)          # of a PdfPages
        if isinstance(path, (str, os.PathLike)):
            keep(path, format)
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

    def saving_animation(self, filename=None, *_, **__):
        first_frame(self)
        Shot.saved = capture(self._fig.canvas)
        if filename is not None:
            keep(filename, "gif")

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


def keep(filename, format):
    """Leave the picture saved last in a file, for a program that looks for it."""
    from PIL import Image
    shot, path = Shot.saved, os.fspath(filename)
    if not os.path.splitext(path)[1]:
        path = f"{path.rstrip('.')}.{format}"
    save_later(path, lambda: encoded(Image.fromarray(shot), format))


def drawn_on(figure):
    return bool(figure.axes or figure.lines or figure.patches or figure.texts or figure.images
                or figure.subfigs or figure.artists or figure.legends)


def first_frame(animation):
    animation._init_draw()
    frame = next(animation.new_frame_seq(), None)
    if frame is not None:
        animation._draw_next_frame(frame, blit=False)


def run(code, job):
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
