"""The page of svg: how a drawing is put there, brought to its end, measured, and given another size.

The drawing is untrusted, the script is ours: none of the drawing's own is ever run, and it reaches no network
and no file.

Left out: what a page gets for its requests (`page`), and reading a drawing before that (`_svg`).
"""

from .engine import PageError
from .sandbox import MAX_PIXELS

BLANK = b'<svg xmlns="http://www.w3.org/2000/svg"/>'
ROOM = 512                         # pixels of a side of the window where nothing else says how long it is
# Takes [width, height] or null, and whether the drawing's text states both its sides. Returns {width, height}
# in pixels, or {error}. Animations that end are brought to their end, endless ones to their start.
SETTLE = """
async ([size, stated]) => {
  const root = document.documentElement, broken = document.getElementsByTagName('parsererror')[0];
  if (broken) return {error: 'not well-formed XML: ' + broken.textContent.slice(0, 300)};
  const ends = move => {
    try {
      const times = move.getAttribute('repeatCount') || 1;
      return move.getStartTime() + (move.localName === 'set' ? 0 : move.getSimpleDuration() * Number(times));
    } catch (unresolved) { return 0; }
  };
  const moves = [...root.querySelectorAll('animate, animateTransform, animateMotion, set')];
  if (moves.length) root.pauseAnimations();
  for (let i = 0, last = -1; moves.length && i < 9; i++) {       // one may begin where another ends
    const end = Math.max(...moves.map(ends).filter(isFinite), 0);
    if (end === last) break;
    root.setCurrentTime(last = end);
  }
  for (const move of document.getAnimations())
    if (isFinite(move.effect.getComputedTiming().endTime)) move.finish(); else move.cancel();
  await document.fonts.ready;
  let {width, height} = root.getBoundingClientRect();
  const whole = width === innerWidth && height === innerHeight;
  if (!stated && whole && !root.hasAttribute('viewBox') && !/%|v[wh]/.test(root.getAttribute('width')))
    return {error: 'the <svg> element needs width and height in pixels, or a viewBox'};
  if (size) {
    if (!root.hasAttribute('viewBox')) root.setAttribute('viewBox', `0 0 ${width} ${height}`);
    [width, height] = size;
    for (const [name, length] of [['width', width], ['height', height]]) {
      root.setAttribute(name, length);
      root.style.setProperty(name, length + 'px', 'important');
    }
  }
  return {width: Math.max(1, Math.round(width)), height: Math.max(1, Math.round(height))};
}
"""


async def draw(page, data, room, size):
    """Draw SVG (bytes) on a `Page` -> PIL RGB image, its own or the given size.

    `room` is [width, height] in pixels of the window it is drawn in, None for a side that its text does not
    state. Raises PageError.
    """
    width, height = size or (round(min(side or ROOM, 1e5)) or 1 for side in room)
    _affordable(width, height)
    await page.viewport(width, height)
    await page.load(data)
    answer = await page.page.evaluate(SETTLE, [size and list(size), None not in room])
    if "error" in answer:
        raise PageError(answer["error"])
    width, height = int(answer["width"]), int(answer["height"])
    _affordable(width, height)
    image = await page.shot(width, height)
    if b"data:image" in data:                    # which may move on, at this machine's cost
        await page.load(BLANK)
    return image


def _affordable(width, height):
    if width * height > MAX_PIXELS:
        raise PageError(f"the drawing asks for {width} x {height} pixels; the limit is {MAX_PIXELS:,} in all")
