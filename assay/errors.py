"""Everything that can go wrong, in one tree.

* AssayError                  a sentence: where, what was found, what was expected, what to do
  * ConfigError               params.yaml, the environment or a command's arguments are at fault; nothing ran
    * CodeError               code that a stage runs is no Python, or what it declares is missing
  * DataError                 a file under data/ breaks its contract; the stage stops, nothing is written
  * EndpointError             a product or a model could not be asked at all (wrong key, unknown model, no server)
    * AccessError             it refuses the key or the address
  * BudgetError               the run would cost more than was allowed; what was paid for is kept
  * CallError                 one call failed; it becomes a row with a status, and the run goes on
    * EmptyReplyError         it was answered with nothing: of a product, an answer
  * InsufficientDataError     the numbers exist but cannot carry the claim
  * BusyError                 another run holds the lock
  * RecordError               DVC could not truthfully record what a stage did

`CallError` (`OverloadError` and `EmptyReplyError` are two) never reaches a person: the stage turns it into a row. All
others end the command with exit code 2.
"""

from typing import Literal


class AssayError(Exception):
    """Base of all that Assay raises on purpose; its text is one sentence for a person."""


class ConfigError(AssayError):
    """The parameters, the environment or the arguments are at fault."""


class CodeError(ConfigError):
    """Code that a stage runs cannot be fingerprinted: it is no Python, or what it declares is missing."""


class DataError(AssayError):
    """A file under data/ breaks its contract."""


class EndpointError(AssayError):
    """A product or a model could not be asked at all; every call would fail alike."""


class AccessError(EndpointError):
    """The key or the address was refused; that may pass where the same was accepted a moment ago."""


class BudgetError(AssayError):
    """The run would cost, or has cost, as much as it was allowed to."""


KINDS = ("timeout", "connection", "rate-limit", "server", "malformed", "empty", "refused-request", "crash", "too-long")
"""What can become of one call: the closed list of reasons."""
HOPELESS = {"refused-request", "crash", "too-long"}
"""Kinds that would come out the same if asked again."""
Again = Literal["always", "if-harmless", "never"]


class CallError(AssayError):
    """One call to a product or a model failed, for a reason that `kind` (one of `KINDS`) names."""

    def __init__(self, kind: str, text: str, *, again: Again | None = None) -> None:
        """Keep the closed word for the reason beside the text a person reads.

        Args:
            kind: One of `KINDS`.
            text: What happened, for a person.
            again: May the same be asked again? `always`: it certainly was not processed; `if-harmless`: it may have
                been; `never`: it would fail alike. Left out, the kind decides.
        """
        super().__init__(text)
        self.kind = kind
        self.again: Again = again or ("never" if kind in HOPELESS else "if-harmless")

    def __reduce__(self) -> tuple[type, tuple[str, str], dict[str, object]]:
        """Let it cross to another process and back."""
        return type(self), (self.kind, str(self)), self.__dict__


class OverloadError(CallError):
    """The endpoint asks for fewer calls (429, 503); `wait_s` is how long it wants to be left alone, if it says."""

    def __init__(self, kind: str, text: str, *, again: Again | None = None, wait_s: float | None = None) -> None:
        """Keep how long to wait, in seconds."""
        super().__init__(kind, text, again=again)
        self.wait_s = wait_s


class EmptyReplyError(CallError):
    """A reply came and says nothing: no text, no tool call; `finish_reason` is why it ended, if that is told."""

    def __init__(self, text: str, *, again: Again | None = None, finish_reason: str = "") -> None:
        """Keep why the reply ended."""
        super().__init__("empty", text, again=again)
        self.finish_reason = finish_reason

    def __reduce__(self) -> tuple[type, tuple[str], dict[str, object]]:  # type: ignore[override]
        """Let it cross to another process and back."""
        return type(self), (str(self),), self.__dict__


class InsufficientDataError(AssayError):
    """The data cannot carry the claim; the text says what to add."""


class BusyError(AssayError):
    """Another run holds the lock; the text says who, and since when."""


class RecordError(AssayError):
    """What a stage read or wrote moved under it, so DVC must not record it."""
