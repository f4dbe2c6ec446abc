#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""The page of make report in a browser: phone and desktop, light and dark.

    benchpage_check.py [--out build/report-check] [page.html ...]

Pages are made of results that are made up: with every field, and with those
only that a guest always prints. Nothing may be wider than the window, nothing
may come from outside or need a script, all pictures must be there and their
text large enough. Pages with planted faults must be found. Screenshots stay
in the folder. Exit status 77: a package is missing.
"""
import argparse
import importlib.util
import pathlib
import sys

import benchguest_example as example
import benchpage
import browser

SKIPPED = 77
WINDOWS = ((360, 740), (1280, 900))
LEAST_TEXT = 7.5  # CSS pixels of the text of a picture
PROBE = """(() => {
  const folded = [...document.querySelectorAll('details')];
  folded.forEach(d => { d.open = true; });
  const wide = [...document.body.querySelectorAll('*')].filter(e =>
    !e.closest('.wide table') && !e.closest('svg') &&
    e.getBoundingClientRect().right > innerWidth + 0.5);
  const texts = [...document.querySelectorAll('svg text')].filter(t =>
    t.textContent.trim());
  const scale = t => Math.hypot(t.getScreenCTM().a, t.getScreenCTM().b) *
    parseFloat(getComputedStyle(t).fontSize);
  const svgs = [...document.querySelectorAll('figure svg')];
  const found = {
    inner: innerWidth, scroll: document.documentElement.scrollWidth,
    wide: wide.map(e => e.tagName + '.' + e.className),
    cut: [...document.querySelectorAll('section > .wide')].filter(e =>
      e.scrollWidth > e.clientWidth).length,
    scripts: document.scripts.length,
    broken: [...document.images].filter(i => !i.naturalWidth).length,
    empty: svgs.filter(s => s.getBoundingClientRect().height < 50 ||
      !s.querySelector('path')).length,
    plots: svgs.length, texts: texts.length,
    least: Math.min(...texts.map(scale)),
    ids: [...document.querySelectorAll('[id]')].map(e => e.id)
      .filter((id, i, all) => all.indexOf(id) !== i).length,
  };
  folded.forEach(d => { d.open = false; });
  return found;
})()"""
# name, what is put before the end of the body, what must be found
FAULTS = (
    ("wide", '<p style="width: 2000px">x</p>', "wider"),
    ("table", '<section><div class="wide"><table><tr><td><p style="width: '
     '500px">x</p></td></tr></table></div></section>', "cut off"),
    ("outside", '<img src="http://192.0.2.1/x.png" alt="">', "asks for"),
    ("image", '<img src="data:image/png;base64,AAAA" alt="">', "broken"),
    ("script", "<script>0</script>", "script"),
    ("empty", '<figure><svg viewBox="0 0 1 1"></svg></figure>', "empty"),
    ("small", '<svg viewBox="0 0 9 9"><text font-size="1">x</text></svg>'
     .replace("<svg ", '<svg width="9" '), "text"),
)


def faults(found, asked, url, plots):
    """What is wrong with a page that was probed."""
    if found["scroll"] > found["inner"] or found["wide"]:
        yield (f"{found['scroll']} pixels are wider than {found['inner']}: "
               f"{', '.join(found['wide'][:3])}")
    for other in asked:
        if other != url and not other.startswith("data:"):
            yield f"asks for {other}"
    if found["broken"] or found["empty"]:
        yield (f"{found['broken']} broken images, {found['empty']} empty "
               "pictures")
    if found["cut"]:
        yield f"{found['cut']} tables are cut off"
    if found["scripts"]:
        yield f"{found['scripts']} scripts"
    if found["ids"]:
        yield f"{found['ids']} names are not unique"
    if plots is not None and found["plots"] != plots:
        yield f"{found['plots']} pictures instead of {plots}"
    if found["texts"] and found["least"] < LEAST_TEXT:
        yield f"text of {found['least']:.1f} pixels"


def probe(tab, page, window, dark, plots=None):
    """Faults of a page in one window."""
    tab.show(*window, dark)
    url = page.resolve().as_uri()
    asked = tab.open(url)
    found = tab.evaluate(PROBE)
    if found["inner"] != window[0]:
        return [f"the window is {found['inner']} pixels wide"]
    return list(faults(found, asked, url, plots))


def missing():
    """Packages that are not there."""
    return (["python3-matplotlib"] if not importlib.util.find_spec(
        "matplotlib") else []) + \
        ([browser.PACKAGE] if not browser.is_there() else [])


def pages(out):
    """(page, number of pictures) that are made here."""
    head = example.header()
    yield benchpage.write(out / "full", head, example.rows(),
                          example.shootdown(), example.bits()), \
        len(benchpage.FIGURES)
    missing = {"type": "missing", "alloc": "mimalloc", "get": "make mimalloc"}
    rows = [row for row in example.plain_rows()
            if row["alloc"] != "mimalloc"]
    yield benchpage.write(out / "plain", head, [missing, *rows]), 1


def check_page(tab, page, plots):
    """(number of checks, faults), with a screenshot of each window."""
    count, found = 0, []
    for window in WINDOWS:
        for dark in (False, True):
            count += 1
            name = f"{window[0]}{'-dark' if dark else ''}"
            found += [f"{page.parent.name}, {name}: {text}" for text in
                      probe(tab, page, window, dark, plots)]
            tab.picture(page.parent / f"screen-{name}.png")
    return count, found


def check_faults(tab, page):
    """(number of checks, faults that were not found)."""
    lost = []
    for name, text, word in FAULTS:
        planted = page.with_name(f"planted-{name}.html")
        planted.write_text(page.read_text().replace("</body>",
                                                    f"{text}</body>"))
        found = probe(tab, planted, WINDOWS[0], False)
        planted.unlink()
        if not any(word in each for each in found):
            lost.append(f"planted fault '{name}' was not found")
    return len(FAULTS), lost


def check(args):
    """Checks all pages; (number of checks, faults)."""
    made = [(page, None) for page in args.pages] or list(pages(args.out))
    count, found = 0, []
    with browser.Browser() as tab:
        for page, plots in made:
            more, faulty = check_page(tab, page, plots)
            count, found = count + more, found + faulty
        more, lost = check_faults(tab, made[0][0])
    return count + more, found + lost


def main():
    """Makes pages and looks at them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=pathlib.Path,
                        default="build/report-check")
    parser.add_argument("pages", nargs="*", type=pathlib.Path)
    args = parser.parse_args()
    lacking = missing()
    if lacking:
        print(f"{' and '.join(lacking)} missing: apt-get install -y "
              f"--no-install-recommends {' '.join(lacking)}")
        return SKIPPED
    count, found = check(args)
    for text in found:
        print(f"not ok {text}")
    failed = min(len(found), count)
    print(f"{count - failed} passed, {failed} failed, 0 skipped")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
