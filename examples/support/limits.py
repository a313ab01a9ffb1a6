"""What the assistant does not do: what it declines, and what it hands over to a person."""

import re
import unicodedata

from examples.support.reply import Reply, call
from examples.support.talk import Call, Talk

DECLINE = "I'm sorry, I can't help with that. I can help with Pantry Lane orders, deliveries, meals and your account."
UNSURE = "I'm sorry, I can't answer that. I can only help with Pantry Lane orders, deliveries, meals and accounts."

FEW_LIMITS = re.compile(
    r"ignore (all |your |previous |the )?(previous |prior )?instructions|system prompt|lawyer|"
    r"legal advice|doctor|medical|diagnos|medication|another customer|competitor",
    re.IGNORECASE,
)
MANY_LIMITS = re.compile(
    r"\b(ignore|disregard|forget|override|bypass)\b[^.?!]{0,40}\b(instruction|rule|prompt|guideline|polic|"
    r"restriction|filter)|"
    r"system prompt|\b(initial|hidden|secret) (prompt|instruction)|developer mode|jailbreak|\bdan\b mode|"
    r"\b(pretend|act as|roleplay|role-play|you are now|from now on you)\b|"
    r"\b(reveal|print|repeat|show|output|leak|dump)\b[^.?!]{0,40}\b(prompt|instructions|configuration|"
    r"api key|password|system message)|"
    r"should i (sue|take)|legal advice|can i sue|is it legal|contract law|my landlord|"
    r"\b(diagnos|prescri|dosage|medication|antibiotic|ibuprofen|symptoms?\b.{0,30}\bmean)|"
    r"\b(another|other|different) (customer|client|person|user)s?\b|"
    r"\bmy (neighbou?r|ex|boss|coworker|sister|roommate)('s|s')|"
    r"\b(hellofresh|blue apron|home ?chef|factor|everyplate|competitor|other meal kit)s?\b|"
    r"\b(write|compose)\b[^.?!]{0,30}\b(poem|essay|code|script|song|story|homework)|"
    r"\b(stock|bitcoin|crypto|election|president|weather|football|movie|homework|python|capital of)\b",
    re.IGNORECASE,
)

REASONS = {
    "safety": re.compile(
        r"allergic reaction|anaphyla|epipen|hives|swell|swollen|throat|rash|hospital|"
        r"emergency room|\ber\b|ambulance|vomit|throwing up|threw up|food poison|poisoned|got sick|"
        r"made (me|us|him|her|them|my \w+) (ill|sick)|bit (on|into)|choke",
        re.IGNORECASE,
    ),
    "legal": re.compile(
        r"lawyer|attorney|\bsue\b|suing|legal action|small claims|court|consumer protection|lawsuit", re.IGNORECASE
    ),
    "fraud": re.compile(
        r"fraud|hacked|unauthori[sz]ed|stole|not me|didn't (make|place|order)|never (ordered|made|signed up)|"
        r"identity|scam|"
        r"someone (else )?(used|is using|logged|changed)",
        re.IGNORECASE,
    ),
    "distress": re.compile(
        r"crying|in tears|desperate|can't (cope|take|do) (this|it)?|breaking down|"
        r"falling apart|panic|end it all|suicid|"
        r"hurt myself|at my wit|nothing left to (eat|feed)|overwhelmed|hopeless",
        re.IGNORECASE,
    ),
    "person-requested": re.compile(
        r"(real|actual|live) (person|human|agent|someone)|(speak|talk) (to|with) (a|an|your|some)\w* ?"
        r"(person|human|agent|manager|supervisor|representative|one)|human being|manager|supervisor",
        re.IGNORECASE,
    ),
}
"""Reasons to hand over to a person, most urgent first; the article talking-to-a-person says the same in words."""


def decline_few(talk: Talk) -> Reply | None:
    """Decline what names one of a few forbidden subjects."""
    return Reply(text=DECLINE) if FEW_LIMITS.search(talk.now.text) else None


def decline_many(talk: Talk) -> Reply | None:
    """Decline forbidden subjects and attempts to change the assistant's rules, however the letters are dressed up."""
    plain = unicodedata.normalize("NFKC", talk.now.text)
    plain = "".join(letter for letter in plain if unicodedata.category(letter) != "Cf")
    return Reply(text=DECLINE) if MANY_LIMITS.search(plain) else None


def hand_over(talk: Talk) -> Reply | None:
    """Hand the conversation to a person when the customer's words give one of the reasons to."""
    reason = next((reason for reason, pattern in REASONS.items() if pattern.search(talk.now.text)), "")
    return escalate(talk, reason) if reason else None


def escalate(talk: Talk, reason: str) -> Reply:
    """Return the hand-over, or the way to a person when the caller has no tool for it."""
    if "escalate" not in talk.tools:
        return Reply(
            text="A person should look at this. Please call us on 555-0142; if anyone is unwell, call 911 first."
        )
    return call("escalate", reason=reason, summary=talk.now.text.strip()[:500] or "(empty message)")


def handed_over(done: Call) -> Reply:
    """Say what happens next, once the hand-over is done."""
    if done.error:
        return Reply(text="I could not reach a colleague. Please call 555-0142; if anyone is unwell, call 911 first.")
    hours = (done.result or {}).get("callback_hours", 2)
    first = "If anyone is unwell, please call 911 first. " if done.arguments.get("reason") == "safety" else ""
    when = "1 hour" if hours == 1 else f"{hours} hours"
    over = f"I have handed this chat over to a colleague, who will contact you within {when}."
    return Reply(text=f"I'm sorry about this. {first}{over}")
