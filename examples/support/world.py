"""The world that the sample product works in: 40 orders, 40 subscriptions and a day on which it is always today.

Everything follows from an order's position in the list, so the world is the same in every process and can be read off:
the last digit of an order number decides its delivery date (see `OFFSETS`).
"""

from datetime import date, timedelta
from typing import Any

TODAY = date(2026, 11, 2)
"""A Monday; nothing in the sample product asks the clock."""

DELIVERY_WEEKDAYS = frozenset({1, 2, 3, 4, 5})
"""Tuesday to Saturday, as `date.weekday()` counts them."""

WINDOWS = {"morning": "8 am to 12 pm", "afternoon": "12 pm to 4 pm", "evening": "4 pm to 8 pm"}

SHIPPING_USD = 8.95

MEALS = {
    "Lemon Herb Chicken": 23.80,
    "Peanut Satay Noodles": 21.80,
    "Beef Bulgogi Bowl": 24.80,
    "Chickpea Coconut Curry": 19.80,
    "Salmon with Dill Potatoes": 26.80,
    "Mushroom Risotto": 20.80,
    "Turkey Chili": 22.80,
    "Shrimp Tacos": 25.80,
    "Black Bean Enchiladas": 19.80,
    "Miso Tofu Stir-Fry": 20.80,
    "Pork Carnitas": 23.80,
    "Spinach Ricotta Ravioli": 21.80,
}
"""Price of each meal for two people, in US dollars."""

CUSTOMERS = (
    "Amara",
    "Ben",
    "Chloe",
    "Dmitri",
    "Elena",
    "Farid",
    "Grace",
    "Hugo",
    "Imani",
    "Jonas",
    "Keiko",
    "Luis",
    "Mira",
)

OFFSETS = (-12, -3, 2, -10, 4, -5, 1, -17, 8, -2)
"""Days from today to the delivery, by the last digit of the order number."""

STATUSES = {"PL-1014": "cancelled", "PL-1025": "refunded", "PL-1029": "delayed", "PL-1039": "delayed"}
"""Orders whose status does not follow from their date."""


def orders() -> dict[str, dict[str, Any]]:
    """Return the orders PL-1001 to PL-1040, by number; dates are ISO 8601, amounts US dollars."""
    return {f"PL-{number}": _order(number) for number in range(1001, 1041)}


def subscriptions() -> dict[str, dict[str, Any]]:
    """Return the subscriptions SUB-2001 to SUB-2040, by number; order PL-1007 belongs to SUB-2007."""
    return {f"SUB-{number + 1000}": _subscription(number) for number in range(1001, 1041)}


def _order(number: int) -> dict[str, Any]:
    order_id, days, names = f"PL-{number}", OFFSETS[number % 10], list(MEALS)
    picks = [names[(number * 5 + step) % len(names)] for step in (0, 1, 4)]
    items = [{"name": name, "price_usd": MEALS[name]} for name in picks]
    total = round(sum(MEALS[name] for name in picks) + SHIPPING_USD, 2)
    status = STATUSES.get(order_id, "delivered" if days < 0 else "packed" if days < 2 else "scheduled")  # noqa: PLR2004
    return {
        "order_id": order_id,
        "subscription_id": f"SUB-{number + 1000}",
        "customer": CUSTOMERS[number % len(CUSTOMERS)],
        "status": status,
        "delivery_date": (TODAY + timedelta(days=days)).isoformat(),
        "window": list(WINDOWS)[number % len(WINDOWS)],
        "items": items,
        "total_usd": total,
        "refunded_usd": total if status == "refunded" else 0.0,
    }


def _subscription(number: int) -> dict[str, Any]:
    status = {7: "paused", 11: "cancelled"}.get(number % 13, "active")
    return {
        "subscription_id": f"SUB-{number + 1000}",
        "customer": CUSTOMERS[number % len(CUSTOMERS)],
        "status": status,
        "pause_weeks": 3 if status == "paused" else 0,
        "pauses_this_year": 1 if status == "paused" else number % 3,
        "credit_usd": float(number % 4 * 5),
    }
