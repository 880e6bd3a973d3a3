#!/usr/bin/env python3
"""Runs clang-tidy over the sources in compile_commands.json.

A file that passed is not looked at again until it, anything it includes from the tree, its
compile command, .clang-tidy or clang-tidy itself has changed.
"""

import argparse
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sources import Closure, Stamps, compile_commands

TOOL = "clang-tidy-19"
# The analyzer follows calls into small functions only: half the time of a run, which it has taken
# else, for what it finds beyond that.
SHALLOW = [f"--extra-arg={word}" for word in ("-Xclang", "-analyzer-config", "-Xclang",
                                              "mode=shallow")]


def check(root, build, path, depth):
    done = subprocess.run(
        [TOOL, "-p", str(build), "--quiet", *depth, str(root / path)],
        capture_output=True, text=True, check=False)
    # stderr is a count of suppressed warnings unless something went wrong.
    return done.returncode, done.stdout + (done.stderr if done.returncode else "")


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--build", type=Path, default=Path("build"))
    options.add_argument("--jobs", type=int, default=2)
    options.add_argument("--under", nargs="*", default=[], metavar="FOLDER",
                         help="only sources in these folders of the tree")
    options.add_argument("--all", action="store_true", help="check files that passed, too")
    options.add_argument("--deep", action="store_true",
                         help="the analyzer as deep as it goes, in twice the time")
    arguments = options.parse_args()

    root = Path(__file__).resolve().parents[2]
    build = arguments.build.resolve()
    depth = [] if arguments.deep else SHALLOW
    version = subprocess.run([TOOL, "--version"], capture_output=True, text=True, check=True).stdout
    salt = version + "".join((root / path).read_text()
                              for path in (".clang-tidy", "tests/.clang-tidy"))
    salt += " ".join(depth)
    closure, stamps = Closure(root), Stamps("tidy")

    commands = compile_commands(root, build)
    if not commands:
        sys.exit(f"error: no source of this tree in {build}/compile_commands.json")
    digests = {path: closure.hash(path, salt, command)
               for path, command in commands.items()
               if not arguments.under or str(path).split("/")[0] in arguments.under}
    todo = [p for p, digest in digests.items() if arguments.all or not stamps.has(digest)]

    failed = 0
    with ThreadPoolExecutor(arguments.jobs) as pool:
        results = pool.map(lambda p: check(root, build, p, depth), todo)
        for path, (code, output) in zip(todo, results):
            if code == 0:
                stamps.add(digests[path])
                print(f"tidy {path}", flush=True)
            else:
                failed += 1
                print(f"tidy {path}: failed\n{output}", flush=True)
    unchanged = len(digests) - len(todo)
    print(f"tidy: {len(todo) - failed} clean, {failed} failed, {unchanged} unchanged since clean")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
