"""The disk backend beyond the cost of a hit: room and memory of a million objects, a restart with
them, hits in memory while the disk is written, and how much is written for what is stored.

Each runs once, on instances of its own; what is about time is compared within its own run.
"""

import os
import signal
import statistics
import threading
import time

import memory
import procs
import wrk
from memory import ASKED, say
from servers import Server, ServerError, get, start_weir_with

BODY = memory.BODY
SPACE_BAR = 1.25   # of key, head and body
RSS_BAR_MIB = 64
SNAPSHOT_BAR_S, SCAN_BAR_S = 2, 10
WRITTEN_BODY = 64 << 10
WRITTEN_CONNECTIONS = 32
ASKED_MIB_S = 115  # of which 100 come: a connection waits for its answer, too
WRITTEN = {"ram": "{ type: ram, max_size: 1GiB }",
           "disk": "{ type: disk, cache_dir: cache, max_size: 1GiB }"}
P99_BAR = 1.5
FILL_MIB = 1024
AMPLIFICATION_BAR = 1.3
_MIB = 1 << 20


def _start(bench, label, config, **values):
    server = Server("weir", bench.disk_dir / label, bench.server_cpu)
    bench.stack.callback(server.stop)
    start_weir_with(server, bench.arguments.build, bench.origin.port, config, **values)
    server.wait_until_up()
    return server


def _folder_bytes(server):
    """What the segments take on the disk, and nothing else."""
    return sum(path.stat().st_blocks * 512 for path in (server.run / "cache").glob("*.seg"))


def _recovered(server, began):
    """Seconds until all that lies there is known again, as the log says, from `began` on."""
    pause = threading.Event()
    for _ in range(60_000):
        if "objects found: " in server.output():
            return time.monotonic() - began
        pause.wait(0.001)
    raise ServerError(f"weir has not found its objects:\n{server.output()}")


