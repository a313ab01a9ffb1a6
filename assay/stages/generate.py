"""Generate: which new cases should people look at, in the categories that are covered thinnest?

Reads the taxonomy, the evaluation set, what people turned down, the product's documents and production traces; writes
candidates, and what became of every other proposal. Asks the generator model, once a category and way.

The judges' rubrics are shown to the generator too, and are no input all the same: an edited rubric makes no proposal
wrong, and must not have the generator paid again. `assay grow` runs this stage whenever nothing waits for people.
"""

import asyncio
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import Field

from assay.errors import ConfigError, DataError, EndpointError
from assay.evalset.unfailing import unfailing
from assay.generation import prompt, validation
from assay.generation import strategies as making
from assay.generation.decoration import decorated
from assay.generation.duplicates.finding import Match
from assay.generation.duplicates.lexicon import Lexicon, shipped
from assay.generation.duplicates.neighbours import Embedder
from assay.generation.near_duplicates import likely, repeats
from assay.generation.nearest import nearest
from assay.generation.prompt import Proposal, Proposals
from assay.generation.strategies import Ask, Material, Stock
from assay.judges.prompt import JudgePrompt, load_all
from assay.models import endpoints
from assay.models.cached_reply import said
from assay.models.chat import Chat, Endpoint
from assay.models.engine import Call, Work, answer_all
from assay.models.journal import Journal
from assay.models.limits import Limits
from assay.project import files, model_session
from assay.project.params import read_params
from assay.project.progress import progress
from assay.project.run_id import begun
from assay.project.tables.candidates import CANDIDATES
from assay.project.tables.evalset import CASES, MANIFEST
from assay.project.tables.excluded import PAST
from assay.project.tables.traces import TRACES
from assay.project.taxonomy import TAXONOMY, read_taxonomy
from assay.project.vectors import embedder
from assay.records.candidate import Candidate
from assay.records.case import Case
from assay.records.category import Category
from assay.records.record import Record, digest
from assay.stages.declaration import Output, Stage
from assay.targets import environment
from assay.targets.settings import ProductRoot

CHILDREN = ("assay.models.embedded.template_generator",)
"""Started with `python -m`: of the embedded models, what can move a result of this stage."""
EXAMPLES = 6
MOST_ASKS = 1000
"""Of one batch: no two batches ask with the same seed."""
VERBATIM = 0.95
"""Token ratio from which a repetition is one in the same words."""
DROPPED = "data/candidates/dropped.json"
DOCUMENTS = (".md", ".txt")
MAX_DOCUMENT = 200_000
"""Bytes of one document that are read."""


class Settings(Limits):
    """The section `generate` of params.yaml."""

    model: endpoints.Model = endpoints.Model(hosted="gpt-4.1-mini", embedded="template-generator")
    concurrency: int = Field(default=8, ge=1, le=4096)
    per_category: int = Field(default=2, ge=1, le=prompt.MAX_CASES)
    """Candidates asked for in each category, more of them where coverage is thinner."""
    categories: int = Field(default=6, ge=1)
    """How many categories a batch covers, the thinnest."""
    beyond_quota: bool = False
    """Whether it is asked about categories that have their quota too."""
    decorations: bool = False
    """Whether an existing question with words around it (courtesies, anger, an attack after it) is proposed too."""
    ways: list[making.Way] = Field(
        default=["category", "document", "production", "conversation", "tool-call", "rubric"], min_length=1
    )
    """Strategies that are dealt to in turns, where there is material; `rubric` takes a hosted model."""
    documents: str = ""
    """Folder of the product's documents as seen from the project, for the way `document`; empty for none."""
    lexicon: str = ""
    """YAML file with the words of your trade that mean the same, or exclude one another; empty for general English."""
    root: ProductRoot = "."
    environment: str = ""
    """Module with the product's tools, for the way `tool-call`; empty for none."""
    embedding_model: str = ""
    """Of the hosted endpoint: finds what a proposal may repeat by meaning, besides by words; empty for words alone."""
    near_duplicate: float = Field(default=0.9, gt=0, le=1)
    """Similarity from which a proposal is dropped as a repetition. A less sure one is shown with what it may repeat."""
    seed: int = 20261102


STAGE = Stage(
    name="generate",
    doc=__doc__ or "",
    settings=Settings,
    reads=(TAXONOMY, CASES.path, PAST.path, MANIFEST, "data/traces"),
    writes=(Output(path=CANDIDATES.path, in_git=True), Output(path=DROPPED, in_git=True)),
    inputs=lambda settings: tuple(filter(None, (settings.documents, settings.lexicon))),
    asks="the generator model",
)


class Dropped(Record):
    """A proposal that nobody is bothered with."""

    made: str
    category: str
    turns: list[str]
    why: str


class Sorted(NamedTuple):
    """What became of the proposals."""

    kept: list[Candidate]
    dropped: list[Dropped]


