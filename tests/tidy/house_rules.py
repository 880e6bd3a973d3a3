#!/usr/bin/env python3
"""The house rules that no compiler checks. Prints `path:line: error: …` for each breach.

  - a C++ file has at most 400 lines, a function 70, a line 100 columns; so has what a browser runs
  - a folder of ten sources or more has a README.md
  - includes point down the layers; a library's headers stay in the one folder that wraps it
  - a header compiles alone (with --headers; cached)
  - a target builds every source (with --build)
  - no test waits by the clock, no marker says that something is left to do
"""

import argparse
import collections
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sources import Closure, Stamps, compile_commands, cpp_files, files, includes

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 70
MAX_COLUMNS = 100
README_FROM = 10  # sources in a folder

# A file includes its own folder and what stands lower. Folders of one level do not know each other.
LEVELS = {
    "base": 0,
    "base/http": 1, "base/net": 1,
    "conf": 2,
    "cachekeys": 3,
    "backends": 4,
    "backends/ram": 5, "backends/disk": 5, "backends/redis": 5,
    "proxy/policy": 6,
    "proxy/metrics": 7,
    "proxy/front": 8, "proxy/route": 8, "proxy/upstream": 8,
    "proxy/flow": 9,
    "proxy/values": 10,
    "proxy/admin": 11,
    "proxy": 12,
}

# Which folder alone may know a library. Tests may know all of them.
WRAPPED = [
    (re.compile(r"^(event2/|event\.h|evhttp|evdns)"), "base/net", "libevent"),
    (re.compile(r"^curl/"), "proxy/upstream", "libcurl"),
    (re.compile(r"^hiredis/"), "backends/redis", "hiredis"),
    (re.compile(r"^yaml-cpp/"), "conf", "yaml-cpp"),
]

SCRIPT_SUFFIXES = {".js", ".mjs"}
PAGE_SUFFIXES = SCRIPT_SUFFIXES | {".html", ".css"}
TEXT_SUFFIXES = {".cc", ".h", ".py", ".sh", ".lua", ".yaml", ".yml", ".md", ".cmake",
                 ".txt"} | PAGE_SUFFIXES
SOURCE_SUFFIXES = {".cc", ".h", ".inl", ".py", ".sh", ".lua"} | SCRIPT_SUFFIXES
COLUMN_SUFFIXES = {".cc", ".h", ".py", ".sh", ".lua"} | SCRIPT_SUFFIXES
# Spelt in halves, or this file would break the rule.
MARKER = re.compile(r"\b(" + "|".join(["TO" "DO", "FIX" "ME", "XX" "X", "HA" "CK"]) + r")\b")
CLOCK_WAIT = re.compile(r"\b(sleep|usleep|nanosleep|sleep_for|sleep_until|clock_nanosleep)[ \t]*\(")

HEADER_COMPILE = ["g++", "-std=c++23", "-fsyntax-only", "-Wall", "-Wextra", "-Werror",
                  "-x", "c++", "-"]


def blank(text):
    """`text` with comments and literals blanked out, every line break kept where it was."""
    pattern = re.compile(
        r'R"(?P<tag>[^(\s]{0,16})\(.*?\)(?P=tag)"'  # raw strings
        r"|//[^\n]*|/\*.*?\*/"                      # comments
        r'|"(?:\\.|[^"\\\n])*"'                     # strings
        r"|(?<![0-9A-Za-z_])'(?:\\.|[^'\\\n])+'",   # characters, not digit separators
        re.DOTALL)
    return pattern.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), text)


def functions(code):
    """(first line, last line) of every function body's definition in blanked `code`.

    A brace opens a function when a parameter list stands before it and no function is open yet:
    so lambdas and control statements inside one are part of it.
    """
    control = re.compile(r"^(if|for|while|switch|catch|do|else|try|namespace|class|struct|union|"
                         r"enum|extern|requires|concept)\b")
    depth = 0
    open_at = None  # (depth outside, first line) of the function being read
    start = 0       # where the text before the next brace begins
    parens = 0
    for match in re.finditer(r"[{}();]", code):
        at, char = match.start(), match.group()
        if char in "()":
            parens += 1 if char == "(" else -1
        elif char == ";":
            if parens == 0:
                start = at + 1
        elif char == "{":
            before = re.sub(r"(?m)^[ \t]*#.*$", "", code[start:at]).strip()
            before = re.sub(r"^(public|private|protected)\s*:\s*", "", before)
            is_type = re.match(r"(template\s*<.*>\s*)?(class|struct|union|enum)\b", before, re.S)
            if (open_at is None and parens == 0 and ")" in before and not is_type
                    and not control.match(before)):
                begin = start + len(code[start:at]) - len(code[start:at].lstrip())
                open_at = (depth, code.count("\n", 0, begin) + 1)
            depth += 1
            if parens == 0:
                start = at + 1
        else:
            depth -= 1
            if open_at is not None and depth == open_at[0]:
                yield open_at[1], code.count("\n", 0, at) + 1
                open_at = None
            if parens == 0:
                start = at + 1


