"""One run of wrk, pinned to the load's core: 64 connections, one thread, keep-alive."""

import json
import subprocess
from pathlib import Path

CONNECTIONS = 64
_SCRIPT = Path(__file__).with_name("wrk.lua")


class LoadError(Exception):
    pass


def load(cpu, url, seconds, *mode, fields=(), connections=CONNECTIONS):
    """Runs wrk against `url` and returns its figures; any error at all is an exception."""
    result = load_and_count(cpu, url, seconds, *mode, fields=fields, connections=connections)
    if result["bad_status"] or result["socket_errors"] or not result["requests"]:
        raise LoadError(f"wrk saw errors on {url}: {result}")
    return result


def load_and_count(cpu, url, seconds, *mode, fields=(), connections=CONNECTIONS):
    """As load, but what went wrong for some requests is among the figures."""
    headers = [part for field in fields for part in ("-H", field)]
    done = subprocess.run(
        ["taskset", "-c", str(cpu), "wrk", "-t1", f"-c{connections}", f"-d{seconds}s",
         "--timeout", "10s", *headers, "-s", str(_SCRIPT), url, "--", *map(str, mode)],
        capture_output=True, text=True, check=False, timeout=seconds + 60)
    lines = done.stdout.strip().splitlines()
    if done.returncode != 0 or not lines or not lines[-1].startswith("{"):
        raise LoadError(f"wrk failed on {url}:\n{done.stdout}{done.stderr}")
    return json.loads(lines[-1])


def fill(cpu, base, count, prefix, fields=()):
    """Asks for `prefix`/1 … `prefix`/`count`, each at least once."""
    start = 1
    while start <= count:
        result = load(cpu, base + prefix + "/1", 1, "fill", count, prefix, start, fields=fields)
        start += result["requests"]  # what was still on its way is asked for again
