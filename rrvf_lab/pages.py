"""Raw images of web pages and of drawings, made from a seed: what the html and svg policies learn from.

Each page is composed of sections (hero, cards, table, form, blog, pricing, gallery, ...) under one theme;
each drawing is an icon, a scene, a diagram, a badge or a pattern. Only their pictures are written: the code
is thrown away, so the sets stay unlabelled. The kind of page follows what WebSight and Design2Code hold, none
of it is taken from them. Pixels depend on the versions of Chromium, resvg and the fonts; the sampled code
depends on the seed alone.

    python -m rrvf_lab.pages data --train 64 --test 44 --seed 11

Left out: photographs, scripts, real brands, right-to-left text, forms of more than a few fields, and every
font but DejaVu and Liberation (Debian: fonts-dejavu, fonts-liberation).
"""
import argparse
import math
import random
from pathlib import Path

FAMILIES = ("'DejaVu Sans'", "'Liberation Sans'", "'Liberation Sans'", "'Liberation Serif'", "'DejaVu Serif'",
            "'Liberation Sans Narrow'", "'DejaVu Sans Mono'")
# main colour, second colour, pale ground, dark ground
PALETTES = (("#2563eb", "#f59e0b", "#eff6ff", "#1e293b"), ("#059669", "#0ea5e9", "#ecfdf5", "#064e3b"),
            ("#dc2626", "#1f2937", "#fef2f2", "#450a0a"), ("#7c3aed", "#ec4899", "#f5f3ff", "#2e1065"),
            ("#0f766e", "#ca8a04", "#f0fdfa", "#134e4a"), ("#b45309", "#4d7c0f", "#fffbeb", "#422006"),
            ("#334155", "#e11d48", "#f1f5f9", "#0f172a"), ("#be185d", "#0891b2", "#fdf2f8", "#500724"),
            ("#166534", "#a16207", "#f7fee7", "#14532d"), ("#1d4ed8", "#dc2626", "#ffffff", "#172554"))
NAMES = ("Harbor Bakery", "Northwind Cycles", "Lumen Studio", "Green Fern", "Atlas Travel", "Copper Kettle",
         "Blue Ridge",
         "Paper Crane", "Solstice", "Oak & Iron", "Riverside Clinic", "Tidepool", "Juniper Books",
         "Quiet Lake",
         "Marble Arch", "Sparrow Post", "Velvet Fox", "Stonebridge", "Morning Field", "Cedar Point")
NOUNS = ("garden", "kitchen", "workshop", "library", "mountain", "ocean", "market", "festival", "museum",
         "journey",
         "orchestra", "harvest", "bicycle", "lantern", "window", "village", "forest", "camera", "painting",
         "recipe")
VERBS = ("discover", "build", "plan", "share", "taste", "repair", "explore", "learn", "grow", "design")
ADJECTIVES = ("simple", "local", "modern", "quiet", "honest", "fresh", "open", "small", "bright", "careful",
              "friendly", "lasting")
PEOPLE = ("Mara Lind", "Jonas Weber", "Aiko Tanaka", "Luis Ortega", "Priya Nair", "Sam Okoye", "Elena Rossi",
          "Tom Hale")
MONTHS = ("January", "March", "April", "June", "August", "October", "December")


def sentence(r):
    return r.choice((
        f"{r.choice(VERBS).capitalize()} the {r.choice(ADJECTIVES)} {r.choice(NOUNS)} with us.",
        f"Every {r.choice(NOUNS)} starts with a {r.choice(ADJECTIVES)} {r.choice(NOUNS)}.",
        f"We {r.choice(VERBS)} a {r.choice(ADJECTIVES)} and {r.choice(ADJECTIVES)} {r.choice(NOUNS)} for "
        f"{r.randint(2, 90)} people.",
        f"A {r.choice(NOUNS)} is never far from the {r.choice(NOUNS)}, and that is how we like it.",
        f"Since {r.randint(1950, 2020)} the {r.choice(NOUNS)} has been open to all who {r.choice(VERBS)}."))


def text(r, least=1, most=3):
    return " ".join(sentence(r) for _ in range(r.randint(least, most)))


