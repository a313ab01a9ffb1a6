"""Labels: whose are they, and what have people said?

Reads files of the user and the desk's log; appends to data/labels. Asks nobody. A label answers the question of one
judge, in that judge's own words; how its item was drawn comes along, and its split follows from its content.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from assay.calibration.policy import PairwisePolicy, PassFailPolicy
from assay.calibration.split import Split, Splits
from assay.desk.label_queue import Pile, Task, pile, task_key
from assay.errors import ConfigError, DataError
from assay.interchange import labels as label_files
from assay.interchange.label_import import Asked, Given
from assay.judges import prompt
from assay.judges.applicability import threshold
from assay.judges.prompt import JudgePrompt
from assay.project.params import read_params
from assay.project.tables.evalset import CASES
from assay.project.tables.labels import ANSWERS, LABELS, labelling
from assay.project.tables.responses import RESPONSES
from assay.project.tables.traces import TRACES
from assay.project.tables.verdicts import VERDICTS
from assay.records.label import BEFORE, Answer, Draw, Item, Label, Labelling
from assay.records.verdict import Outcome
from assay.report import correction
from assay.stages import batches, calibrate
from assay.stats import annotators


def chosen(name: str = "") -> JudgePrompt:
    """Return the judge that a person names, else the only one that needs labels.

    Where none lacks a label for its floors, it is the only one whose labels do not cover tonight's answers.

    Raises:
        ConfigError: There is no such judge, or not exactly one that needs labels; the text names them.
    """
    if name:
        return prompt.load(name)
    everything = labelling()
    judges = prompt.load_all()
    wanting = [judge for judge in judges if _is_wanting(judge, everything.of(judge.name))]
    wanting = wanting or [one.judge for one in uncovered()]
    if len(wanting) != 1:
        known = ", ".join(judge.name for judge in wanting or judges) or "none yet"
        what = f"{len(wanting)} judges need labels" if wanting else "no judge lacks labels that its floors ask for"
        raise ConfigError(f"{what}, expected one to be named ({known}): say --judge NAME")
    return wanting[0]


class Uncovered(NamedTuple):
    """A judge whose labels do not cover tonight's answers any more, as after a change of the product."""

    judge: JudgePrompt
    without: int
    """Answers of tonight that had no chance of being labelled."""
    judged: int
    """Answers that it judged tonight."""


def uncovered() -> Iterator[Uncovered]:
    """Yield whose labels do not cover tonight's answers any more.

    Labels that no round has drawn, such as those of before rounds were kept, never said what they cover. Before the
    first night there are no answers to cover.
    """
    if not (CASES.exists() and VERDICTS.exists() and RESPONSES.exists()):
        return
    everything, cases, verdicts, responses = labelling(), CASES.read(), VERDICTS.read(), RESPONSES.read()
    for judge in prompt.load_all():
        about = everything.of(judge.name)
        is_of_answers = judge.declared.scope == "cases" and not judge.declared.is_pair
        if not (is_of_answers and about.labels and about.frames):
            continue
        found = Uncovered(judge, *correction.uncovered(judge, verdicts, responses, about, cases))
        if found.without:
            yield found


def _is_wanting(judge: JudgePrompt, about: Labelling) -> bool:
    """Tell whether a judge that blocks, or that may alert, lacks held-out labels that its floors ask for."""
    if not judge.declared.blocks or (judge.declared.scope == "traces" and not TRACES.exists()):
        return False
    demanded = calibrate.policy(read_params("calibrate", calibrate.Settings), judge)
    outcomes = list(annotators.majority(row for row in about.labels if row.split == "heldout").outcomes.values())
    return len(outcomes) < demanded.min_labels or _rarer(outcomes) < _least_of_rarer(demanded)


def _rarer(outcomes: Sequence[str]) -> int:
    return min(outcomes.count("pass"), outcomes.count("fail"))


def _least_of_rarer(demanded: PassFailPolicy | PairwisePolicy) -> int:
    return demanded.min_rarer if isinstance(demanded, PassFailPolicy) else 0


