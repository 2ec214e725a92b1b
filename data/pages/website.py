"""Random web pages as HTML, put together from sections (hero, cards, table, form, blog, ...) under one theme.

Every section takes a `random.Random` and the theme, a dict. The kinds of page follow what WebSight and
Design2Code hold; none of it is taken from them.

Left out: photographs, scripts, real brands, right-to-left text, forms of more than a few fields, and every
font but DejaVu and Liberation (Debian: fonts-dejavu, fonts-liberation).
"""

FAMILIES = ("'DejaVu Sans'", "'Liberation Sans'", "'Liberation Sans'", "'Liberation Serif'", "'DejaVu Serif'",
            "'Liberation Sans Narrow'", "'DejaVu Sans Mono'")
# main colour, second colour, pale ground, dark ground
PALETTES = (("#2563eb", "#f59e0b", "#eff6ff", "#1e293b"), ("#059669", "#0ea5e9", "#ecfdf5", "#064e3b"),
            ("#dc2626", "#1f2937", "#fef2f2", "#450a0a"), ("#7c3aed", "#ec4899", "#f5f3ff", "#2e1065"),
            ("#0f766e", "#ca8a04", "#f0fdfa", "#134e4a"), ("#b45309", "#4d7c0f", "#fffbeb", "#422006"),
            ("#334155", "#e11d48", "#f1f5f9", "#0f172a"), ("#be185d", "#0891b2", "#fdf2f8", "#500724"),
            ("#166534", "#a16207", "#f7fee7", "#14532d"), ("#1d4ed8", "#dc2626", "#ffffff", "#172554"))
NAMES = ("Harbor Bakery", "Northwind Cycles", "Lumen Studio", "Green Fern", "Atlas Travel", "Copper Kettle",
         "Blue Ridge", "Paper Crane", "Solstice", "Oak & Iron", "Riverside Clinic", "Tidepool",
         "Juniper Books", "Quiet Lake", "Marble Arch", "Sparrow Post", "Velvet Fox", "Stonebridge",
         "Morning Field", "Cedar Point")
NOUNS = ("garden", "kitchen", "workshop", "library", "mountain", "ocean", "market", "festival", "museum",
         "journey", "orchestra", "harvest", "bicycle", "lantern", "window", "village", "forest", "camera",
         "painting", "recipe")
VERBS = ("discover", "build", "plan", "share", "taste", "repair", "explore", "learn", "grow", "design")
ADJECTIVES = ("simple", "local", "modern", "quiet", "honest", "fresh", "open", "small", "bright", "careful",
              "friendly", "lasting")
PEOPLE = ("Mara Lind", "Jonas Weber", "Aiko Tanaka", "Luis Ortega", "Priya Nair", "Sam Okoye", "Elena Rossi",
          "Tom Hale")
MEALS = ("Morning", "Noon", "Evening", "Drinks", "Sweets")
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
    paint = r.choice(("#c8c8c8", "#c8c8c8", t["main"], t["second"], t["pale"],
                      f"linear-gradient(135deg,{t['main']},{t['second']})"))
    return f'<div style="height:{height}px;background:{paint};border-radius:{t["radius"]}px;{extra}"></div>'


def button(r, t, label=None, plain=False):
    label = label or r.choice(("Get started", "Read more", "Book now", "Sign up", "Learn more", "Buy",
                               "Contact us"))
    if plain:
        return f'<a class="button plain">{label}</a>'
    return f'<a class="button">{label}</a>'


def nav(r, t):
    links = "".join(f"<a>{w}</a>" for w in words(r, r.randint(3, 5)))
    style = r.choice(("background:var(--main);color:#fff", "background:var(--dark);color:#fff",
                      "border-bottom:1px solid #ccc", "background:var(--pale)"))
    if r.random() < 0.25:
        return (f'<header style="{style};padding:18px;text-align:center"><div class="logo">{t["name"]}</div>'
                f'<nav style="margin-top:10px">{links}</nav></header>')
    more = button(r, t, "Sign in", plain=True) if r.random() < 0.3 and "border" in style else ""
    return (f'<header style="{style};padding:{r.choice((12, 16, 22))}px {t["side"]}px;display:flex;'
            f'align-items:center;justify-content:space-between"><div class="logo">{t["name"]}</div>'
            f'<nav>{links}{more}</nav></header>')


