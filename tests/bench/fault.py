"""What clients notice of a Redis server that hangs, and of one that dies: an open loop of requests
for objects of which a tenth fits in memory, while it is away for some seconds and comes back."""

import bisect
import contextlib
import os
import re
import signal
import socket
import statistics
import subprocess
import threading
import time

import fleet
import redis
from memory import say
from servers import Server, ServerError, get, start_redis

RATE = 5_000         # requests/s
CONNECTIONS = 512    # enough of them, as long as an answer takes less than 100 ms
OBJECTS = 20_000     # of 1 KiB
IN_MEMORY = "3MiB"   # a tenth of them
PREFIX = "/obj/1024"
SECONDS, DOWN_S, UP_S = 12, 3, 7
LOOK_S = 0.02
ADDED_BAR_MS, OPEN_BAR_S, BACK_BAR_S = 100, 1, 5
_FIGURE = re.compile(r'^weir_backend_(\w+)\{backend="(\w+)"\} (\S+)$', re.MULTILINE)


def _figures(weir):
    """(figure, backend) -> value, as the admin address tells."""
    status, text = get(weir.admin, "/metrics")
    if status != 200:
        raise ServerError(f"GET /metrics: {status}")
    return {(name, backend): float(value)
            for name, backend, value in _FIGURE.findall(text.decode())}


class _Watch(threading.Thread):
    """Looks at the breaker and the hits from Redis until it is told to end."""

    def __init__(self, weir):
        super().__init__()
        self.weir = weir
        self.ended = threading.Event()
        self.seen = []  # (when, whether the breaker is open, hits from Redis)
        self.error = None

    def run(self):
        try:
            while not self.ended.wait(LOOK_S):
                found = _figures(self.weir)
                self.seen.append((time.monotonic(), found["breaker_open", "redis"] > 0,
                                  found["hits_total", "redis"]))
        except (OSError, ServerError, KeyError) as error:
            self.error = error

    def end(self):
        self.ended.set()
        self.join()

    def opened_after(self, down):
        return next((when - down for when, is_open, _ in self.seen if when > down and is_open),
                    None)

    def hits_until(self, when):
        return self.seen[bisect.bisect(self.seen, (when,)) - 1][2]

    def hits_after(self, up):
        before = self.hits_until(up)
        return next((when - up for when, _, hits in self.seen if when > up and hits > before),
                    None)


def _hold_port(bench):
    """A port for a server that is away for a while: nobody else gets it."""
    held = socket.socket()
    bench.stack.callback(held.close)
    held.bind(("127.0.0.1", 0))
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return held.getsockname()[1]


@contextlib.contextmanager
def _pacing(bench, weir):
    """The load, and what it prints; ended with the block."""
    with open(weir.run / "pacer.txt", "w+b") as output:
        program = bench.arguments.build / "tests/bench/bench_pacer"
        terms = (weir.port, RATE, SECONDS, CONNECTIONS, PREFIX, OBJECTS)
        pacer = subprocess.Popen(["taskset", "-c", str(bench.load_cpu), program,
                                  *map(str, terms)], stdout=output)
        try:
            yield pacer, output
        finally:
            if pacer.poll() is None:
                pacer.kill()
            pacer.wait()


def _outcomes(pacer, output):
    """(when it was due in s, what it took in ms, whether it was answered) of each request."""
    if pacer.wait(SECONDS + 30) != 0:
        raise ServerError(f"bench_pacer ended with {pacer.returncode}")
    output.seek(0)
    lines = (line.split() for line in output.read().splitlines())
    return [(int(due) / 1e6, int(took) / 1e3, good == b"1") for due, took, good in lines]


def _signal(server, number):
    for pid in server.pids():
        os.kill(pid, number)


def _hang(server):
    _signal(server, signal.SIGSTOP)


def _wake(server):
    _signal(server, signal.SIGCONT)


def _kill(server):
    server.stop(signal.SIGKILL)


def _start_again(server):
    start_redis(server)
    server.wait_until_up()


def _load(bench, server, weir, go, come):
    """What clients and the watch saw, and when the server went and came back."""
    watch = _Watch(weir)
    pause = threading.Event()
    with contextlib.ExitStack() as stack:
        pacer, output = stack.enter_context(_pacing(bench, weir))
        began = time.monotonic()
        watch.start()
        stack.callback(watch.end)
        pause.wait(DOWN_S)
        down = time.monotonic()
        go(server)
        pause.wait(began + UP_S - time.monotonic())
        come(server)
        up = time.monotonic()
        outcomes = _outcomes(pacer, output)
    if watch.error:
        raise ServerError(f"the admin address failed: {watch.error!r}")
    return outcomes, watch, down, up


def _highest(took, of=1000):
    """What one in so many exceeds."""
    return sorted(took)[-(len(took) // of) - 1]


def _shown(seconds):
    return "never" if seconds is None else f"{seconds:.2f}"


def _measure(bench, label, go, come):
    server = Server("redis", bench.run_dir / f"fault-{label}", bench.load_cpu,
                    port=_hold_port(bench))
    bench.stack.callback(server.stop)
    start_redis(server)
    server.wait_until_up()
    weir = fleet.start(bench, "fault-weir", label, server, IN_MEMORY)
    redis.fill(bench, weir, PREFIX, OBJECTS)
    kept = _figures(weir)["objects", "ram"]
    try:
        outcomes, watch, down, up = _load(bench, server, weir, go, come)
    finally:
        _wake(server)  # one that hangs would not hear that it is to end
    took = {"before": [ms for due, ms, _ in outcomes if due < down],
            "away": [ms for due, ms, _ in outcomes if down <= due < up],
            "back": [ms for due, ms, _ in outcomes if due >= up]}
    usual = statistics.median(took["before"])
    rate = len(took["before"]) / (down - min(due for due, _, _ in outcomes))
    hits = [watch.hits_until(when) - watch.hits_until(when - 1)
            for when in (down, max(due for due, _, _ in outcomes))]
    say(f"  {label}: {len(outcomes)} requests, worst {max(ms for _, ms, _ in outcomes):.1f} ms")
    weir.stop()
    server.stop()
    return [["objects in memory, in all", f"{kept:,.0f}, {OBJECTS:,}", ""],
            ["requests/s", f"{rate:,.0f}", f"{RATE:,}"],
            ["errors to clients", f"{sum(not good for _, _, good in outcomes)}", "0"],
            ["ms before: median, p99.9", f"{usual:.2f}, {_highest(took['before']):.2f}", ""],
            ["p99.9 added while it is away, ms", f"{_highest(took['away']) - usual:.1f}",
             f"{ADDED_BAR_MS}"],
            ["p99.9 added when it is back, ms", f"{_highest(took['back']) - usual:.1f}",
             f"{ADDED_BAR_MS}"],
            ["longest wait, ms", f"{max(ms for _, ms, _ in outcomes):.1f}", ""],
            ["s until the breaker is open", _shown(watch.opened_after(down)), f"{OPEN_BAR_S}"],
            ["s until hits from Redis are back", _shown(watch.hits_after(up)), f"{BACK_BAR_S}"],
            ["hits/s from Redis, before and in the last second",
             ", ".join(f"{count:,.0f}" for count in hits), ""]]


def faults(bench):
    cells = [["Redis fails", "what", "figure", "bar"]]
    for name, go, come in [("SIGSTOP", _hang, _wake), ("SIGKILL", _kill, _start_again)]:
        with bench.reporting("weir", f"redisfault, {name}"):
            cells += [[name, *line] for line in _measure(bench, name, go, come)]
    return cells
