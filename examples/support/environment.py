"""The environment: what the assistant's tools do to orders and subscriptions.

A caller creates one `Environment` a conversation, executes the assistant's tool calls in it and reads `state()` at
the end. The rules of the handbook that protect money or promises (refund window and limit, delivery days, length of a
pause) are enforced here, so that no assistant can talk its way around them.
"""

import copy
import json
from collections.abc import Callable
from datetime import date
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from examples.support import world

REFUND_DAYS = 14
REFUND_LIMIT_USD = 40.0
CREDIT_LIMIT_USD = 20.0
NOTICE_DAYS = 2
MOVE_DAYS = 7
PAUSES_A_YEAR = 2

OrderId = Field(pattern=r"^PL-[0-9]{4}$", description="Order number, for example PL-1042.")
SubscriptionId = Field(pattern=r"^SUB-[0-9]{4}$", description="Subscription number, for example SUB-2042.")


class Arguments(BaseModel):
    """Arguments of one tool: closed to unknown names."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class LookUpOrder(Arguments):
    """Read an order: status, delivery date and window, meals with prices, subscription number."""

    order_id: str = OrderId


class ChangeDelivery(Arguments):
    """Move an order to another delivery day, another window, or both."""

    order_id: str = OrderId
    delivery_date: date | None = Field(default=None, description="New day, ISO 8601; leave out to keep the day.")
    window: Literal["morning", "afternoon", "evening"] | None = Field(default=None, description="Leave out to keep it.")


class IssueRefund(Arguments):
    """Refund part or all of a delivered order to its payment method; up to $40 within 14 days of delivery."""

    order_id: str = OrderId
    amount_usd: float = Field(gt=0, le=10_000)
    reason: str = Field(min_length=1, max_length=500)


class PauseSubscription(Arguments):
    """Pause a subscription for 1 to 12 weeks, starting with the next box that is not charged yet."""

    subscription_id: str = SubscriptionId
    weeks: int = Field(ge=1, le=12)


class ApplyCredit(Arguments):
    """Add up to $20 of credit to a subscription."""

    subscription_id: str = SubscriptionId
    amount_usd: float = Field(gt=0, le=CREDIT_LIMIT_USD)
    reason: str = Field(min_length=1, max_length=500)


class Escalate(Arguments):
    """Hand the conversation over to a person."""

    reason: Literal["safety", "legal", "fraud", "distress", "refund-limit", "person-requested"]
    summary: str = Field(min_length=1, max_length=2000)


class RuleError(Exception):
    """A rule of the handbook forbids the call; `code` is for programs, the text for people."""

    def __init__(self, code: str, text: str) -> None:
        """Keep the closed word beside the sentence."""
        super().__init__(text)
        self.code = code


class Environment:
    """Orders, subscriptions and hand-overs of one conversation; a new one starts from the same state."""

    def __init__(self) -> None:
        """Start from the world as it is on `today`."""
        self.today = world.TODAY
        self._orders = world.orders()
        self._subscriptions = world.subscriptions()
        self._escalations: list[dict[str, str]] = []
        self._actions: dict[str, tuple[type[Arguments], Callable[[Any], dict[str, Any]]]] = {
            "look_up_order": (LookUpOrder, self._look_up_order),
            "change_delivery": (ChangeDelivery, self._change_delivery),
            "issue_refund": (IssueRefund, self._issue_refund),
            "pause_subscription": (PauseSubscription, self._pause_subscription),
            "apply_credit": (ApplyCredit, self._apply_credit),
            "escalate": (Escalate, self._escalate),
        }

    @property
    def tools(self) -> list[dict[str, Any]]:
        """The tools in OpenAI's format, one `{"type": "function", "function": {...}}` each."""
        return [_tool(name, arguments) for name, (arguments, _) in self._actions.items()]

    def state(self) -> dict[str, Any]:
        """Return a copy of everything that a tool can change, keyed by order and subscription number."""
        return copy.deepcopy(
            {"orders": self._orders, "subscriptions": self._subscriptions, "escalations": self._escalations}
        )

    def call(self, name: str, arguments: str) -> str:
        """Execute one tool call; JSON text in, JSON text out.

        Never raises: an unknown tool, unreadable arguments and a broken rule come back as
        `{"error": {"code": ..., "message": ...}}`, as a model would have to see them.
        """
        if name not in self._actions:
            return _error("unknown_tool", f"there is no tool {name[:60]!r}; the tools are {', '.join(self._actions)}")
        model, action = self._actions[name]
        try:
            return json.dumps(action(model.model_validate_json(arguments)))
        except RuleError as error:
            return _error(error.code, str(error))
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(str(part) for part in first["loc"]) or "arguments"
            return _error("bad_arguments", f"{name}: {where}: {first['msg']}; see the tool's parameters")
        except ValueError:
            return _error("bad_arguments", f"{name}: the arguments are not readable text; send a JSON object")

    def _look_up_order(self, ask: LookUpOrder) -> dict[str, Any]:
        return copy.deepcopy(self._order(ask.order_id))

    def _change_delivery(self, ask: ChangeDelivery) -> dict[str, Any]:
        order = self._order(ask.order_id)
        planned = date.fromisoformat(order["delivery_date"])
        if order["status"] not in {"scheduled", "packed"}:
            raise RuleError("not_open", f"{ask.order_id} is {order['status']}; only a box still to come can be moved")
        if (planned - self.today).days < NOTICE_DAYS:
            raise RuleError("too_late", f"{ask.order_id} comes on {planned}; changes close at 6 pm two days before")
        if ask.delivery_date is None and ask.window is None:
            raise RuleError("nothing_to_change", "name a delivery_date, a window, or both")
        self._check_day(ask.delivery_date or planned, planned)
        order["delivery_date"] = (ask.delivery_date or planned).isoformat()
        order["window"] = ask.window or order["window"]
        return copy.deepcopy(order)

    def _check_day(self, day: date, planned: date) -> None:
        if day.weekday() not in world.DELIVERY_WEEKDAYS:
            raise RuleError("no_delivery_day", f"{day} is a {day:%A}; boxes are delivered from Tuesday to Saturday")
        if (day - self.today).days < NOTICE_DAYS:
            raise RuleError("too_soon", f"{day} is too soon; the earliest day is two days from {self.today}")
        if (day - planned).days > MOVE_DAYS:
            raise RuleError("too_far", f"{day} is more than {MOVE_DAYS} days after the planned {planned}")

    def _issue_refund(self, ask: IssueRefund) -> dict[str, Any]:
        order = self._order(ask.order_id)
        if order["status"] not in {"delivered", "delayed"}:
            raise RuleError(
                "not_refundable", f"{ask.order_id} is {order['status']}; only delivered or lost boxes qualify"
            )
        days = (self.today - date.fromisoformat(order["delivery_date"])).days
        if days > REFUND_DAYS:
            raise RuleError(
                "too_late", f"{ask.order_id} was delivered {days} days ago; the limit is {REFUND_DAYS} days"
            )
        if order["refunded_usd"] + ask.amount_usd > order["total_usd"]:
            raise RuleError("too_much", f"{ask.order_id} cost ${order['total_usd']:.2f}; no more than that can go back")
        if order["refunded_usd"] + ask.amount_usd > REFUND_LIMIT_USD:
            raise RuleError(
                "needs_person", f"refunds above ${REFUND_LIMIT_USD:.0f} are decided by a payments specialist"
            )
        order["refunded_usd"] = round(order["refunded_usd"] + ask.amount_usd, 2)
        return {"order_id": ask.order_id, "refunded_usd": order["refunded_usd"], "business_days": "3 to 5"}

    def _pause_subscription(self, ask: PauseSubscription) -> dict[str, Any]:
        subscription = self._subscription(ask.subscription_id)
        if subscription["status"] != "active":
            raise RuleError(
                "not_active", f"{ask.subscription_id} is {subscription['status']}; only an active one can be paused"
            )
        if subscription["pauses_this_year"] >= PAUSES_A_YEAR:
            raise RuleError(
                "too_many_pauses", f"{ask.subscription_id} was paused {PAUSES_A_YEAR} times this year already"
            )
        subscription["status"] = "paused"
        subscription["pause_weeks"] = ask.weeks
        subscription["pauses_this_year"] += 1
        return copy.deepcopy(subscription)

    def _apply_credit(self, ask: ApplyCredit) -> dict[str, Any]:
        subscription = self._subscription(ask.subscription_id)
        subscription["credit_usd"] = round(subscription["credit_usd"] + ask.amount_usd, 2)
        return copy.deepcopy(subscription)

    def _escalate(self, ask: Escalate) -> dict[str, Any]:
        self._escalations.append({"reason": ask.reason, "summary": ask.summary})
        return {
            "ticket": f"T-{len(self._escalations):03d}",
            "callback_hours": 2 if ask.reason == "person-requested" else 1,
        }

    def _order(self, order_id: str) -> dict[str, Any]:
        if order_id not in self._orders:
            raise RuleError("not_found", f"there is no order {order_id}; check the number in the confirmation e-mail")
        return self._orders[order_id]

    def _subscription(self, subscription_id: str) -> dict[str, Any]:
        if subscription_id not in self._subscriptions:
            raise RuleError("not_found", f"there is no subscription {subscription_id}; check the number in the account")
        return self._subscriptions[subscription_id]


def _tool(name: str, arguments: type[Arguments]) -> dict[str, Any]:
    schema = arguments.model_json_schema()
    schema.pop("title", None)
    description = schema.pop("description")
    return {"type": "function", "function": {"name": name, "description": description, "parameters": schema}}


def _error(code: str, message: str) -> str:
    return json.dumps({"error": {"code": code, "message": message}})
