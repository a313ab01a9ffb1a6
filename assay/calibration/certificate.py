"""The certificate: what a judge is worth against people, under which policy, and until when; and what it rests on."""

from datetime import datetime
from typing import ClassVar, Literal

from pydantic import Field

from assay.records.record import Name, Record
from assay.records.verdict import Outcome

Standing = Literal["valid", "none", "failed", "expired", "judge-changed", "unwatched"]


class Figure(Record):
    """One estimate with its interval; None where the data cannot carry it, and `note` says what to add."""

    name: str
    estimate: float | None
    low: float | None
    high: float | None
    n: int
    method: str
    note: str = ""


class Floor(Record):
    """One demand of the policy and whether it was met."""

    figure: str
    demand: str
    found: str
    met: bool


class Slice(Record):
    """Agreement on one part of the held-out labels; parts below ten items are for reading, not for claims."""

    kind: Literal["slice", "category"]
    name: str
    n: int
    agree: int
    low: float
    high: float
    kappa: float | None = None
    """None where judge and people said one and the same throughout, and in a certificate of before it was kept."""
    kappa_low: float | None = None
    """None below fifty items, where no interval holds its level."""
    kappa_high: float | None = None


class ClassFigure(Record):
    """One class of a judge's own scale: right when the judge says so, and right where people say so."""

    name: str
    human: int
    """Items that people gave this class."""
    judge: int
    """Items that the judge gave it."""
    precision: float | None
    """None for a class that the judge never gave."""
    precision_low: float | None
    precision_high: float | None
    recall: float | None
    """None for a class that people never gave."""
    recall_low: float | None
    recall_high: float | None
    f1: float | None


class AnnotatorFigure(Record):
    """One annotator beside the judge, and beside what the others say together; kappa is None where it is 0/0."""

    annotator: str
    n: int
    """Items that the annotator and the judge rated."""
    agree: int
    kappa: float | None
    others_n: int
    """Items that the annotator rated and on which the others were decided."""
    others_agree: int
    others_kappa: float | None


class Trivial(Record):
    """What a judge without a thought scores on the same labels."""

    name: str
    accuracy: float
    n: int
    beaten_by: float | None = None
    """Lower bound of how much more of the same items the judge has right; None in a certificate of before."""


class Certificate(Record):
    """A judge's agreement with people on the held-out split."""

    judge: str
    question: Literal["pass-fail", "labels", "score", "pairwise"]
    fingerprint: str
    """Of the judge that gave the verdicts; it holds for no other."""
    labels: str
    """Hash of the labels and the items they are about."""
    frame: str
    """The sampling frame that the labels were limited to; empty for all of them."""
    looks: int = Field(ge=1)
    """How often the held-out labels were looked at for a certificate of this judge: each look wears them out."""
    split: Literal["heldout"]
    items: int
    unscored: int
    """Held-out items to which the judge gave no verdict; they are in no figure."""
    undecided: int
    """Held-out items on which the annotators were evenly split; they are in no figure."""
    annotators: list[str]
    figures: list[Figure]
    confusion: list[list[int]]
    """Counts, rows human, columns judge: fail, pass; or a, tie, b."""
    slices: list[Slice]
    """The lowest agreement first, slices below ten items last."""
    trivial: list[Trivial]
    floors: list[Floor]
    issued: datetime
    expires: datetime
    run: str = ""
    """Id of the run in which it was issued; empty in one of before runs had ids."""
    policy: str = "default"
    """The preset that its floors began with."""
    version: str = ""
    """Of the judge's folder, such as `tone@3f2a`; empty in one of before there was any."""
    note: str = ""
    """How many of its labels were given by another version of the rubric; empty where none was, or nobody counted."""
    excepted: list[str] = Field(default=[])
    """Categories in which it surely agrees too little with people: there its word counts for nothing."""
    epsilon: float = 0.1
    """How much better people may be in the alternative annotator test, and the judge still stand in for one of them."""
    by_class: list[ClassFigure] = Field(default=[])
    """Of a judge of labels on its own scale and on the labelled items as they are, of pass and fail where these were
    drawn with even chances; empty for scores and pairs."""
    by_annotator: list[AnnotatorFigure] = Field(default=[])
    """On the judge's own scale where it has one; empty in a certificate of before they were kept."""

    def is_of(self, version: str) -> bool:
        """Tell whether it was issued for a version of the judge's folder; one of before there was any says nothing."""
        return self.version in ("", version)

    @property
    def is_met(self) -> bool:
        """Tell whether every floor of the policy was met."""
        return all(floor.met for floor in self.floors)


class Seen(Record):
    """What a judge said of one labelled item when its certificate was issued: what later nights are held against."""

    judge: Name
    item_id: Name
    human: Outcome | None
    """What people said, where the item is held out and they were decided."""
    outcome: Outcome


class AnchorNight(Record):
    """How far one run's verdicts on the anchors lie from those at the certificate, and how the product did."""

    omitted_where_empty: ClassVar = ("run", "fingerprint")
    judge: Name
    night: str
    """The date of the run."""
    run: str = ""
    """Id of the run that asked the judge; empty in a row of before runs had ids."""
    issued: datetime
    """Of the certificate: a new one begins a new count."""
    fingerprint: str = ""
    """Of the certified judge: while it is the same, what nights before a renewed certificate say is usual stays so."""
    baseline: str
    """The accepted version of the product: another one begins a new count of the product's passes."""
    anchors: int = Field(ge=0)
    """Those that the run asked of; verdicts that were kept from an earlier run are counted by that one alone."""
    flips: int = Field(ge=0)
    judged: int = Field(ge=0)
    """Tonight's answers, or pairs, with a verdict."""
    passed: int = Field(ge=0)
    """Those that passed, or did not lose to the accepted answer."""


def standing(certificate: Certificate | None, fingerprint: str, version: str, now: datetime) -> Standing:
    """Return what a judge's verdicts are worth today; only `valid` ones may pass a gate.

    Args:
        certificate: The judge's; None where it has none.
        fingerprint: Who gave the verdicts.
        version: The judge's folder as it is: a certificate is for the answers that the judge was asked about then.
        now: The moment.
    """
    if certificate is None:
        return "none"
    if certificate.fingerprint != fingerprint:
        return "judge-changed"
    if not certificate.is_met:
        return "failed"
    if now >= certificate.expires:
        return "expired"
    return "valid" if certificate.is_of(version) else "judge-changed"
