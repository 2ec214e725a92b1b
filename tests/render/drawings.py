# ruff: noqa: E501  (drawings stand as they were written)
"""A hundred drawings in the styles that published svg files have, made from a seed: icons, exports of
matplotlib, plotly and d3, drawings of Inkscape and Illustrator, and the CSS that people write by hand.

Left out: plotly's own exports, which need its page (`plotly_figures` gives what to export).
"""
import io
import math
import random

XMLNS = 'xmlns="http://www.w3.org/2000/svg"'
COLOURS = "#1f77b4 #ff7f0e #2ca02c #d62728 #9467bd #8c564b tomato teal rebeccapurple #0ea5e9".split()


def drawings(seed=0):
    """{name: svg} of 90 drawings; the name begins with the style."""
    chance = random.Random(seed)
    found = {}
    for style, make, count in (("icon", icon, 24), ("d3", d3, 18), ("inkscape", inkscape, 14),
                               ("illustrator", illustrator, 6)):
        found |= {f"{style} {i}": make(i, chance) for i in range(count)}
    found |= {f"css {name}": f"<svg {XMLNS} {text}</svg>" for name, text in BY_HAND.items()}
    return found | {f"matplotlib {i}": matplotlib_export(i) for i in range(12)}


def icon(i, chance):
    """24 x 24, as Feather, Material, Bootstrap and Simple Icons write theirs."""
    colour = chance.choice(COLOURS)
    a, b, c = (chance.randint(3, 9) for _ in range(3))
    heads = ('width="24" height="24" viewBox="0 0 24 24"', 'viewBox="0 0 24 24"',
             'width="48px" height="48px" viewBox="0 0 24 24"', 'width="3em" height="3em" viewBox="0 0 24 24"',
             'height="96" viewBox="0 -960 960 960" width="96"', 'width="1in" height="1in" viewBox="0 0 24 24"')
    lines = (f'<g fill="none" stroke="{colour}" stroke-width="2" stroke-linecap="round" stroke-linejoin="round">'
             f'<circle cx="12" cy="12" r="{a}"/><polyline points="12 {b} 12 12 16 14"/>'
             f'<line x1="{c}" y1="3" x2="21" y2="{c}"/></g>')
    fill = f'<path d="M0 0h24v24H0z" fill="none"/><path fill="{colour}" d="M12 2 L{12 + a} {10 + b} H{12 - a}z"/>'
    style = (f'<style>.a{{fill:{colour};opacity:.8}} .b{{stroke:currentColor;fill:none}}</style><rect class="a" '
             f'x="{c}" y="{c}" width="{a}" height="{b}" rx="2"/><path class="b" d="M2 2q{a} {b} 20 20"/>')
    used = (f'<defs><symbol id="s" viewBox="0 0 10 10"><circle cx="5" cy="5" r="{a / 2}" fill="{colour}"/></symbol>'
            f'</defs><use href="#s" width="12" height="12"/><use href="#s" x="12" y="12" width="12" height="12"/>')
    masked = (f'<mask id="m"><rect width="24" height="24" fill="white"/><circle cx="12" cy="12" r="{a / 2}"/>'
              f'</mask><rect width="24" height="24" fill="{colour}" mask="url(#m)"/>')
    shaded = (f'<linearGradient id="g" x2="1" y2="1"><stop stop-color="{colour}"/><stop offset="1" '
              f'stop-color="white"/></linearGradient><rect x="2" y="2" width="20" height="20" rx="{a}" '
              f'fill="url(#g)"/>')
    big = f'<path fill="{colour}" d="M480-{a * 80} 80-80h800z"/>'
    head = heads[i % len(heads)]
    body = big if "960" in head else (lines, fill, style, used, masked, shaded)[i // 4 % 6]
    return f"<svg {XMLNS} {head}><title>icon {i}</title>{body}</svg>"


def d3(i, chance):
    """A chart as d3 leaves it in a page: groups moved by transforms, axes, CSS in a style element."""
    values = [chance.randint(10, 150) for _ in range(8)]
    colour = chance.choice(COLOURS)
    if i % 3 == 0:
        marks = "".join(f'<rect class="bar" x="{40 * k}" y="{160 - v}" width="34" height="{v}"/>'
                        for k, v in enumerate(values))
    elif i % 3 == 1:
        points = " L".join(f"{40 * k},{160 - v}" for k, v in enumerate(values))
        marks = f'<path class="line" d="M{points}"/>' + "".join(
            f'<circle r="4" transform="translate({40 * k},{160 - v})" style="fill: {colour};"/>'
            for k, v in enumerate(values))
    else:
        marks, angle = "", 0.0
        for k, v in enumerate(values):
            turn = 2 * math.pi * v / sum(values)
            x, y, u, w = (f(angle + d) * 78 for d in (0, turn) for f in (math.cos, math.sin))
            marks += (f'<path transform="translate(160,85)" fill="{COLOURS[k]}" stroke="white" '
                      f'd="M0,0L{x:.3f},{y:.3f}A78,78,0,{int(turn > math.pi)},1,{u:.3f},{w:.3f}Z"/>')
            angle += turn
    ticks = "".join(f'<g class="tick" opacity="1" transform="translate({40 * k + 17},0)"><line stroke="currentColor" '
                    f'y2="6"/><text fill="currentColor" y="9" dy="0.71em">{chr(65 + k)}</text></g>' for k in range(8))
    size = ('width="400" height="220"', 'viewBox="0,0,400,220" style="max-width: 100%; height: auto; font: 10px '
            'sans-serif;" width="400" height="220"', 'style="width: 400px; height: 220px"')[i % 3]
    return (f'<svg {XMLNS} {size}><style>.bar{{fill:{colour}}} .bar:nth-child(2n){{fill-opacity:.6}} '
            f'.line{{fill:none;stroke:{colour};stroke-width:2px}} text{{font:10px sans-serif}}</style>'
            f'<g transform="translate(40,20)">{marks}<g transform="translate(0,160)" fill="none" font-size="10" '
            f'font-family="sans-serif" text-anchor="middle"><path class="domain" stroke="currentColor" '
            f'd="M0.5,6V0.5H320.5V6"/>{ticks}</g></g></svg>')


def inkscape(i, chance):
    """Millimetres, a layer, style attributes and the editor's own elements."""
    colour, x, y = chance.choice(COLOURS), chance.randint(5, 30), chance.randint(5, 20)
    unit = ("mm", "cm", "in", "pt", "px")[i % 5]
    width, height = {"mm": (80, 50), "cm": (8, 5), "in": (3, 2), "pt": (240, 150), "px": (320, 200)}[unit]
    shapes = (
        f'<rect style="fill:{colour};stroke:#000000;stroke-width:0.5;stroke-dasharray:2, 1" width="30" height="20" '
        f'x="{x}" y="{y}" ry="3" id="rect{i}" transform="rotate(12 {x} {y})"/>',
        f'<path style="fill:none;stroke:{colour};stroke-width:1.5;marker-end:url(#Arrow)" d="m {x},{y} 20,10 c 5,5 '
        f'10,-5 20,0" inkscape:connector-curvature="0" id="path{i}"/>',
        f'<text xml:space="preserve" style="font-style:normal;font-size:6px;line-height:1.25;font-family:sans-serif;'
        f'fill:{colour}" x="{x}" y="{y + 10}" id="text{i}"><tspan sodipodi:role="line" x="{x}" y="{y + 10}" '
        f'style="stroke-width:0.26">Layer  {i}</tspan></text>',
        f'<ellipse cx="{x + 10}" cy="{y + 8}" rx="12mm" ry="5mm" style="fill:url(#lg);opacity:0.7" id="e{i}"/>')
    body = "".join(chance.sample(shapes, 3))
    return f"""<?xml version="1.0" encoding="UTF-8" standalone="no"?>
<!-- Created with Inkscape (http://www.inkscape.org/) -->
<svg width="{width}{unit}" height="{height}{unit}" viewBox="0 0 80 50" version="1.1" id="svg{i}"
   inkscape:version="1.3" sodipodi:docname="drawing.svg"
   xmlns:inkscape="http://www.inkscape.org/namespaces/inkscape"
   xmlns:sodipodi="http://sodipodi.sourceforge.net/DTD/sodipodi-0.dtd" xmlns:xlink="http://www.w3.org/1999/xlink"
   {XMLNS} xmlns:svg="http://www.w3.org/2000/svg" xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
   xmlns:cc="http://creativecommons.org/ns#" xmlns:dc="http://purl.org/dc/elements/1.1/">
  <sodipodi:namedview id="base" pagecolor="#ffffff" inkscape:document-units="mm"/>
  <defs id="defs"><linearGradient id="a"><stop style="stop-color:{colour}" offset="0"/><stop
     style="stop-color:#ffff00;stop-opacity:0.5" offset="1"/></linearGradient>
    <linearGradient xlink:href="#a" id="lg" x1="0" x2="1"/>
    <marker id="Arrow" orient="auto" refX="2" refY="2" markerWidth="4" markerHeight="4"><path d="M0 0 4 2 0 4z"/>
    </marker></defs>
  <metadata id="m"><rdf:RDF><cc:Work rdf:about=""><dc:title>a</dc:title></cc:Work></rdf:RDF></metadata>
  <g inkscape:label="Layer 1" inkscape:groupmode="layer" id="layer1">{body}</g>
</svg>"""


def illustrator(i, chance):
    """Entities, enable-background, classes st0 and st1."""
    a, b = chance.sample(COLOURS, 2)
    return f"""<?xml version="1.0" encoding="utf-8"?>
<!-- Generator: Adobe Illustrator 19.0.0, SVG Export Plug-In . SVG Version: 6.00 Build 0)  -->
<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd" [
  <!ENTITY ns_extend "http://ns.adobe.com/Extensibility/1.0/">
  <!ENTITY st0 "fill:{a};">
]>
<svg version="1.1" id="Layer_1" xmlns:x="&ns_extend;" {XMLNS} xmlns:xlink="http://www.w3.org/1999/xlink" x="0px"
   y="0px" width="{200 + 10 * i}px" height="150px" viewBox="0 0 200 150"
   style="enable-background:new 0 0 200 150;" xml:space="preserve">
<style type="text/css"><![CDATA[ .st1{{fill:{b};stroke:#231F20;stroke-miterlimit:10;}} .st2{{font-family:'Arial'; }} ]]></style>
<switch><g><polygon style="&st0;" points="20,20 180,{30 + i} 100,140"/><ellipse class="st1" cx="100" cy="70" rx="40"
   ry="25"/><text transform="matrix(1 0 0 1 70 76)" class="st2">Text</text></g></switch>
</svg>"""


BY_HAND = {     # what people and models write, each with something that only a browser's CSS knows
    "background": 'width="300" height="200" style="background:#fde68a"><circle cx="50" cy="50" r="30" fill="teal"/>',
    "transform": 'width="300" height="200"><rect style="transform:rotate(20deg)" x="80" y="10" width="100" '
                 'height="40" fill="red"/><g style="transform:translate(150px,60px) scale(1.5)"><rect width="60" '
                 'height="40" fill="blue"/></g>',
    "box": 'width="200" height="100"><rect style="transform-box:fill-box;transform-origin:center;rotate:45deg" x="80" '
           'y="30" width="40" height="40" fill="green"/>',
    "var": 'width="200" height="100"><style>:root{--c:#e11d48}</style><rect width="150" height="60" '
           'style="fill:var(--c)"/><rect y="70" width="50" height="20" fill="var(--none, gold)"/>',
    "colours": 'width="200" height="100"><rect width="60" height="90" style="fill:rgb(255 0 0 / 50%)"/><rect x="70" '
               'width="60" height="90" style="fill:oklch(70% 0.15 200)"/><rect x="140" width="50" height="90" '
               'style="fill:hsl(200 80% 50% / .7)"/>',
    "media": 'width="200" height="100"><style>rect{fill:gray}@media (min-width:100px){rect{fill:orange}}</style>'
             '<rect width="150" height="80"/>',
    "is": 'width="200" height="100"><style>:is(rect,circle):not(.x){fill:purple}</style><rect width="80" '
          'height="80"/><circle class="x" cx="150" cy="50" r="40"/>',
    "geometry": 'width="200" height="100"><style>circle{r:40px;cx:60px;cy:50px} rect{x:110px;y:10px;width:70px;'
                'height:5em;rx:9px}</style><circle fill="navy"/><rect fill="olive"/>',
    "clip": 'width="200" height="100"><rect width="200" height="100" fill="crimson" style="clip-path:circle(40px at '
            '60px 50px)"/><rect x="110" width="80" height="100" style="clip-path:polygon(50% 0,100% 100%,0 100%)"/>',
    "foreign": 'width="300" height="200"><foreignObject x="10" y="10" width="200" height="100"><div '
               'xmlns="http://www.w3.org/1999/xhtml" style="background:#9cf;height:80px">A note with <b>words</b>'
               '</div></foreignObject>',
    "inner": 'width="200" height="100"><image width="100" height="100" href="data:image/svg+xml,%3Csvg '
             'xmlns=%22http://www.w3.org/2000/svg%22 viewBox=%220 0 9 9%22%3E%3Crect width=%229%22 height=%225%22 '
             'fill=%22red%22/%3E%3C/svg%3E"/>',
    "points": 'width="300" height="200"><text x="20" y="60" font-size="18pt" font-family="Arial">Total</text><rect '
              'x="1in" y="2cm" width="10mm" height="3pc"/>',
    "sheet": 'viewBox="0 0 30 20"><style>svg{width:300px;height:200px}</style><rect width="10" height="10"/>',
    "filter": 'width="200" height="100"><rect x="20" y="20" width="100" height="50" fill="red" '
              'style="filter:drop-shadow(4px 4px 3px rgba(0,0,0,.5)) hue-rotate(90deg)"/>',
    "text": 'width="300" height="100"><text x="150" y="50" text-anchor="middle" dominant-baseline="middle" '
            'style="font:italic 700 28px Georgia, serif;letter-spacing:2px;text-decoration:underline">Styled</text>',
    "blend": 'width="200" height="100"><rect width="100" height="80" fill="cyan"/><rect x="50" y="10" width="100" '
             'height="80" fill="magenta" style="mix-blend-mode:multiply"/>',
}


def matplotlib_export(i):
    """A chart as matplotlib writes it to svg, its words as paths or as text."""
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure
    chance = random.Random(i)
    values = [chance.random() for _ in range(12)]
    with matplotlib.rc_context({"svg.fonttype": ("path", "none")[i % 2], "svg.hashsalt": "1"}):
        figure = Figure(figsize=(4, 3))
        FigureCanvasSVG(figure)
        axes = figure.add_subplot(projection="polar" if i == 7 else None)
        draw = (lambda: axes.plot(values, "o-", label="a"), lambda: axes.bar(range(12), values, color=COLOURS[i % 9]),
                lambda: axes.scatter(values, values[::-1], c=values), lambda: axes.hist(values, hatch="//"),
                lambda: axes.imshow([values[:6], values[6:]]), lambda: axes.fill_between(range(12), values, alpha=.4),
                lambda: axes.pie(values[:5], labels=list("abcde")), lambda: axes.plot(values),
                lambda: axes.boxplot([values, values[:5]]), lambda: axes.contourf([values, values[::-1], values]),
                lambda: axes.errorbar(range(12), values, yerr=.1), lambda: axes.stem(values))[i]
        draw()
        axes.set_title(f"Chart $x^{i}$")
        file = io.StringIO()
        figure.savefig(file, format="svg", metadata={"Date": None})
    return file.getvalue()


def plotly_figures():
    """{name: figure as a dict} of ten figures whose svg export belongs to the hundred."""
    import plotly.graph_objects as go
    y = [3, 1, 4, 1, 5]
    traces = (go.Bar(y=y), go.Scatter(y=y, mode="lines+markers"), go.Pie(values=y, labels=list("abcde")),
              go.Box(y=y), go.Heatmap(z=[y, y[::-1]]), go.Histogram(x=y), go.Violin(y=y), go.Contour(z=[y, y[::-1], y]),
              go.Scatterpolar(r=y, theta=[0, 60, 120, 180, 240]), go.Indicator(value=7, mode="gauge+number"))
    return {f"plotly {i}": go.Figure(trace, layout=dict(width=420, height=300, title=f"Figure {i}")).to_dict()
            for i, trace in enumerate(traces)}
