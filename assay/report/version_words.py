"""The first sentence of a comparison of two versions, and what several of them come to."""

from collections import Counter
from collections.abc import Sequence

from assay.report.findings import Rate
from assay.report.version_groups import GroupChange
from assay.report.versions import VersionPair, Word

SHOWN = 3
"""Categories that the sentence names with their figures."""
EXIT: dict[Word, int] = {
    "improvement": 0,
    "no difference shown": 0,
    "regression": 1,
    "uncalibrated": 4,
    "inconclusive": 7,
}
"""As the gate's: `assay.report.gate.EXIT`."""
ORDER: tuple[Word, ...] = ("regression", "uncalibrated", "inconclusive", "no difference shown", "improvement")


def sentence(pair: VersionPair) -> str:
    """Return what a comparison says first: the word, how much, how sure, of how many cases, and what flipped."""
    before, now = pair.before, pair.now
    if pair.is_same:
        return f"NO DIFFERENCE: {before} and {now} are the same results, of {_cases(pair.common)}."
    scorers = "by checks alone, " if pair.scorers == "checks" else ""
    figures = f"{scorers}{points(pair.change)} of {_cases(pair.common)}; {_flips(pair)}"
    if pair.word == "uncalibrated":
        return f"UNCALIBRATED: by judges that nobody has certified {now} against {before} is {figures}."
    if pair.word == "regression":
        rows = [row for row in pair.categories if row.word == "worse"]
        if pair.p_worse > (1 - pair.change.level) / 2:
            return f"REGRESSION: {now} is worse than {before} in {_named(rows)}; over all {figures}."
        where = f"; worse in {_named(rows)}" if rows else ""
        return f"REGRESSION: {now} is worse than {before}: {figures}{where}."
    if pair.word == "improvement":
        rows = [row for row in reversed(pair.categories) if row.word == "better"]
        where = f"; better in {_named(rows)}" if rows else ""
        return f"IMPROVEMENT: {now} is better than {before}: {figures}{where}."
    if pair.word == "inconclusive":
        return f"INCONCLUSIVE: whether {now} is worse than {before} is open: {figures}; {_decides(pair)}."
    return f"NO DIFFERENCE SHOWN between {before} and {now}: {figures}."


def points(found: Rate) -> str:
    """Return a change in percentage points with its interval, such as `-7.0 points (-9.1 to -4.9)`."""
    low, high = (f"{100 * bound:+z.1f}" for bound in (found.low, found.high))
    return f"{100 * found.estimate:+z.1f} points ({low} to {high})"


def word(pairs: Sequence[VersionPair]) -> Word:
    """Return the word of several comparisons: a regression before all else, and an improvement last."""
    said = {pair.word for pair in pairs}
    return next(one for one in ORDER if one in said)


def _cases(number: int) -> str:
    return f"{number:,} common case{'s' if number > 1 else ''}"


def _flips(pair: VersionPair) -> str:
    """Return how many cases flipped, and where most newly fail."""
    said = f"{pair.gained:,} fixed, {pair.lost:,} newly fail"
    lost = Counter({row.name: row.lost for row in pair.categories})
    if not pair.lost or len(lost) < 2 or any(row.word == "worse" for row in pair.categories):  # noqa: PLR2004
        return said
    ((name, most),) = lost.most_common(1)
    return f"{said}, most in {name} ({most})" if most > 1 else said


def _named(rows: Sequence[GroupChange]) -> str:
    named = [f"{row.name} ({points(row.change)} of {row.n:,})" for row in rows[:SHOWN]]
    more = len(rows) - len(named)
    return ", ".join(named) + (f" and {more} more" if more else "")


def _decides(pair: VersionPair) -> str:
    if pair.needed is None:
        return "as it looks the drop is larger than is tolerated, and more cases or trials would prove it"
    return f"some {pair.needed:,} cases like these would decide"
