"""Where the answers of a run come from: asked by itself, before or after an interruption, or kept of an earlier one."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from assay.records.response import Response
from assay.records.run import Answers
from assay.text import one_line

SHORT = 13
"""Characters of a short id: a run's moment, to the millisecond."""
LONGEST = 40
"""Characters of a version's name that are shown."""
ANEW = "`assay nightly --fresh` asks anew"


class Count:
    """Counts the responses of a run by the run that asked, as they are filed one by one."""

    def __init__(self, run: str) -> None:
        """Begin with none.

        Args:
            run: Id of the run whose table they are in.
        """
        self.total = 0
        self._run = run
        self._sources: dict[str, tuple[int, datetime | None]] = {}

    def add(self, response: Response) -> None:
        """Count one."""
        self.total += 1
        count, first = self._sources.get(response.source_run, (0, None))
        moments = [moment for moment in (first, response.answered_at) if moment]
        self._sources[response.source_run] = count + 1, min(moments, default=None)

    def answers(
        self, *, known: int = 0, version: str = "", is_told: bool = False, undeclared: Sequence[str] = ()
    ) -> Answers:
        """Return where they come from.

        Args:
            known: How many of them were answered before the product was asked just now.
            version: Of the product, as a person calls it; empty where it is not known.
            is_told: The product itself says which version it is, and no person declares it.
            undeclared: Files that decide what it answers and are not part of its version.
        """
        own, first = self._sources.get(self._run, (0, None))
        others = {run: source for run, source in self._sources.items() if run != self._run}
        kept = sum(count for count, _ in others.values())
        continued = max(0, known - kept)
        moments = [moment for _, moment in others.values() if moment] + ([first] if continued and first else [])
        return Answers(
            asked=own,
            continued=continued,
            kept=kept,
            since=min(moments, default=None),
            sources=sorted(others),
            is_version_known=bool(version),
            version=version,
            is_version_told=is_told and bool(version),
            undeclared=list(undeclared),
        )


def counted(run: str, responses: Iterable[Response]) -> Answers:
    """Return where the answers of a table come from, as far as it tells by itself."""
    count = Count(run)
    for response in responses:
        count.add(response)
    return count.answers()


def sentence(run: str, answers: Answers) -> str:
    """Return what of a run's answers was kept or continued, and since when, for its last line."""
    total, when = answers.asked + answers.kept, f"{answers.since:%Y-%m-%d %H:%M} UTC" if answers.since else "before"
    parts = []
    if answers.continued:
        parts.append(f"continued run {run[:SHORT]}: {answers.continued} of {total} answers of {when} kept")
    if answers.kept:
        runs = ", ".join(source[:SHORT] for source in answers.sources)
        noun = "run" if len(answers.sources) == 1 else "runs"
        parts.append(f"{answers.kept} of {total} answers kept from {noun} {runs} of {when}, of the same version")
    if not parts:
        return f"all {total} asked by this run{_why_unknown(answers)}"
    rest = answers.asked - answers.continued
    return f"{'; '.join(parts)}{_called(answers)}, {rest} asked ({_cure(answers)})"


def _called(answers: Answers) -> str:
    """Return how the version of the answers that were kept is called; empty where nothing is known of it."""
    version = one_line(answers.version)
    return f" ({version[:LONGEST]}{'…' if len(version) > LONGEST else ''})" if answers.kept and version else ""


def _cure(answers: Answers) -> str:
    """Return what to do where the answers that were kept are not those of the product of today."""
    if answers.is_version_known or answers.kept:
        if answers.is_version_told:
            return (
                "if the product has changed since, its own version, which execute.target.version asks for, did not: "
                f"let it tell another one with every release; {ANEW}"
            )
        return f"if the product has changed since, raise execute.target.version; {ANEW}"
    return f"the product's version is not known, so they may be of before a change of it; {ANEW}"


def _why_unknown(answers: Answers) -> str:
    """Return why no later run may keep these answers; empty where one may."""
    if answers.is_version_known:
        return ""
    if answers.undeclared:
        return (
            f"; none may be kept by another, since the product read {one_line(', '.join(answers.undeclared))}, which "
            "execute.target.data does not declare"
        )
    return "; none may be kept by another, since execute.target has no version"
