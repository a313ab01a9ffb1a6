"""How hard an endpoint may be asked, and what its answers cost."""

from typing import Literal

from pydantic import Field

from assay.records.record import Record

PER_MILLION = 1_000_000
CROWD = 4
WHOLE_BATCH = 50_000


class Price(Record):
    """What an endpoint charges, in US dollars per million tokens."""

    prompt_usd_per_million: float = Field(ge=0)
    completion_usd_per_million: float = Field(ge=0)

    def of(self, prompt_tokens: float, completion_tokens: float) -> float:
        """Return what so many tokens cost, in US dollars."""
        prompt = prompt_tokens * self.prompt_usd_per_million
        return (prompt + completion_tokens * self.completion_usd_per_million) / PER_MILLION


class Limits(Record):
    """What a section of params.yaml says of the calls it makes; each has its own endpoint and its own limits."""

    concurrency: int = Field(default=16, ge=1, le=4096)
    """Requests in flight at most; fewer while the endpoint says that it is overloaded."""
    deadline_s: float = Field(default=60, gt=0)
    """How long one request may take."""
    mode: Literal["interactive", "batch"] = "interactive"
    """`batch` asks through the Batch API: half the price, and hours of waiting, which a restart does not begin anew."""
    gather_s: float = Field(default=2.0, gt=0)
    """A batch is sent when nothing was asked for so long."""
    poll_s: float = Field(default=60.0, gt=0)
    """The longest wait between two looks at a batch."""
    max_retries: int = Field(default=5, ge=0, le=20)
    """How often a request that failed on the wire is sent again; a rate limit and an outage count for none."""
    patience_s: float = Field(default=600, gt=0)
    """How long an endpoint that answers nobody any more is waited for, before the run ends."""
    requests_per_minute: float | None = Field(default=None, gt=0)
    tokens_per_minute: float | None = Field(default=None, gt=0)
    hedge_after_s: float | None = Field(default=None, gt=0)
    """Send a second request when the first is silent for so long, and take the first answer; each is paid for."""
    price: Price | None = None
    """Of the mode that is chosen. Needed for costs and for --max-cost."""

    @property
    def conversations(self) -> int:
        """How many calls are begun: one that waits to be sent again, or for a batch, leaves its place to others."""
        return WHOLE_BATCH if self.mode == "batch" else CROWD * self.concurrency