def stock(settings: Settings, cases: Sequence[Case], judges: Sequence[JudgePrompt]) -> Stock:
    """Return all that candidates can be made from.

    Args:
        settings: Of the stage.
        cases: The evaluation set.
        judges: Those whose rules cases may be made for.

    Raises:
        ConfigError: The folder of documents is none of the project's.
    """
    tools = (
        environment.environment(settings.environment, settings.root, where="generate")().tools
        if settings.environment
        else []
    )
    traces = TRACES.read(may_be_absent=True) if "production" in settings.ways else []
    return Stock(
        cases=cases,
        documents=_documents(settings.documents, settings.root) if "document" in settings.ways else [],
        failures=making.failures(traces),
        tools=tools,
        rubrics=[(one.declared.applies_to, Material(one.name, one.rubric[: making.MAX_MATERIAL])) for one in judges],
    )


def failing(judges: Sequence[JudgePrompt]) -> list[JudgePrompt]:
    """Return the judges that could fail an answer to a case; none for the embedded generator, which reads no rubric."""
    if not endpoints.is_hosted(os.environ):
        return []
    return [one for one in judges if one.declared.blocks and not one.declared.is_pair and one.declared.scope == "cases"]


def require_documents(folder: str, product: str) -> Path:
    """Return the folder of the product's documents, which lies in the project or in the product's own folder.

    Raises:
        ConfigError: It does not.
    """
    places = [files.root().resolve(), (files.root() / product).resolve()]
    root = (files.root() / folder).resolve()
    if not root.is_dir() or not any(root.is_relative_to(place) for place in places):
        raise ConfigError(
            f"params.yaml: generate.documents is {folder[:80]!r}, expected a folder of the project, or of the product "
            "(generate.root), as seen from the project: correct it"
        )
    return root


def lexicon(name: str) -> Lexicon:
    """Return which words mean the same: those of general English, and those of a file of the project.

    Raises:
        ConfigError: There is no such file in the project.
        DataError: It holds something else.
    """
    if not name:
        return shipped()
    root, file = files.root().resolve(), (files.root() / name).resolve()
    if not file.is_file() or not file.is_relative_to(root):
        raise ConfigError(
            f"params.yaml: generate.lexicon is {name[:80]!r}, expected a YAML file of the project: correct it"
        )
    try:
        return shipped(file.read_text(encoding="utf8"))
    except (DataError, UnicodeDecodeError) as error:
        raise DataError(f"{name}: {error}") from error


def _documents(folder: str, product: str) -> list[Material]:
    """Return the documents of a folder, by their path in it."""
    if not folder:
        return []
    root = require_documents(folder, product)
    there = sorted(file for file in root.rglob("*") if file.suffix in DOCUMENTS and file.is_file())
    return [Material(file.relative_to(root).as_posix(), _text(file)) for file in there]


def _text(file: Path) -> str:
    return file.read_bytes()[:MAX_DOCUMENT].decode(errors="replace")


def asks(settings: Settings, taxonomy: Sequence[Category], found: Stock, batch: int) -> list[Ask]:
    """Return what to ask the generator for: the batch's candidates, spent where coverage is thinnest.

    Nothing where every category has its quota, unless the settings ask for more.
    """
    open_ones = taxonomy if settings.beyond_quota else making.lacking(taxonomy, found.cases)
    asked = making.thinnest(open_ones, found.cases, settings.categories)
    share = making.shares(asked, found.cases, settings.per_category * len(asked))
    planned = [
        ask
        for one in asked
        for ask in making.asks(one, share[one.category], settings.ways, found, examples=EXAMPLES, batch=batch)
    ]
    return [replace(ask, seed=settings.seed + MOST_ASKS * batch + number) for number, ask in enumerate(planned)]


async def propose(
    settings: Settings, endpoint: Endpoint, asked: Sequence[Ask], journal: Journal, run: str
) -> list[str | None]:
    """Ask the generator; return the text of each reply in the order of the asks, None where there is none.

    Every reply is in the journal before it counts: of a batch that is interrupted nothing is paid for twice.

    Raises:
        EndpointError: Not one ask was answered.
    """
    work = Work(run, "generate", settings.conversations, journal.purse(run, None))
    async with Chat(endpoint, settings) as chat:

        def call(ask: Ask) -> Call:
            messages = prompt.render(ask)
            key = digest(["generate", endpoint.model, messages, ask.seed])
            form = prompt.response_format()

            def is_readable(reply: Mapping[str, Any]) -> bool:
                return bool(prompt.parse(reply["content"], ask).found)

            return Call(
                key,
                lambda: said(chat, is_readable=is_readable, messages=messages, response_format=form, seed=ask.seed),
            )

        calls = [call(ask) for ask in asked]
        with progress("generate", len(calls)) as step:
            await answer_all(calls, journal, work, progress=step)
    answers = [json.loads(journal.outcome(one.key).answer) for one in calls]
    failed = [answer["error"] for answer in answers if "error" in answer]
    if failed and len(failed) == len(calls):
        raise EndpointError(f"the generator {endpoint} answered for no category ({failed[0]}): mend it, then run again")
    return [answer.get("content") for answer in answers]