def headline(r):
    return r.choice((f"{r.choice(VERBS)} the {r.choice(ADJECTIVES)} {r.choice(NOUNS)}",
                     f"A {r.choice(ADJECTIVES)} {r.choice(NOUNS)}",
                     f"{r.choice(NOUNS)} and {r.choice(NOUNS)}", f"The {r.choice(NOUNS)} guide",
                     f"{r.choice(ADJECTIVES)} {r.choice(NOUNS)}s, every day")).capitalize()


def words(r, n):
    return r.sample(("Home", "About", "Work", "Prices", "Team", "Blog", "Contact", "Shop", "Events", "Help",
                     "News"), n)


# ---------------------------------------------------------------------------------------- sections of a page

def picture(r, t, height, extra=""):
    """A stand-in for a photograph: plain gray, one colour or a gradient, as wide as its place."""
    paint = r.choice(("#c8c8c8", "#c8c8c8", t["main"], t["second"], t["pale"], f"linear-gradient(135deg,"
        f"{t['main']},{t['second']})"))
    return f'<div style="height:{height}px;background:{paint};border-radius:{t["radius"]}px;{extra}"></div>'


def button(r, t, label=None, plain=False):
    label = label or r.choice(("Get started", "Read more", "Book now", "Sign up", "Learn more", "Buy",
                               "Contact us"))
    if plain:
        return f'<a class="button plain">{label}</a>'
    return f'<a class="button">{label}</a>'


def nav(r, t):
    links = "".join(f"<a>{w}</a>" for w in words(r, r.randint(3, 5)))
    style = r.choice(("background:var(--main);color:#fff", "background:var(--dark);color:#fff", "border-botto"
        "m:1px solid #ccc",
                      "background:var(--pale)"))
    if r.random() < 0.25:
        return (f'<header style="{style};padding:18px;text-align:center"><div class="logo">{t["name"]}</div>'
                f'<nav style="margin-top:10px">{links}</nav></header>')
    more = button(r, t, "Sign in", plain=True) if r.random() < 0.3 and "border" in style else ""
    return (f'<header style="{style};padding:{r.choice((12, 16, 22))}px {t["side"]}px;display:flex;'
            f'align-items:center;'
            f'justify-content:space-between"><div class="logo">{t["name"]}</div><nav>{links}{more}</nav>'
            f'</header>')


def hero(r, t):
    head, lead = f"<h1>{headline(r)}</h1>", f"<p class=lead>{text(r, 1, 2)}</p>"
    buttons = button(r, t) + (button(r, t, plain=True) if r.random() < 0.4 else "")
    kind = r.randrange(3)
    if kind == 0:
        ground = r.choice(("var(--pale)", "var(--dark);color:#fff", "linear-gradient(120deg,var(--main),"
            "var(--second));color:#fff"))
        return (f'<section style="background:{ground};text-align:center;padding:{r.randint(50, 110)}px 18%">'
                f'{head}{lead}'
                f'<div>{buttons}</div></section>')
    side = f'<div style="flex:1">{picture(r, t, r.randint(200, 320))}</div>'
    words_ = f'<div style="flex:{r.choice((1, 1, 2))}">{head}{lead}<div>{buttons}</div></div>'
    both = words_ + side if r.random() < 0.6 else side + words_
    return (f'<section style="display:flex;gap:40px;align-items:center'
            f'{";background:var(--pale)" if kind == 2 else ""}">{both}</section>')


def cards(r, t):
    n = r.choice((2, 3, 3, 4, 4, 6))
    columns = 3 if n == 6 else n
    shown = r.choice(("picture", "number", "none", "letter"))
    shape = r.choice(("border:1px solid #d4d4d8", "box-shadow:0 2px 8px rgba(0,0,0,.18)", "background:var(--p"
        "ale)",
                      "border-top:4px solid var(--main);background:rgba(128,128,128,.08)"))
    items = ""
    for i in range(n):
        top = {"picture": picture(r, t, 110, "margin-bottom:14px"), "none": "", "number": f'<div class=big>'
            f'{i + 1:02d}</div>',
               "letter": f'<div class=round>{r.choice("ABCDEFGHKLMNPRST")}</div>'}[shown]
        more = (f'<p><a class=link>{r.choice(("More", "Details", "Read on"))} &rarr;</a></p>'
                if r.random() < 0.4 else "")
        items += (f'<div class=card style="{shape}">{top}<h3>{headline(r)}</h3><p>{text(r, 1, 1)}</p>'
                  f'{more}</div>')
    head = (f'<h2 style="text-align:{r.choice(("left", "center"))}">{headline(r)}</h2>' if r.random() < 0.8
            else "")
    return (f'<section>{head}<div style="display:grid;gap:22px;grid-template-columns:repeat({columns},1fr)">'
            f'{items}</div></section>')


