# SPDX-License-Identifier: BSD-3-Clause
"""Pictures for light and dark pages: SVG whose colours are variables, PNG.

A picture is as wide as a phone and its text as large as a page's, so that it
can be read there without zooming; a desktop shows two side by side.
"""
import io
import re

import hostbench_plot

SIZE = (4.6, 3.7)  # inches; a phone has about four
# Stand-ins that become variables of the page
VARIABLES = {"#1c2128": "ink", "#c6ccd3": "grid", "#fdfefe": "card"}
INK, GRID, CARD = VARIABLES
# Colour-blind safe, visible on white and on black
COLOURS = {"ukallocrnd-fast": "#56a5ec", "ukallocrnd": "#1769c4",
           "ukallocrnd-strong": "#8a5fd0", "mimalloc": "#e08214",
           "mimalloc-secure": "#b35c46", "buddy": "#1f9e77",
           "floor": "#8a8f98"}
OTHER = ("#d45087", "#b8a018", "#4aa3a2", "#8a5fd0", "#c96a1b")
MARKERS = {"ukallocrnd-fast": "^", "ukallocrnd": "o",
           "ukallocrnd-strong": "v", "mimalloc": "s",
           "mimalloc-secure": "D", "buddy": "P", "floor": "X"}
STYLE = """<style>
svg {{ --ink: #1c2128; --grid: #c6ccd3; --card: #fdfefe; }}
@media (prefers-color-scheme: dark) {{
svg {{ --ink: #e6e9ee; --grid: #3b444f; --card: #12161c; }}
}}
</style>"""
SETTINGS = {"svg.fonttype": "none", "font.size": 10, "text.color": INK,
            "font.family": "sans-serif", "axes.edgecolor": INK,
            "axes.labelcolor": INK, "xtick.color": INK, "ytick.color": INK,
            "axes.facecolor": CARD, "figure.facecolor": CARD,
            "legend.facecolor": CARD, "legend.edgecolor": GRID,
            "grid.color": GRID, "axes.spines.top": False,
            "axes.spines.right": False, "lines.markersize": 4.5}


def figure_of(name, height=SIZE[1], panels=1):
    """(pyplot, figure, axes) of an empty picture."""
    plt = hostbench_plot.pyplot()
    plt.rcParams.update(SETTINGS)
    plt.rcParams["svg.hashsalt"] = name
    figure, axes = plt.subplots(panels, 1, figsize=(SIZE[0], height),
                                squeeze=False)
    return plt, figure, axes[:, 0]


def colour_of(name, others=()):
    """Colour of an allocator, or of a line by its place."""
    return COLOURS.get(name) or OTHER[list(others).index(name) % len(OTHER)
                                      if name in others else 0]


def line_of(name, others=()):
    """How a line is drawn: ours thicker."""
    return {"label": name, "color": colour_of(name, others),
            "marker": MARKERS.get(name, "."),
            "linewidth": 2.4 if name == "ukallocrnd" else 1.4}


def legend(axes, columns=2):
    """Below the picture, where it hides nothing."""
    axes.legend(ncol=columns, fontsize=9, loc="upper center", frameon=False,
                bbox_to_anchor=(0.45, -0.2), columnspacing=1.2,
                handlelength=1.6)


def with_variables(text):
    """Colours of the page instead of fixed ones."""
    for colour, name in VARIABLES.items():
        text = text.replace(colour, f"var(--{name})")
    return text


def inline(text, name, title):
    """An SVG as part of a page: no prologue, no date, names of its own."""
    text = text[text.index("<svg"):]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.S)
    text = re.sub(r'\bid="', f'id="{name}-', text)
    text = re.sub(r'(url\(|href=")#', rf"\1#{name}-", text)
    text = re.sub(r'<svg [^>]*?viewBox="([^"]*)"[^>]*>',
                  r'<svg xmlns="http://www.w3.org/2000/svg" '
                  r'xmlns:xlink="http://www.w3.org/1999/xlink" '
                  rf'viewBox="\1" role="img"><title>{title}</title>',
                  text, count=1)
    return with_variables(text).strip()


def finish(plt, figure, folder, name, title):
    """Writes name.svg and name.png; the SVG for the page."""
    text = io.StringIO()
    figure.savefig(text, format="svg", bbox_inches="tight",
                   metadata={"Date": None, "Creator": None})
    figure.savefig(folder / f"{name}.png", bbox_inches="tight", dpi=160)
    plt.close(figure)
    shown = inline(text.getvalue(), name, title)
    head, mark, rest = shown.partition("</title>")
    (folder / f"{name}.svg").write_text(
        head + mark + STYLE.format() + rest + "\n")
    return shown