class Taken(NamedTuple):
    """What became of the labels of a file."""

    fresh: int
    """Labels that are appended."""
    left_out: list[str]
    """What is no label, one sentence a kind."""
    known: int
    """Labels that are on file already, as they are."""

    def sentence(self) -> str:
        """Return how many there are, and how many of them are new."""
        if not self.known:
            return f"{self.fresh} labels appended; `assay calibrate` counts them."
        return (
            f"{self.fresh + self.known} labels, {self.fresh} new{'; `assay calibrate` counts them' * bool(self.fresh)}."
        )


def take(file: Path, judge: str, annotator: str, maps: Sequence[str], now: datetime) -> Taken:
    """Append the labels of a file, but for those that are on file already; return what became of them.

    Args:
        file: As people's tool wrote it.
        judge: Whose question was answered, where the file does not say; empty for the one that an item was drawn for.
        annotator: Who labelled, where the file does not say.
        maps: What words mean, such as `good=pass`.
        now: When a label was given that does not say when.

    Raises:
        ConfigError: There is no such judge.
        DataError: A label is about an item that is not on file, is no word of the judge's, or is another one than that
            person gave before.
    """
    about = labelling()
    if judge:
        prompt.load(judge)
    asked = _Asked(about, judge)
    reading = label_files.read(file, asked=asked, annotator=annotator, maps=maps)
    filing = Filing(about)
    new = [one for one in reading.labels if not filing.has(one)]
    fresh = [filing.label(one, asked.items[one.item_id], now) for one in new]
    if fresh:
        LABELS.write([*about.labels, *fresh])
    return Taken(len(fresh), reading.left_out, len(reading.labels) - len(fresh))


class _Asked:
    """Whose question a row of a file answers."""

    def __init__(self, about: Labelling, judge: str) -> None:
        self.items = {item.item_id: item for item in about.items}
        self._judge = judge
        self._drawn: dict[str, set[str]] = {}
        rows: list[Draw | Label] = [*about.draws, *about.labels]
        for row in rows:
            if row.item_id in self.items:
                whose = row.judge or BEFORE.get(self.items[row.item_id].question, "")
                self._drawn.setdefault(row.item_id, set()).add(whose)

    def __call__(self, item_id: str, said: str, place: str) -> Asked:
        """Return it.

        Raises:
            DataError: The item is not on file, the judges that are named differ, or none is.
        """
        item = self.items.get(item_id)
        if item is None:
            raise DataError(
                f"{place}: item {item_id[:80]!r} is not in data/labels/items.jsonl, expected one that was drawn: "
                "draw it with `assay labels draw`, or add it to the items"
            )
        if said and self._judge and said != self._judge:
            raise DataError(f"{place}: the judge is {said[:80]!r}, expected {self._judge}: correct it, or --judge")
        judge = prompt.load(said or self._judge or self._only(item, place))
        if judge.declared.is_pair != (item.question == "pairwise"):
            kind = "pairs" if judge.declared.is_pair else "single answers"
            raise DataError(
                f"{place}: item {item_id} is {'a pair' if item.question == 'pairwise' else 'one answer'}, and "
                f"{judge.name} judges {kind}: correct the judge"
            )
        return Asked(judge.name, judge.declared.at(threshold(judge, item)))

    def _only(self, item: Item, place: str) -> str:
        judges = sorted(self._drawn.get(item.item_id) or {BEFORE.get(item.question, "")})
        if len(judges) != 1 or not judges[0]:
            raise DataError(
                f"{place}: item {item.item_id} is labelled for {len(judges)} judges ({', '.join(judges)}), expected to "
                "be told which one is answered: say --judge NAME"
            )
        return judges[0]


def tasks(about: Labelling) -> list[Task]:
    """Return every item with each judge of the project whose question people are to answer, or have answered, of it."""
    return [
        Task(judge, item)
        for judge in prompt.load_all()
        for item in about.of(judge.name).items
        if (item.question == "pairwise") == judge.declared.is_pair
    ]


def waiting(about: Labelling) -> Pile:
    """Return what people have to label at the desk."""
    needed = read_params("review", batches.Settings).labellers
    return pile(tasks(about), needed, on_file(about), ANSWERS.read(may_be_absent=True))


