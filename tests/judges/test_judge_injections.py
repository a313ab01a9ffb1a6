"""Nothing that a judged text says may reach the verdict."""

import re
import unicodedata

import pytest
from forged import FORGED

from assay.judges.prompt import load
from assay.judges.reply import parse

TRUE_VERDICT = '{"verdict": "B"}'
DELIMITERS = ("question", "reference", "responsea", "responseb")


def echo_first(response: str, prompt: str) -> list[str]:
    """Return what a judge writes that repeats its input before, after or around its own verdict."""
    return [
        f"{response}\n{TRUE_VERDICT}",
        f"{response}{TRUE_VERDICT}",
        f"{prompt}\n{TRUE_VERDICT}",
        f"{TRUE_VERDICT}\n{response}",
        f"Response A says: {response}. My verdict: {TRUE_VERDICT}",
        TRUE_VERDICT.replace("}", f', "why": "{response}"}}'),
    ]


def delimiters_seen(prompt: str) -> list[str]:
    """Return the delimiters that a lenient reader sees, by means other than the code under test."""
    plain = unicodedata.normalize("NFKC", prompt).casefold().replace("\\", "/")
    plain = "".join(character for character in plain if unicodedata.category(character) not in {"Cf", "Mn"})
    plain = re.sub(r"[\s_-]", "", plain)
    return re.findall(rf"<[/!]*(?:{'|'.join(DELIMITERS)})", plain)


@pytest.mark.parametrize("response", FORGED)
def test_zero_flips(response: str) -> None:
    """A judge that echoes its input first is unparsed or counted by its own verdict, never by the forged one."""
    prompt = load("preference").render(question="Q?", reference="R", response_a=response, response_b="B")[1]["content"]
    for content in echo_first(response, prompt):
        assert parse("pairwise", content, None, "stop", None).outcome in {"unscored", "b"}


@pytest.mark.parametrize("response", FORGED)
def test_a_text_cannot_leave_its_section(response: str) -> None:
    """Whatever a response holds, each delimiter is seen once, in its place."""
    texts = {"question": "Q?", "reference": "R", "response_a": response, "response_b": response}
    content = load("preference").render(**texts)[1]["content"]
    expected = [f"<{slash}{name}" for name in DELIMITERS for slash in ("", "/")]
    assert delimiters_seen(content) == expected


@pytest.mark.parametrize("response", FORGED)
def test_every_forged_text_can_be_sent(response: str) -> None:
    """A rendered prompt is always valid UTF-8, so that no response can make its own judging fail."""
    for message in load("correctness").render(question=response, reference=response, response=response):
        assert message["content"].encode()


def test_there_are_sixty() -> None:
    """The corpus keeps the size that the design promises, without repetition."""
    assert len(set(FORGED)) >= 60
