"""What objects cost in memory beside their own bytes, and whether a full cache keeps its limit.

Both are about resident memory, not time: they run once, on instances of their own.
"""

import http.client
import sys
import threading

import procs
import wrk
from servers import Server, ServerError, STARTERS, get

OBJECTS = 1_000_000
ASKED = 399            # of them, to see whether they are there
BODY = 1024
BAR_BYTES = 200        # of overhead an object
IDLE_BAR_MIB = 16
GROWTH_BAR = 1.05      # of max_size
CHURN_MIB = 1024
_MIB = 1 << 20
_FRESH = ("age:", "cache-status:", "connection:", "x-varnish:")


def say(text):
    print(text, file=sys.stderr, flush=True)


def _start(bench, name, label, storage_mib):
    server = Server(name, bench.run_dir / f"{label}-{name}", bench.server_cpu)
    server.storage_mib = storage_mib
    bench.stack.callback(server.stop)
    STARTERS[name](server, bench.arguments.build, bench.origin.port, BODY, False)
    server.wait_until_up()
    return server


def _resident(server):
    return procs.resident_bytes(server.pids())


def own_bytes(port):
    """Key, head and body of the object of mean length: what any cache must hold of it."""
    path = f"/obj/{BODY}/{OBJECTS - 1}"  # six digits, as nearly all have
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read()
        head = len(f"HTTP/1.1 {response.status} {response.reason}\r\n") + 2
        for name, value in response.getheaders():
            line = f"{name}: {value}\r\n"
            head += 0 if line.lower().startswith(_FRESH) else len(line)
    finally:
        connection.close()
    # docs/KEYS.md: 18 bytes beside scheme, authority and path.
    return 18 + len(f"http127.0.0.1:{port}{path}") + head + len(body)


def fill(bench, server):
    """Asks for one URL after the other; how many objects the cache has taken."""
    before = bench.origin_count()
    start, fetched = 1, 0
    while fetched < OBJECTS:
        result = wrk.load(bench.load_cpu, server.url, 5, "walk", BODY, start)
        start += result["requests"]
        fetched = bench.origin_count() - before
        say(f"  {server.name:8} {fetched:9,} objects, {_resident(server) / _MIB:7.0f} MiB")
    return fetched, start


def missed(bench, server, last):
    """How many of ASKED, the first and the last ones, are no hits."""
    before = bench.origin_count()
    for number in [*range(1, 200), *range(last - 300, last - 100)]:
        status, body = get(server.port, f"/obj/{BODY}/{number}")
        if status != 200 or len(body) != BODY:
            raise ServerError(f"object {number}: status {status}, {len(body)} bytes")
    return bench.origin_count() - before


def _check_kept(bench, server, last):
    """A cache that has dropped objects would look small."""
    gone = missed(bench, server, last)
    if gone > 4:
        raise ServerError(f"{gone} of {ASKED} objects are gone")


def _idle(bench):
    server = _start(bench, "weir", "idle", 2048)
    resident = _resident(server)
    server.stop()
    return resident


def measure(bench):
    """A million objects of 1 KiB: resident bytes each beyond key, head and body."""
    cells = [["1 KiB objects", "server", "objects", "RSS growth MiB", "bytes each",
              "of them key, head, body", "beside them", "bar"]]
    own = None
    # Weir first: what it sends is the sum that is taken off for both.
    for name in [n for n in ("weir", "varnish") if n in bench.arguments.servers]:
        with bench.reporting(name, "memory"):
            server = _start(bench, name, "memory", 4096)
            wrk.load(bench.load_cpu, f"{server.url}/obj/{BODY}/0", 1, "one")
            base = _resident(server)
            objects, last = fill(bench, server)
            growth = _resident(server) - base
            _check_kept(bench, server, last)
            own = own or own_bytes(server.port)
            each = growth / objects
            cells.append(["memory", name, f"{objects:,}", f"{growth / _MIB:.0f}", f"{each:.0f}",
                          f"{own}", f"{each - own:.0f}", f"{BAR_BYTES}" if name == "weir" else ""])
            server.stop()
    if "weir" in bench.arguments.servers:
        with bench.reporting("weir", "idle memory"):
            cells.append(["idle, max_size 2GiB", "weir", "0", f"{_idle(bench) / _MIB:.1f}", "", "",
                          "", f"{IDLE_BAR_MIB} MiB"])
    return cells


def churn(bench):
    """Objects of 256 B to 1 MiB at the limit, half of the requests for a hot set that the cache
    keeps: how far resident memory grows beyond max_size."""
    seconds = bench.arguments.churn
    cells = [["churn", "server", "minutes", "max_size MiB", "stored MiB", "RSS growth MiB, end",
              "highest", "× max_size", "bar"]]
    with bench.reporting("weir", "churn"):
        server = _start(bench, "weir", "churn", CHURN_MIB)
        wrk.load(bench.load_cpu, f"{server.url}/obj/{BODY}/0", 1, "one")
        base = _resident(server)
        highest, watching = _watch(server, base)
        moved, start = 0, 1
        for _ in range(max(seconds // 30, 1)):
            result = wrk.load(bench.load_cpu, server.url, min(seconds, 30), "churn", start)
            start += result["requests"]
            moved += result["bytes"]
            say(f"  churn    {moved / _MIB:9,.0f} MiB sent, "
                 f"{(_resident(server) - base) / _MIB:7.1f} MiB more resident")
        watching.set()
        growth = _resident(server) - base
        if growth < CHURN_MIB * _MIB // 2:
            raise ServerError(f"the cache never filled: {growth / _MIB:.0f} MiB")
        top = max(highest[0], growth)
        cells.append(["256 B–1 MiB", "weir", f"{seconds / 60:.0f}", f"{CHURN_MIB}",
                      f"{moved / 2 / _MIB:,.0f}", f"{growth / _MIB:.0f}", f"{top / _MIB:.0f}",
                      f"{top / (CHURN_MIB * _MIB):.3f}", f"{GROWTH_BAR}"])
        server.stop()
    return cells


def _watch(server, base):
    """Looks once a second; the highest growth so far, and an event that ends it."""
    highest, ended = [0], threading.Event()

    def look():
        while not ended.wait(1):
            highest[0] = max(highest[0], _resident(server) - base)

    threading.Thread(target=look, daemon=True).start()
    return highest, ended
