"""Personal data in what people write into cases: found by form, and by checksum where there is one.

An address, a number or a card of a real person has no place in an evaluation set, which is copied, released and shown.
What cannot belong to anybody is none: domains that are reserved for examples, numbers that are reserved for films,
addresses of private and documentation networks, the card and account numbers that payment manuals print. A name alone
is not found: no pattern can tell Cleo from a customer.

The patterns run in re2, so that no text, however long or spiteful, takes more than linear time.
"""

import ipaddress
from collections.abc import Callable, Iterator

import re2

_EMAIL = re2.compile(r"[A-Za-z0-9._%+\-]{1,64}@((?:[A-Za-z0-9\-]{1,63}\.){1,8}[A-Za-z]{2,24})")
_IBAN = re2.compile(r"(?i)\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}\b")
_IP = re2.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b|(?:[0-9A-Fa-f]{0,4}:){3,7}[0-9A-Fa-f]{0,4}")
_DIGITS = re2.compile(r"\d+")
_TELEPHONES = (
    re2.compile(r"(?:\+|\b00)\d(?:[ \-./()]{0,2}\d){6,15}\b"),
    re2.compile(r"(?:\(|\b)[2-9]\d{2}\)?[ \-.]{1,2}[2-9]\d{2}[ \-.]\d{4}\b"),
    re2.compile(r"(?:\(|\b)0\d{1,4}\)?(?:[ \-/]{1,2}\d{2,8}){1,4}\b"),
)
"""With a country code; as in North America; with the 0 of a national call."""
_RESERVED = ("example", "invalid", "test", "localhost", "example.com", "example.net", "example.org")
SPECIMENS = {
    "4111111111111111",
    "4242424242424242",
    "4012888888881881",
    "5555555555554444",
    "5105105105105100",
    "378282246310005",
    "6011111111111117",
    "DE89370400440532013000",
    "GB82WEST12345698765432",
    "FR1420041010050500013M02606",
}
"""Numbers that manuals of payment print as examples: they pass the checksum and belong to nobody."""
_UNICAST = ipaddress.ip_network("2000::/3")
CARD = range(13, 20)
PHONE = range(8, 16)
"""Digits of a card number, and of a telephone number with its country or area code (ITU-T E.164: 15 at most)."""
GROUPS = 5
"""Into how many groups a card number may be written."""
Place = tuple[int, int]
"""Where a piece begins, and where it has ended."""


def kinds(text: str) -> list[str]:
    """Return which kinds of personal data a text holds, such as `an e-mail address`; what they are is not repeated."""
    return [kind for kind, found in RULES.items() if any(found(text))]


def masked(text: str) -> str:
    """Return a text in which each piece of personal data is replaced by its kind, such as `[an e-mail address]`."""
    # Again where what is masked now had hidden what stands next to it.
    while places := sorted((*place, kind) for kind, found in RULES.items() for place in found(text)):
        parts, end = [], 0
        for start, stop, kind in places:
            if start >= end:
                parts += [text[end:start], f"[{kind}]"]
                end = stop
        text = "".join([*parts, text[end:]])
    return text


def luhn(digits: str) -> bool:
    """Tell whether digits pass the checksum of card numbers.

    Source:
        ISO/IEC 7812-1, annex B.
    """
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits))]
    return sum(value - 9 * (value > 9) for value in doubled) % 10 == 0  # noqa: PLR2004 - the sum of two digits


def is_iban(text: str) -> bool:
    """Tell whether letters and digits pass the checksum of account numbers.

    Source:
        ISO 13616-1: the first four characters go to the end, letters count from A = 10, the whole is 1 modulo 97.
    """
    moved = text[4:] + text[:4]
    return int("".join(str(int(character, 36)) for character in moved)) % 97 == 1


def _emails(text: str) -> Iterator[Place]:
    for match in _EMAIL.finditer(text):
        domain = match[1].lower()
        if not any(domain == name or domain.endswith(f".{name}") for name in _RESERVED):
            yield match.span()


def _cards(text: str) -> Iterator[Place]:
    groups = list(_DIGITS.finditer(text))
    for first in range(len(groups)):
        digits, end = "", groups[first].start()
        for group in groups[first : first + GROUPS]:
            if group.start() > end + digits.isdigit() or len(digits) + len(group[0]) > CARD.stop:
                break
            digits, end = digits + group[0], group.end()
            if len(digits) in CARD and digits[0] in "3456" and luhn(digits) and digits not in SPECIMENS:
                yield groups[first].start(), end


def _accounts(text: str) -> Iterator[Place]:
    for match in _IBAN.finditer(text):
        words = match[0].upper().split()
        # A word may follow the number, and a pattern cannot tell where the number ends: the checksum can.
        for count in range(len(words), 0, -1):
            one = "".join(words[:count])
            if len(one) in range(15, 35) and is_iban(one) and one not in SPECIMENS:
                yield match.start(), match.start() + len(" ".join(words[:count]))
                break


def _telephones(text: str) -> Iterator[Place]:
    for pattern in _TELEPHONES:
        last = 0
        for match in pattern.finditer(text):
            digits = "".join(_DIGITS.findall(match[0])).removeprefix("00")
            before = text[max(last, match.start() - 2) : match.start()].rstrip(" -/.")
            is_part = not match[0].startswith("+") and before[-1:].isdigit()
            if len(digits) in PHONE and not is_part and not _is_film(digits):
                last = match.end()
                yield match.span()


def _is_film(digits: str) -> bool:
    """Tell whether a number is one of those that North America and Britain reserve for fiction."""
    american = digits[-10:]
    british = digits.removeprefix("44").removeprefix("0")
    return american[3:8] == "55501" or british.startswith(("1632960", "7700900", "2079460", "8081570"))


def _addresses(text: str) -> Iterator[Place]:
    for match in _IP.finditer(text):
        try:
            address = ipaddress.ip_address(match[0])
        except ValueError:
            continue  # a version, or a time of day
        if address.is_global and (address.version == 4 or address in _UNICAST):  # noqa: PLR2004 - of the protocol
            yield match.span()


RULES: dict[str, Callable[[str], Iterator[Place]]] = {
    "an e-mail address": _emails,
    "a card number": _cards,
    "an account number (IBAN)": _accounts,
    "a telephone number": _telephones,
    "an IP address": _addresses,
}
"""What finds each kind."""
