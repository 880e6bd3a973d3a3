"""What a hit from Redis costs Weir, beside one from its own memory: one instance, in turn. The
Redis server runs on the load's processor, and its cost is not counted."""

import statistics

import procs
import wrk
from memory import say
from servers import Server, ServerError, program, start_weir_with

CONFIG = "weir_redis.yaml"
# Of a hit from memory.
BAR = 2.2
PAGES = {"memory": "/obj/1024", "redis": "/obj/1025"}
# So many of each, at random: those who ask for one at the same time share one look-up.
URLS = 2_000


def _start(bench):
    server = Server("redis", bench.run_dir / "redis-server", bench.load_cpu)
    bench.stack.callback(server.stop)
    server.spawn(program("redis-server"), "--port", server.port, "--bind", "127.0.0.1",
                 "--save", "", "--appendonly", "no")
    server.wait_until_up()
    weir = Server("weir", bench.run_dir / "redis-weir", bench.server_cpu)
    bench.stack.callback(weir.stop)
    start_weir_with(weir, bench.arguments.build, bench.origin.port, CONFIG, DURATION=3600,
                    REDIS=server.port)
    weir.wait_until_up()
    for prefix in PAGES.values():
        wrk.fill(bench.load_cpu, weir.url, URLS, prefix)
    return weir


def hits(bench):
    cells = [["1 KiB hit", "from", "CPU µs/req, median", "lowest–highest", "req/s", "× memory",
              "bar"]]
    with bench.reporting("weir", "redis"):
        weir = _start(bench)
        asked = bench.origin_count()
        cost = {kind: [] for kind in PAGES}
        rate = {kind: [] for kind in PAGES}
        for turn in range(bench.arguments.rounds):
            for kind, prefix in PAGES.items():
                before = procs.cpu_us(weir.pids())
                result = wrk.load(bench.load_cpu, f"{weir.url}{prefix}/1",
                                  bench.arguments.duration, "spread", URLS, prefix)
                used = procs.cpu_between(before, procs.cpu_us(weir.pids()))
                cost[kind].append(used / result["requests"])
                rate[kind].append(result["requests"] / result["seconds"])
                say(f"  round {turn + 1} {kind:6} {cost[kind][-1]:.2f} µs/request")
        if bench.origin_count() != asked:
            raise ServerError("a page of which all asks are to be hits was asked for again")
        memory = statistics.median(cost["memory"])
        for kind, found in cost.items():
            median = statistics.median(found)
            cells.append(["1 KiB", kind, f"{median:.2f}", f"{min(found):.2f}–{max(found):.2f}",
                          f"{statistics.median(rate[kind]):,.0f}", f"{median / memory:.2f}",
                          f"{BAR}" if kind == "redis" else ""])
        weir.stop()
    return cells
