"""What the admin address costs, and what operations cost those who are being served: a value
beside a page, reloads, a purge of a million objects, and the end."""

import contextlib
import os
import select
import signal
import socket
import threading
import time

import memory
import turns
import wrk
from servers import Server, ServerError, ask, free_port, get, start_weir_with

CONFIG = "weir_control.yaml"
VALUE_BAR = 1.3
RELOADS = 20
LEAST_RATE = 5000  # requests/s
PURGES = 5
PAGE = "/obj/1024/0"


def _start(bench, label, storage_mib=64):
    server = Server("weir", bench.run_dir / label, bench.server_cpu)
    bench.stack.callback(server.stop)
    server.admin = free_port()
    server.values = {"ADMIN": server.admin, "STORAGE": storage_mib}
    start_weir_with(server, bench.arguments.build, bench.origin.port, CONFIG, DURATION=3600,
                    **server.values)
    server.wait_until_up()
    get(server.port, PAGE)
    return server


def _call(server, method, path, body, content_type="application/json"):
    status, answer = ask(server.admin, method, path, body, {"Content-Type": content_type})
    if status >= 300:
        raise ServerError(f"{method} {path}: {status} {answer!r}")


def value(bench):
    """A value of 1 KiB beside a page of 1 KiB, of one instance, in turn."""
    cells = [turns.head("1 KiB", "read", "page")]
    with bench.reporting("weir", "value"):
        server = _start(bench, "value")
        _call(server, "PUT", "/v1/keys/kept", b"v" * 1024, "application/octet-stream")
        urls = {"page": f"{server.url}{PAGE}",
                "value": f"http://127.0.0.1:{server.admin}/v1/keys/kept"}
        sides = [turns.Side(kind, server, lambda seconds, url=url: wrk.load(
            bench.load_cpu, url, seconds, "one")) for kind, url in urls.items()]
        cells += turns.rows(bench, "1 KiB", sides, VALUE_BAR)
        server.stop()
    return cells


def operations(bench):
    """Reloads, purges of a million objects, and the end, each while wrk asks without a pause."""
    cells = [["under load", "what", "figure", "bar"]]
    for name, measure in [("reloads", _reloads), ("purge", _purges), ("end", _end)]:
        with bench.reporting("weir", name):
            cells += [[name, *line] for line in measure(bench)]
    return cells


def _loaded(bench, server, seconds, act):
    """wrk's figures of a load during which `act` is called, once it has begun."""
    found = {}

    def ask():
        try:
            found.update(wrk.load_and_count(bench.load_cpu, server.url + PAGE, seconds, "one"))
        except wrk.LoadError as error:
            found["error"] = error

    asking = threading.Thread(target=ask)
    asking.start()
    threading.Event().wait(1)
    try:
        act()
    finally:
        asking.join()
    if "error" in found:
        raise found["error"]
    return found


def _reload_often(bench, server):
    for number in range(1, RELOADS + 1):
        server.template(CONFIG, ORIGIN=bench.origin.port, DURATION=3600 + number, **server.values)
        for pid in server.pids():
            os.kill(pid, signal.SIGHUP)
        _await_reload(server, number)
        threading.Event().wait(0.1)  # what a reload disturbs shows after it, too


def _await_reload(server, number):
    pause = threading.Event()
    for _ in range(10_000):
        output = server.output(1 << 20)
        if "not reloaded" in output:
            break
        if output.count("reloaded") >= number:
            return
        pause.wait(0.001)
    raise ServerError(f"weir has not reloaded for the {number}th time:\n{output}")


def _reloads(bench):
    server = _start(bench, "reloads")
    found = _loaded(bench, server, 6, lambda: _reload_often(bench, server))
    server.stop()
    return [[f"requests/s during {RELOADS} reloads",
             f"{found['requests'] / found['seconds']:,.0f}", f"{LEAST_RATE:,}"],
            ["failed requests", f"{found['bad_status'] + found['socket_errors']}", "0"],
            ["longest wait, ms", f"{found['max_ms']:.1f}", ""]]


def _purges(bench):
    server = _start(bench, "purge", storage_mib=4096)
    objects, _ = memory.fill(bench, server)
    alone = wrk.load(bench.load_cpu, server.url + PAGE, 4, "one")
    took = []

    def purge():
        for _ in range(PURGES):
            began = time.monotonic()
            _call(server, "POST", "/v1/purge", b'{"all": true}')
            took.append(time.monotonic() - began)
            threading.Event().wait(0.2)

    found = _loaded(bench, server, 4, purge)
    if found["bad_status"] or found["socket_errors"]:
        raise ServerError(f"requests failed: {found}")
    server.stop()
    return [["objects in memory", f"{objects:,}", "1,000,000"],
            ["p99, ms: without a purge, and with some",
             f"{alone['p99_ms']:.2f}, {found['p99_ms']:.2f}", ""],
            ["longest wait, ms: without, and with",
             f"{alone['max_ms']:.1f}, {found['max_ms']:.1f}", ""],
            ["longest purge of everything, ms", f"{max(took) * 1000:.1f}", ""]]


class _Asker(threading.Thread):
    """Asks on one connection, and on another when that was closed, until it is refused."""

    def __init__(self, port):
        super().__init__()
        self.port = port
        self.answered = self.cut = 0

    def run(self):
        with contextlib.suppress(ConnectionRefusedError):
            while True:
                with socket.create_connection(("127.0.0.1", self.port), timeout=10) as client:
                    self.ask_on(client)

    def ask_on(self, client):
        request = f"GET {PAGE} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n\r\n".encode()
        # One that was closed between requests is not asked on, as by any client with a pool.
        while not select.select([client], [], [], 0)[0]:
            response = b""
            try:
                client.sendall(request)
                while not _is_whole(response):
                    more = client.recv(65536)
                    if not more:
                        break
                    response += more
            except (ConnectionResetError, BrokenPipeError):
                pass
            if not _is_whole(response):
                self.cut += 1
                return
            self.answered += 1
            if b"\r\nConnection: close\r\n" in response:
                return


def _is_whole(response):
    head, found, body = response.partition(b"\r\n\r\n")
    return bool(found) and head.startswith(b"HTTP/1.1 200 ") and len(body) == 1024


def _end(bench):
    """wrk would go on after the end, and count that it is refused among what was cut."""
    server = _start(bench, "end")
    process = server.main_process()
    askers = [_Asker(server.port) for _ in range(16)]
    for asker in askers:
        asker.start()
    threading.Event().wait(2)
    process.send_signal(signal.SIGTERM)
    process.wait(30)
    for asker in askers:
        asker.join()
    return [["answered until SIGTERM's end", f"{sum(one.answered for one in askers):,}", ""],
            ["cut, or wrongly answered", f"{sum(one.cut for one in askers)}", "0"],
            ["exit code", f"{process.returncode}", "0"]]
