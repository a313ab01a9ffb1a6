"""What the README's figures come from: `python -m benchmarks [NAME ...] [--rounds N]`, all of them without a name.

`python -m benchmarks mutants --draw 150 --seed 1` says what the tests are worth; it is measured only when it is named.

Every figure is a median, measured beside a bare aiohttp loop and a script of the openai package in the same rounds, so
that it holds on any machine as a ratio. Names: speed, judging, slow, start, memory, cores, faults, limits, kills,
statistics, truth, gate, compare, desk, duplicates, nights.
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from benchmarks import measure
from benchmarks.measure import Cost, median

WAYS = ("aiohttp", "openai", "assay")
JUDGING_WAYS = ("openai-judging", "judging")
SIZES = (5_000, 10_000)
LATENCY_S, CONCURRENCY = 0.05, 64
SLOW_S, SLOW_CONCURRENCY, SLOW_SIZE = 1.0, 512, 5_000
LARGE, CORES_SIZE, SEED = 200_000, 120_000, 20
CALLS = 2
"""A case: one to the product, one to the judge."""

Figures = dict[str, Any]


def speed(rounds: int) -> Figures:
    """Wall, CPU and memory at two sizes, the CPU of one more call, and what an unchanged run costs."""
    found = {count: rounds_of(count, LATENCY_S, CONCURRENCY, rounds) for count in SIZES}
    small, large = (found[count] for count in SIZES)
    more = CALLS * (SIZES[1] - SIZES[0])
    marginal = {way: round((large[way].cpu_s - small[way].cpu_s) / more * 1000, 3) for way in WAYS}
    return {
        "sizes": {count: shown(count, LATENCY_S, CONCURRENCY, costs) for count, costs in found.items()},
        "cpu_ms_of_one_more_call": marginal,
        "cpu_ratio_to_openai_script": round(marginal["assay"] / marginal["openai"], 3),
    }


def judging(rounds: int) -> Figures:
    """CPU of one more judged call, with a reason and log-probabilities, beside a script that asks the same."""
    found: dict[str, dict[int, list[Cost]]] = {way: {count: [] for count in SIZES} for way in JUDGING_WAYS}
    for _ in range(rounds):
        for count in SIZES:
            with (
                measure.serving(LATENCY_S) as served,
                measure.project(served.url, count, CONCURRENCY, "answered") as folder,
            ):
                for way in JUDGING_WAYS:
                    found[way][count].append(measure.run(way, served.url, count, CONCURRENCY, folder))
    small, large = SIZES
    costs = {way: {count: median(found[way][count]) for count in SIZES} for way in JUDGING_WAYS}
    one_more = {way: (of[large].cpu_s - of[small].cpu_s) / (large - small) * 1000 for way, of in costs.items()}
    return {
        "sizes": {way: {count: cost._asdict() for count, cost in of.items()} for way, of in costs.items()},
        "cpu_ms_of_one_more_judged_call": {way: round(cost, 3) for way, cost in one_more.items()},
        "cpu_ratio_to_openai_script": round(one_more["judging"] / one_more["openai-judging"], 3),
    }


def slow(rounds: int) -> Figures:
    """The same at a model's latency and 512 at once."""
    return shown(SLOW_SIZE, SLOW_S, SLOW_CONCURRENCY, rounds_of(SLOW_SIZE, SLOW_S, SLOW_CONCURRENCY, rounds))


def start(rounds: int) -> Figures:
    """Seconds from the start of the process to its first call."""
    found = []
    for _ in range(rounds):
        with measure.serving(LATENCY_S) as served, measure.project(served.url, 64, CONCURRENCY) as folder:
            began = time.monotonic()
            measure.run("assay", served.url, 64, CONCURRENCY, folder)
            found.append(Cost(served.first_request() - began, 0, 0))
    return {"process_start_to_first_call_s": median(found).wall_s}


def memory(_: int) -> Figures:
    """Peak memory of a large set, once, with an endpoint that answers at once."""
    with measure.serving(0) as served, measure.project(served.url, LARGE, CONCURRENCY) as folder:
        cost = measure.run("assay", served.url, LARGE, CONCURRENCY, folder)
    return {"cases": LARGE, **cost._asdict()}


def cores(rounds: int) -> Figures:
    """Execute against an endpoint that answers at once, from one process and from two."""
    found: dict[str, list[Cost]] = {"threads": [], "processes": []}
    with measure.prefect() as api:
        for _ in range(rounds):
            for way, costs in found.items():
                with measure.serving(0) as served, measure.project(served.url, CORES_SIZE, CONCURRENCY) as folder:
                    costs.append(measure.run(way, served.url, CORES_SIZE, CONCURRENCY, folder, PREFECT_API_URL=api))
    medians = {way: median(costs) for way, costs in found.items()}
    busy = {way: round(cost.cpu_s / cost.wall_s, 2) for way, cost in medians.items()}
    return {"cases": CORES_SIZE, **{way: cost._asdict() for way, cost in medians.items()}, "cores_busy": busy}