def _restart(bench, server, how, last):
    """Ends it, starts it again; seconds until everything is known, and how much is missing."""
    server.stop(signal.SIGTERM if how.startswith("SIGTERM") else signal.SIGKILL)
    for path in (server.run / "cache").glob("*.seg"):
        with open(path, "r+b") as segment:
            if "no contents" in how:
                segment.seek(-16, 2)
                segment.write(bytes(16))
                segment.flush()
            if "cold" in how:  # none of it in memory
                os.fsync(segment.fileno())
                os.posix_fadvise(segment.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    (server.run / "output.txt").unlink()
    began = time.monotonic()
    start_weir_with(server, bench.arguments.build, bench.origin.port, "weir_disk.yaml",
                    STORAGE=4096)
    server.wait_until_up()
    up = time.monotonic() - began
    found = _recovered(server, began)
    missed = memory.missed(bench, server, last)
    say(f"  {how}: up in {up:.2f} s, all found in {found:.2f} s, "
        f"{missed} of {ASKED} missed")
    return found, missed


def million(bench):
    """A million objects of 1 KiB: disk and memory they take, and how long a start takes."""
    cells = [["1 KiB objects on disk", "what", "figure", "bar"]]
    with bench.reporting("weir", "million"):
        server = _start(bench, "million", "weir_disk.yaml", STORAGE=4096)
        wrk.load(bench.load_cpu, f"{server.url}/obj/{BODY}/0", 1, "one")
        base = procs.resident_bytes(server.pids())
        objects, last = memory.fill(bench, server)
        growth = procs.resident_bytes(server.pids()) - base
        own = memory.own_bytes(server.port)
        server.settle()
        cells.append(["million", "objects", f"{objects:,}", ""])
        cells.append(["million", "RSS growth MiB", f"{growth / _MIB:.1f}", f"{RSS_BAR_MIB}"])
        for how, bar in [("SIGTERM", SNAPSHOT_BAR_S), ("SIGKILL", SNAPSHOT_BAR_S),
                         ("SIGKILL, no contents", SCAN_BAR_S),
                         ("SIGTERM, cold", SNAPSHOT_BAR_S),
                         ("SIGKILL, no contents, cold", SCAN_BAR_S)]:
            found, missed = _restart(bench, server, how, last)
            cells.append(["million", f"s until all is found, {how}", f"{found:.2f}", f"{bar}"])
            cells.append(["million", f"of {ASKED} missed, {how}", f"{missed}", "0"])
            if how == "SIGTERM":
                space = _folder_bytes(server) / objects / own
                cells.append(["million", f"disk, × key, head, body ({own} B)", f"{space:.3f}",
                              f"{SPACE_BAR}"])
        server.stop()
    return cells


def beside(bench):
    """Hits in memory while others have 100 MiB/s written: p99, with the disk and with RAM in its
    place, in turn."""
    cells = [["RAM hits beside 100 MiB/s of stores", "stored in", "p99 ms, median",
              "lowest–highest", "MiB/s stored", "× RAM", "bar"]]
    found = {"ram": [], "disk": []}
    rates = {"ram": [], "disk": []}
    with bench.reporting("weir", "beside"):
        servers = {kind: _start(bench, f"beside-{kind}", "weir_beside.yaml", WRITTEN=written)
                   for kind, written in WRITTEN.items()}
        start = 1
        for turn in range(bench.arguments.rounds):
            for kind, server in servers.items():
                get(server.port, "/obj/1024/0")
                figures = {}

                def write(server=server, start=start, figures=figures):
                    figures.update(wrk.load(
                        bench.load_cpu, server.url, bench.arguments.duration, "paced",
                        WRITTEN_BODY, start, WRITTEN_CONNECTIONS * WRITTEN_BODY * 1000
                        // (ASKED_MIB_S * _MIB), connections=WRITTEN_CONNECTIONS))

                writing = threading.Thread(target=write)
                writing.start()
                result = wrk.load(bench.load_cpu, f"{server.url}/obj/1024/0",
                                  bench.arguments.duration, "one")
                writing.join()
                start += figures["requests"] + 1000
                found[kind].append(result["p99_ms"])
                rates[kind].append(figures["bytes"] / figures["seconds"] / _MIB)
                say(f"  round {turn + 1} {kind:4} p99 {result['p99_ms']:.3f} ms, "
                     f"{rates[kind][-1]:.0f} MiB/s stored, {result['requests']} hits")
        ram = statistics.median(found["ram"])
        for kind, figures in found.items():
            p99 = statistics.median(figures)
            cells.append(["beside", kind, f"{p99:.3f}", f"{min(figures):.3f}–{max(figures):.3f}",
                          f"{statistics.median(rates[kind]):.0f}", f"{p99 / ram:.2f}",
                          f"{P99_BAR}" if kind == "disk" else ""])
        for server in servers.values():
            server.stop()
    return cells


def amplification(bench):
    """At the limit: sizes from 1 KiB to 1 MiB, log-uniform, asked for by Zipf's law (0.9)."""
    cells = [["written for what is stored", "server", "stored MiB", "written MiB", "ratio",
              "on disk, MiB at most", "bar"]]
    seconds = max(bench.arguments.churn // 5, 10)
    with bench.reporting("weir", "amplification"):
        server = _start(bench, "amplification", "weir_disk.yaml", STORAGE=FILL_MIB)
        own = memory.own_bytes(server.port) - BODY
        start, stored, written, highest = 1, 0, 0, 0
        for turn in range(-1, seconds // 10):
            before = _state(bench, server)
            wrk.load(bench.load_cpu, server.url, 10, "zipf", start)
            start += 1
            server.settle()
            after = _state(bench, server)
            highest = max(highest, _folder_bytes(server))
            if turn < 0 and highest < FILL_MIB * _MIB * 7 // 10:
                raise ServerError(f"not full after the first 10 s: {highest / _MIB:.0f} MiB")
            fetched, body, out = (b - a for a, b in zip(before, after))
            say(f"  {fetched} stored, {body / _MIB:.0f} MiB, {out / _MIB:.0f} MiB written")
            if turn >= 0:
                stored += body + fetched * own
                written += out
        cells.append(["1 KiB–1 MiB", "weir", f"{stored / _MIB:,.0f}", f"{written / _MIB:,.0f}",
                      f"{written / stored:.3f}", f"{highest / _MIB:.0f}", f"{AMPLIFICATION_BAR}"])
        server.stop()
    return cells


def _state(bench, server):
    return (bench.origin_count(), int(get(bench.origin.port, "/bytes")[1]),
            procs.written_bytes(server.pids()))
