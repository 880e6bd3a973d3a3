"""What a newcomer meets first: make's targets, the list of packages, `make run`.

doors_test.py WEIR SOURCE stripped|…: against the built binary and the tree it was built from.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

WEIR = Path(sys.argv[1])
SOURCE = Path(sys.argv[2])
STRIPPED = sys.argv[3] == "stripped"

# Of a make that runs these tests, nothing may reach the one that they run.
OF_MAKE = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES")


def environment(**changes):
    kept = {name: value for name, value in os.environ.items() if name not in OF_MAKE}
    return {**kept, "LC_ALL": "C", **changes}


def run(*command, cwd=SOURCE, **changes):
    """The command's outcome, with both its outputs as `stdout`."""
    return subprocess.run([str(part) for part in command], cwd=cwd, env=environment(**changes),
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=60, check=False)


class Doors(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def tools(self, *names):
        """A folder for PATH that holds these programs and no other."""
        path = self.folder / "bin"
        path.mkdir()
        for name in names:
            (path / name).symlink_to(shutil.which(name))
        return path

    def checkout(self):
        """A tree with the Makefile and what it calls, and nothing built."""
        tree = self.folder / "tree"
        tree.mkdir()
        shutil.copy(SOURCE / "Makefile", tree)
        shutil.copytree(SOURCE / "docker", tree / "docker")
        for name in ("base", "conf", "cachekeys", "backends", "proxy", "tests"):
            (tree / name).mkdir()
        return tree

    def test_a_system_without_apt_is_told_the_packages(self):
        shell = shutil.which("sh")
        outcome = run(shell, "docker/need.sh", "build", "test", PATH=self.tools("cat"))
        self.assertEqual(outcome.returncode, 0, outcome.stdout)
        for package in ("libevent-dev", "libre2-dev", "cmake", "ccache"):
            self.assertIn(package, outcome.stdout)

    def test_an_image_without_an_engine_says_what_is_missing(self):
        path = self.tools("sh", "find")
        outcome = run(shutil.which("make"), "image", cwd=self.checkout(), PATH=path)
        self.assertNotEqual(outcome.returncode, 0)
        self.assertIn("none of docker, podman and buildah is here and works", outcome.stdout)
        self.assertIn("apt-get install -y docker.io", outcome.stdout)

    def test_a_bare_debian_of_an_unknown_suite_is_refused(self):
        for suite in ("", "potato", "in-space", "try", "it's"):
            outcome = run("docker/fresh.sh", suite)
            self.assertEqual(outcome.returncode, 2, outcome.stdout)
            self.assertIn("(SUITE=bookworm or SUITE=trixie)", outcome.stdout)

    def test_a_moved_checkout_is_told_to_clean(self):
        for where in ("build", "build/asan"):
            with self.subTest(where):
                shutil.rmtree(self.folder / "tree", ignore_errors=True)
                tree = self.checkout()
                (tree / where).mkdir(parents=True)
                (tree / where / "CMakeCache.txt").write_text(
                    "CMAKE_HOME_DIRECTORY:INTERNAL=/another/place\n")
                (tree / "build" / "build.ninja").touch()
                for target in ("all", "test", "bench"):
                    outcome = run("make", target, cwd=tree)
                    self.assertNotEqual(outcome.returncode, 0)
                    self.assertIn("was made for /another/place", outcome.stdout)
                    self.assertIn("`make clean` first", outcome.stdout)

    def test_a_checkout_that_stays_is_not(self):
        tree = self.checkout()
        (tree / "build").mkdir()
        (tree / "build" / "CMakeCache.txt").write_text(
            f"CMAKE_HOME_DIRECTORY:INTERNAL={tree}\n")
        self.assertEqual(run("make", "same-place", cwd=tree).returncode, 0)

    @unittest.skipUnless(shutil.which("ccache"), "needs ccache")
    def test_a_home_that_cannot_be_written_does_not_break_the_build(self):
        # The one file that is built here goes through ccache, as all do.
        tree = self.checkout()
        (tree / "CMakeLists.txt").write_text(
            "cmake_minimum_required(VERSION 3.25)\nproject(one LANGUAGES CXX)\n"
            "set(CMAKE_CXX_COMPILER_LAUNCHER ccache)\nadd_executable(weir weir.cc)\n")
        (tree / "weir.cc").write_text("int main() {}\n")
        (self.folder / "file").touch()
        nowhere = self.folder / "file" / "home"  # not even root can make it
        outcome = run("make", cwd=tree, HOME=nowhere, XDG_CACHE_HOME=nowhere,
                      CCACHE_DIR=nowhere / "cache")
        self.assertEqual(outcome.returncode, 0, outcome.stdout)
        self.assertTrue((tree / "build" / "weir").exists())

    def make_run(self, **variables):
        """`make run` on the built binary, which `all` would only bring up to date."""
        given = [f"{name}={value}" for name, value in variables.items()]
        return run("make", "-o", "all", "run", f"BUILD={WEIR.parent}", *given)

    def test_a_quote_is_no_shell_error(self):
        for text in ("http://it's", 'http://"x', "http://a;false", "$$(false)", "`false`"):
            with self.subTest(text):
                outcome = self.make_run(UPSTREAM=text, LISTEN="127.0.0.1:0")
                self.assertIn("is not the URL of an app", outcome.stdout)
        outcome = self.make_run(CONFIG="it's.yaml")
        self.assertIn("it's.yaml: cannot be read", outcome.stdout)

    def test_run_does_not_greet_when_it_cannot_listen(self):
        file = self.folder / "weir.yaml"
        file.write_text("upstream: nowhere\n")
        outcome = self.make_run(CONFIG=file)
        self.assertNotEqual(outcome.returncode, 0)
        self.assertNotIn("Weir is at", outcome.stdout)
        self.assertNotIn("Ctrl-C", outcome.stdout)

    def greeting(self, **variables):
        """What run.sh says until it has greeted; it is ended as by Ctrl-C, and must end well."""
        process = subprocess.Popen(
            [SOURCE / "docker/demo/run.sh"], env=environment(WEIR=str(WEIR), **variables),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        said = ""
        with process:
            for line in process.stdout:
                said += line
                if line.startswith("Ctrl-C ends"):
                    break
            process.send_signal(signal.SIGINT)
            process.stdout.read()
        self.assertEqual(process.returncode, 0, said)
        return said

    def test_run_says_where_a_file_of_ones_own_listens(self):
        file = self.folder / "weir.yaml"
        for listen in ("127.0.0.1:0", "0.0.0.0:0"):
            file.write_text(f"upstream: http://127.0.0.1:1\nlisten: {listen}\nadmin: off\n")
            said = self.greeting(CONFIG=str(file))
            port = re.search(r"info listening on [0-9.]+:(\d+)", said)
            self.assertTrue(port, said)
            self.assertIn(f"Weir is at http://127.0.0.1:{port[1]}.", said)
        socket = self.folder / "weir.sock"
        file.write_text(f"upstream: http://127.0.0.1:1\nlisten: unix:{socket}\nadmin: off\n")
        said = self.greeting(CONFIG=str(file))
        self.assertIn(f"Weir is at unix:{socket}", said)
        self.assertIn(f"curl -i --unix-socket {socket} http://localhost/", said)

    def test_run_greets_for_the_demo(self):
        said = self.greeting(LISTEN="127.0.0.1:0")
        self.assertRegex(said, r"Weir is at http://127.0.0.1:\d+, in front of the demo app at")

    @unittest.skipUnless(STRIPPED, "this build keeps it in one")
    def test_the_binary_is_stripped_and_its_traces_are_read(self):
        self.assertLess(WEIR.stat().st_size, 10_000_000)
        self.assertNotIn(".debug_info", run("readelf", "-S", WEIR).stdout)
        symbols = run("nm", WEIR.with_suffix(".debug")).stdout
        address = re.search(r"^([0-9a-f]+) T main$", symbols, re.MULTILINE)[1]
        self.assertRegex(run("addr2line", "-e", WEIR, address).stdout, r"proxy/main\.cc:\d+")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
