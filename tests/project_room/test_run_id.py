"""The identity of a run: one id a run, in the order in which runs began."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.project.run_id import being, current, new_run, run_id

MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
CHANCE = st.binary(min_size=10, max_size=10)


def test_worked_example() -> None:
    """RFC 9562, A.6: 2022-02-22T19:22:22Z with rand_a CC3 and rand_b 18C4DC0C0C07398F is 017f22e2-79b0-...-398f."""
    chance = (0xCC3 << 62 | 0x18C4DC0C0C07398F).to_bytes(10)
    assert run_id(datetime(2022, 2, 22, 19, 22, 22, tzinfo=UTC), chance) == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"


@given(MOMENTS, CHANCE, CHANCE)
def test_ids_sort_as_runs_began(began: datetime, first: bytes, second: bytes) -> None:
    """A run that begins a millisecond later has the greater id, whatever chance says; each is a UUID of version 7."""
    before, after = run_id(began, first), run_id(began + timedelta(milliseconds=1), second)
    assert before < after
    assert (UUID(before).version, UUID(after).variant) == (7, "specified in RFC 4122")


def test_chance_has_ten_bytes() -> None:
    """Less chance would make two ids alike, so it is refused."""
    with pytest.raises(ValueError, match="expected 10"):
        run_id(datetime(2026, 1, 1, tzinfo=UTC), b"short")


def test_one_run_is_on_at_a_time() -> None:
    """Inside the block the run is known, outside of it none is."""
    run = new_run(lambda: datetime(2026, 1, 1, tzinfo=UTC), bytes)
    with being(run):
        assert current() == run
    assert current() is None
