"""One open page of Chromium: what it is allowed, what it gets for its requests, and putting HTML into it.

A page gets no network and no file, html and svg no script: what it asks for is answered here, with a gray box
for a picture and with nothing for the rest. Pages are used again, because opening one costs more than
drawing. An html or svg page even replaces the last one in the same document, which is the fastest way, unless
its code holds something that a document keeps (LASTS).

Left out: when a page is drawn and by whom (`chromium`), and what is inside the page of plotly
(`plotly_page`).
"""

import asyncio
import base64
import io
import re

from PIL import Image

from . import plotly_page, svg_page

WIDTH, HEIGHT, TALLEST = 1024, 768, 3072     # CSS pixels of a page: viewport, and where a long one is cut
# what a document may keep when its content is replaced: a policy, a language, colours, the style set chosen
LASTS = re.compile(rb"""<meta(?!\s+charset=["']?[\w-]+["']?\s*/?>)"""
                   rb"""(?!\s+name=["']?(viewport|description|keywords|author)\b)"""
                   rb"""|http-equiv|title\s*=|autofocus""", re.IGNORECASE)
GRAY = "#c8c8c8"                             # a picture that cannot be reached
WINDOW = {"width": 300, "height": 200}       # round a page of any size
URL = "http://page.invalid/"
POLICY = ("default-src 'none'; img-src * data: blob:; style-src 'unsafe-inline' data:; font-src data:; "
          "media-src data:; frame-src data:; form-action 'none'")


class Page:
    """An open page in a context of its own; `gone` is a future that is done when its process has ended.

    `kind` is "html", "svg" or "plotly". Attributes: `page` (Playwright's), `devtools` (a session of the
    DevTools protocol).
    """

    def __init__(self, kind):
        self.kind = kind
        self.context = self.page = self.devtools = None
        self.size = None                         # of the viewport
        self.baseline = None                     # a plotly page's own objects at its first figure
        self.gone = asyncio.get_running_loop().create_future()
        self._content = None                     # what the document is, until it was asked for
        self._main = self._loaded = None         # its main frame, and a future for the end of loading
        self._spent = True                       # whether its document may not be used again

    @classmethod
    async def open(cls, chromium, kind):
        """A new page of a running Chromium (Playwright's browser)."""
        self = cls(kind)
        self.context = context = await chromium.new_context(
            java_script_enabled=kind == "plotly", offline=True, service_workers="block",
            accept_downloads=False, no_viewport=True, locale="en-US", timezone_id="UTC", color_scheme="light",
            reduced_motion="reduce")
        context.set_default_timeout(0)                       # time is kept by `Engine.watched`
        self.page = await context.new_page()
        self.page.on("crash", self.end)
        self.page.on("close", self.end)
        chromium.on("disconnected", self.end)
        # a window that a script opened
        context.on("page", lambda other: asyncio.ensure_future(other.close()))
        self.devtools = await context.new_cdp_session(self.page)
        # the window is drawn too, for nobody: the less of it the better
        window = await self.devtools.send("Browser.getWindowForTarget")
        small = {"windowId": window["windowId"], "bounds": WINDOW}
        await self.devtools.send("Browser.setWindowBounds", small)
        await self.viewport(WIDTH, HEIGHT)
        if kind != "plotly":
            await self.devtools.send("Page.enable")
            await self._find_frame()
            self.devtools.on("Page.loadEventFired", self._end_loading)
            await context.route("**/*", self._answer)
        else:
            await context.route("**/*", plotly_page.answer)
            await self.page.goto(plotly_page.URL)
        return self

    def end(self, *_):
        if not self.gone.done():
            self.gone.set_result(None)

    async def viewport(self, width, height, scale=1):
        """The window's size in CSS pixels, of which each becomes `scale` pixels of a picture."""
        if self.size != (width, height, scale):
            await self.devtools.send("Emulation.setDeviceMetricsOverride", {
                "width": width, "height": height, "screenWidth": width, "screenHeight": height,
                "deviceScaleFactor": scale, "mobile": False})
            self.size = (width, height, scale)

    async def content_size(self):
        """{"width", "height", ...} of the whole content in CSS pixels, with fractions."""
        return (await self.devtools.send("Page.getLayoutMetrics"))["cssContentSize"]

    async def shot(self, width, height, moves=False):
        """The page's top left part -> PIL RGB image. What `moves` is first brought to its end."""
        clip = {"x": 0, "y": 0, "width": width, "height": height}
        if moves:
            png = await self.page.screenshot(clip=clip, full_page=True, animations="disabled", scale="css")
        else:
            options = {"format": "png", "optimizeForSpeed": True}
            if self.size[:2] != (width, height):              # then the page is drawn anew
                options |= {"captureBeyondViewport": True, "clip": {**clip, "scale": 1}}
            answer = await self.devtools.send("Page.captureScreenshot", options)
            png = base64.b64decode(answer["data"])
        return Image.open(io.BytesIO(png)).convert("RGB")

    # ------------------------------------------------------------------------------------------- html and svg

    async def load(self, data):
        """Put HTML or SVG (bytes) into the open document; into a new one, for five times the cost, if it
        LASTS."""
        lasts = bool(LASTS.search(data))
        if lasts or self._spent:
            blank = svg_page.BLANK if self.kind == "svg" else b""
            self._content, self._spent = data if lasts else blank, lasts
            await self.page.goto(URL)
            await self._find_frame()             # what the old document had to say comes before the answer
        if not lasts:
            self._loaded = asyncio.get_running_loop().create_future()
            await self.devtools.send("Page.setDocumentContent", {
                "frameId": self._main, "html": data.decode("utf-8").removeprefix("\ufeff")})
            await self._loaded

    def _end_loading(self, *_):
        if self._loaded is not None and not self._loaded.done():
            self._loaded.set_result(None)

    async def _find_frame(self):
        self._main = (await self.devtools.send("Page.getFrameTree"))["frameTree"]["frame"]["id"]

    async def _answer(self, route):
        """What a page gets for a request: itself once, a gray box for a picture, nothing else."""
        request = route.request
        if self._content is not None and request.url == URL:
            content, self._content = self._content, None
            form = "image/svg+xml" if self.kind == "svg" else "text/html; charset=utf-8"
            await route.fulfill(body=content, headers={"content-type": form,
                                                       "content-security-policy": POLICY})
        elif request.resource_type == "image":
            # as the services for placeholder pictures write it
            found = re.search(r"(?<!\d)(\d{2,4})[x/](\d{2,4})(?!\d)", request.url)
            width, height = found.groups() if found else (300, 200)
            await route.fulfill(content_type="image/svg+xml", body=(
                f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">'
                f'<rect width="100%" height="100%" fill="{GRAY}"/></svg>'))
        else:
            await route.abort("aborted")                     # this code leaves the present page where it is
