"""Judge: what do the checks and the judges say of tonight's responses, of the baseline's, and of the anchors?

Reads the evaluation set, responses, the baseline and the labelled items, writes verdicts. Checks ask nobody; judges ask
their models, a pair in both orders, each about the cases that it applies to and that have what it requires. A pair that
did not change is never judged twice; anchors are judged each night.
"""

import asyncio
import heapq
import logging
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import NamedTuple

from assay.checks import empty, registry, similarity
from assay.checks.finding import Finding
from assay.errors import CallError, DataError
from assay.judges import prompt, questions
from assay.judges.applicability import require_inputs, require_thresholds
from assay.judges.prompt import JUDGES_FOLDER, JudgePrompt
from assay.judges.questions import NOTHING, Question
from assay.models import embeddings, endpoints
from assay.models.chat import Chat, Endpoint
from assay.models.engine import Call, Done, Tally, Work, answer_all
from assay.models.journal import Journal
from assay.project import model_session
from assay.project.params import read_params
from assay.project.progress import progress
from assay.project.run_id import Run, begun
from assay.project.tables.evalset import CASES
from assay.project.tables.labels import labelling
from assay.project.tables.responses import BASELINE, RESPONSES
from assay.project.tables.verdicts import VERDICTS
from assay.project.taxonomy import TAXONOMY
from assay.records.case import Case, Expectation
from assay.records.record import digest
from assay.records.response import Response
from assay.records.verdict import CHECK, Subject, Verdict
from assay.stages import own_checks
from assay.stages.declaration import Output, Stage
from assay.stages.judge_clients import Bench, Settings, models, seated
from assay.storage import attachments

STAGE = Stage(
    name="judge",
    doc=__doc__ or "",
    settings=Settings,
    reads=(TAXONOMY, JUDGES_FOLDER, CASES.path, RESPONSES.path, "data/baseline", "data/labels"),
    writes=(Output(path=VERDICTS.path),),
    asks="the judge model, a pair in both orders",
)

CHILDREN = ("assay.models.embedded.judges", "assay.models.embedded.tuning")
"""Started with `python -m`: of the embedded models, what can move a result of this stage."""
LOG = logging.getLogger(__name__)
Cosine = Callable[[str, str], float] | None
"""Of two texts' embeddings; None where no model is asked for them."""


class Elsewhere(NamedTuple):
    """What checks come to that need more than the answer itself."""

    cosine: Cosine
    own: own_checks.Findings
    """Of the project's own functions."""


ORDERS = 2
"""A pair is shown as often."""
NOT_ASKED = Done(is_known=True)
"""Two equal answers, or one to a case without a reference."""


class Played(NamedTuple):
    """A case with what both versions answered to what it asks today; both are scored by the case as it is today."""

    case: Case
    target: Sequence[Response]
    baseline: Sequence[Response]

    def versions(self) -> Iterator[tuple[Subject, Response]]:
        """Yield every response with whose it is."""
        yield from (("target", response) for response in self.target)
        yield from (("baseline", response) for response in self.baseline)

    def size(self, seats: "Seats") -> int:
        """Return how many calls there are at most; see `Night.size`."""
        singles = len(self.target) + len(self.baseline)
        return seats.singles * singles + ORDERS * seats.pairs * len(self.target) * bool(self.baseline)

    def compared(self, judge: JudgePrompt) -> Iterator[tuple[Response, Response]]:
        """Yield the target's answers, each with the baseline's first, where a judge has two to compare."""
        rival = next((response for response in self.baseline if not response.trial), None)
        if rival and rival.status == "ok" and questions.compares(judge, self.case):
            yield from ((response, rival) for response in self.target if response.status == "ok")


class Seats(NamedTuple):
    """How many models are asked about one answer, and about one pair, at most."""

    singles: int
    pairs: int


class Night(NamedTuple):
    """What is scored tonight; tables are streamed anew at every question, since they may be long."""

    judges: Sequence[JudgePrompt]
    """Those that are asked about cases."""
    anchors: Sequence[Question]
    """To these judges, and to those of production."""
    run: Run
    """Asks the judges."""

    def cases(self) -> Iterator[Played]:
        """Yield every case with the responses to what it asks today.

        Raises:
            DataError: The target answered no case of this evaluation set, so there is nothing to judge. A baseline that
                answers none is one of another set: nothing is compared with it.
        """
        target = Shelf("data/responses", RESPONSES.stream())
        baseline = Shelf("data/baseline", BASELINE.stream(may_be_absent=True))
        for case in CASES.stream():
            yield Played(case, target.of(case), baseline.of(case))
        target.require_any()

    def size(self, settings: Settings) -> int:
        """Return how many calls there are at most: for each model of a judge one a response, two a pair.

        Raises:
            DataError: A table is not sound.
        """
        CASES.count()
        anchors = sum(len(question.shown) * len(models(settings, question.prompt)) for question in self.anchors)
        seats, responses = self.seats(settings), RESPONSES.count()
        if not BASELINE.exists():
            return anchors + seats.singles * responses
        return anchors + seats.singles * (responses + BASELINE.count()) + ORDERS * seats.pairs * responses

    def seats(self, settings: Settings) -> Seats:
        """Return how many models are asked at most."""
        counts = {judge.name: len(models(settings, judge)) for judge in self.judges}
        pairs = sum(counts[judge.name] for judge in self.judges if judge.declared.is_pair)
        return Seats(sum(counts.values()) - pairs, pairs)


