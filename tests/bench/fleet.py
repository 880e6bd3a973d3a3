"""Purges of a fleet: three instances on one Redis server, each with 100,000 objects in its memory.
How long a purge by tag takes until all have applied it, and whether any shows what it purged."""

import http.client
import json
import statistics
import threading
import time

import wrk
from memory import say
from servers import (Server, ServerError, ask, free_port, get, start_redis,
                     start_weir_with)

CONFIG = "weir_fleet.yaml"
INSTANCES = 3
OBJECTS = 100_000
TAGS = 100     # of the origin's /tagged/N
PURGES = 50
BAR_MS = 50
HOST = "fleet.test"  # or each instance would have objects of its own
JOIN_S = 15


def start(bench, label, number, redis, storage):
    """An instance with an admin address. Of another `number`, another one."""
    server = Server("weir", bench.run_dir / f"{label}-{number}", bench.server_cpu)
    bench.stack.callback(server.stop)
    server.admin = free_port()
    start_weir_with(server, bench.arguments.build, bench.origin.port, CONFIG, DURATION=3600,
                    ADMIN=server.admin, REDIS=redis.port, STORAGE=storage)
    server.wait_until_up()
    return server


def _purge(server, tag):
    """How long it took in ms, and whether all instances have acknowledged it."""
    began = time.monotonic()
    status, answer = ask(server.admin, "POST", "/v1/purge", json.dumps({"tags": [tag]}),
                         {"Content-Type": "application/json"})
    took = (time.monotonic() - began) * 1000
    instances = json.loads(answer).get("instances", {}) if status < 300 else {}
    heard = instances.get("live") == instances.get("acked") == INSTANCES
    if not (status == 200 and heard):
        say(f"  purge of {tag}: {status} {answer.decode()} in {took:.1f} ms")
    return took, status == 200 and heard


def _await_fleet(servers):
    """Until each knows of all."""
    pause = threading.Event()
    for _ in range(JOIN_S):
        if all(_purge(server, "nobody's")[1] for server in servers):
            return
        pause.wait(1)
    raise ServerError(f"the fleet is not together after {JOIN_S} s:\n{servers[0].output()}")


class _Reader:
    """Asks all instances at once, each on a connection that is kept."""

    def __init__(self, servers):
        self.connections = [http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
                            for server in servers]

    def versions(self, path):
        for connection in self.connections:
            connection.request("GET", path, headers={"Host": HOST})
        found = []
        for connection in self.connections:
            response = connection.getresponse()
            response.read()
            if response.status != 200:
                raise ServerError(f"GET {path}: {response.status}")
            found.append(int(response.getheader("Version")))
        return found

    def close(self):
        for connection in self.connections:
            connection.close()


def _purge_often(bench, servers, reader):
    """Of each purge: ms, whether all have heard of it, how many showed an older version."""
    results = []
    for number in range(PURGES):
        path = f"/tagged/{number + TAGS * (number + 1)}"
        asked = bench.origin_count()
        reader.versions(path)
        if bench.origin_count() != asked:
            raise ServerError(f"{path} was not in the memory of all before its purge")
        version = int(get(bench.origin.port, "/change")[1])
        took, heard = _purge(servers[number % INSTANCES], f"t{number}")
        stale = sum(found < version for found in reader.versions(path))
        if stale:
            say(f"  {path}: {stale} of {INSTANCES} show a version older than {version}")
        results.append((took, heard, stale))
    return results


def purges(bench):
    cells = [["purges of a fleet", "what", "figure", "bar"]]
    with bench.reporting("weir", "fleetpurge"):
        redis = Server("redis", bench.run_dir / "fleet-server", bench.load_cpu)
        bench.stack.callback(redis.stop)
        start_redis(redis)
        redis.wait_until_up()
        servers = [start(bench, "fleet", number, redis, "512MiB") for number in range(INSTANCES)]
        for server in servers:
            wrk.fill(bench.load_cpu, server.url, OBJECTS, "/tagged", fields=[f"Host: {HOST}"])
            say(f"  {OBJECTS:,} objects asked of {server.url}")
        _await_fleet(servers)
        reader = _Reader(servers)
        bench.stack.callback(reader.close)
        took, heard, stale = zip(*_purge_often(bench, servers, reader))
        what = f"{INSTANCES} instances, {OBJECTS:,} objects"
        cells += [[what, f"purges by tag, of {OBJECTS // TAGS:,} objects each", f"{PURGES}", ""],
                  [what, "longest, ms", f"{max(took):.1f}", f"{BAR_MS}"],
                  [what, "median, ms", f"{statistics.median(took):.1f}", ""],
                  [what, "not acknowledged by all", f"{heard.count(False)}", "0"],
                  [what, f"older versions shown, of {PURGES * INSTANCES}", f"{sum(stale)}", "0"]]
        for server in [*servers, redis]:
            server.stop()
    return cells
