"""The response of a target to a case in one trial."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from assay.records.case import Case, ToolCall
from assay.records.record import Name, Record


class MadeCall(ToolCall):
    """A call that a product made, with what came of it."""

    failed: bool = False
    """The tool answered with an error, so that the call changed nothing."""


class Message(Record):
    """One message of a conversation, in OpenAI's roles."""

    role: Literal["user", "assistant", "tool"]
    content: str


class Response(Record):
    """What a target gave for a case in one trial: an answer, or the reason why there is none."""

    case_id: Name
    revision: str
    target: str
    """Fingerprint of the target: name, model and tools."""
    trial: int = Field(ge=0)
    epoch: str
    """The date of the run that asked; a live target is asked afresh each night."""
    status: Literal["ok", "error"]
    error_kind: str
    """Empty, or one of the kinds of CallError."""
    error: str
    text: str
    messages: list[Message]
    tool_calls: list[MadeCall]
    contexts: list[str]
    final_state: str
    """JSON text of the environment after the last turn."""
    prompt_tokens: int = Field(ge=0)
    completion_tokens: int = Field(ge=0)
    latency_s: float = Field(ge=0)
    """From the first request of the conversation to its last answer, waits for retries included."""
    cost_usd: float | None = Field(default=None, ge=0)
    """None where no price is declared."""
    finish_reason: str = ""
    """Why the last answer ended, in OpenAI's words: `stop`, `length`, `content_filter`; empty where nobody says."""
    run: str = ""
    """Id of the run whose table it is in; empty in a table of before runs had ids."""
    source_run: str = ""
    """Id of the run that asked: another one's where an answer was kept."""
    request: str = ""
    """Hash of what was asked, as of `Case.request`; empty in a table of before it was kept."""
    answered_at: datetime | None = None
    is_silent: bool = False
    """The last reply held nothing: no text and no call, whatever was called before it."""

    def answers(self, case: Case) -> bool:
        """Tell whether this is a response to what a case asks today, whatever is expected of it by now.

        A row of before `request` was kept is one while the whole case is as it was, since nobody knows which part of
        it has moved.
        """
        if self.case_id != case.case_id:
            return False
        return self.request == case.request() if self.request else self.revision == case.revision()
