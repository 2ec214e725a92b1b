"""The page of plotly: its HTML, the script that draws a figure's JSON there, and its errors in an author's
words.

The figure comes from an untrusted program, the script is ours: the page runs plotly.js and nothing of the
figure's, and reaches no network and no file.

Left out: maps with tiles or letters and the shapes of countries, which come from the network, and MathJax.
"""

import base64
import io
import os
from importlib.util import find_spec

from PIL import Image

from .engine import PageError

URL = "http://plotly.invalid/"
POLICY = ("default-src 'none'; script-src 'self' 'unsafe-eval'; style-src 'unsafe-inline'; "
          "img-src data: blob:; font-src data:; worker-src blob:")
PAGE = ('<!doctype html><meta charset="utf-8"><style>body{margin:0;background:#fff}</style>'
        '<div id="figure"></div><script src="plotly.min.js"></script>')
# Takes the figure's JSON, where `asked` may be [width, height, scale] of an export (null: as the figure is),
# [width, height] or null, and the most pixels. Returns {width, height, scale, clean, png}, where `clean`
# counts JavaScript's own properties, which must not grow, and `png` is the picture itself where WebGL drew
# it, as a data URL: on the page its pixels differ from time to time. {dark: true}: no WebGL. Else {error}.
# No reviver may be skipped here: a key "__proto__" would otherwise reach every object of the page.
DRAW = """
async ([text, size, most]) => {
  const place = document.getElementById('figure');
  try {
    const figure = JSON.parse(text, (key, value) => key === '__proto__' ? undefined : value);
    const asked = figure.asked || [];
    const layout = figure.layout || {}, style = (layout.template || {}).layout || {};
    const own = (i, name, usual) => asked[i] ?? layout[name] ?? style[name] ?? usual;
    const side = (i, name, usual) => Number(size ? size[i] : own(i, name, usual));
    const width = Math.round(side(0, 'width', 700)), height = Math.round(side(1, 'height', 500));
    if (!(width >= 10 && height >= 10 && width * height <= most))
      throw new Error(`the figure asks for ${width} x ${height} pixels; 10 x 10 to ${most} in all are drawn`);
    const scale = Math.min(size ? 1 : asked[2] ?? 1, Math.sqrt(most / (width * height)));
    if (!(scale > 0)) throw new Error(`scale is ${asked[2]}; it must be above 0`);
    Object.assign(layout, {width, height, autosize: false});
    Plotly.purge(place);
    const onMap = /^(scatter|choropleth|density)map(box)?$/;
    for (const trace of (figure.data || []).filter(trace => onMap.test(trace.type))) {
      const name = trace.subplot || (/box$/.test(trace.type) ? 'mapbox' : 'map');
      const map = {...style[name], ...layout[name]};
      const layers = (map.layers || []).some(layer => layer.sourcetype && layer.sourcetype !== 'geojson');
      if (map.style !== 'white-bg' || layers)
        throw new Error(`${trace.type} needs map tiles from the network, which is off here; without them ` +
                        `${name}=dict(style="white-bg") is drawn`);
      if (/text/.test(trace.mode) || (trace.cluster || {}).enabled)
        throw new Error(`${trace.type} needs the letters of a map from the network, which is off here`);
    }
    const options = {staticPlot: true, displayModeBar: false, plotGlPixelRatio: 1};
    await Plotly.newPlot(place, figure.data || [], layout, options);
    if (place.querySelector('.no-webgl')) return {dark: true};
    const full = place._fullLayout, scenes = (full._subplots.gl3d || []).map(id => full[id]._scene);
    const contexts = scenes.map(scene => scene.glplot.gl);
    if (full._glcanvas) full._glcanvas.each(part => { if (part.regl) contexts.push(part.regl._gl); });
    if (contexts.some(context => context.isContextLost())) return {dark: true};
    const png = contexts.length ? await Plotly.toImage(place, {format: 'png', width, height, scale}) : null;
    const clean = Object.getOwnPropertyNames(Object.prototype).length;
    return {width, height, scale, clean, png};
  } catch (problem) {
    if (/error creating static canvas/.test(problem && problem.message)) return {dark: true};
    return {error: String(problem && problem.message || problem).slice(0, 1500)};
  }
}
"""


def plotly_js():
    """Path of the plotly.js that belongs to the installed plotly, found without importing it."""
    return os.path.join(find_spec("plotly").submodule_search_locations[0], "package_data", "plotly.min.js")


async def answer(route):
    """What the page gets for a request: itself and plotly.js, nothing else."""
    if route.request.url == URL:
        await route.fulfill(body=PAGE, headers={"content-type": "text/html; charset=utf-8",
                                                "content-security-policy": POLICY})
    elif route.request.url == URL + "plotly.min.js":
        await route.fulfill(path=plotly_js(), content_type="text/javascript; charset=utf-8")
    else:
        await route.abort()


async def picture(page, answer):
    """What DRAW answered about the figure on a `Page` -> PIL RGB image. Raises PageError."""
    if "error" in answer:
        raise PageError("plotly.js: " + advice(answer["error"]))
    if page.baseline not in (None, answer["clean"]):
        raise PageError("the figure changes JavaScript's own objects")
    page.baseline = answer["clean"]
    if answer["png"]:
        await page.page.goto(URL)                # plotly.js keeps a canvas, and with it traces of this figure
        png = Image.open(io.BytesIO(base64.b64decode(answer["png"].partition(",")[2]))).convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", png.size, "white"), png).convert("RGB")
    width, height = int(answer["width"]), int(answer["height"])
    await page.viewport(max(width, 100), max(height, 100), answer["scale"])
    return await page.shot(width, height)


def advice(error):
    """plotly.js's own words, with the reason where the network was wanted."""
    if "topojson" in error or "cdn.plot.ly" in error:
        return f"{error} (the shapes of countries come from the network, which is off here)"
    return error
