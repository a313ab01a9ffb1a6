"""One request of a person who is signed in: what the desk works on, and how a page is made of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from assay.desk import pages
from assay.desk.candidate_queue import CandidateQueue
from assay.desk.label_queue import LabelQueue
from assay.desk.narrowing import Narrowing, narrowing
from assay.desk.pages import Guide
from assay.desk.reviewers import People, Person
from assay.evalset.admission import is_reason
from assay.evalset.health import Proposal

COOKIE = "assay-desk"
FRAGMENT = "x-assay-fragment"
"""Header of a request that wants the main part of a page only; its answer says in `x-assay-place` where that lies."""
PLACE = "x-assay-place"
Handler = Callable[["Visit"], Response]


class Upkeep(Protocol):
    """What keeps the evaluation set telling."""

    def proposals(self) -> list[Proposal]:
        """Return why somebody should look at which cases; not those that are retired already."""

    def retire(self, case_id: str, revision: str, who: str, reason: str) -> str:
        """Take a case out of the set; return what happens next, in a sentence.

        Args:
            case_id: The case.
            revision: The hash of the case that was on the screen.
            who: The person who decides.
            reason: Why.

        Raises:
            ConfigError: The case is gone or changed, or there is no reason.
        """


@dataclass(frozen=True, kw_only=True)
class Desk:
    """What the application works on."""

    people: People
    candidates: CandidateQueue
    labels: LabelQueue
    guide: Callable[[], Guide]
    upkeep: Upkeep
    close: Callable[[str, str], str]
    """Closes the open batch on behalf of a person, with a note; returns what happens next, in a sentence."""
    hand_over: Callable[[], str]
    """Files the labels whose items have all their annotators; returns how many, in a sentence."""
    unopened: Callable[[], int]
    """Returns how many candidates wait for a batch while none is open."""
    now: Callable[[], datetime]
    hosts: tuple[str, ...]
    is_secure: bool
    """Is the desk reached through HTTPS?"""

    def renew(self, person: Person) -> None:
        """Keep what somebody looks at for longer: they are there."""
        for queue in (self.candidates, self.labels):
            queue.renew(person.name, self.now())


@dataclass(frozen=True)
class Visit:
    """One request of a person who is signed in."""

    desk: Desk
    person: Person
    request: Request
    fields: dict[str, str]
    """Of the form, for a POST."""

    @property
    def key(self) -> str:
        """Return the item that the address names."""
        return str(self.request.path_params.get("key", ""))

    @property
    def only(self) -> Narrowing:
        """Return what the pages are narrowed to."""
        return narrowing(self.fields or self.request.query_params)

    def lead(self, place: str, show: Callable[[], Response]) -> Response:
        """Lead to another page: at once where its main part is wanted, by a redirection otherwise."""
        return show() if FRAGMENT in self.request.headers else RedirectResponse(place, 303)

    def why(self, word: str) -> str | None:
        """Return what is said with a word: of a rejection its reason too; None where it says none."""
        reason, note = self.fields.get("reason", ""), self.fields.get("note", "").strip()
        if word != "reject":
            return note
        return ": ".join(filter(None, (reason, note))) if is_reason(reason, note) else None

    def seconds(self) -> float:
        """Return how long the page was looked at, as the script measured it; 0 where it did not."""
        try:
            return max(0.0, float(self.fields.get("seconds", "")))
        except ValueError:
            return 0.0

    def page(self, name: str, place: str, values: Mapping[str, Any], *, said: str = "", fault: str = "") -> Response:
        """Return a page, or only its main part where that was asked for.

        Args:
            name: The template of the main part.
            place: Address of the page.
            values: What the template shows.
            said: What was done, in a sentence.
            fault: Why something was not done; the answer is a 409 then.
        """
        cookie = self.request.cookies.get(COOKIE, "")
        around = {"person": self.person, "csrf": self.desk.people.pass_for(cookie), "main": f"{name}.html"}
        whole = f"{name}.html" if FRAGMENT in self.request.headers else "shell.html"
        text = pages.environment().get_template(whole).render({**values, **around, "said": said, "fault": fault})
        return HTMLResponse(text, 409 if fault else 200, headers={PLACE: place})
