"""The ledger: what the calls of one stage of one run have used."""

from typing import NamedTuple


class Spent(NamedTuple):
    """What the calls of one stage of one run have used; a call that was known before used nothing."""

    run: str
    stage: str
    calls: int
    failed: int
    requests: int
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float