def faults(_: int) -> Figures:
    """A run under every fault beside an undisturbed one."""
    from benchmarks import faults as module

    return module.measure()


def limits(_: int) -> list[Figures]:
    """A thousand cases against limits and outages that nobody declared, once each: half an hour in all."""
    from benchmarks import limits as module

    return module.measure()


def kills(_: int) -> Figures:
    """Twenty kills of one run of 2,000 cases."""
    from benchmarks.kills import sweep

    with tempfile.TemporaryDirectory() as folder:
        found = sweep(Path(folder), cases=2000, kills=20, latency_s=LATENCY_S, concurrency=CONCURRENCY, seed=SEED)
    return {name: figure for name, figure in found.items() if name != "kills"}


def statistics(rounds: int) -> Figures:
    """Seconds that the estimators and bootstraps of the largest sets take."""
    from benchmarks import statistics as module

    return module.measure(rounds)


def truth(_: int) -> list[Figures]:
    """How often published intervals hold the truth over labelling rounds, changed products and judges that flip."""
    from benchmarks import truth as module

    return module.measure()


def gate(_: int) -> list[Figures]:
    """How often the gate's word is false, and how soon it names a drop, over months of nights."""
    from benchmarks import gate as module

    return module.measure()


def compare(_: int) -> list[Figures]:
    """How often a version is called worse or better than itself, and how often a drop in a category is named."""
    from benchmarks import compare as module

    return module.measure()


def duplicates(_: int) -> Figures:
    """How well repetitions are found, and what a search costs."""
    from benchmarks import duplicates as module

    return module.measure()


def nights(_: int) -> Figures:
    """Ninety nights of a live product: what the project grows to, and how long a night takes."""
    from benchmarks import nights as module

    return module.measure()


def desk(_: int) -> Figures:
    """Twenty reviewers decide on 250 candidates each at a desk that is killed twice meanwhile."""
    from benchmarks import desk as module

    with tempfile.TemporaryDirectory() as folder:
        return module.run(Path(folder), reviewers=20, candidates=250, kills=2)


def mutants(draw: int, seed: int) -> Figures:
    """How many small mutants of gate, admission, calibration, report, judges and desk die under the tests."""
    from benchmarks import mutants as module

    return module.measure(draw, seed)


def rounds_of(count: int, latency_s: float, concurrency: int, rounds: int) -> dict[str, Cost]:
    """Return the median cost of every way, taken in turn; `again` is a second run of `assay` on what it has."""
    costs: dict[str, list[Cost]] = {way: [] for way in (*WAYS, "again")}
    for _ in range(rounds):
        with measure.serving(latency_s) as served, measure.project(served.url, count, concurrency) as folder:
            for way in (*WAYS, "again"):
                named = "assay" if way == "again" else way
                costs[way].append(measure.run(named, served.url, count, concurrency, folder))
    return {way: median(found) for way, found in costs.items()}


def shown(count: int, latency_s: float, concurrency: int, costs: dict[str, Cost]) -> Figures:
    """Return costs beside what is physically possible."""
    ideal_s = CALLS * count * latency_s / concurrency
    ways = {way: cost._asdict() | {"times_ideal": round(cost.wall_s / ideal_s, 2)} for way, cost in costs.items()}
    return {"cases": count, "ideal_s": ideal_s, "bar_s": round(1.1 * ideal_s + 3, 2), **ways}


FIGURES: dict[str, Callable[[int], Figures | list[Figures]]] = {
    "speed": speed,
    "judging": judging,
    "slow": slow,
    "start": start,
    "memory": memory,
    "cores": cores,
    "faults": faults,
    "limits": limits,
    "kills": kills,
    "statistics": statistics,
    "truth": truth,
    "gate": gate,
    "compare": compare,
    "desk": desk,
    "duplicates": duplicates,
    "nights": nights,
}


@click.command()
@click.argument("names", nargs=-1, type=click.Choice([*FIGURES, "mutants"]))
@click.option("--rounds", type=click.IntRange(1, 99), default=5, show_default=True, help="Medians of so many.")
@click.option("--draw", type=click.IntRange(1), default=150, show_default=True, help="So many mutants.")
@click.option("--seed", default=1, show_default=True, help="Of the draw of mutants.")
def main(names: tuple[str, ...], rounds: int, draw: int, seed: int) -> None:
    """Measure, and print the figures as JSON."""
    for name in names or FIGURES:
        figures = mutants(draw, seed) if name == "mutants" else FIGURES[name](rounds)
        print(json.dumps({name: figures}, indent=2), flush=True)


if __name__ == "__main__":
    sys.exit(main())