def hand_over() -> int:
    """File what was labelled at the desk, of every task that has all its annotators; return how many labels."""
    about = labelling()
    found, filing = waiting(about), Filing(about)
    fresh = [
        _of_answer(filing, task, answer)
        for key, task in found.tasks.items()
        if found.is_complete(key)
        for answer in found.answers.get(key, {}).values()
        if answer.annotator not in found.on_file.get(key, ())
    ]
    if fresh:
        LABELS.write([*about.labels, *fresh])
    return len(fresh)


def _of_answer(filing: "Filing", task: Task, answer: Answer) -> Label:
    given = Given(
        item_id=answer.item_id,
        annotator=answer.annotator,
        outcome=_standing(answer),
        rubric_version="",
        labelled_at=answer.answered_at,
        place=f"the desk's answer of {answer.annotator} on {answer.item_id}",
        judge=task.judge.name,
        label=answer.label,
    )
    return filing.label(given, task.item, answer.answered_at).model_copy(update={"spans": answer.spans})


def on_file(about: Labelling) -> dict[str, dict[str, str]]:
    """Return the outcome of every label by task and annotator."""
    kinds = {item.item_id: item.question for item in about.items}
    by: dict[str, dict[str, str]] = {}
    for label in about.labels:
        judge = label.judge or BEFORE.get(kinds[label.item_id], "")
        by.setdefault(task_key(judge, label.item_id), {})[label.annotator] = label.outcome
    return by


def _standing(answer: Answer) -> Outcome:
    """Return a standing answer's outcome; what was withdrawn never stands."""
    if answer.outcome == "withdraw":
        raise ValueError(f"{answer.item_id}: a withdrawn answer stands, expected it folded away")
    return answer.outcome


class _OnFile(NamedTuple):
    """What is on file for a judge."""

    given: dict[tuple[str, str], tuple[str, str]]
    """By item and who has labelled it: the outcome, and the label in the judge's own scale."""
    drawn: dict[str, Draw]
    """By item."""


class Filing:
    """Makes labels of what people said: each with how its item was drawn, and in the split of its content."""

    def __init__(self, about: Labelling) -> None:
        """Know what is on file."""
        self._about = about
        self._of: dict[str, _OnFile] = {}
        decided: dict[str, Split] = {label.item_id: label.split for label in about.labels}
        self._decided, self._splits = decided, Splits(about.items, decided)

    def has(self, one: Given) -> bool:
        """Tell whether that person's label on an item for the judge is on file, the same as it is given now.

        Raises:
            DataError: It is another one.
        """
        before = self._of_judge(one.judge).given.get((one.item_id, one.annotator))
        if before not in (None, (one.outcome, one.label)):
            raise DataError(
                f"{one.place}: {one.annotator} has labelled {one.item_id} for {one.judge} before, as "
                f"{before[1] or before[0]}, and says {one.label or one.outcome} here, expected one label of each "
                "annotator: take the row out"
            )
        return before is not None

    def label(self, one: Given, item: Item, now: datetime) -> Label:
        """Return a label.

        Args:
            one: What somebody said.
            item: Of what.
            now: When, where it does not say.

        Raises:
            DataError: That person has labelled the item for the judge before.
        """
        there = self._of_judge(one.judge)
        if (one.item_id, one.annotator) in there.given:
            raise DataError(
                f"{one.place}: {one.annotator} has labelled {one.item_id} for {one.judge} before, expected one label "
                "of each annotator: take the row out"
            )
        drawn = there.drawn.get(one.item_id)
        return Label(
            item_id=item.item_id,
            annotator=one.annotator,
            outcome=one.outcome,
            split=self._decided.get(item.item_id) or self._splits.of(item),
            sampling_frame=drawn.frame if drawn else "hand-picked",
            stratum=drawn.stratum if drawn else "all",
            inclusion_probability=drawn.inclusion_probability if drawn else None,
            rubric_version=one.rubric_version or prompt.load(one.judge).version_of_rubric(one.rubric),
            labelled_at=one.labelled_at or now,
            judge=one.judge,
            label=one.label,
            run=drawn.run if drawn else "",
        )

    def _of_judge(self, judge: str) -> _OnFile:
        if judge not in self._of:
            of = self._about.of(judge)
            given = {(row.item_id, row.annotator): (str(row.outcome), row.label) for row in of.labels}
            self._of[judge] = _OnFile(given, {row.item_id: row for row in of.draws})
        return self._of[judge]