def table(r, t):
    columns = r.sample(("Name", "City", "Date", "Price", "Status", "Stock", "Score", "Hours", "Team"),
                       r.randint(3, 6))
    def cell(name):
        return {"Name": r.choice(PEOPLE), "City": r.choice(("Oslo", "Lima", "Cairo", "Rome", "Kyoto")),
                "Team": r.choice(("Red", "Blue", "Gold")),
                "Date": f"{r.randint(1, 28)} {r.choice(MONTHS)[:3]}", "Price": f"${r.randint(3, 400)}."
                    f"{r.choice(('00', '50', '99'))}",
                "Status": r.choice(("Open", "Closed", "Waiting")), "Stock": r.randint(0, 500),
                "Score": r.randint(10, 100),
                "Hours": f"{r.randint(8, 11)}-{r.randint(15, 20)}"}[name]
    stripe = r.random() < 0.5
    rows = "".join(f'<tr{" style=background:var(--pale);color:#222" if stripe and i % 2 else ""}>'
                   + "".join(f"<td>{cell(c)}</td>" for c in columns) + "</tr>"
                   for i in range(r.randint(4, 9)))
    head = r.choice(("background:var(--main);color:#fff", "background:var(--dark);color:#fff", "border-bottom"
        ":2px solid var(--main)"))
    return (f'<section><h2>{headline(r)}</h2><table><tr style="{head}">'
            + "".join(f"<th>{c}</th>" for c in columns)
            + f"</tr>{rows}</table></section>")


def form(r, t):
    fields = ""
    for label in r.sample(("Your name", "E-mail", "Phone", "Company", "Date", "City"), r.randint(2, 4)):
        fields += f'<label>{label}<input placeholder="{r.choice(("", label.lower(), "required"))}"></label>'
    if r.random() < 0.6:
        fields += "<label>Message<textarea rows=4></textarea></label>"
    if r.random() < 0.4:
        fields += ('<label style="display:block"><input type=checkbox style="width:auto"> I agree to the '
                   'rules</label>')
    if r.random() < 0.3:
        fields += f"<label>Topic<select><option>{headline(r)}</option></select></label>"
    body = (f'<form class=card style="max-width:{r.choice((380, 460, 560))}px;border:1px solid #d4d4d8;'
            f'{"margin:0 auto" if r.random() < 0.6 else ""}"><h2>'
            f'{r.choice(("Contact us", "Sign in", "Book a visit", "Join the list"))}</h2>'
            f'{fields}{button(r, t, r.choice(("Send", "Sign in", "Subscribe")))}</form>')
    return f'<section{" style=background:var(--pale)" if r.random() < 0.5 else ""}>{body}</section>'


def posts(r, t):
    items = ""
    for _ in range(r.randint(2, 4)):
        image = picture(r, t, 120, "width:190px;flex:none") if r.random() < 0.6 else ""
        items += (f'<article style="display:flex;gap:22px;margin:0 0 26px">{image}<div><h3>{headline(r)}</h3>'
                  f'<p class=small>'
                  f'{r.choice(PEOPLE)}, {r.randint(1, 28)} {r.choice(MONTHS)} {r.randint(2015, 2025)}</p><p>'
                  f'{text(r)}</p></div></article>')
    if r.random() < 0.6:
        links = "".join(f"<li>{headline(r)}</li>" for _ in range(r.randint(3, 6)))
        side = (f'<aside class=card style="width:230px;flex:none;background:var(--pale);color:#222"><h3>'
                f'Recent</h3><ul>{links}</ul></aside>')
        return (f'<section style="display:flex;gap:36px;align-items:flex-start"><div style="flex:1">'
                f'{items}</div>{side}</section>')
    return f"<section><h2>{r.choice(('Blog', 'News', 'Stories'))}</h2>{items}</section>"


