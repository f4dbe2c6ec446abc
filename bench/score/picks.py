# SPDX-License-Identifier: BSD-3-Clause
"""How well the next object's place can be guessed by who saw all before it.

The attacker of this file knows the address of every object and when it was
freed, and bets on one address for the next object. Each strategy is one way
to bet; where it has a parameter, the best one is learned from the first half
of the draws and judged by the second half. The success of the best strategy
bounds the min-entropy of a draw from above: a better attacker may exist.
"""
import bisect
import collections

import stats

PAGE_SHIFT = 12
# Draws that the strategy "hole" looks back; 0: all of them
WINDOWS = (64, 512, 4096, 0)
# Draws of a stretch; the worst one is told
STRETCH = 1000
# The last part of the draws is only there to be looked ahead to
AHEAD = 0.1


def judge(guesses):
    """(successes, trials): commonest value of the first half, in the second.
    None stands for a draw that the strategy had no candidate for."""
    half = len(guesses) // 2
    learned = collections.Counter(
        g for g in guesses[:half] if g is not None)
    if not learned:
        return 0, len(guesses) - half
    best = stats.most_common(learned)[0]
    return guesses[half:].count(best), len(guesses) - half


def repeats(distances):
    """(successes, trials): the same distance as the time before."""
    return (sum(a == b for a, b in zip(distances, distances[1:])),
            len(distances) - 1)


def hole_chances(addrs, window):
    """The chance to guess, at each draw, the right one of all holes in the
    pages that the last draws came from. How many places a page has is known
    from the draws that follow."""
    pages = [addr >> PAGE_SHIFT for addr in addrs]
    left = collections.Counter(pages)
    recent = collections.Counter()
    holes, chances = 0, []
    end = len(pages) - int(len(pages) * AHEAD)
    for i, page in enumerate(pages[:end]):
        chances.append(1 / holes if recent[page] else 0.0)
        holes -= 1 if recent[page] else 0
        left[page] -= 1
        if not recent[page]:
            holes += left[page]
        recent[page] += 1
        if window and i >= window:
            old = pages[i - window]
            recent[old] -= 1
            if not recent[old]:
                holes -= left[old]
    return chances


def all_chances(addrs):
    """The same for each window: {name of the strategy: chances}."""
    return {f"hole near the last {window}" if window else "any hole":
            hole_chances(addrs, window) for window in WINDOWS}


def growth_bits(addrs, holes):
    """{strategy: (bits, bits at least)} while objects are drawn only; holes
    is what all_chances() returns."""
    distances = [b - a for a, b in zip(addrs, addrs[1:])]
    found = {"same distance as most": share_bits(*judge(distances)),
             "same distance as before": share_bits(*repeats(distances))}
    for name, chances in holes.items():
        found[name] = tuple(map(stats.bits_of, stats.mean_bound(chances)))
    return found


def worst_stretch(holes):
    """Bits against the one who knows the holes, at their best. That is
    where an allocator has the least to choose from."""
    return stats.bits_of(max(
        sum(chances[i:i + STRETCH]) / STRETCH for chances in holes.values()
        for i in range(0, len(chances) - STRETCH + 1, STRETCH)))


def share_bits(hits, n):
    """(bits, bits at least) of a share of successes."""
    return stats.bits_of(hits / n), stats.bits_of(stats.share_bound(hits, n))


def churn_views(freed, drawn):
    """How each draw looks to strategies that know the free places: draws
    since it was freed, and its rank among them from the place of the draw
    before, from the lowest and from the highest. None: a place never seen."""
    views = {"age": [], "step": [], "lowest": [], "highest": []}
    free, since = [], {}
    last = drawn[0]
    for i, (old, new) in enumerate(zip(freed, drawn)):
        bisect.insort(free, old)
        since[old] = i
        if new not in since:
            for view in views.values():
                view.append(None)
        else:
            place = bisect.bisect_left(free, new)
            views["age"].append(i - since.pop(new))
            views["step"].append(place - bisect.bisect_left(free, last))
            views["lowest"].append(place)
            views["highest"].append(len(free) - place)
            del free[place]
        last = new
    return views


NAMES = {"age": "freed so long ago", "step": "so many free places further",
         "lowest": "so many free places above the lowest",
         "highest": "so many free places below the highest"}


def churn_bits(freed, drawn):
    """{strategy: (bits, bits at least)} while objects come and go."""
    distances = [b - a for a, b in zip(drawn, drawn[1:])]
    found = {"same distance as most": share_bits(*judge(distances)),
             "same distance as before": share_bits(*repeats(distances))}
    for view, guesses in churn_views(freed, drawn).items():
        found[NAMES[view]] = share_bits(*judge(guesses))
    return found


def best_strategy(found):
    """(name, bits, bits at least) of the one that needs least guesses."""
    name = min(found, key=lambda key: found[key][0])
    return name, *found[name]
