#!/usr/bin/env python3
"""Weir beside nginx, HAProxy, Varnish and a bare floor, one core each, the load on another core.

What is measured and how to read it: docs/BENCHMARK.md. Usually run by `make bench`.
"""

import argparse
import contextlib
import dataclasses
import os
import shutil
import signal
import statistics
import sys
import tempfile
import threading
from pathlib import Path

import control
import disk
import fault
import fleet
import memory
import procs
import redis
import report
import syscalls
import wrk
from servers import STARTERS, Server, ServerError, get, start_origin

SPREAD_URLS = 100_000
# So little that a segment of Weir's is full soon.
DISK_MIB, OTHERS = 128, 16
LOG_SETTLE_S = 60  # a log may be written behind the answers


@dataclasses.dataclass(frozen=True)
class Case:
    name: str
    title: str
    size: int
    path: str
    spread: bool = False
    log: bool = False
    hit: bool = True
    validator: str = ""  # what the client holds already: the answer must be 304
    without: tuple[str, ...] = ()  # servers that cannot be measured here
    disk: bool = False  # stored in files, on a disk; all of them in the page cache
    slice_s: int = 1  # of load, before another server has its turn


CASES = {case.name: case for case in [
    Case("1k", "1 KiB hit", 1 << 10, "/obj/1024/0"),
    Case("16k", "16 KiB hit", 16 << 10, "/obj/16384/0"),
    Case("1m", "1 MiB hit", 1 << 20, "/obj/1048576/0"),
    Case("spread", f"1 KiB hit, {SPREAD_URLS:,} URLs", 1 << 10, "/obj/1024/1", spread=True),
    Case("log", "1 KiB hit, access log on", 1 << 10, "/obj/1024/0", log=True),
    # wrk waits for the body that HAProxy's 304 tells the length of; the floor knows one answer.
    Case("304", "304 for a 1 KiB object", 1 << 10, "/obj/1024/0", validator='"1024/0"',
         without=("floor", "haproxy")),
    Case("disk16k", "16 KiB hit from disk", 16 << 10, "/obj/16384/0", disk=True,
         without=("floor", "haproxy")),
    # In a second a new connection carries 17 of them, most of that while TCP still finds its pace.
    Case("disk1m", "1 MiB hit from disk", 1 << 20, "/obj/1048576/0", disk=True,
         without=("floor", "haproxy"), slice_s=4),
    Case("pass", "1 KiB pass-through", 1 << 10, "/private", hit=False, without=("floor",)),
]}

# Cases of their own kind; what they return is a table. churn takes ten minutes: only when asked.
TABLES = {"memory": memory.measure, "churn": memory.churn, "million": disk.million,
          "beside": disk.beside, "amplification": disk.amplification,
          "value": control.value, "operations": control.operations, "redis": redis.hits,
          "redis16k": redis.hits_16k, "redis1m": redis.hits_1m, "fleetpurge": fleet.purges,
          "redisfault": fault.faults}
DEFAULT_CASES = [*CASES, "memory"]


@dataclasses.dataclass
class Sample:
    cpu_us: float  # per request
    rate: float    # requests/s
    p99_ms: float
    resident: int  # bytes


