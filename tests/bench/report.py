"""The benchmark's result: an aligned table for the terminal, the same in Markdown for a file."""

import collections
import os
import platform
import re
import subprocess

from servers import ServerError, program

Row = collections.namedtuple("Row", "case server median lowest highest")

REFERENCES = ["floor", "haproxy", "nginx"]
COLUMNS = ["case", "server", "CPU µs/req", "lowest–highest", "× floor", "× HAProxy", "× nginx",
           "req/s", "p99 ms", "RSS MiB"]


def table(rows):
    cpu = {(row.case, row.server): row.median.cpu_us for row in rows}
    for row in rows:
        ratios = []
        for reference in REFERENCES:
            base = cpu.get((row.case, reference))
            ratios.append(f"{row.median.cpu_us / base:.2f}" if base else "–")
        yield [row.case, row.server, f"{row.median.cpu_us:.2f}",
               f"{row.lowest:.2f}–{row.highest:.2f}", *ratios, f"{row.median.rate:,.0f}",
               f"{row.median.p99_ms:.2f}", f"{row.median.resident / (1 << 20):.1f}"]


def aligned(cells):
    widths = [max(len(line[i]) for line in cells) for i in range(len(cells[0]))]
    lines, last_case = [], None
    for line in cells:
        if last_case is not None and line[0] != last_case:
            lines.append("")
        shown = ["" if line[0] == last_case else line[0], *line[1:]]
        last_case = line[0]
        lines.append("  ".join(
            cell.ljust(width) if i < 2 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(shown, widths))).rstrip())
    return "\n".join(lines)


def markdown(cells):
    lines = ["| " + " | ".join(cells[0]) + " |",
             "|---|---|" + "--:|" * (len(cells[0]) - 2)]
    lines += ["| " + " | ".join(line) + " |" for line in cells[1:]]
    return "\n".join(lines)


def version(names, flag, pattern):
    try:
        done = subprocess.run([program(*names), flag], capture_output=True, text=True, check=False)
        found = re.search(pattern, done.stdout + done.stderr)
        return found.group(1) if found else "?"
    except ServerError:
        return "not installed"


def setting(arguments, cpus):
    model = "?"
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        for line in info:
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    return (
        f"{model}, {os.cpu_count()} CPUs, Linux {platform.release()}; server on CPU {cpus[0]}, "
        f"load and origin on CPU {cpus[1]}. nginx {version(['nginx'], '-v', r'nginx/([0-9.]+)')}, "
        f"HAProxy {version(['haproxy'], '-v', r'version ([0-9.]+)')}, "
        f"Varnish {version(['varnishd'], '-V', r'varnish-([0-9.]+)')}. "
        f"64 connections, {arguments.rounds} interleaved rounds of {arguments.duration} s each "
        f"after {arguments.warmup} s of warm-up; medians.")


def write(rows, tables, arguments, cpus):
    """The rows as one table, if there are any, then the other tables (lists of cells)."""
    tables = [[COLUMNS, *table(rows)], *tables] if rows else tables
    where = setting(arguments, cpus)
    shown = "\n\n".join(aligned(cells) for cells in tables)
    print(f"\n{shown}\n\n{where}")
    target = arguments.build / "bench" / "result.md"
    target.parent.mkdir(parents=True, exist_ok=True)
    text = "\n\n".join(markdown(cells) for cells in tables)
    target.write_text(f"{text}\n\n{where}\n", encoding="utf-8")
    print(f"Written to {target}")
