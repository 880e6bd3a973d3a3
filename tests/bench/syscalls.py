"""System calls per request, counted by strace while the load runs."""

import re
import signal
import subprocess

_ROW = re.compile(r"^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)$", re.MULTILINE)


def per_request(server, run_load):
    """Attaches to every process of `server`, calls `run_load`, and returns a text of the counts."""
    counts_file = server.run / "syscalls.txt"
    targets = [part for pid in server.pids() for part in ("-p", str(pid))]
    tracer = subprocess.Popen(["strace", "-f", "-c", "-o", str(counts_file), *targets],
                              stderr=subprocess.PIPE, text=True)
    try:
        line = tracer.stderr.readline()  # "strace: Process N attached": counting from here
        if "attached" not in line:
            raise OSError(f"strace could not attach: {line}{tracer.stderr.read()}")
        requests = run_load()["requests"]
    finally:
        if tracer.poll() is None:
            tracer.send_signal(signal.SIGINT)
        tracer.stderr.read()
        tracer.wait()
    calls = {name: int(count) for count, name in _ROW.findall(counts_file.read_text())
             if name != "total"}
    lines = [f"{server.name}: {sum(calls.values()) / requests:.2f} system calls per request "
             f"({requests} requests)"]
    for name, count in sorted(calls.items(), key=lambda item: -item[1]):
        if count / requests >= 0.005:
            lines.append(f"  {name:16} {count / requests:6.2f}")
    return "\n".join(lines)
