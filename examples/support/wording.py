"""What a customer's words mean: order numbers, days, lengths of time, meals, consent, and the questions in one message.

Only patterns without nested repetition are used, so no text can make one slow.
"""

import re
from datetime import date, timedelta

from examples.support.world import MEALS, WINDOWS

ORDER_EXACT = re.compile(r"\bPL-[0-9]{4}\b")
ORDER_LOOSE = re.compile(
    r"(?:\bpl[ -]{0,2}|#|\border (?:number |no\.? ?|nr\.? ?|is )?)([0-9]{4})\b|^\s*([0-9]{4})\s*$", re.IGNORECASE
)
SUBSCRIPTION = re.compile(r"\bSUB[ -]?([0-9]{4})\b", re.IGNORECASE)
ISO_DAY = re.compile(r"\b(20[0-9]{2})-([0-9]{2})-([0-9]{2})\b")
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
MONTH = r"(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\.?"
MONTH_DAY = re.compile(MONTH + r" ([0-9]{1,2})(?:st|nd|rd|th)?\b", re.IGNORECASE)
DAY_MONTH = re.compile(r"\b([0-9]{1,2})(?:st|nd|rd|th)?(?: of)? " + MONTH, re.IGNORECASE)
SLASHED = re.compile(r"\b(1[0-2]|0?[1-9])/([0-3]?[0-9])\b")
WEEKS = re.compile(r"\b([0-9]{1,2}) ?(week|month)s?\b", re.IGNORECASE)
WORDED_WEEKS = re.compile(
    r"\b(a|one|two|three|four|five|six|eight|ten|twelve|couple of) (week|month)s?\b", re.IGNORECASE
)
NUMBERS = {"a": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "eight": 8, "ten": 10, "twelve": 12}
WEEKS_A_MONTH = 4
YES = re.compile(
    r"^\W*(y|yes|yeah|yep|yup|sure|ok|okay|please do|go ahead|do it|correct|right|that's fine|fine|perfect)\b",
    re.IGNORECASE,
)
NO = re.compile(
    r"^\W*(no|nope|nah|don't|do not|stop|wait|actually|never ?mind|leave it|hold on|forget it)\b", re.IGNORECASE
)
WHOLE = re.compile(
    r"\b(whole|entire|everything|all of it|full|complete|never (came|arrived|turned up|showed))\b", re.IGNORECASE
)
PARTS = re.compile(
    r"(?<=[?!.;])\s+|\s+(?:and also|also|plus|and)\s+(?=(?:how|what|when|where|which|who|can|do|does|is|are)\b)",
    re.IGNORECASE,
)
ASKING = re.compile(
    r"\b(how|what|when|where|which|who|why|can|could|do|does|is|are|will|would|should|may)\b|\?", re.IGNORECASE
)


def exact_order(text: str) -> str:
    """Return the order number if it is written as on the receipt, or an empty text."""
    found = ORDER_EXACT.search(text)
    return found.group() if found else ""


def loose_order(text: str) -> str:
    """Return the order number however it is written (`pl1042`, `#1042`, `order 1042`), or an empty text."""
    found = ORDER_LOOSE.search(text)
    return f"PL-{found.group(1) or found.group(2)}" if found else ""


def subscription(text: str) -> str:
    """Return the subscription number in a text, or an empty text."""
    found = SUBSCRIPTION.search(text)
    return f"SUB-{found.group(1)}" if found else ""


def plain_day(text: str, today: date) -> date | None:
    """Return the day that a text names in ISO 8601 or as a weekday (the next such day)."""
    found = ISO_DAY.search(text)
    if found:
        return _day(int(found.group(1)), int(found.group(2)), int(found.group(3)))
    lowered = text.lower()
    named = [WEEKDAYS.index(name) for name in WEEKDAYS if name in lowered]
    return today + timedelta(days=(named[-1] - today.weekday() - 1) % 7 + 1) if named else None


def spoken_day(text: str, today: date) -> date | None:
    """Return the day that a text names in any common American spelling; of several, the last one."""
    found = [(match.start(), _month_day(today, match.group(1), match.group(2))) for match in MONTH_DAY.finditer(text)]
    found += [(match.start(), _month_day(today, match.group(2), match.group(1))) for match in DAY_MONTH.finditer(text)]
    found += [
        (match.start(), _day(today.year, int(match.group(1)), int(match.group(2)))) for match in SLASHED.finditer(text)
    ]
    days = [day for _, day in sorted(found, key=lambda pair: pair[0]) if day]
    if days:
        return days[-1]
    if re.search(r"\btomorrow\b", text, re.IGNORECASE):
        return today + timedelta(days=1)
    return plain_day(text, today)


def window(text: str) -> str:
    """Return the delivery window that a text names last, or an empty text."""
    found = [(text.lower().rfind(name), name) for name in WINDOWS if name in text.lower()]
    return max(found)[1] if found else ""


def plain_weeks(text: str) -> int | None:
    """Return a number of weeks written in digits, or None."""
    found = WEEKS.search(text)
    return int(found.group(1)) if found and found.group(2).lower() == "week" else None


def spoken_weeks(text: str) -> int | None:
    """Return a length in weeks, in digits or words, months counted as four weeks; None when there is none."""
    digits, worded = WEEKS.search(text), WORDED_WEEKS.search(text)
    if digits:
        return int(digits.group(1)) * (WEEKS_A_MONTH if digits.group(2).lower() == "month" else 1)
    if worded:
        return NUMBERS.get(worded.group(1).lower(), 2) * (WEEKS_A_MONTH if worded.group(2).lower() == "month" else 1)
    return None


def meals(text: str) -> list[str]:
    """Return the meals that a text names, by any word that only that meal's name contains."""
    lowered = text.lower()
    return [name for name in MEALS if any(word in lowered for word in _telling(name))]


def questions(text: str) -> list[str]:
    """Return the questions in one message; a message without a clear second question stays whole."""
    parts = [part.strip() for part in PARTS.split(text) if part and part.strip()]
    asked = [part for part in parts if ASKING.search(part) and len(part.split()) > 2]  # noqa: PLR2004 - "and you?"
    return asked if len(asked) > 1 else [text]


def said(day: str) -> str:
    """Return an ISO 8601 day as people say it: `Wednesday, November 4`."""
    value = date.fromisoformat(day)
    return f"{value:%A, %B} {value.day}"


def _telling(name: str) -> list[str]:
    rest = " ".join(other for other in MEALS if other != name).lower()
    return [word for word in re.findall(r"[a-z]+", name.lower()) if len(word) > 3 and word not in rest]  # noqa: PLR2004


def _month_day(today: date, month: str, day: str) -> date | None:
    return _day(today.year, MONTHS.index(month[:3].lower()) + 1, int(day))


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
