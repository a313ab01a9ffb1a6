"""A comparison of versions as a person reads it in a terminal: the sentence first, then what it is made of."""

from collections.abc import Iterator, Sequence

from assay.commands.compare import ComparedVersions, Ranked
from assay.report.texts import visible
from assay.report.version_groups import GroupChange
from assay.report.version_words import points
from assay.report.versions import AmountChange, VersionPair

ROWS = 12
"""Rows of a list that are printed; the JSON has them all."""
IDS = 5
NAME = 34


def lines(found: ComparedVersions) -> list[str]:
    """Return the whole comparison."""
    rows = [line for pair in found.pairs for line in _pair(pair)]
    if len(found.pairs) > 1:
        rows = [*(pair.sentence for pair in found.pairs), "", *rows]
    rows += _strengths(found)
    rows += [f"{one.name}: {one.source}" for one in found.versions]
    return [visible(row) for row in rows]


def _pair(pair: VersionPair) -> Iterator[str]:
    yield pair.sentence
    yield ""
    if pair.is_same:
        return
    level = f"{pair.change.level:.1%}".replace(".0%", "%")
    yield (
        f"{pair.before} passes {pair.rate_before:.1%}, {pair.now} {pair.rate_now:.1%} of {pair.common:,} common cases; "
        f"the interval is at {level}. Basis: {'checks alone' if pair.scorers == 'checks' else pair.basis}"
    )
    yield _power(pair)
    yield from _left_out(pair)
    if pair.by_all:
        yield (
            f"By all scorers, of whom nobody has certified the judges ({pair.basis}): {points(pair.by_all.change)} of "
            f"{pair.by_all.n:,}; {pair.by_all.gained:,} fixed, {pair.by_all.lost:,} newly fail"
        )
    yield from _trials(pair)
    if pair.weighted:
        told = f" ({pair.weighted.caution})" if pair.weighted.caution else ""
        yield (
            f"On production's mix: {points(pair.weighted.change)}, worth {pair.weighted.n_effective:,.0f} cases of "
            f"it{told}"
        )
    yield from _table("by category", pair.categories)
    yield from _table("by layer, not tested", pair.layers)
    yield from _table("by check and judge, not tested", pair.by_scorer)
    yield from _amounts(pair)
    yield from _cases("newly fail", pair.newly_failing)
    yield from _cases("fixed", pair.fixed)
    yield ""


def _power(pair: VersionPair) -> str:
    if pair.detectable is None:
        return f"With {pair.common:,} cases not even a change of every case would have been seen: add cases"
    return f"Could have seen {100 * pair.detectable:.1f} points (80% power)"


def _left_out(pair: VersionPair) -> Iterator[str]:
    left = [f"{pair.only_before:,} only in {pair.before}"] if pair.only_before else []
    left += [f"{pair.only_now:,} only in {pair.now}"] if pair.only_now else []
    left += [f"{pair.changed:,} whose content differs"] if pair.changed else []
    left += [f"{pair.without:,} without an outcome in one of them"] if pair.without else []
    if left:
        yield f"Not compared: {', '.join(left)}"


def _trials(pair: VersionPair) -> Iterator[str]:
    if pair.trials:
        yield f"Trials: {pair.trials}"
    if flips := pair.flips:
        bounds = f" ({100 * flips.change.low:+z.1f} to {100 * flips.change.high:+z.1f})" if flips.change else ""
        differ, own, change = (f"{100 * share:z.1f}" for share in (flips.differ, flips.own, flips.differ - flips.own))
        yield (
            f"Of {differ} cases in 100 that a trial of each decides differently, {own} are the product's own variance "
            f"and {change}{bounds} come with the change; {flips.steady:,} cases flipped in every trial"
        )


def _table(title: str, rows: Sequence[GroupChange]) -> Iterator[str]:
    if not rows:
        return
    yield ""
    yield f"{title:{NAME}}{'n':>8}{'before':>9}{'now':>9}   change"
    for row in rows[:ROWS]:
        level = "" if row.change.level == 0.95 else f" at {row.change.level:.1%}"  # noqa: PLR2004 - the usual one
        word = f"  {row.word.upper()}{level}" if row.word else ""
        flips = f"  +{row.gained:,} -{row.lost:,}"
        name = f"  {visible(row.name)[: NAME - 3]}"
        yield f"{name:{NAME}}{row.n:>8,}{row.before:>9.1%}{row.now:>9.1%}   {points(row.change)}{flips}{word}"
    if len(rows) > ROWS:
        yield f"  and {len(rows) - ROWS} more (--json has them all)"


def _amounts(pair: VersionPair) -> Iterator[str]:
    told = [("cost of a case", pair.cost_usd, "$", ""), ("latency", pair.latency_s, "", " s")]
    shown = [_amount(name, found, before, after) for name, found, before, after in told if found]
    if shown:
        yield ""
    yield from shown


def _amount(name: str, found: AmountChange, before: str, after: str) -> str:
    bounds = (
        "the same difference on every case"
        if found.low is None or found.high is None
        else f"change {found.low:+.4g} to {found.high:+.4g}{after}"
    )
    return f"{name}: {before}{found.before:.4g}{after} to {before}{found.now:.4g}{after} ({bounds}, {found.n:,} cases)"


def _cases(what: str, ids: Sequence[str]) -> Iterator[str]:
    if ids:
        shown = ", ".join(visible(one)[:60] for one in ids[:IDS])
        yield f"{what}: {shown}{f' and {len(ids) - IDS:,} more' if len(ids) > IDS else ''}"


def _strengths(found: ComparedVersions) -> list[str]:
    ranked: Ranked | None = found.ranked
    if ranked is None:
        return []
    if ranked.ranking is None:
        return [f"No strengths: {ranked.note}", ""]
    of = ranked.ranking
    rows = [f"Strength against {of.reference} ({of.model}; bootstrap over {of.prompts:,} cases or families)"]
    rows += [
        f"  {visible(one.system)[:NAME]:{NAME}}{one.estimate:+.3f} ({one.low:+.3f} to {one.high:+.3f})"
        for one in of.strengths
    ]
    return [*rows, *filter(None, [of.caution]), ""]