def hero(r, t):
    head, lead = f"<h1>{headline(r)}</h1>", f"<p class=lead>{text(r, 1, 2)}</p>"
    buttons = button(r, t) + (button(r, t, plain=True) if r.random() < 0.4 else "")
    kind = r.randrange(3)
    if kind == 0:
        ground = r.choice(("var(--pale)", "var(--dark);color:#fff",
                           "linear-gradient(120deg,var(--main),var(--second));color:#fff"))
        return (f'<section style="background:{ground};text-align:center;padding:{r.randint(50, 110)}px 18%">'
                f'{head}{lead}<div>{buttons}</div></section>')
    side = f'<div style="flex:1">{picture(r, t, r.randint(200, 320))}</div>'
    said = f'<div style="flex:{r.choice((1, 1, 2))}">{head}{lead}<div>{buttons}</div></div>'
    both = said + side if r.random() < 0.6 else side + said
    return (f'<section style="display:flex;gap:40px;align-items:center'
            f'{";background:var(--pale)" if kind == 2 else ""}">{both}</section>')


def cards(r, t):
    n = r.choice((2, 3, 3, 4, 4, 6))
    columns = 3 if n == 6 else n
    shown = r.choice(("picture", "number", "none", "letter"))
    shape = r.choice(("border:1px solid #d4d4d8", "box-shadow:0 2px 8px rgba(0,0,0,.18)",
                      "background:var(--pale)",
                      "border-top:4px solid var(--main);background:rgba(128,128,128,.08)"))
    items = ""
    for i in range(n):
        top = {"picture": picture(r, t, 110, "margin-bottom:14px"), "none": "",
               "number": f'<div class=big>{i + 1:02d}</div>',
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
                "Date": f"{r.randint(1, 28)} {r.choice(MONTHS)[:3]}",
                "Price": f"${r.randint(3, 400)}.{r.choice(('00', '50', '99'))}",
                "Status": r.choice(("Open", "Closed", "Waiting")), "Stock": r.randint(0, 500),
                "Score": r.randint(10, 100), "Hours": f"{r.randint(8, 11)}-{r.randint(15, 20)}"}[name]

    stripe = r.random() < 0.5
    rows = "".join(f'<tr{" style=background:var(--pale);color:#222" if stripe and i % 2 else ""}>'
                   + "".join(f"<td>{cell(c)}</td>" for c in columns) + "</tr>"
                   for i in range(r.randint(4, 9)))
    head = r.choice(("background:var(--main);color:#fff", "background:var(--dark);color:#fff",
                     "border-bottom:2px solid var(--main)"))
    names = "".join(f"<th>{name}</th>" for name in columns)
    return (f'<section><h2>{headline(r)}</h2><table><tr style="{head}">' + names
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
                  f'<p class=small>{r.choice(PEOPLE)}, {r.randint(1, 28)} {r.choice(MONTHS)} '
                  f'{r.randint(2015, 2025)}</p><p>{text(r)}</p></div></article>')
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
            f'justify-content:space-around;text-align:center">{items}</section>')


def gallery(r, t):
    columns, n = r.choice(((3, 3), (3, 6), (4, 4), (4, 8), (2, 2)))
    items = "".join(f'<figure>{picture(r, t, r.choice((120, 150)))}<figcaption class=small>'
                    f'{headline(r)}</figcaption></figure>' for _ in range(n))
    return (f'<section><h2>{headline(r)}</h2><div style="display:grid;gap:16px;'
            f'grid-template-columns:repeat({columns},1fr)">{items}</div></section>')


def quotes(r, t):
    items = "".join(f'<div class=card style="flex:1;background:var(--pale);color:#222"><p><em>&ldquo;'
                    f'{sentence(r)}&rdquo;</em></p><p class=small><b>{r.choice(PEOPLE)}</b></p></div>'
                    for _ in range(r.choice((1, 2, 3))))
    return (f'<section><h2>{r.choice(("What people say", "Kind words", "Reviews"))}</h2><div '
            f'style="display:flex;gap:22px">{items}</div></section>')


