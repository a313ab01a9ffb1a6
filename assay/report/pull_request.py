"""A night in Markdown, for a comment on a pull request: the verdict, what changed, and only then what is as it was."""

from collections.abc import Iterator, Sequence

from assay.report.cases import Group, ReportedCase
from assay.report.comparison import Comparison
from assay.report.gate import Gate
from assay.report.markdown import escaped

LIMIT = 65_000
"""Characters; GitHub takes 65,536 of a comment."""
MARKER = "<!-- assay -->"
"""The first line, by which the comment is found that the next run replaces."""
TITLES: dict[Group, str] = {
    "newly-failing": "Newly failing",
    "fixed": "Fixed",
    "failing": "Failing, not compared",
    "unscored": "Without an outcome",
    "standing": "Standing failures",
}
"""What changed first."""
TEXT = 200
"""Characters of a question, of an answer and of a reason."""


def comment(gate: Gate, cases: Sequence[ReportedCase], compared: Comparison | None, basis: str, run: str) -> str:
    """Return the comment, at most `LIMIT` characters: what does not fit is counted.

    Args:
        gate: The verdict.
        cases: All of the night, in the report's order.
        compared: The comparison by category that is shown; None where there is none.
        basis: What its figures rest on.
        run: Id of the run.
    """
    head = [MARKER, f"### {gate.word.upper()}", "", escaped(gate.sentence, 2_000), "", f"Next: {escaped(gate.next)}."]
    text = "\n".join([*head, *_categories(compared, basis)]) + "\n"
    foot = f"\nRun `{run[:13]}` by Assay.\n" if run else "\n"
    for group, title in TITLES.items():
        of = [case for case in cases if case.group == group]
        if of:
            text += _listed(f"{title} ({len(of)})", of, LIMIT - len(text) - len(foot))
    return text + foot


def _categories(compared: Comparison | None, basis: str) -> Iterator[str]:
    if compared is None:
        return
    yield from ("", "| Category | Cases | Change, points | Newly failing | Fixed |", "|---|--:|--:|--:|--:|")
    for row in compared.slices:
        mark = " **worse**" if row.category in compared.worse else ""
        change = row.change
        points = f"{100 * change.estimate:+.1f} ({100 * change.low:+.1f} to {100 * change.high:+.1f})"
        yield f"| {escaped(row.category)}{mark} | {row.n} | {points} | {row.lost} | {row.gained} |"
    yield from ("", f"Basis: {basis}.")


def _listed(title: str, cases: Sequence[ReportedCase], room: int) -> str:
    """Return a list under its title that is no longer than there is room; empty where not even the title fits."""
    text, open_end = f"\n<details><summary>{title}</summary>\n\n", "\n</details>\n"
    more = "- and {} more (`assay cases` lists them)\n"
    rest = len(more) + len(str(len(cases))) + len(open_end)
    if len(text) + rest > room:
        return ""
    for place, case in enumerate(cases):
        line = _line(case)
        if len(text) + len(line) + rest > room:
            return text + more.format(len(cases) - place) + open_end
        text += line
    return text + open_end


def _line(case: ReportedCase) -> str:
    since = f", {case.since.words}" if case.since else ""
    asked = escaped(case.turns[-1], TEXT)
    said = f" → {escaped(case.target_text, TEXT)}" if case.target_text else ""
    why = f" ({escaped('; '.join(case.why), TEXT)})" if case.why else ""
    return f"- **{escaped(case.case_id)}** [{escaped(case.category)}{since}]: {asked}{said}{why}\n"
