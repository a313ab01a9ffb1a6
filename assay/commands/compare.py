"""Compare: is one version of a product worse or better than another, by runs, revisions, releases or files of any tool?

Reads what runs have left, or flat files; writes nothing and asks nobody.
"""

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from itertools import chain, combinations
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from assay.commands import run_results, runs
from assay.errors import ConfigError, DataError, InsufficientDataError
from assay.evalset.versions import PREFIX, VERSION
from assay.interchange.results import options, registry
from assay.interchange.results.columns import text
from assay.interchange.results.options import amount
from assay.interchange.sets.source import load
from assay.project import archive, files
from assay.project.params import read_params
from assay.records.result import VersionResults
from assay.records.run import RunRecord
from assay.report.version_cases import CommonCase, overlap
from assay.report.version_words import sentence, word
from assay.report.versions import MAX_DROP, Rules, VersionPair, Word, compare_versions
from assay.stages.publish_settings import Settings
from assay.stats import ranking
from assay.storage import atomic
from assay.text import printable

BASELINE = "baseline"
SEED = 20141
HEX = frozenset("0123456789abcdef-")
MIN_RANKED = 3
"""Versions from which on a ranking says more than the pairs."""


class Ranked(NamedTuple):
    """The strengths of several versions, or why there are none."""

    ranking: ranking.Ranking | None
    note: str = ""

    def record(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {"ranking": self.ranking and asdict(self.ranking), "note": self.note}


class ComparedVersions(NamedTuple):
    """Each version against the first one, and all of them together."""

    versions: list[VersionResults]
    pairs: list[VersionPair]
    ranked: Ranked | None
    """None for two versions."""

    @property
    def word(self) -> Word:
        """Return the word of all of them together."""
        return word(self.pairs)

    def record(self) -> dict[str, Any]:
        """Return it as JSON values."""
        told = [{"name": one.name, "source": one.source, "basis": one.basis} for one in self.versions]
        pairs = [pair.model_dump(mode="json") for pair in self.pairs]
        ranked = self.ranked.record() if self.ranked else None
        return {"word": self.word, "versions": told, "pairs": pairs, "strengths": ranked}


def compare(
    names: Sequence[str],
    now: datetime,
    *,
    maps: Sequence[str] = (),
    threshold: float | None = None,
    max_drop: float | None = None,
    weights: Path | None = None,
) -> ComparedVersions:
    """Compare versions, each with the first.

    Args:
        names: Of runs, revisions, releases or files, two or more; `baseline` is the accepted one.
        now: The moment, by which `last` is a run.
        maps: Of files, which column is what, and what words mean.
        threshold: Of files, from which score on a case passes.
        max_drop: Drop that is tolerated without proof of absence; None for the project's own.
        weights: File with the share of each category in production; None for none.

    Raises:
        ConfigError: A name is of nothing, or its results are not here.
        DataError: A file or table is malformed.
        InsufficientDataError: Two versions have no case in common.
    """
    with _uncollected():
        return _compared(names, now, options.options(maps, threshold), max_drop, weights)


def _compared(
    names: Sequence[str], now: datetime, told: options.ResultOptions, max_drop: float | None, weights: Path | None
) -> ComparedVersions:
    versions = [resolve(name, shown, now, told) for name, shown in zip(names, _shown(names), strict=True)]
    shares = weights_of(weights) if weights else None
    rules = Rules(_tolerated() if max_drop is None else max_drop, len(versions) - 1, shares)
    first = versions[0]
    pairs = []
    for other in versions[1:]:
        found = compare_versions(first, other, rules)
        pairs.append(found.model_copy(update={"sentence": sentence(found)}))
    return ComparedVersions(versions, pairs, ranked(versions) if len(versions) >= MIN_RANKED else None)


def resolve(name: str, shown: str, now: datetime, told: options.ResultOptions) -> VersionResults:
    """Return the results that a name is of: the baseline, a file, a run, a release, or a revision of Git.

    Args:
        name: As it was given.
        shown: What sentences call it.
        now: The moment.
        told: What the user tells of files.

    Raises:
        ConfigError: It is of nothing; the text says what it may be.
    """
    if name == BASELINE:
        return run_results.of_baseline(shown)
    if name != runs.LAST and _is_file(name):
        return registry.read(Path(name), shown, told)
    if not _in_project():
        raise ConfigError(
            f"{printable(name[:80])!r} is no file here, expected one of results, or a project of Assay in this folder "
            "for runs and revisions: correct the path, or change into the project"
        )
    if record := _run(name, now):
        return run_results.of_run(record, shown)
    if commit := run_results.commit_of(name):
        return run_results.of_revision(commit, shown)
    raise ConfigError(
        f"{printable(name[:80])!r} is neither a file here nor a run, a release that a run was on or a revision of Git, "
        "expected one of these, `last` or `baseline`: correct it (`assay runs` lists the runs)"
    )


def _run(name: str, now: datetime) -> RunRecord | None:
    """Return the record of the run that a name is of, or of the last one on a release; None where it is no run's."""
    if name == runs.LAST or runs.DATE.fullmatch(name):
        return runs.chosen(name, now)
    if VERSION.fullmatch(name.removeprefix(PREFIX)):
        release = PREFIX + name.removeprefix(PREFIX)
        records = filter(None, map(archive.known, archive.ids(now)))
        return next((record for record in records if release in record.released.split(", ")), None)
    is_beginning = len(name) >= runs.LEAST and set(name.lower()) <= HEX
    if is_beginning and any(run.startswith(name.lower()) for run in archive.ids(now)):
        return runs.chosen(name, now)
    return None


def write_page(file: Path, found: ComparedVersions) -> None:
    """Write a comparison as one HTML file that loads nothing.

    Raises:
        ConfigError: The file cannot be written.
    """
    from assay.report import version_page  # draws with templates, which nobody else here needs

    try:
        with atomic.replacing(file) as target:
            target.write(version_page.render(found.versions, found.pairs).encode())
    except OSError as error:
        raise ConfigError(f"{file} cannot be written ({error.strerror}), expected a place for a file") from error


def weights_of(file: Path) -> dict[str, float]:
    """Return the share of each category in production: an object by category, or rows of category and weight.

    Raises:
        ConfigError: The file cannot be read.
        DataError: It holds something else.
    """
    found = load(file)
    given = (
        found.value
        if found.kind == "value"
        else {text(row.get("category")): row.get("weight") for _, row in found.rows}
    )
    shares = {name: amount(weight) for name, weight in (given or {}).items()}
    if not shares or "" in shares or None in shares.values():
        raise DataError(
            f'{found.name} is no list of weights, expected an object such as {{"refunds": 0.4}}, or the columns '
            "category and weight, with numbers from 0 on: correct it"
        )
    return {name: weight for name, weight in shares.items() if weight is not None}


def ranked(versions: Sequence[VersionResults]) -> Ranked:
    """Return Bradley and Terry's strengths: of two versions the one that passes more of a case's trials wins it.

    The interval is of a bootstrap over cases, or over families where there are any.
    """
    first = versions[0]
    shared = [overlap(first.results, other.results).cases for other in versions[1:]]
    by_case = [{one.case_id: one for one in cases} for cases in shared]
    common = [case_id for case_id in by_case[0] if all(case_id in cases for cases in by_case)]
    rows = chain.from_iterable(
        _duels(case_id, [cases[case_id] for cases in by_case], [one.name for one in versions]) for case_id in common
    )
    try:
        found = ranking.rank(rows, reference=first.name, rng=np.random.default_rng(SEED))
    except InsufficientDataError as refusal:
        return Ranked(None, str(refusal))
    return Ranked(found)


def _duels(case_id: str, cases: Sequence[CommonCase], names: Sequence[str]) -> list[ranking.Comparison]:
    """Return who wins one case, each version against each other."""
    trials = [cases[0].trials.before, *(one.trials.now for one in cases)]
    shares = [sum(passed) / len(passed) for passed in trials]
    prompt = cases[0].trials.family or case_id
    return [
        ranking.Comparison(prompt=prompt, a=a, b=b, outcome="a" if p > q else "b" if q > p else "tie")
        for (a, p), (b, q) in combinations(zip(names, shares, strict=True), 2)
    ]


def _shown(names: Sequence[str]) -> list[str]:
    """Return what sentences call each version: a file by its name alone where that tells it from the others."""
    short = [Path(name).name if _is_file(name) else name for name in names]
    shown = [one if short.count(one) == 1 else name for one, name in zip(short, names, strict=True)]
    return [name if name not in shown[:at] else f"{name} ({at + 1})" for at, name in enumerate(shown)]


@contextmanager
def _uncollected() -> Iterator[None]:
    """Look for no cycles meanwhile: all rows live to the end, and looking through them takes half of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _is_file(name: str) -> bool:
    try:
        return Path(name).is_file()
    except OSError:  # too long to be a file's
        return False


def _in_project() -> bool:
    try:
        files.root()
    except ConfigError:
        return False
    return True


def _tolerated() -> float:
    return read_params("publish", Settings).max_drop if _in_project() else MAX_DROP