def faq(r, t):
    items = "".join(f'<div style="border-bottom:1px solid #ccc;padding:12px 0"><b>'
                    f'{"+" if r.random() < .5 else "-"} How do I {r.choice(VERBS)} a {r.choice(NOUNS)}?</b>'
                    f'{"<p>" + sentence(r) + "</p>" if r.random() < .6 else ""}</div>'
                    for _ in range(r.randint(3, 5)))
    return f"<section><h2>Questions</h2>{items}</section>"


def menu(r, t):
    def dish():
        return (f'<div style="display:flex;justify-content:space-between;border-bottom:1px dotted #999;'
                f'padding:6px 0"><span>{r.choice(ADJECTIVES).capitalize()} '
                f'{r.choice(("soup", "bread", "salad", "tea", "cake", "pasta"))}</span>'
                f'<b>{r.randint(3, 25)}.50</b></div>')

    lists = "".join(f'<div style="flex:1"><h3>{name}</h3>'
                    f'{"".join(dish() for _ in range(r.randint(3, 6)))}</div>'
                    for name in r.sample(MEALS, r.choice((2, 3))))
    return f'<section><h2>Menu</h2><div style="display:flex;gap:36px">{lists}</div></section>'


def bars(r, t):
    items = "".join(f'<div style="margin:10px 0">{r.choice(NOUNS).capitalize()}'
                    f'<div style="background:#ddd;height:14px"><div style="height:14px;'
                    f'width:{r.randint(10, 98)}%;background:{r.choice(("var(--main)", "var(--second)"))}">'
                    f'</div></div></div>' for _ in range(r.randint(3, 6)))
    return f"<section><h2>{headline(r)}</h2>{items}</section>"


def call(r, t):
    return (f'<section style="background:var(--main);color:#fff;text-align:center"><h2>{headline(r)}</h2>'
            f'<p>{sentence(r)}</p><a class="button" style="background:#fff;color:#222">'
            f'{r.choice(("Join now", "Write to us", "Start"))}</a></section>')


def footer(r, t):
    if r.random() < 0.5:
        return (f'<footer style="text-align:center">&copy; {r.randint(2018, 2025)} {t["name"]}. All rights '
                f'reserved.</footer>')
    columns = "".join(f'<div><b>{title}</b>' + "".join(f"<div>{w}</div>" for w in words(r, r.randint(2, 4)))
                      + "</div>" for title in r.sample(("Company", "Visit", "Follow", "Legal", "Support"),
                                            r.randint(2, 4)))
    return (f'<footer style="display:flex;justify-content:space-between;line-height:1.7"><div class=logo>'
            f'{t["name"]}</div>{columns}</footer>')


SITES = ((hero, cards, stats, quotes, call), (hero, gallery, posts), (posts, posts), (article,),
         (hero, pricing, faq), (form,), (hero, menu, quotes), (table, bars), (cards, table),
         (hero, cards, form), (gallery, cards, call), (stats, table, cards), (hero, posts),
         (pricing, call), (article, quotes), (hero, faq, form), (bars, cards), (menu, gallery))


def page(r):
    """A random web page as HTML, from a `random.Random`."""
    main, second, pale, dark = r.choice(PALETTES)
    t = {"main": main, "second": second, "pale": pale, "radius": r.choice((0, 0, 4, 8, 14)),
         "side": r.choice((24, 40, 60, 90)), "name": r.choice(NAMES)}
    night = r.random() < 0.12
    sections = list(r.choice(SITES))
    if r.random() < 0.4:
        sections.append(r.choice((cards, stats, call, faq, bars, quotes)))
    parts = [nav(r, t)] if r.random() < 0.9 else []
    parts += [make(r, t) for make in sections]
    parts += [footer(r, t)] if r.random() < 0.85 else []
    heads = r.choice(("", "text-transform:uppercase;letter-spacing:1px;", "font-weight:400;",
                      "color:var(--main);"))
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
            f'{css}</style></head><body>' + "".join(parts) + "</body></html>")