class Shelf:
    """A version's responses in the order of the cases, handed out case by case."""

    def __init__(self, where: str, responses: Iterator[Response]) -> None:
        """Look at the first."""
        self._where, self._responses = where, responses
        self._next = next(responses, None)
        self._is_empty, self._fits = self._next is None, False

    def of(self, case: Case) -> list[Response]:
        """Return the responses to what a case asks today; an answer to what it asked before is left out."""
        if self._next is None or self._next.case_id > case.case_id:
            return []
        found = []
        while self._next is not None and self._next.case_id <= case.case_id:
            if self._next.answers(case):
                found.append(self._next)
            self._next = next(self._responses, None)
        self._fits |= bool(found)
        return found

    def require_any(self) -> None:
        """Refuse responses of which none fits any case."""
        if not (self._is_empty or self._fits):
            raise DataError(
                f"{self._where} answers no case of this evaluation set, expected responses to it: run `assay nightly`"
            )


def asked(played: Played, judges: Sequence[JudgePrompt]) -> Iterator[Question]:
    """Yield what has to be put to the judges of one case; two equal answers need no judge."""
    for judge in judges:
        if judge.declared.is_pair:
            for response, rival in played.compared(judge):
                if response.text != rival.text:
                    yield questions.of_pair(judge, played.case, response, rival)
            continue
        for subject, response in played.versions():
            question = questions.asked_of(judge, subject, played.case, response) if response.status == "ok" else None
            if question:
                yield question


def embedded(played: Played) -> Iterator[str]:
    """Yield the texts of a case whose embeddings are compared."""
    for reference in filter(None, map(similarity.embedded, played.case.expectations)):
        yield reference
        yield from (row.text for _, row in played.versions() if row.status == "ok" and empty.has_text(row))


def checked(played: Played, more: Elsewhere) -> Iterator[Verdict]:
    """Score every expectation of every answered case; a failed call gives an unscored verdict with its reason.

    An answer of nothing is a failure by itself, so it has a verdict of its own.
    """
    for subject, response in played.versions():
        if response.status == "ok" and empty.fails(played.case, response):
            yield _checked(subject, response, 0, empty.ASKED, more)
        for number, expectation in enumerate(played.case.expectations, 1):
            yield _checked(subject, response, number, expectation, more)


def _checked(subject: Subject, response: Response, number: int, expectation: Expectation, more: Elsewhere) -> Verdict:
    scorer = f"{CHECK}{number}-{expectation.check}"
    common = {"item_id": response.case_id, "subject": subject, "trial": response.trial, "scorer": scorer}
    common |= {"fingerprint": digest(expectation.scored()), **NOTHING}
    if response.status == "error":
        return Verdict(**common, outcome="unscored", status="error", detail=f"no response: {response.error_kind}")
    try:
        called = own_checks.Asked(subject, response.case_id, response.trial, number)
        finding = more.own.get(called) or _finding(expectation, response, more.cosine)
    except CallError as error:
        return Verdict(**common, outcome="unscored", status="error", detail=f"no embedding: {error}")
    if not finding.decided and not finding.fault:
        return Verdict(**common, outcome="unscored", status="error", detail=finding.detail)
    outcome = "pass" if finding.passed else "fail"
    return Verdict(**common, outcome=outcome, status="ok", fault=finding.fault, detail=finding.detail)


def _finding(expectation: Expectation, response: Response, cosine: Cosine) -> Finding:
    if reference := similarity.embedded(expectation):
        if not empty.has_text(response):
            return similarity.without_text(expectation)
        if cosine:
            return similarity.of_cosine(expectation, cosine(reference, response.text))
    return registry.score(expectation, response)


def unchanged(played: Played, judges: Sequence[JudgePrompt]) -> Iterator[Verdict]:
    """Yield a tie for each pair of answers that are the same text."""
    for judge in judges:
        for response, rival in played.compared(judge):
            if response.text == rival.text:
                yield questions.identical(judge, played.case, response)


