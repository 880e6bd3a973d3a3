"""Sides of one comparison, loaded in turn: what a request costs each, beside the first of them."""

import dataclasses
import statistics
from collections.abc import Callable

import procs
from memory import say
from servers import Server


@dataclasses.dataclass(frozen=True)
class Side:
    name: str
    server: Server  # whose time counts
    load: Callable  # of so many seconds: wrk's figures


def head(title, column, base):
    return [title, column, "CPU µs/req, median", "lowest–highest", "req/s", f"× {base}", "bar"]


def rows(bench, what, sides, bar, slice_s=1):
    """The rows under head(). The bar is for all but the first side, which is the base."""
    rounds = {side.name: [] for side in sides}  # (µs a request, requests/s)
    for turn in range(bench.arguments.rounds):
        for side, figures in zip(sides, _round(bench.arguments, sides, slice_s)):
            rounds[side.name].append(figures)
            say(f"  round {turn + 1} {side.name:6} {figures[0]:.2f} µs/request")
    costs = {name: [cost for cost, _ in found] for name, found in rounds.items()}
    base = statistics.median(costs[sides[0].name])
    cells = []
    for side in sides:
        cost = costs[side.name]
        median = statistics.median(cost)
        rate = statistics.median(rate for _, rate in rounds[side.name])
        cells.append([what, side.name, f"{median:.2f}", f"{min(cost):.2f}–{max(cost):.2f}",
                      f"{rate:,.0f}", f"{median / base:.2f}",
                      "" if side is sides[0] else f"{bar}"])
    return cells


def _round(arguments, sides, slice_s):
    """Of each side: µs a request, requests/s. In slices, so that what else happens on the machine
    meets all of them alike."""
    if arguments.warmup:
        for side in sides:
            side.load(arguments.warmup)
    totals = [[0, 0, 0] for _ in sides]  # µs, requests, seconds
    for _ in range(-(-arguments.duration // slice_s)):
        for side, total in zip(sides, totals):
            before = procs.cpu_us(side.server.pids())
            result = side.load(slice_s)
            total[0] += procs.cpu_between(before, procs.cpu_us(side.server.pids()))
            total[1] += result["requests"]
            total[2] += result["seconds"]
    return [(used / requests, requests / seconds) for used, requests, seconds in totals]
