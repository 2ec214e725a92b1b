"""Random drawings as SVG: icons, scenes, diagrams, badges, patterns, faces.

Every kind of drawing takes a `random.Random`, a width and a height.

Left out: gradients, filters, and every font but Liberation (Debian: fonts-liberation).
"""

import math

from website import NAMES, NOUNS

INKS = ("#e63946", "#f4a261", "#2a9d8f", "#264653", "#457b9d", "#8ac926", "#6a4c93", "#ffca3a", "#1d3557",
        "#d62828", "#3a86ff", "#ff006e",
        "#5f0f40", "#0f4c5c", "#9a031e", "#606c38")
GROUNDS = ("#ffffff", "#ffffff", "#f8f9fa", "#fef9ef", "#e9f5f9", "#fdf0f5", "#eef4e8")


def polygon(n, x, y, radius, turn=0.0, inner=None):
    """Points of a regular polygon, or of a star when `inner` (its inner radius) is given."""
    steps = n * 2 if inner else n
    points = []
    for k in range(steps):
        reach = inner if inner and k % 2 else radius
        angle = turn + 2 * math.pi * k / steps
        points.append(f"{x + reach * math.sin(angle):.1f},{y - reach * math.cos(angle):.1f}")
    return " ".join(points)


def label(x, y, words, size=16, fill="#222", weight="normal", anchor="middle", family="Liberation Sans"):
    return (f'<text x="{x}" y="{y}" font-family="{family}" font-size="{size}" font-weight="{weight}" '
            f'fill="{fill}" text-anchor="{anchor}">{words}</text>')


def icon(r, w, h):
    a, b, c = r.sample(INKS, 3)
    x, y, s = w / 2, h / 2, min(w, h) / 2
    ground = r.choice((
        f'<circle cx="{x}" cy="{y}" r="{.9 * s}" fill="{a}"/>',
        f'<rect x="{x - .85 * s}" y="{y - .85 * s}" width="{1.7 * s}" height="{1.7 * s}" '
        f'rx="{r.choice((0, .2, .4)) * s}" fill="{a}"/>',
        ""))
    ink = "#ffffff" if ground else b
    line = (f'fill="none" stroke="{ink}" stroke-width="{.09 * s}" stroke-linecap="round" '
            f'stroke-linejoin="round"')
    motif = r.choice((
        f'<path d="M{x} {y + .5 * s} C{x - .9 * s} {y - .05 * s} {x - .45 * s} {y - .6 * s} {x} {y - .2 * s} '
        f'C{x + .45 * s} {y - .6 * s} {x + .9 * s} {y - .05 * s} {x} {y + .5 * s}Z" fill="{ink}"/>',
        f'<polygon points="{polygon(r.choice((5, 6, 8)), x, y, .6 * s, 0, .27 * s)}" fill="{ink}"/>',
        f'<rect x="{x - .5 * s}" y="{y - .33 * s}" width="{s}" height="{.7 * s}" rx="{.06 * s}" {line}/>'
        f'<path d="M{x - .5 * s} {y - .3 * s}L{x} {y + .1 * s}L{x + .5 * s} {y - .3 * s}" {line}/>',
        f'<path d="M{x - .5 * s} {y}L{x} {y - .5 * s}L{x + .5 * s} {y}V{y + .5 * s}H{x - .5 * s}Z" '
        f'fill="{ink}"/><rect x="{x - .12 * s}" y="{y + .12 * s}" width="{.24 * s}" height="{.38 * s}" '
        f'fill="{c}"/>',
        f'<circle cx="{x - .1 * s}" cy="{y - .1 * s}" r="{.35 * s}" {line}/><path d="M{x + .17 * s} '
        f'{y + .17 * s}L{x + .5 * s} {y + .5 * s}" {line}/>',
        f'<circle cx="{x}" cy="{y}" r="{.5 * s}" {line}/><path d="M{x} {y - .3 * s}V{y}L{x + .22 * s} '
        f'{y + .14 * s}" {line}/>',
        f'<path d="M{x - .45 * s} {y}L{x - .1 * s} {y + .35 * s}L{x + .5 * s} {y - .35 * s}" {line}/>',
        f'<path d="M{x - .4 * s} {y - .4 * s}L{x + .4 * s} {y + .4 * s}M{x + .4 * s} '
        f'{y - .4 * s}L{x - .4 * s} {y + .4 * s}" {line}/>',
        f'<circle cx="{x}" cy="{y - .22 * s}" r="{.24 * s}" fill="{ink}"/><path d="M{x - .48 * s} '
        f'{y + .5 * s}a{.48 * s} {.44 * s} 0 0 1 {.96 * s} 0Z" fill="{ink}"/>',
        f'<polygon points="{x - .25 * s},{y - .42 * s} {x + .5 * s},{y} {x - .25 * s},{y + .42 * s}" '
        f'fill="{ink}"/>',
        "".join(f'<rect x="{x - .5 * s + k * .36 * s}" y="{y + .45 * s - v * s}" width="{.26 * s}" '
                f'height="{v * s}" fill="{ink}"/>' for k, v in enumerate(r.choices((.3, .5, .7, .9), k=3))),
        f'<path d="M{x - .35 * s} {y - .1 * s}a{.35 * s} {.4 * s} 0 0 1 {.7 * s} '
        f'0V{y + .25 * s}H{x - .35 * s}Z" fill="{ink}"/><circle cx="{x}" cy="{y + .38 * s}" r="{.1 * s}" '
        f'fill="{ink}"/>'))
    return f'{ground}<g transform="rotate({r.choice((0, 0, 0, 12, -15))} {x} {y})">{motif}</g>'


