"""Personal data: what belongs to somebody is found, what cannot belong to anybody is not, and no text takes long."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.evalset.pii import is_iban, kinds, luhn, masked

EMAIL, CARD, ACCOUNT = "an e-mail address", "a card number", "an account number (IBAN)"
END = ("com", "net", "org")
PHONE, ADDRESS = "a telephone number", "an IP address"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Write to ada.lovelace+x@gmail.com.", EMAIL),
        ("ADA@MAIL.CO.UK", EMAIL),
        ("<ada@notexample.com>", EMAIL),
        ("Card 4539-1488-0343-6467.", CARD),
        ("on 2026-11-02 4539 1488 0343 6467", CARD),
        ("371449635398431", CARD),
        ("GB29 NWBK 6016 1331 9268 19 please", ACCOUNT),
        ("gb29nwbk60161331926819", ACCOUNT),
        ("call +49 30 1234567", PHONE),
        ("(212) 664-7665", PHONE),
        ("212.664.7665", PHONE),
        ("030/1234567 after six", PHONE),
        ("from 8.8.8.8", ADDRESS),
        ("2001:4860:4860::8888", ADDRESS),
    ],
)
def test_what_belongs_to_somebody_is_found(text: str, kind: str) -> None:
    """Each form of each kind is found, and as that kind alone; masked, only its kind is left of it."""
    assert kinds(text) == [kind]
    assert f"[{kind}]" in masked(text)
    assert kinds(masked(text)) == []


@pytest.mark.parametrize(
    "text",
    [
        "ada@example.com, ada@mail.example.org, ada@pantrylane.example, ada@shop.test",
        "Order PL-2026-000123 of 2026-11-02 10:00, 1234567890",
        "Visa's own specimen 4111 1111 1111 1111, Stripe's 4242424242424242",
        "DE89 3704 0044 0532 0130 00",
        "4539 1488 0343 6468 fails its checksum, so does GB29 NWBK 6016 1331 9268 18",
        "555-0142, (212) 555-0142, +1 415-555-0199, 020 7946 0123, +44 1632 960123",
        "127.0.0.1, 10.1.2.3, 192.0.2.7, fe80::1, version 1.2.3, std::a::b, at 12:30:45",
        "EUR 1.234.567,89 or 1 000 000 000",
        "@pantrylane.example",
    ],
)
def test_what_belongs_to_nobody_is_none(text: str) -> None:
    """Reserved domains and numbers, printed specimens, dates, amounts and order numbers are no personal data."""
    assert kinds(text) == []
    assert masked(text) == text


@pytest.mark.parametrize(
    "domain",
    ["x.example", "x.invalid", "x.test", "x.localhost", *(f"{at}example.{end}" for at in ("", "x.") for end in END)],
)
def test_a_domain_that_nobody_can_have_is_none(domain: str) -> None:
    """Those that are reserved for examples and tests, and all below them; not one that ends alike."""
    assert kinds(f"ada@{domain}") == []
    assert kinds(f"ada@x{domain.removeprefix('x.')}.de") == [EMAIL]


@pytest.mark.parametrize("number", ["DE89370400440532013000", "GB82WEST12345698765432", "FR1420041010050500013M02606"])
def test_an_account_that_manuals_print_is_nobody_s(number: str) -> None:
    """It passes the checksum, written together or in groups of four, and is no personal data."""
    assert is_iban(number)
    grouped = " ".join(number[at : at + 4] for at in range(0, len(number), 4))
    assert kinds(f"{number} or {grouped}") == []


def iban(length: int) -> str:
    """Return an account number of this length that passes the checksum."""
    rest = "0" * (length - 4)
    return next(text for check in range(2, 99) if is_iban(text := f"NO{check:02}{rest}"))


@pytest.mark.parametrize(("length", "is_one"), [(14, False), (15, True), (34, True), (35, False)])
def test_an_account_number_has_its_length(length: int, *, is_one: bool) -> None:
    """From Norway's 15 characters to the 34 that ISO 13616 allows."""
    assert (ACCOUNT in kinds(iban(length))) == is_one


def test_checksums_by_hand() -> None:
    """79927398713 has the Luhn sum 70; GB82 WEST 1234 5698 7654 32 leaves 1 modulo 97."""
    assert luhn("79927398713")
    assert not luhn("79927398710")
    assert is_iban("GB82WEST12345698765432")
    assert not is_iban("GB82WEST12345698765433")


@pytest.mark.parametrize("part", ["9", "0 1 2 ", "a@", "a.b", "1.", ":", "GB29 ", "+1", "4539 1488 "])
def test_no_text_takes_long(part: str) -> None:
    """50,000 characters of the most spiteful kind take less than three seconds of CPU."""
    text = part * (50_000 // len(part))
    before = time.process_time()
    masked(text)
    assert time.process_time() - before < 3


PIECES = (
    *("ada@gmail.com", "4539148803436467", "4539 1488 0343 6467", "GB29 NWBK 6016 1331 9268 19", "+49 30 1234567"),
    *("(212) 664-7665", "8.8.8.8", "2001:4860:4860::8888", " ", ", ", "x", "7", "-", ".", "@", "+", "a.b", "00", "["),
)


@given(st.lists(st.sampled_from(PIECES), max_size=8).map("".join))
def test_nothing_is_left_once_it_is_masked(text: str) -> None:
    """However pieces stand beside each other, a masked text holds none, and a text without any stays as it is."""
    assert kinds(masked(text)) == []
    assert kinds(text) or masked(text) == text


def test_what_stands_around_is_kept() -> None:
    """Words before, between and behind stay letter by letter."""
    text = "From ada@gmail.com to ben@gmail.com: GB29 NWBK 6016 1331 9268 19 please, 4539 1488 0343 6467."
    assert masked(text) == (
        "From [an e-mail address] to [an e-mail address]: [an account number (IBAN)] please, [a card number]."
    )


@pytest.mark.parametrize(
    ("number", "is_one"),
    [
        ("+49 30 123", False),
        ("+49 30 1234", True),
        ("+49 30 12345678901", True),
        ("+4930 1234567 89012 3", False),
        ("0049 30 1234567", True),
        ("030 12345", True),
        ("030 1234", False),
        ("112-664-7665", False),
        ("212-164-7665", False),
        ("7-212-664-7665", False),
        ("+1 415-555-0199", False),
        ("+1 415-555-0200", True),
        ("+44 1632 960123", False),
        ("01632 960123", False),
        ("01633 960123", True),
    ],
)
def test_a_telephone_number_has_its_digits(number: str, *, is_one: bool) -> None:
    """Eight to fifteen digits in the forms of a call, no part of a longer number, and none that films have."""
    assert (kinds(number) == [PHONE]) == is_one


def numbers(length: int, first: str = "4") -> str:
    """Return digits of this length that pass the checksum of cards."""
    start = first + "0" * (length - 2)
    return next(start + str(last) for last in range(10) if luhn(start + str(last)))


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        (numbers(12), False),
        (numbers(13), True),
        (numbers(19), True),
        (numbers(20), False),
        (numbers(16, "3"), True),
        (numbers(16, "6"), True),
        (numbers(16, "2"), False),
        (numbers(16, "7"), False),
        ("4539 1488 0343 6467", True),
        ("4539  1488 0343 6467", False),
        ("453 91 488 0343 6467", True),
        ("453 91 48 8 0343 6467", False),
    ],
)
def test_a_card_number_has_its_form(text: str, *, is_one: bool) -> None:
    """13 to 19 digits that begin with 3 to 6, in five groups at most with one sign between, and the checksum."""
    assert (CARD in kinds(text)) == is_one