class Bench:
    def __init__(self, arguments, stack):
        self.arguments = arguments
        self.stack = stack
        self.server_cpu, self.load_cpu = pick_cpus()
        self.run_dir = make_run_dir(arguments.build, stack)
        self.disk_dir = make_disk_dir(arguments.build, stack)
        self.origin = start_origin(arguments.build, self.run_dir / "origin", self.load_cpu)
        stack.callback(self.origin.stop)
        self.origin.wait_until_up()
        self.running = {}   # (name, size or 0, log) -> Server
        self.samples = {}   # (case name, server name) -> [Sample]
        self.failures = []  # lines

    def origin_count(self):
        return int(get(self.origin.port, "/count")[1])

    def server(self, name, case):
        """The instance of `name` that serves `case`; started when first asked for, then kept."""
        is_floor = name == "floor"
        key = (name, case.size if is_floor else 0, case.log and not is_floor, case.disk)
        if key not in self.running:
            label = "-".join(str(part) for part in key if part)
            server = Server(name, (self.disk_dir if case.disk else self.run_dir) / label,
                            self.server_cpu)
            server.on_disk = case.disk
            if case.disk:
                server.storage_mib = DISK_MIB
            self.stack.callback(server.stop)
            STARTERS[name](server, self.arguments.build, self.origin.port, case.size, key[2])
            server.wait_until_up()
            self.running[key] = server
        return self.running[key]

    def load(self, server, case, seconds):
        """wrk's figures; refuses a run in which hits were not hits, or passes not passed."""
        mode = ("spread", SPREAD_URLS, "/obj/1024") if case.spread else ("one",)
        before = self.origin_count()
        fields = [f"If-None-Match: {case.validator}"] if case.validator else []
        result = wrk.load(self.load_cpu, server.url + case.path, seconds, *mode, fields=fields)
        fetched = self.origin_count() - before
        requests = result["requests"]
        # HAProxy's cache keeps one of two objects whose 32-bit hashes agree: a few among 100,000.
        allowed = requests // 1000 if case.spread else 0
        if case.hit and fetched > allowed:
            raise ServerError(f"{fetched} of {requests} requests were no hits")
        if not case.hit and fetched < requests:
            raise ServerError(f"only {fetched} of {requests} requests reached the origin")
        if case.validator and result["bytes"] >= requests * case.size:
            raise ServerError(f"{result['bytes']} bytes for {requests} answers were no 304s")
        return result

    def warm(self, server, case):
        status, body = get(server.port, case.path)
        if status != 200 or len(body) != case.size:
            raise ServerError(f"GET {case.path}: status {status}, {len(body)} bytes")
        if server.name == "floor":
            return
        if case.disk:
            # Others behind it, so that it lies among what nothing is written to any more.
            for number in range(1, OTHERS + 1):
                get(server.port, f"/obj/{case.size}/{number}")
        if case.spread:
            wrk.fill(self.load_cpu, server.url, SPREAD_URLS, "/obj/1024")
        self.logged_load(server, case, 1)

    def logged_load(self, server, case, seconds):
        """As load, then waits for every answer's line: writing it is the server's work too."""
        if server.log_file:
            os.truncate(server.log_file, 0)
        result = self.load(server, case, seconds)
        if server.log_file:
            await_log(server.log_file, result["requests"])
        return result

    def slice(self, server, case):
        """A slice of load; what it cost."""
        before = procs.cpu_us(server.pids())
        result = self.logged_load(server, case, case.slice_s)
        return procs.cpu_between(before, procs.cpu_us(server.pids())), result

    def round(self, servers, case):
        """A Sample of each: slices of a second or few in turn, so that what else happens on the
        machine meets all of them alike."""
        count = -(-self.arguments.duration // case.slice_s)
        slices = {name: [] for name in servers}
        for name, server in servers.items():
            with self.reporting(name, case):
                if self.arguments.warmup:
                    self.logged_load(server, case, self.arguments.warmup)
        for _ in range(count):
            for name, server in servers.items():
                with self.reporting(name, case):
                    slices[name].append(self.slice(server, case))
        for name, taken in slices.items():
            if len(taken) < count:
                continue  # it has failed
            requests = sum(result["requests"] for _, result in taken)
            yield name, Sample(sum(used for used, _ in taken) / requests,
                               requests / sum(result["seconds"] for _, result in taken),
                               statistics.median(result["p99_ms"] for _, result in taken),
                               procs.resident_bytes(servers[name].pids()))

    def run_case(self, case):
        names = [n for n in self.arguments.servers if n not in case.without]
        print(f"{case.title}: warming {', '.join(names)}", file=sys.stderr, flush=True)
        ready = {}
        for name in names:
            with self.reporting(name, case):
                server = self.server(name, case)
                self.warm(server, case)
                ready[name] = server
        for turn in range(1, self.arguments.rounds + 1):
            for name, sample in self.round(ready, case):
                self.samples.setdefault((case.name, name), []).append(sample)
                print(f"  round {turn} {name:8} {sample.cpu_us:9.2f} µs/request "
                      f"{sample.rate:9.0f}/s", file=sys.stderr, flush=True)

    @contextlib.contextmanager
    def reporting(self, name, case):
        """One server's failure is told and remembered; the others go on."""
        try:
            yield
        except (ServerError, wrk.LoadError, OSError) as error:
            what = case.title if isinstance(case, Case) else case
            line = f"{name}, {what}: {error}"
            self.failures.append(line)
            print(f"  FAILED {line}", file=sys.stderr, flush=True)

    def rows(self):
        """(case title, server, medians, lowest and highest CPU figure) in the order asked for."""
        for name in filter(CASES.get, self.arguments.cases):
            for server in self.arguments.servers:
                samples = self.samples.get((name, server))
                if samples:
                    median = Sample(*(statistics.median(getattr(s, field.name) for s in samples)
                                      for field in dataclasses.fields(Sample)))
                    cpu = [s.cpu_us for s in samples]
                    yield report.Row(CASES[name].title, server, median, min(cpu), max(cpu))


def await_log(path, lines):
    """Until every answer has its line."""
    pause = threading.Event()
    for _ in range(LOG_SETTLE_S * 10):
        with open(path, "rb") as log:
            found = sum(block.count(b"\n") for block in iter(lambda: log.read(1 << 20), b""))
        if found >= lines:
            return
        pause.wait(0.1)
    raise ServerError(f"the access log has {found} lines for {lines} requests")


def pick_cpus():
    """One CPU for the server, one for the load: of different cores where the machine allows."""
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < 2:
        sys.exit("bench: two CPUs are needed, one for the server and one for the load")

    def core(cpu):
        path = Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list")
        return path.read_text() if path.exists() else str(cpu)

    others = [cpu for cpu in allowed[1:] if core(cpu) != core(allowed[0])]
    return allowed[0], (others or allowed[1:])[0]


def make_run_dir(build, stack):
    """A folder in memory for caches and logs, so that no disk is measured; removed at the end."""
    base = Path("/dev/shm")
    # Varnish compiles its configuration into a library there, so it must be allowed to load one.
    if (not base.is_dir() or shutil.disk_usage(base).free < 2 << 30
            or os.statvfs(base).f_flag & os.ST_NOEXEC):
        base = build / "bench"
        print(f"bench: /dev/shm is small or noexec, using {base}", file=sys.stderr)
        base.mkdir(parents=True, exist_ok=True)
    run_dir = Path(tempfile.mkdtemp(prefix="weir-bench-", dir=base))
    stack.callback(shutil.rmtree, run_dir, ignore_errors=True)
    return run_dir


def make_disk_dir(build, stack):
    """The same on the disk that the build lies on, for what is about files."""
    base = build / "bench"
    base.mkdir(parents=True, exist_ok=True)
    disk_dir = Path(tempfile.mkdtemp(prefix="disk-", dir=base))
    stack.callback(shutil.rmtree, disk_dir, ignore_errors=True)
    return disk_dir


def names(text, known, kind, default=None):
    chosen = text.replace(",", " ").split() or list(default or known)
    for name in chosen:
        if name not in known:
            sys.exit(f"bench: no such {kind}: {name} ({', '.join(known)})")
    return chosen


def parse_arguments():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--build", type=Path, default=Path("build"))
    options.add_argument("--duration", type=int, default=5, help="seconds of a round, each server")
    options.add_argument("--warmup", type=int, default=1, help="seconds before each of them")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--servers", default="", help=" ".join(STARTERS))
    options.add_argument("--cases", default="", help=" ".join([*CASES, *TABLES]))
    options.add_argument("--churn", type=int, default=600, help="seconds of the case churn")
    options.add_argument("--syscalls", action="store_true",
                         help="count system calls per 1 KiB hit instead")
    arguments = options.parse_args()
    arguments.build = arguments.build.resolve()
    arguments.servers = names(arguments.servers, STARTERS, "server")
    arguments.cases = names(arguments.cases, [*CASES, *TABLES], "case", DEFAULT_CASES)
    return arguments


def main():
    arguments = parse_arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with contextlib.ExitStack() as stack:
        try:
            bench = Bench(arguments, stack)
        except ServerError as error:
            sys.exit(f"bench: {error}")
        if arguments.syscalls:
            case = CASES["1k"]
            for name in arguments.servers:
                with bench.reporting(name, case):
                    server = bench.server(name, case)
                    bench.warm(server, case)
                    print(syscalls.per_request(
                        server, lambda: bench.load(server, case, arguments.duration)))
        else:
            tables = []
            for name in arguments.cases:
                if name in TABLES:
                    print(f"{name}: a table of its own", file=sys.stderr, flush=True)
                    tables.append(TABLES[name](bench))
                else:
                    bench.run_case(CASES[name])
            report.write(list(bench.rows()), tables, arguments,
                         (bench.server_cpu, bench.load_cpu))
    for line in bench.failures:
        print(f"bench: FAILED {line}", file=sys.stderr)
    sys.exit(1 if bench.failures else 0)


if __name__ == "__main__":
    main()
