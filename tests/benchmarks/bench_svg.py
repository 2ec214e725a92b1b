"""How many of a hundred drawings look as Chromium shows the file itself, and how fast are they drawn?

    python tests/benchmarks/bench_svg.py

The reference is another Chromium of Playwright's, as a person starts it: the file opened as it is, one page
each. Prints for each style how many pictures the judge scores at 0.99 or more against it, those it does not,
and drawings per second of one renderer with one worker, each drawing for the first time.

Left out: animations, which a reference shows at some moment, and drawings that load from the network.
"""

import io
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "render"))
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from drawings import drawings, plotly_figures
from PIL import Image
from playwright.sync_api import sync_playwright

from rrvf_lab.judge import judge
from rrvf_lab.render import Renderer, chromium, plotly_page

EXPORT = "figure => Plotly.toImage(figure, {format: 'svg', imageDataOnly: true})"
SIZE = """() => { const box = document.documentElement.getBoundingClientRect();
                  return [Math.round(box.width), Math.round(box.height)] }"""


def exported(browser):
    """plotly's own svg files."""
    page = browser.new_page()
    page.set_content('<div id="a"></div>')
    page.add_script_tag(path=plotly_page.plotly_js())
    found = {name: page.evaluate(EXPORT, figure) for name, figure in plotly_figures().items()}
    page.close()
    return found


def reference(browser, code, size):
    """The file as a browser shows it in a window of this size -> (picture, size of the drawing)."""
    page = browser.new_page(viewport={"width": size[0], "height": size[1]}, java_script_enabled=True)
    page.route("**/*", lambda route: route.fulfill(body=code, content_type="image/svg+xml"))
    page.goto("http://drawing.invalid/a.svg")
    box = page.evaluate(SIZE)
    image = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    page.close()
    return image, box


def main():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium.find_chromium(), chromium_sandbox=False,
                                             args=["--hide-scrollbars", "--font-render-hinting=none"])
        codes = drawings() | exported(browser)
        equal, total, unlike = Counter(), Counter(), []
        with Renderer(workers=1) as renderer:
            renderer.render('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>', "svg")
            start = time.perf_counter()
            renderings = {name: renderer.render(code, "svg") for name, code in codes.items()}
            seconds = time.perf_counter() - start
        for name, rendering in renderings.items():
            style = name.split()[0]
            total[style] += 1
            if rendering.image is None:
                unlike.append((name, rendering.error))
                continue
            picture, box = reference(browser, codes[name], rendering.image.size)
            score = judge(picture, rendering.image).score
            equal[style] += score >= 0.99 and list(rendering.image.size) == box
            if score < 0.99 or list(rendering.image.size) != box:
                unlike.append((name, f"{score:.3f}, {rendering.image.size} for {box}"))
        browser.close()
    for style in total:
        print(f"{style:>12} {equal[style]:3} of {total[style]}")
    print(f"{'all':>12} {sum(equal.values()):3} of {sum(total.values())}; "
          f"{len(codes) / seconds:.1f} drawings a second")
    for name, why in unlike:
        print(f"  {name}: {why}")


if __name__ == "__main__":
    main()