def scene(r, w, h):
    night = r.random() < 0.3
    horizon = h * r.uniform(.5, .72)
    sky = r.choice(("#1b2a49", "#2b2d42")) if night else r.choice(
        ("#bde0fe", "#ffe5b4", "#cdeac0", "#fcd5ce"))
    out = [f'<rect width="{w}" height="{h}" fill="{sky}"/>']
    out.append(f'<circle cx="{w * r.uniform(.15, .85):.0f}" cy="{h * r.uniform(.12, .3):.0f}" '
               f'r="{w * r.uniform(.05, .1):.0f}" '
               f'fill="{"#f1faee" if night else r.choice(("#ffd166", "#ff9f1c"))}"/>')
    if night:
        out += [f'<circle cx="{r.uniform(0, w):.0f}" cy="{r.uniform(0, horizon * .8):.0f}" r="2" '
                f'fill="#ffffff"/>' for _ in range(r.randint(8, 20))]
    else:
        for _ in range(r.randint(0, 3)):
            x, y = r.uniform(.1, .8) * w, r.uniform(.1, .35) * h
            out.append("".join(f'<ellipse cx="{x + k * 22:.0f}" cy="{y - (k == 1) * 8:.0f}" rx="22" ry="13" '
                               f'fill="#ffffff"/>' for k in range(3)))
    for _ in range(r.randint(0, 3)):
        x, half, top = r.uniform(.05, .95) * w, r.uniform(.15, .3) * w, horizon - r.uniform(.15, .35) * h
        out.append(f'<polygon points="{x - half:.0f},{horizon:.0f} {x:.0f},{top:.0f} {x + half:.0f},'
                   f'{horizon:.0f}" fill="{r.choice(("#6d6875", "#84a98c", "#52796f", "#8d99ae"))}"/>')
    sea = r.random() < 0.35
    ground = r.choice(("#1d7ea8", "#219ebc") if sea else ("#7cb518", "#588157", "#e9c46a", "#ffffff"))
    out.append(f'<rect y="{horizon:.0f}" width="{w}" height="{h - horizon:.0f}" fill="{ground}"/>')
    for _ in range(r.randint(1, 4)):
        x, y = r.uniform(.08, .85) * w, horizon + r.uniform(.05, .6) * (h - horizon)
        s = w * r.uniform(.07, .13)
        if sea:
            out.append(f'<path d="M{x:.0f} {y:.0f}h{s * 1.6:.0f}l{-s * .3:.0f} {s * .4:.0f}h{-s:.0f}Z" '
                       f'fill="{r.choice(INKS)}"/><polygon points="{x + s * .75:.0f},{y - s * 1.4:.0f} '
                       f'{x + s * .75:.0f},{y - 4:.0f} {x + s * 1.5:.0f},{y - 4:.0f}" fill="#ffffff"/>')
        elif r.random() < 0.45:
            out.append(f'<rect x="{x:.0f}" y="{y - s:.0f}" width="{s * 1.3:.0f}" height="{s:.0f}" '
                       f'fill="{r.choice(INKS)}"/><polygon points="{x - 5:.0f},{y - s:.0f} {x + s * .65:.0f},'
                       f'{y - s * 1.7:.0f} {x + s * 1.3 + 5:.0f},{y - s:.0f}" fill="{r.choice(INKS)}"/><rect '
                       f'x="{x + s * .5:.0f}" y="{y - s * .55:.0f}" width="{s * .3:.0f}" '
                       f'height="{s * .55:.0f}" fill="#3d2b1f"/>')
        else:
            crown = (f'<circle cx="{x:.0f}" cy="{y - s * 1.2:.0f}" r="{s * .55:.0f}" '
                     f'fill="{r.choice(("#2d6a4f", "#606c38", "#d4a373"))}"/>' if r.random() < .5 else
                     f'<polygon points="{x - s * .6:.0f},{y - s * .5:.0f} {x:.0f},{y - s * 2:.0f} '
                     f'{x + s * .6:.0f},{y - s * .5:.0f}" fill="{r.choice(("#2d6a4f", "#386641"))}"/>')
            out.append(f'<rect x="{x - s * .1:.0f}" y="{y - s * .8:.0f}" width="{s * .2:.0f}" '
                       f'height="{s * .8:.0f}" fill="#6f4518"/>{crown}')
    return "".join(out)