class Checker:
    def __init__(self, root, built=None):
        """`built` holds the sources that some target builds; None: not known."""
        self.root = Path(root)
        self.built = built
        self.breaches = []

    def fail(self, path, line, message):
        self.breaches.append((str(path), line, message))

    def run(self):
        for path in files(self.root):
            is_makefile = path.name in ("Makefile", "Dockerfile")
            if path.suffix not in TEXT_SUFFIXES and not is_makefile:
                continue
            text = (self.root / path).read_text(encoding="utf-8", errors="replace")
            self.check_lines(path, text)
            if path.suffix in (".cc", ".h"):
                self.check_length(path, text)
                self.check_functions(path, text)
                self.check_includes(path, text)
            if path.suffix in PAGE_SUFFIXES:
                self.check_length(path, text)
            if path.suffix == ".cc" and self.built is not None and path not in self.built:
                self.fail(path, 1, "no target builds this source")

        self.check_folders()

    def check_folders(self):
        """A folder that does not fit into a glance says in a README what is where."""
        all_files = files(self.root)
        sources = collections.Counter(f.parent for f in all_files if f.suffix in SOURCE_SUFFIXES)
        for folder, count in sources.items():
            if count >= README_FROM and folder / "README.md" not in all_files:
                self.fail(folder, 1, f"{count} sources and no README.md")

    def check_lines(self, path, text):
        is_test = path.parts[0] == "tests" and path.suffix in (".cc", ".h", ".py", ".sh")
        code = blank(text).splitlines() if path.suffix in (".cc", ".h") else text.splitlines()
        for number, line in enumerate(text.splitlines(), 1):
            if path.suffix in COLUMN_SUFFIXES and len(line) > MAX_COLUMNS:
                self.fail(path, number, f"{len(line)} columns, {MAX_COLUMNS} are allowed")
            if MARKER.search(line):
                self.fail(path, number, "a marker of unfinished work: do it, or open an issue")
            if is_test and number <= len(code) and CLOCK_WAIT.search(code[number - 1]):
                self.fail(path, number, "a test that waits by the clock: wait for the event")

    def check_length(self, path, text):
        count = text.count("\n")
        if count > MAX_FILE_LINES:
            self.fail(path, count, f"{count} lines, {MAX_FILE_LINES} are allowed: split by noun")

    def check_functions(self, path, text):
        for first, last in functions(blank(text)):
            if last - first + 1 > MAX_FUNCTION_LINES:
                self.fail(path, first, f"a function of {last - first + 1} lines, "
                                       f"{MAX_FUNCTION_LINES} are allowed")

    def check_includes(self, path, text):
        folder = path.parent.as_posix()
        if path.parts[0] == "tests":
            return
        if folder not in LEVELS:
            self.fail(path, 1, f"folder {folder} has no level: add it to LEVELS in {__file__}")
            return
        for line, name, quoted in includes(text):
            for pattern, owner, library in WRAPPED:
                if pattern.match(name) and folder != owner:
                    self.fail(path, line, f"{library} is known to {owner} alone")
            if not quoted:
                continue
            target = Path(name).parent.as_posix()
            if target not in LEVELS:
                self.fail(path, line, f'"{name}" is no header of a layer: '
                                      "includes are written from the tree's root")
            elif target != folder and LEVELS[target] >= LEVELS[folder]:
                self.fail(path, line, f"{folder} includes {target}: includes point down")

    def check_headers(self, jobs):
        closure, stamps = Closure(self.root), Stamps("headers")
        version = subprocess.run(["g++", "--version"], capture_output=True, text=True,
                                 check=True).stdout

        def compile_alone(path):
            digest = closure.hash(path, version, *HEADER_COMPILE)
            if stamps.has(digest):
                return None
            done = subprocess.run(
                [*HEADER_COMPILE, "-I", str(self.root)], text=True, capture_output=True,
                input=f'#include "{path.as_posix()}"\n', check=False)
            if done.returncode == 0:
                stamps.add(digest)
                return None
            return done.stderr

        headers = [f for f in cpp_files(self.root) if f.suffix == ".h"]
        with ThreadPoolExecutor(jobs) as pool:
            for path, message in zip(headers, pool.map(compile_alone, headers)):
                if message:
                    self.fail(path, 1, "does not compile alone:\n" + message.rstrip())


def main():
    options = argparse.ArgumentParser(description=__doc__,
                                      formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("root", nargs="?", type=Path, default=Path(__file__).parents[2])
    options.add_argument("--headers", action="store_true", help="compile every header alone, too")
    options.add_argument("--build", type=Path, help="a configured build of the whole tree")
    options.add_argument("--jobs", type=int, default=2)
    arguments = options.parse_args()

    built = compile_commands(arguments.root, arguments.build) if arguments.build else None
    checker = Checker(arguments.root, built)
    checker.run()
    if arguments.headers:
        checker.check_headers(arguments.jobs)
    for path, line, message in checker.breaches:
        print(f"{path}:{line}: error: {message}")
    if checker.breaches:
        sys.exit(f"house rules: {len(checker.breaches)} broken")
    print(f"house rules: {len(cpp_files(arguments.root))} C++ files, all kept")


if __name__ == "__main__":
    main()
