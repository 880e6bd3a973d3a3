"""What a hit from Redis costs Weir: beside one from its own memory, and beside a bare loop that
reads the same keys and sends them. The Redis server runs on the load's processor, and its cost is
not counted."""

import functools

import turns
import wrk
from servers import Server, ServerError, start_redis, start_redis_floor, start_weir_with

CONFIG = "weir_redis.yaml"
# Of a hit from memory.
BAR = 2.2
PAGES = {"memory": "/obj/1024", "redis": "/obj/1025"}
FLOOR_BAR = 1.5
# So many of each, at random: those who ask for one at the same time share one look-up.
URLS = 2_000
LARGE_URLS = 400
FILLS = 20


def _start(bench, label):
    redis = Server("redis", bench.run_dir / f"{label}-server", bench.load_cpu)
    bench.stack.callback(redis.stop)
    start_redis(redis)
    redis.wait_until_up()
    weir = Server("weir", bench.run_dir / f"{label}-weir", bench.server_cpu)
    bench.stack.callback(weir.stop)
    start_weir_with(weir, bench.arguments.build, bench.origin.port, CONFIG, DURATION=3600,
                    REDIS=redis.port)
    weir.wait_until_up()
    return redis, weir


def _load(bench, server, prefix, urls, seconds):
    try:
        return wrk.load(bench.load_cpu, f"{server.url}{prefix}/1", seconds, "spread", urls, prefix)
    except wrk.LoadError as error:
        raise ServerError(f"{server.name}: {error}\n{server.output()}") from error


def _side(bench, name, server, prefix, urls):
    return turns.Side(name, server, functools.partial(_load, bench, server, prefix, urls))


def fill(bench, server, prefix, urls):
    """Asks for all, until all are hits: of many stores at once some are given up."""
    for _ in range(FILLS):
        asked = bench.origin_count()
        wrk.fill(bench.load_cpu, server.url, urls, prefix)
        if bench.origin_count() == asked:
            return
    raise ServerError(f"{prefix}: not all of {urls} are hits after {FILLS} times")


def _only_hits(bench, title, sides, bar, slice_s=1):
    asked = bench.origin_count()
    rows = turns.rows(bench, title, sides, bar, slice_s)
    if bench.origin_count() != asked:
        raise ServerError("a page of which all asks are to be hits was asked for again")
    return rows


def hits(bench):
    cells = [turns.head("1 KiB hit", "from", "memory")]
    with bench.reporting("weir", "redis"):
        redis, weir = _start(bench, "redis")
        for prefix in PAGES.values():
            fill(bench, weir, prefix, URLS)
        cells += _only_hits(bench, "1 KiB", [_side(bench, kind, weir, prefix, URLS)
                                             for kind, prefix in PAGES.items()], BAR)
        weir.stop()
        redis.stop()
    return cells


def _beside_floor(bench, name, title, size, urls, slice_s):
    cells = [turns.head(f"{title} hit from Redis", "server", "floor")]
    with bench.reporting("weir", name):
        prefix = f"/obj/{size}"
        redis, weir = _start(bench, name)
        fill(bench, weir, prefix, urls)
        floor = Server("redis floor", bench.run_dir / f"{name}-floor", bench.server_cpu)
        bench.stack.callback(floor.stop)
        start_redis_floor(floor, bench.arguments.build, redis.port, size)
        floor.wait_until_up()
        sides = [_side(bench, "floor", floor, prefix, urls),
                 _side(bench, "weir", weir, prefix, urls)]
        cells += _only_hits(bench, title, sides, FLOOR_BAR, slice_s)
        for server in (floor, weir, redis):
            server.stop()
    return cells


def hits_16k(bench):
    return _beside_floor(bench, "redis16k", "16 KiB", 16 << 10, URLS, 1)


def hits_1m(bench):
    # As for the disk: in a second a new connection is mostly at finding its pace.
    return _beside_floor(bench, "redis1m", "1 MiB", 1 << 20, LARGE_URLS, 4)