def article(r, t):
    body = "".join(f"<p>{text(r, 3, 5)}</p>" for _ in range(r.randint(2, 3)))
    quote = f'<blockquote>{sentence(r)}</blockquote>' if r.random() < 0.6 else ""
    bullets = ("<ul>" + "".join(f"<li>{sentence(r)}</li>" for _ in range(r.randint(2, 4))) + "</ul>"
               if r.random() < 0.5 else "")
    top = picture(r, t, r.randint(140, 240), "margin-bottom:20px") if r.random() < 0.5 else ""
    return (f'<section style="padding-left:16%;padding-right:16%">{top}<h1>{headline(r)}</h1><p class=small>'
            f'by {r.choice(PEOPLE)}</p>{body}{quote}{bullets}</section>')


def pricing(r, t):
    best, tiers = r.randrange(3), ""
    for i, tier in enumerate(r.choice((("Basic", "Plus", "Pro"), ("Single", "Team", "Studio"),
                                       ("Free", "Monthly", "Yearly")))):
        mark = "background:var(--main);color:#fff" if i == best else "border:1px solid #d4d4d8"
        items = "".join(f"<li>{r.randint(1, 50)} {r.choice(NOUNS)}s</li>" for _ in range(r.randint(3, 5)))
        tiers += (f'<div class=card style="{mark};text-align:center"><h3>{tier}</h3><div class=big '
                  f'style="color:inherit">${r.randint(0, 15) * (i + 1)}</div>'
                  f'<ul style="text-align:left">{items}</ul>'
                  f'{button(r, t, "Choose", plain=i != best) if i != best else ""}</div>')
    return (f'<section><h2 style="text-align:center">{headline(r)}</h2>'
            f'<div style="display:grid;gap:22px;grid-template-columns:repeat(3,1fr)">{tiers}</div></section>')


def stats(r, t):
    items = "".join(f'<div><div class=big style="color:inherit">'
                    f'{r.choice((r.randint(2, 99), f"{r.randint(2, 40)}k", f"{r.randint(50, 99)}%"))}'
                    f"</div>{r.choice(NOUNS)}s</div>" for _ in range(r.randint(3, 5)))
    return (f'<section style="background:{r.choice(("var(--main)", "var(--dark)"))};color:#fff;display:flex;'
            f'justify-content:space-around;'
            f'text-align:center">{items}</section>')


def gallery(r, t):
    columns, n = r.choice(((3, 3), (3, 6), (4, 4), (4, 8), (2, 2)))
    items = "".join(f'<figure>{picture(r, t, r.choice((120, 150)))}<figcaption class=small>'
                    f'{headline(r)}</figcaption></figure>' for _ in range(n))
    return (f'<section><h2>{headline(r)}</h2><div style="display:grid;gap:16px;'
            f'grid-template-columns:repeat({columns},1fr)">{items}</div></section>')


def quotes(r, t):
    items = "".join(f'<div class=card style="flex:1;background:var(--pale);color:#222"><p><em>&ldquo;'
                    f'{sentence(r)}&rdquo;</em></p>'
                    f'<p class=small><b>{r.choice(PEOPLE)}</b></p></div>' for _ in range(r.choice((1, 2, 3))))
    return (f'<section><h2>{r.choice(("What people say", "Kind words", "Reviews"))}</h2><div '
            f'style="display:flex;gap:22px">{items}</div></section>')


def faq(r, t):
    items = "".join(f'<div style="border-bottom:1px solid #ccc;padding:12px 0"><b>'
                    f'{"+" if r.random() < .5 else "-"} How do I '
                    f'{r.choice(VERBS)} a {r.choice(NOUNS)}?</b>'
                    f'{"<p>" + sentence(r) + "</p>" if r.random() < .6 else ""}</div>'
                    for _ in range(r.randint(3, 5)))
    return f"<section><h2>Questions</h2>{items}</section>"