async def ask(
    settings: Settings, endpoint: Endpoint, night: Night, journal: Journal, max_cost_usd: float | None
) -> tuple[Bench, Tally]:
    """Put every question to the judges; return who knows where the answers are, and what that came to."""
    run = night.run
    work = Work(run.id, "judge", settings.conversations, journal.purse(run.id, max_cost_usd))
    asked_of = {question.judge: question.prompt for question in night.anchors}
    judges = list((asked_of | {judge.name: judge for judge in night.judges}).values())
    total, seats = night.size(settings), night.seats(settings)
    opened = seated(settings, judges, endpoint, journal, work, run.epoch)
    async with opened as bench, Chat(endpoint, settings) as vectors:
        vectors.vouch()  # the same endpoint as the judges', who have answered
        with progress("judge", total) as step:

            def calls() -> Iterator[Call]:
                for question in night.anchors:
                    yield from bench.calls(question)
                for played in night.cases():
                    every = [call for question in asked(played, night.judges) for call in bench.calls(question)]
                    yield from every
                    if settings.embedding_model:
                        yield from embeddings.calls(vectors, settings.embedding_model, embedded(played))
                    for _ in range(played.size(seats) - len(every)):
                        step(NOT_ASKED)

            tally = await answer_all(calls(), journal, work, progress=step)
            tally.notes += bench.notes
            return bench, tally


def greet(now: datetime, max_cost_usd: float | None = None) -> None:
    """Ask hosted judges their first small question, before a product is paid for whose answers nobody could judge.

    Checks of the project's own are looked up before that.

    Raises:
        DataError: A case names a check of the project's own that is not there, or lacks what a rubric takes; or the
            content of a labelled item's attachment is lost.
        ConfigError: A key that one of them needs is not set.
        EndpointError: One was not answered.
    """
    settings, judges = read_params("judge", Settings), of_cases(prompt.load_all())
    own_checks.require(CASES.stream(may_be_absent=True), settings.check_modules)
    require_inputs(judges, CASES.stream(may_be_absent=True))
    require_thresholds(judges, CASES.stream(may_be_absent=True))
    attachments.require_kept(one for item in labelling().items for one in item.attachments)
    has_own = [judge for judge in judges if any(model.base_url for model in judge.declared.models)]
    if settings.mode == "batch" or not (endpoints.is_hosted(os.environ) or has_own):
        return

    async def ask_once(endpoint: Endpoint, journal: Journal) -> None:
        run = begun(now)
        work = Work(run.id, "judge", 1, journal.purse(run.id, max_cost_usd))
        who = judges if endpoints.is_hosted(os.environ) else has_own
        async with seated(settings, who, endpoint, journal, work, run.epoch):
            pass

    with model_session.consulting(settings.model) as (endpoint, journal):
        asyncio.run(ask_once(endpoint, journal))


def verdicts(night: Night, journal: Journal, settings: Settings, bench: Bench) -> Iterable[Verdict]:
    """Yield everything that was said tonight, in the table's order."""
    cosine = partial(embeddings.cosine, journal, settings.embedding_model) if settings.embedding_model else None
    filed_by = next((response.run for response in RESPONSES.stream()), "")
    judged = partial(bench.verdict, journal=journal, run=filed_by)
    asking = ((played.case, played.versions()) for played in night.cases())
    more = Elsewhere(cosine, own_checks.findings(asking) if settings.check_modules else {})

    def of_every_case() -> Iterator[Verdict]:
        for played in night.cases():
            others = [*checked(played, more), *unchanged(played, night.judges)]
            found = [one.model_copy(update={"run": filed_by}) for one in others]
            found += map(judged, asked(played, night.judges))
            yield from sorted(found, key=lambda one: (one.subject, one.trial, one.scorer))

    anchors = sorted(map(judged, night.anchors), key=lambda one: (one.item_id, one.scorer))
    return heapq.merge(anchors, of_every_case(), key=_item_id)


def _item_id(found: Verdict) -> str:
    return found.item_id


def most_calls(settings: Settings, played: int) -> int:
    """Return how many calls the judges make at most for so many answers of the product, anchors included."""
    everything, total = labelling(), 0
    for judge in prompt.load_all():
        seats, anchors = len(models(settings, judge)), len(everything.of(judge.name).items)
        orders = ORDERS if judge.declared.is_pair else 1
        versions = int(BASELINE.exists()) if judge.declared.is_pair else 1 + BASELINE.exists()
        total += seats * orders * (anchors + (versions * played if judge.declared.scope == "cases" else 0))
    return total


def of_cases(judges: Sequence[JudgePrompt]) -> list[JudgePrompt]:
    """Return the judges that are asked about cases."""
    return [judge for judge in judges if judge.declared.scope == "cases"]


def run(now: datetime, max_cost_usd: float | None = None) -> Tally:
    """Judge tonight's responses, the baseline's and the anchors; return what that came to."""
    settings, judges, this = read_params("judge", Settings), prompt.load_all(), begun(now)
    own_checks.require(CASES.stream(), settings.check_modules)
    require_inputs(judges, CASES.stream())
    require_thresholds(judges, CASES.stream())
    everything = labelling()
    attachments.require_kept(one for item in everything.items for one in item.attachments)
    anchors = [
        questions.of_item(judge, item, this.epoch) for judge in judges for item in everything.of(judge.name).items
    ]
    night = Night(of_cases(judges), anchors, this)
    with model_session.consulting(settings.model) as (endpoint, journal):
        bench, tally = asyncio.run(ask(settings, endpoint, night, journal, max_cost_usd))
        with VERDICTS.writing() as add:
            for found in verdicts(night, journal, settings, bench):
                add(found)
    return tally