def sort_out(
    proposed: Sequence[tuple[Proposal, Ask]],
    cases: Sequence[Case],
    past: Sequence[Case],
    settings: Settings,
    judges: Sequence[JudgePrompt],
    maker: str,
    vectors: Embedder | None,
) -> Sorted:
    """Return the proposals that are sound and new, and why the others are not."""
    sound: dict[str, tuple[Proposal, Ask]] = {}
    dropped: list[Dropped] = []
    for proposal, ask in proposed:
        why = validation.fault(proposal, ask) or ("nothing can fail it" if unfailing([proposal.case], judges) else "")
        if why or proposal.case.case_id in sound:
            dropped.append(_dropped(proposal, why or "it was proposed twice"))
        else:
            sound[proposal.case.case_id] = proposal, ask
    new, existing = [proposal.case for proposal, _ in sound.values()], [*cases, *past]
    there = {case.case_id: case for case in [*existing, *new]}
    like = repeats(new, existing, lexicon(settings.lexicon), vectors)
    kept: list[Candidate] = []
    for name, (proposal, ask) in sound.items():
        why = _repetition(proposal.case, like[name], existing, there, settings)
        if why:
            dropped.append(_dropped(proposal, why))
            continue
        near = nearest(proposal.case, [*cases, *(one.case for one in kept)])
        kept.append(
            Candidate(
                candidate_id=name,
                case=proposal.case,
                generator=maker,
                seed=ask.seed,
                nearest=near.case_id,
                similarity=round(near.similarity, 4),
                may_repeat=likely(like[name]),
                made=proposal.made,
                sources=list(proposal.sources),
            )
        )
    return Sorted(kept, dropped)


def _repetition(
    case: Case, like: Match, existing: Sequence[Case], there: Mapping[str, Case], settings: Settings
) -> str:
    """Return what a proposal surely repeats, in a few words; empty where a person is to see it."""
    around = "" if settings.decorations else decorated(case, existing)
    if around:
        return f"it only decorates {around}"
    return f"it says the same as {like.other_id}" if _is_sure(like, case, there, settings) else ""


def _is_sure(like: Match, case: Case, there: Mapping[str, Case], settings: Settings) -> bool:
    """Tell whether a proposal surely repeats a case: the model is as sure as asked for, or the words agree too."""
    if not like.is_duplicate:
        return False
    same_words = nearest(case, [there[like.other_id]]).similarity >= VERBATIM
    return same_words or like.similarity >= settings.near_duplicate


def _dropped(proposal: Proposal, why: str) -> Dropped:
    return Dropped(made=proposal.made, category=proposal.case.category, turns=proposal.case.turns, why=why)


def by_meaning(settings: Settings, endpoint: Endpoint, journal: Journal, run: str) -> Embedder | None:
    """Return what embeds texts, where a model for that is named and the endpoint is not the embedded one."""
    is_asked = settings.embedding_model and endpoint.model != settings.model.embedded
    return embedder(settings.embedding_model, settings, endpoint, journal, run) if is_asked else None


def account(read: Sequence[tuple[Proposals, Ask]], found: Sorted) -> dict[str, Any]:
    """Return how often the generator was asked and what became of all that no person will see, as JSON values."""
    unread = [f"{ask.category.category}, {ask.way}: {why}" for one, ask in read for why in one.rejected]
    return {"asks": len(read), "unread": unread, "dropped": [one.model_dump() for one in found.dropped]}


def run(now: datetime) -> int:
    """Propose a batch of candidates and file them; return how many."""
    settings, cases = read_params("generate", Settings), CASES.read()
    ended = files.read_json(MANIFEST, "run `assay repro review`")["batches"]
    judges = load_all()
    planned = asks(settings, read_taxonomy(), stock(settings, cases, failing(judges)), ended + len(cases))
    with model_session.consulting(settings.model) as (endpoint, journal):
        replies = asyncio.run(propose(settings, endpoint, planned, journal, begun(now).id))
        read = [(prompt.parse(reply, ask), ask) for reply, ask in zip(replies, planned, strict=True)]
        proposed = [(one, ask) for found, ask in read for one in found.found]
        past, maker = [one.case for one in PAST.read()], prompt.fingerprint(endpoint.model)
        vectors = by_meaning(settings, endpoint, journal, begun(now).id)
        found = sort_out(proposed, cases, past, settings, judges, maker, vectors)
    CANDIDATES.write(found.kept)
    files.write_json(DROPPED, account(read, found))
    return len(found.kept)