def menu(r, t):
    def dish():
        return (f'<div style="display:flex;justify-content:space-between;border-bottom:1px dotted #999;'
                f'padding:6px 0">'
                f'<span>{r.choice(ADJECTIVES).capitalize()} '
                f'{r.choice(("soup", "bread", "salad", "tea", "cake", "pasta"))}</span>'
                f'<b>{r.randint(3, 25)}.50</b></div>')
    lists = "".join(f'<div style="flex:1"><h3>{name}</h3>{"".join(dish() for _ in range(r.randint(3, 6)))}</d'
                    f'iv>'
                    for name in r.sample(("Morning", "Noon", "Evening", "Drinks", "Sweets"),
                                         r.choice((2, 3))))
    return f'<section><h2>Menu</h2><div style="display:flex;gap:36px">{lists}</div></section>'


def bars(r, t):
    items = "".join(f'<div style="margin:10px 0">{r.choice(NOUNS).capitalize()}<div style="background:#ddd;'
                    f'height:14px"><div style="height:14px;'
                    f'width:{r.randint(10, 98)}%;background:{r.choice(("var(--main)", "var(--second)"))}">'
                    f'</div></div></div>' for _ in range(r.randint(3, 6)))
    return f"<section><h2>{headline(r)}</h2>{items}</section>"


def call(r, t):
    return (f'<section style="background:var(--main);color:#fff;text-align:center"><h2>{headline(r)}</h2><p>'
            f'{sentence(r)}</p>'
            f'<a class="button" style="background:#fff;color:#222">'
            f'{r.choice(("Join now", "Write to us", "Start"))}</a></section>')


def footer(r, t):
    if r.random() < 0.5:
        return (f'<footer style="text-align:center">&copy; {r.randint(2018, 2025)} {t["name"]}. All rights '
                f'reserved.</footer>')
    columns = "".join(f'<div><b>{title}</b>' + "".join(f"<div>{w}</div>" for w in words(r, r.randint(2, 4)))
                      + "</div>"
                      for title in r.sample(("Company", "Visit", "Follow", "Legal", "Support"),
                                            r.randint(2, 4)))
    return (f'<footer style="display:flex;justify-content:space-between;line-height:1.7"><div class=logo>'
            f'{t["name"]}</div>{columns}</footer>')


SITES = ((hero, cards, stats, quotes, call), (hero, gallery, posts), (posts, posts), (article,),
         (hero, pricing, faq), (form,),
         (hero, menu, quotes), (table, bars), (cards, table), (hero, cards, form), (gallery, cards, call),
         (stats, table, cards),
         (hero, posts), (pricing, call), (article, quotes), (hero, faq, form), (bars, cards), (menu, gallery))


def page(r):
    """A random web page as HTML, from a `random.Random`."""
    main, second, pale, dark = r.choice(PALETTES)
    t = {"main": main, "second": second, "pale": pale, "radius": r.choice((0, 0, 4, 8, 14)),
         "side": r.choice((24, 40, 60, 90)),
         "name": r.choice(NAMES)}
    night = r.random() < 0.12
    sections = list(r.choice(SITES))
    if r.random() < 0.4:
        sections.append(r.choice((cards, stats, call, faq, bars, quotes)))
    parts = ([nav(r, t)] if r.random() < 0.9 else []) + [make(r, t) for make in sections] + ([footer(r, t)]
        if r.random() < 0.85 else [])
    heads = r.choice(("", "text-transform:uppercase;letter-spacing:1px;", "font-weight:400;", "color:var(--ma"
        "in);"))
    css = f"""
:root{{--main:{main};--second:{second};--pale:{pale};--dark:{dark}}}
*{{box-sizing:border-box}} body{{margin:0;font:{r.choice((15, 16, 17))}px/1.5 {r.choice(FAMILIES)};\
{"background:#16181d;color:#e5e7eb" if night else
f"background:{r.choice(('#fff', '#fff', '#fafaf9', '#fdf6ec'))};color:#222"}}}
section{{padding:{r.choice((26, 36, 48))}px {t["side"]}px}} h1{{font-size:{r.choice((32, 38, 46))}px;\
line-height:1.15;margin:0 0 16px;{heads}}}
h2{{font-size:{r.choice((22, 26, 30))}px;margin:0 0 20px;{heads}}} h3{{font-size:18px;margin:0 0 8px}} \
p{{margin:0 0 12px}} figure{{margin:0}}
.lead{{font-size:19px;opacity:.85}} .small{{font-size:13px;opacity:.75}} \
.logo{{font-size:21px;font-weight:bold}} nav a{{margin-left:22px}}
.button{{display:inline-block;padding:10px 22px;margin:6px 8px 0 0;border-radius:{t["radius"]}px;\
background:var(--{r.choice(("main", "second"))});color:#fff}}
.plain{{background:transparent;color:inherit;border:1px solid currentColor}} .link{{color:var(--main)}} \
.card{{padding:20px;border-radius:{t["radius"]}px}}
.big{{font-size:34px;font-weight:bold;color:var(--main)}} .round{{width:44px;height:44px;line-height:44px;\
border-radius:50%;text-align:center;background:var(--second);color:#fff;margin-bottom:12px}}
table{{width:100%;border-collapse:collapse}} \
td,th{{padding:9px 12px;text-align:left;border-bottom:1px solid rgba(128,128,128,.35)}}
label{{display:block;margin:0 0 12px}} input,textarea,select{{width:100%;padding:8px;\
border:1px solid #aaa;border-radius:{t["radius"]}px;font:inherit}}
blockquote{{border-left:4px solid var(--main);margin:18px 0;padding:4px 18px;font-size:19px}} \
ul{{padding-left:22px}}
footer{{padding:26px {t["side"]}px;\
{r.choice(("background:var(--dark);color:#fff", "border-top:1px solid #bbb",
"background:#e5e7eb;color:#333"))}}}
"""
    return (f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{t["name"]}</title><style>'
            f'{css}</style></head><body>'
            + "".join(parts) + "</body></html>")


