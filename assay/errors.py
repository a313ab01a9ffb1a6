"""Everything that can go wrong, in one tree.

* AssayError                  a sentence: where, what was found, what was expected, what to do
  * ConfigError               params.yaml, the environment or a command's arguments are at fault; nothing ran
  * DataError                 a file under data/ breaks its contract; the stage stops, nothing is written
  * EndpointError             a product or a model could not be asked at all (wrong key, unknown model, no server)
  * CallError                 one call failed; it becomes a row with a status, and the run goes on
  * InsufficientDataError     the numbers exist but cannot carry the claim
  * BusyError                 another run holds the lock
  * RecordError               DVC could not truthfully record what a stage did

`CallError` never reaches a person: the stage turns it into a row. All others end the command with exit code 2.
"""


class AssayError(Exception):
    """Base of all that Assay raises on purpose; its text is one sentence for a person."""


class ConfigError(AssayError):
    """The parameters, the environment or the arguments are at fault."""


class DataError(AssayError):
    """A file under data/ breaks its contract."""


class EndpointError(AssayError):
    """A product or a model could not be asked at all; every call would fail alike."""


class CallError(AssayError):
    """One call to a product or a model failed, for a reason that `kind` names."""

    def __init__(self, kind: str, text: str) -> None:
        """Keep the closed word for the reason beside the text a person reads."""
        super().__init__(text)
        self.kind = kind


class InsufficientDataError(AssayError):
    """The data cannot carry the claim; the text says what to add."""


class BusyError(AssayError):
    """Another run holds the lock; the text says who, and since when."""


class RecordError(AssayError):
    """What a stage read or wrote moved under it, so DVC must not record it."""
