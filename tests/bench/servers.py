"""The servers under test: how each is configured, started, found alive, and ended.

Every process is started here, pinned to the servers' core, and ended by its own pid.
"""

import getpass
import http.client
import os
import resource
import shutil
import signal
import socket
import subprocess
import threading
from pathlib import Path

import procs

_CONF = Path(__file__).with_name("conf")


class ServerError(Exception):
    pass


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def ask(port, method, path, body=None, fields=None):
    """(status, body) of one request."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, body, fields or {})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def get(port, path):
    return ask(port, "GET", path)


def program(*names):
    """The first of `names` that can be run; servers live in sbin, which may not be on the path."""
    path = os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin:/sbin"
    for name in names:
        found = shutil.which(name, path=path)
        if found:
            return found
    raise ServerError(f"{names[0]} is not installed")


class Server:
    """A running server. `stop` must be called, whatever happens in between."""

    def __init__(self, name, run_dir, cpu, port=None):
        self.name = name
        self.run = run_dir
        self.cpu = cpu
        self.port = port or free_port()
        self.log_file = None
        # Of Weir and Varnish; set before they are started.
        self.storage_mib = 1024
        self.on_disk = False  # kept in files; nginx does so anyway
        self._processes = []
        self.run.mkdir(parents=True, exist_ok=True)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def spawn(self, *command, stdout=None):
        """Starts one process of this server; what it prints goes to its run directory."""
        output = open(stdout or self.run / "output.txt", "ab")
        with output:
            process = subprocess.Popen(
                ["taskset", "-c", str(self.cpu), *map(str, command)], cwd=self.run,
                stdin=subprocess.DEVNULL, stdout=output,
                stderr=output if stdout is None else subprocess.DEVNULL)
        self._processes.append(process)
        return process

    def template(self, name, **values):
        """Fills conf/`name` into the run directory: @KEY@ becomes the value."""
        text = (_CONF / name).read_text()
        for key, value in {"PORT": self.port, "RUN": self.run, **values}.items():
            text = text.replace(f"@{key}@", str(value))
        target = self.run / name
        target.write_text(text)
        return target

    def wait_until_up(self, attempts=200):
        for _ in range(attempts):
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                pass
            for process in self._processes:
                try:
                    process.wait(0.05)
                except subprocess.TimeoutExpired:
                    continue
                raise ServerError(f"{self.name} ended with {process.returncode}:\n{self.output()}")
        raise ServerError(f"{self.name} does not listen on {self.port}:\n{self.output()}")

    def output(self, most=2000):
        """The end of what it has printed."""
        path = self.run / "output.txt"
        return path.read_text(errors="replace")[-most:] if path.exists() else ""

    def main_process(self):
        return self._processes[0]

    def pids(self):
        return [pid for process in self._processes for pid in procs.tree(process.pid)]

    def settle(self):
        """Until it has written nothing for a while."""
        pause, last, still = threading.Event(), -1, 0
        while still < 5:
            written = procs.written_bytes(self.pids())
            still = still + 1 if written == last else 0
            last = written
            pause.wait(0.1)

    def stop(self, with_signal=signal.SIGTERM):
        for process in reversed(self._processes):
            if process.poll() is None:
                process.send_signal(with_signal)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._processes = []


def start_origin(build, run_dir, cpu):
    server = Server("origin", run_dir, cpu)
    server.spawn(build / "tests/bench/bench_origin", server.port)
    return server


def start_floor(server, build, _origin, size, _log):
    server.spawn(build / "tests/bench/bench_floor", server.port, size)


def start_redis(server):
    server.spawn(program("redis-server"), "--port", server.port, "--bind", "127.0.0.1",
                 "--save", "", "--appendonly", "no")


def start_redis_floor(server, build, redis, size):
    server.spawn(build / "tests/bench/bench_redis_floor", server.port, redis, size)


def start_nginx(server, _build, origin, _size, log):
    # The package's own configuration is never read, nor its log directory written.
    if log:
        server.log_file = server.run / "access.log"
    # A cached file kept open is a descriptor: more of them than there are, and it answers 500.
    descriptors = min(resource.getrlimit(resource.RLIMIT_NOFILE)[1], 1 << 18)
    config = server.template(
        "nginx.conf", ORIGIN=origin, DESCRIPTORS=descriptors,
        OPEN_FILES=max(descriptors - 8192, descriptors // 2),
        LOG=f"{server.log_file} combined buffer=64k flush=1s" if log else "off",
        USER=f"user {getpass.getuser()};" if os.geteuid() == 0 else "")
    server.spawn(program("nginx"), "-e", server.run / "nginx.error.log", "-c", config)


def start_haproxy(server, _build, origin, _size, log):
    if log:
        server.log_file = server.run / "access.log"
    config = server.template(
        "haproxy.cfg", ORIGIN=origin,
        LOG_GLOBAL="  log stdout format raw local0" if log else "",
        LOG_DEFAULTS="  log global\n  option httplog" if log else "")
    server.spawn(program("haproxy"), "-db", "-f", config, stdout=server.log_file)


def start_varnish(server, _build, origin, _size, log):
    config = server.template("varnish.vcl", ORIGIN=origin)
    work = server.run / "work"
    storage = f"malloc,{server.storage_mib}M"
    if server.on_disk:
        storage = f"file,{server.run / 'storage.bin'},{server.storage_mib}M"
    server.spawn(
        program("varnishd"), "-F", "-j", "none", "-n", work, "-f", config,
        "-a", f"127.0.0.1:{server.port}", "-T", "none", "-s", storage,
        "-p", "thread_pools=1", "-p", "thread_pool_min=150", "-p", "thread_pool_max=1000",
        # varnishncsa runs on the same core and falls behind: what it has not read yet must wait.
        *(("-p", "vsl_space=1G") if log else ()))
    if log:
        server.log_file = server.run / "access.log"
        server.wait_until_up()
        server.spawn(program("varnishncsa"), "-n", work, "-a", "-w", server.log_file, "-t", "10")
        await_first_line(server)


def await_first_line(server):
    """A log reader of its own process logs from the moment it has attached."""
    pause = threading.Event()
    for _ in range(100):
        get(server.port, "/obj/1024/0")
        if server.log_file.exists() and server.log_file.stat().st_size > 0:
            return
        pause.wait(0.1)
    raise ServerError(f"{server.name} does not log:\n{server.output()}")


def start_weir_with(server, build, origin, config, **values):
    # WEIR: another binary than this tree's, to compare with.
    binary = Path(os.environ.get("WEIR") or build / "weir").resolve()
    if not binary.exists():
        raise ServerError(f"{binary} is not built")
    server.spawn(binary, "run", "-c", server.template(config, ORIGIN=origin, **values))


def start_weir(server, build, origin, _size, log):
    if log:
        server.log_file = server.run / "access.log"
    start_weir_with(server, build, origin, "weir_disk.yaml" if server.on_disk else "weir.yaml",
                    STORAGE=server.storage_mib,
                    LOG=f"{{ format: json, to: {server.log_file} }}" if log else "off")


STARTERS = {
    "floor": start_floor,
    "haproxy": start_haproxy,
    "nginx": start_nginx,
    "varnish": start_varnish,
    "weir": start_weir,
}
