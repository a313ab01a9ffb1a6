"""Lists of acceptable values in the place of arguments, as the Berkeley Function Calling Leaderboard writes them.

Each argument is a list of values, any of which is right, and so is each key of an object among them; what is no list
stands for itself. `""` among them says that the argument may be left out.
"""

from typing import Any

from assay.checks.finding import quote
from assay.errors import DataError
from assay.records.case import Expectation

ABSENT = ""
"""The acceptable value that is none."""


def outline(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Return expected arguments with one value in the place of each list of acceptable ones, all keys kept.

    Paths are looked up in it. Where the acceptable values are objects, theirs is an object with the keys of all.
    """
    if isinstance(value, list):
        return [outline(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {key: _merged([outline(one) for one in choices(item)]) for key, item in value.items()}


def choices(value: Any) -> list[Any]:  # noqa: ANN401 - any JSON value
    """Return the acceptable values of an argument; what is no list stands for itself."""
    return value if isinstance(value, list) else [value]


def _merged(values: list[Any]) -> Any:  # noqa: ANN401 - any JSON values
    objects = [one for one in values if isinstance(one, dict)]
    if objects:
        keys = dict.fromkeys(key for one in objects for key in one)
        return {key: _merged([one[key] for one in objects if key in one]) for key in keys}
    lists = [one for one in values if isinstance(one, list)]
    if lists:
        longest = max(map(len, lists))
        return [_merged([one[index] for one in lists if index < len(one)]) for index in range(longest)]
    return next(iter(values), None)


def require_acceptable(expectation: Expectation, arguments: dict[str, Any]) -> None:
    """Refuse an argument for which no value is acceptable.

    Raises:
        DataError: There is one, at any depth.
    """
    waiting: list[Any] = [arguments]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting.extend(node)
        elif isinstance(node, dict):
            for key, value in node.items():
                if value == []:
                    raise DataError(
                        f"check {expectation.check!r} has no acceptable value of {quote(key)}; expected a list of them "
                        'such as ["Rome", "Roma"], with "" where it may be left out: name them'
                    )
                waiting.extend(choices(value))
