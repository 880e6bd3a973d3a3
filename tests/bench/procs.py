"""What /proc tells about a server: its processes, the CPU time they took, the memory they hold."""

import contextlib
import os
from pathlib import Path

_GONE = (FileNotFoundError, ProcessLookupError)  # a helper process may end at any time
_TICK_US = 1_000_000 / os.sysconf("SC_CLK_TCK")


def _stat(pid):
    # The name may hold spaces and parentheses: the fields count from the last one.
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def tree(pid):
    """`pid` and all its descendants."""
    children = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(*_GONE):
                children.setdefault(int(_stat(entry)[1]), []).append(int(entry))
    found, todo = [], [pid]
    while todo:
        current = todo.pop()
        found.append(current)
        todo.extend(children.get(current, []))
    return found


def cpu_us(pids):
    """pid -> user and system time so far, all its threads included, in microseconds."""
    used = {}
    for pid in pids:
        with contextlib.suppress(*_GONE):
            fields = _stat(pid)
            used[pid] = (int(fields[11]) + int(fields[12])) * _TICK_US
    return used


def cpu_between(before, after):
    """What two answers of cpu_us() tell of the time in between."""
    return sum(used - before.get(pid, 0) for pid, used in after.items())


def _sum(pids, file, field):
    """Of all of them: the number behind `field` in /proc/PID/`file`."""
    total = 0
    for pid in pids:
        with contextlib.suppress(*_GONE):
            for line in Path(f"/proc/{pid}/{file}").read_text().splitlines():
                if line.startswith(field):
                    total += int(line.split()[1])
    return total


def resident_bytes(pids):
    """Resident memory; what processes share is counted once among them (Pss)."""
    return _sum(pids, "smaps_rollup", "Pss:") * 1024


def written_bytes(pids):
    """What they have had written to disks."""
    return _sum(pids, "io", "write_bytes:")