def flowchart(r, w, h):
    ink, fill = r.choice(INKS), r.choice(("#ffffff", "#fff3cd", "#dbeafe", "#dcfce7", "#fde2e4"))
    across = r.random() < 0.5
    n = r.randint(3, 4) if across else r.randint(3, 5)
    step = (w if across else h) / n
    bw, bh = (step * .68, h * .3) if across else (w * .5, step * .55)
    out = ['<defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" '
           f'orient="auto"><path d="M0 0L10 5L0 10Z" fill="{ink}"/></marker></defs>']
    names = r.sample(("Start", "Read", "Check", "Sort", "Draw", "Store", "Send", "Wait", "Done"), n)
    for k in range(n):
        x, y = ((k + .5) * step, h / 2) if across else (w / 2, (k + .5) * step)
        shape = r.choice(("rect", "rect", "round", "diamond"))
        box = f'fill="{fill}" stroke="{ink}" stroke-width="2"'
        out.append(f'<polygon points="{x - bw / 2:.1f},{y:.1f} {x:.1f},{y - bh / 2 - 4:.1f} {x + bw / 2:.1f},'
                   f'{y:.1f} {x:.1f},{y + bh / 2 + 4:.1f}" {box}/>' if shape == "diamond" else
                   f'<rect x="{x - bw / 2:.1f}" y="{y - bh / 2:.1f}" width="{bw:.1f}" height="{bh:.1f}" '
                   f'rx="{bh / 2 if shape == "round" else 4:.1f}" {box}/>')
        out.append(label(round(x, 1), round(y + 5, 1), names[k], 15))
        if k < n - 1:
            a, b = (x + bw / 2, y) if across else (x, y + bh / 2 + 4)
            c, d = (x + step - bw / 2, y) if across else (x, y + step - bh / 2 - 4)
            out.append(f'<line x1="{a:.1f}" y1="{b:.1f}" x2="{c:.1f}" y2="{d:.1f}" stroke="{ink}" '
                       f'stroke-width="2" marker-end="url(#tip)"/>')
    return "".join(out)


def tree(r, w, h):
    ink, leaf, n = r.choice(INKS), r.choice(INKS), r.randint(2, 4)
    out, top = [], (w / 2, h * .2)
    for k in range(n):
        x, y = (k + .5) * w / n, h * .55
        out.append(f'<line x1="{top[0]:.0f}" y1="{top[1]:.0f}" x2="{x:.0f}" y2="{y:.0f}" stroke="#777" '
                   f'stroke-width="2"/>')
        for m in range(r.randint(0, 2)):
            lx = x + (m - .5) * w / n / 2
            out.append(f'<line x1="{x:.0f}" y1="{y:.0f}" x2="{lx:.0f}" y2="{h * .85:.0f}" stroke="#777" '
                       f'stroke-width="2"/><rect x="{lx - 13:.0f}" y="{h * .85 - 10:.0f}" width="26" '
                       f'height="20" fill="{leaf}"/>')
        out.append(f'<circle cx="{x:.0f}" cy="{y:.0f}" r="20" fill="{ink}"/>'
                   + label(round(x), round(y + 5), "ABCD"[k], 15, "#fff"))
    out.append(f'<circle cx="{top[0]:.0f}" cy="{top[1]:.0f}" r="25" fill="{ink}"/>')
    return "".join(out) + label(round(top[0]), round(top[1] + 5), "Top", 15, "#fff")