# -------------------------------------------------------------------------------------------------- drawings

INKS = ("#e63946", "#f4a261", "#2a9d8f", "#264653", "#457b9d", "#8ac926", "#6a4c93", "#ffca3a", "#1d3557",
        "#d62828", "#3a86ff", "#ff006e",
        "#5f0f40", "#0f4c5c", "#9a031e", "#606c38")
GROUNDS = ("#ffffff", "#ffffff", "#f8f9fa", "#fef9ef", "#e9f5f9", "#fdf0f5", "#eef4e8")


def polygon(n, x, y, radius, turn=0.0, inner=None):
    """Points of a regular polygon, or of a star when `inner` (its inner radius) is given."""
    steps = n * 2 if inner else n
    return " ".join("%.1f,%.1f" % (x + (inner if inner and k % 2 else radius) * math.sin(turn
        + 2 * math.pi * k / steps),
                                   y - (inner if inner and k % 2 else radius) * math.cos(turn
                                       + 2 * math.pi * k / steps)) for k in range(steps))


def label(x, y, words_, size=16, fill="#222", weight="normal", anchor="middle", family="Liberation Sans"):
    return (f'<text x="{x}" y="{y}" font-family="{family}" font-size="{size}" font-weight="{weight}" '
            f'fill="{fill}" '
            f'text-anchor="{anchor}">{words_}</text>')


def icon(r, w, h):
    a, b, c = r.sample(INKS, 3)
    x, y, s = w / 2, h / 2, min(w, h) / 2
    ground = r.choice((f'<circle cx="{x}" cy="{y}" r="{.9 * s}" fill="{a}"/>', f'<rect x="{x - .85 * s}" '
        f'y="{y - .85 * s}" width="{1.7 * s}" '
                       f'height="{1.7 * s}" rx="{r.choice((0, .2, .4)) * s}" fill="{a}"/>', ""))
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
    for k in range(r.randint(0, 3)):
        x, half, top = r.uniform(.05, .95) * w, r.uniform(.15, .3) * w, horizon - r.uniform(.15, .35) * h
        out.append(f'<polygon points="{x - half:.0f},{horizon:.0f} {x:.0f},{top:.0f} {x + half:.0f},'
                   f'{horizon:.0f}" fill="{r.choice(("#6d6875", "#84a98c", "#52796f", "#8d99ae"))}"/>')
    sea = r.random() < 0.35
    ground = r.choice(("#1d7ea8", "#219ebc") if sea else ("#7cb518", "#588157", "#e9c46a", "#ffffff"))
    out.append(f'<rect y="{horizon:.0f}" width="{w}" height="{h - horizon:.0f}" fill="{ground}"/>')
    for _ in range(r.randint(1, 4)):
        x, y, s = r.uniform(.08, .85) * w, horizon + r.uniform(.05, .6) * (h - horizon), w * r.uniform(.07,
            .13)
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
           'orient="auto">'
           f'<path d="M0 0L10 5L0 10Z" fill="{ink}"/></marker></defs>']
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
    return "".join(out) + f'<circle cx="{top[0]:.0f}" cy="{top[1]:.0f}" r="25" fill="{ink}"/>' + label(
        round(top[0]), round(top[1] + 5), "Top", 15, "#fff")


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
    return shape + ring + star + label(x, round(y + .12 * s), name, round(1.55 * s / max(6, len(name))),
                                       "#ffffff", "bold") + label(x, round(y + .38 * s),
                                           f"EST. {r.randint(1890, 2020)}", round(.12 * s), "#ffffff")


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
        return "".join(f'<path d="M0 {(k + .5) * h / n:.0f}' + "".join(f'q{s / 2:.0f} {-s * .7:.0f} {s:.0f} '
            f'0t{s:.0f} 0' for _ in range(n)) +
                       f'" fill="none" stroke="{inks[k % len(inks)]}" stroke-width="{s * .18:.0f}"/>'
                       for k in range(n))
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
        out += f'<circle cx="{x:.0f}" cy="{h / 2}" r="9" fill="{ink}"/>' + label(round(x),
            round(h / 2 + (-22 if up else 36)), year + 7 * k, 15, weight="bold")
        out += label(round(x), round(h / 2 + (-42 if up else 56)), r.choice(NOUNS), 13, "#555555")
    return out


