"""Rates as bars in an SVG, one group per table."""

from html import escape

ROW, LEFT, WIDTH, TITLE = 22, 190, 760, 34
OURS, PEERS = "#d62728", "#7f8fa6"


def chart(groups):
    """`groups`: a title and rates by name, each a group of bars from the fastest to the slowest."""
    bodies, top = [], 10
    for title, rates in groups.items():
        bodies.append(group(title, rates, top))
        top += TITLE + ROW * len(rates) + 14
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top}" '
        f'font-family="sans-serif" font-size="13">\n'
        f'<rect width="100%" height="100%" fill="white"/>\n{"".join(bodies)}</svg>\n'
    )


def group(title, rates, top):
    lines = [f'<text x="10" y="{top + 18}" font-weight="bold">{escape(title)}</text>\n']
    longest = max(rates.values())
    for i, (name, rate) in enumerate(sorted(rates.items(), key=lambda item: -item[1])):
        lines.append(bar(name, rate, rate / longest, top + TITLE + ROW * i))
    return "".join(lines)


def bar(name, rate, share, y):
    colour = OURS if name.startswith("vsr") else PEERS
    width = (WIDTH - LEFT - 70) * share
    return (
        f'<text x="{LEFT - 8}" y="{y + 12}" text-anchor="end">{escape(name)}</text>'
        f'<rect x="{LEFT}" y="{y}" width="{width:.1f}" height="{ROW - 6}" fill="{colour}"/>'
        f'<text x="{LEFT + width + 6:.1f}" y="{y + 12}">{rate:.1f}</text>\n'
    )