def venn(r, w, h):
    n, radius = r.choice((2, 3)), min(w, h) * .27
    names = r.sample(("Art", "Code", "Math", "Music", "Sport", "Food"), n)
    out = ""
    for k, ink in enumerate(r.sample(INKS, n)):
        turn = 2 * math.pi * k / n + (math.pi / 2 if n == 2 else 0)
        x, y = w / 2 + radius * .62 * math.sin(turn), h / 2 - radius * .62 * math.cos(turn)
        out += (f'<circle cx="{x:.0f}" cy="{y:.0f}" r="{radius:.0f}" fill="{ink}" fill-opacity="0.45" '
                f'stroke="{ink}" stroke-width="2"/>')
        out += label(round(w / 2 + radius * 1.15 * math.sin(turn)),
                     round(h / 2 - radius * 1.15 * math.cos(turn) + 5), names[k], 17, weight="bold")
    return out


def badge(r, w, h):
    a, b = r.sample(INKS, 2)
    x, y, s = w / 2, h / 2, min(w, h) / 2
    name = r.choice(NAMES).split()[0].upper()
    shape = r.choice((f'<polygon points="{polygon(r.choice((12, 16, 20)), x, y, .92 * s, 0, .8 * s)}" '
                      f'fill="{a}"/>', f'<circle cx="{x}" cy="{y}" r="{.9 * s}" fill="{a}"/>',
                      f'<path d="M{x - .75 * s} {y - .8 * s}H{x + .75 * s}V{y + .1 * s}C{x + .75 * s} '
                      f'{y + .6 * s} {x} {y + .9 * s} {x} {y + .9 * s}C{x} {y + .9 * s} {x - .75 * s} '
                      f'{y + .6 * s} {x - .75 * s} {y + .1 * s}Z" fill="{a}"/>',
                      f'<polygon points="{polygon(6, x, y, .93 * s)}" fill="{a}"/>'))
    ring = (f'<circle cx="{x}" cy="{y}" r="{.62 * s}" fill="none" stroke="#ffffff" '
            f'stroke-width="{.04 * s}"/>' if r.random() < .6 else "")
    star = f'<polygon points="{polygon(5, x, y - .28 * s, .2 * s, 0, .08 * s)}" fill="{b}"/>'
    name = label(x, round(y + .12 * s), name, round(1.55 * s / max(6, len(name))), "#ffffff", "bold")
    since = label(x, round(y + .38 * s), f"EST. {r.randint(1890, 2020)}", round(.12 * s), "#ffffff")
    return shape + ring + star + name + since


def pattern(r, w, h):
    inks, n, out = r.sample(INKS, r.randint(2, 4)), r.randint(3, 7), []
    kind, s = r.choice(("dots", "squares", "rings", "rays", "waves", "triangles")), w / n
    if kind == "rings":
        return "".join(f'<circle cx="{w / 2}" cy="{h / 2}" r="{min(w, h) / 2 * (1 - k / n):.0f}" '
                       f'fill="{inks[k % len(inks)]}"/>' for k in range(n))
    if kind == "rays":
        return "".join(f'<polygon points="{w / 2},{h / 2} {w / 2 + w * math.sin(2 * math.pi * k / 2 / n):.0f}'
                       f',{h / 2 - w * math.cos(2 * math.pi * k / 2 / n):.0f} '
                       f'{w / 2 + w * math.sin(2 * math.pi * (k + 1) / 2 / n):.0f},'
                       f'{h / 2 - w * math.cos(2 * math.pi * (k + 1) / 2 / n):.0f}" fill="{inks[k % 2]}"/>'
                       for k in range(2 * n))
    if kind == "waves":
        wave = f"q{s / 2:.0f} {-s * .7:.0f} {s:.0f} 0t{s:.0f} 0" * n
        return "".join(f'<path d="M0 {(k + .5) * h / n:.0f}{wave}" fill="none" '
                       f'stroke="{inks[k % len(inks)]}" stroke-width="{s * .18:.0f}"/>' for k in range(n))
    for i in range(n):
        for j in range(math.ceil(h / s)):
            x, y, ink = i * s, j * s, r.choice(inks) if r.random() < .5 else inks[(i + j) % len(inks)]
            out.append({"dots": f'<circle cx="{x + s / 2:.1f}" cy="{y + s / 2:.1f}" r="{s * .36:.1f}" '
                                f'fill="{ink}"/>',
                        "squares": f'<rect x="{x + s * .08:.1f}" y="{y + s * .08:.1f}" width="{s * .84:.1f}" '
                                   f'height="{s * .84:.1f}" fill="{ink}"/>',
                        "triangles": f'<polygon points="{x:.1f},{y + s:.1f} {x + s / 2:.1f},{y + s * .1:.1f} '
                                     f'{x + s:.1f},{y + s:.1f}" fill="{ink}"/>'}[kind])
    return "".join(out)