DRAWINGS = (icon, icon, icon, scene, scene, scene, flowchart, flowchart, tree, venn, badge, badge, pattern,
            pattern, face, timeline)


def drawing(r):
    """A random drawing as SVG, from a `random.Random`."""
    make = r.choice(DRAWINGS)
    w, h = r.choice({icon: ((256, 256), (200, 200), (320, 320)), face: ((300, 300),),
                     badge: ((320, 320), (300, 300)), scene: ((480, 320), (400, 400), (512, 300)),
                     flowchart: ((560, 300), (420, 420)), timeline: ((560, 240),)}.get(make,
                         ((400, 300), (360, 360))))
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{w}" height="{h}" viewBox="0 0 {w} {h}">'
            f'<rect width="{w}" height="{h}" fill="{r.choice(GROUNDS)}"/>{make(r, w, h)}</svg>')


# --------------------------------------------------------------------------------------------------- writing

def code(kind, split, i, seed=11):
    """The code of page or drawing number `i` (kind "pages" or "drawings"); for tests, never for training.

        code("drawings", "test", 3)[:4] == "<svg"
    """
    return {"pages": page, "drawings": drawing}[kind](random.Random(f"{kind} {split} {i} {seed}"))


def write(folder, counts, seed=11):
    """Draw `counts` ({"train": 64, "test": 44}) of each kind into `folder`/pages and /drawings -> bytes.

    Older images of the same names are replaced. Raises RuntimeError where one cannot be drawn or two are the
    same.
    """
    from .charts import store
    from .render.renderer import Renderer

    seen, total = {}, 0
    with Renderer() as renderer:
        for kind, language in (("pages", "html"), ("drawings", "svg")):
            for split, count in counts.items():
                target = Path(folder) / kind / split
                target.mkdir(parents=True, exist_ok=True)
                for old in target.glob(f"{split}-[0-9]*.png"):
                    old.unlink()
                for i, drawn in enumerate(renderer.map([code(kind, split, i, seed) for i in range(count)],
                                                       language)):
                    name = f"{kind}/{split}/{split}-{i:04d}"
                    if drawn.image is None:
                        raise RuntimeError(f"{name} could not be drawn: {drawn.error}")
                    total += store(drawn.image, folder, name, seen)
    return total


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Draw raw images of pages and drawings (pictures only) from "
                                                 "a seed.")
    parser.add_argument("folder")
    parser.add_argument("--train", type=int, default=64)
    parser.add_argument("--test", type=int, default=44)
    parser.add_argument("--seed", type=int, default=11)
    options = parser.parse_args()
    size = write(options.folder, {"train": options.train, "test": options.test}, options.seed)
    print(f"{options.train} + {options.test} pages and as many drawings in {options.folder}, "
          f"{size / 1e6:.1f} MB")