def face(r, w, h):
    x, y, s, skin = w / 2, h / 2, min(w, h) / 2, r.choice(
        ("#ffd166", "#f4a261", "#a7c957", "#90e0ef", "#e5989b", "#d4a373"))
    ears = r.choice(("", f'<polygon points="{x - .75 * s},{y - .9 * s} {x - .2 * s},{y - .62 * s} '
                         f'{x - .7 * s},{y - .3 * s}" fill="{skin}"/><polygon points="{x + .75 * s},'
                         f'{y - .9 * s} {x + .2 * s},{y - .62 * s} {x + .7 * s},{y - .3 * s}" '
                         f'fill="{skin}"/>',
                     f'<circle cx="{x - .6 * s}" cy="{y - .55 * s}" r="{.25 * s}" fill="{skin}"/><circle '
                     f'cx="{x + .6 * s}" cy="{y - .55 * s}" r="{.25 * s}" fill="{skin}"/>'))
    eyes = "".join(f'<circle cx="{x + k * .28 * s}" cy="{y - .15 * s}" r="{r.choice((.07, .1)) * s}" '
                   f'fill="#222222"/>' for k in (-1, 1))
    bend = r.choice((.35, .25, -.2, 0))
    mouth = (f'<path d="M{x - .35 * s} {y + .28 * s}Q{x} {y + (.28 + bend) * s} {x + .35 * s} {y + .28 * s}" '
             f'fill="none" stroke="#222222" stroke-width="{.06 * s}" stroke-linecap="round"/>')
    nose = (f'<polygon points="{x - .08 * s},{y + .05 * s} {x + .08 * s},{y + .05 * s} {x},{y + .15 * s}" '
            f'fill="{r.choice(INKS)}"/>' if ears else "")
    return f'{ears}<circle cx="{x}" cy="{y}" r="{.72 * s}" fill="{skin}"/>{eyes}{nose}{mouth}'


def timeline(r, w, h):
    ink, n, year = r.choice(INKS), r.randint(3, 5), r.randint(1900, 1990)
    out = f'<line x1="20" y1="{h / 2}" x2="{w - 20}" y2="{h / 2}" stroke="#888888" stroke-width="3"/>'
    for k in range(n):
        x, up = (k + .5) * w / n, k % 2
        out += f'<circle cx="{x:.0f}" cy="{h / 2}" r="9" fill="{ink}"/>'
        out += label(round(x), round(h / 2 + (-22 if up else 36)), year + 7 * k, 15, weight="bold")
        out += label(round(x), round(h / 2 + (-42 if up else 56)), r.choice(NOUNS), 13, "#555555")
    return out


DRAWINGS = (icon, icon, icon, scene, scene, scene, flowchart, flowchart, tree, venn, badge, badge, pattern,
            pattern, face, timeline)

SIZES = {icon: ((256, 256), (200, 200), (320, 320)), face: ((300, 300),), badge: ((320, 320), (300, 300)),
         scene: ((480, 320), (400, 400), (512, 300)), flowchart: ((560, 300), (420, 420)),
         timeline: ((560, 240),)}


def drawing(r):
    """A random drawing as SVG, from a `random.Random`."""
    make = r.choice(DRAWINGS)
    w, h = r.choice(SIZES.get(make, ((400, 300), (360, 360))))
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{w}" height="{h}" viewBox="0 0 {w} {h}">'
            f'<rect width="{w}" height="{h}" fill="{r.choice(GROUNDS)}"/>{make(r, w, h)}</svg>')
