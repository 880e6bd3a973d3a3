"""Containers of an image, started without an engine: by buildah, or with its root read-only.

All of it within namespaces of its own (docker/image_test.sh): what is left over ends with those.
"""

import json
import os
import shlex
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path

PATIENCE = 60  # seconds: for what comes at once unless something is broken
PROGRAM = '/usr/local/bin/weir'


def run(*command):
    """What it prints; raises where it fails."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=PATIENCE)
    if done.returncode != 0:
        raise RuntimeError(f'{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}')
    return done.stdout.strip()


def eventually(condition):
    """Whether it comes to hold."""
    until, pause = time.monotonic() + PATIENCE, threading.Event()
    while not condition():
        if time.monotonic() > until:
            return False
        pause.wait(0.01)
    return True


class Image:
    def __init__(self, name):
        self.name = name
        inspected = json.loads(run('buildah', 'inspect', '--type', 'image', name))
        self.config = inspected['OCIv1']['config']
        self.docker_config = inspected['Docker']['config']
        self.command = self.config['Entrypoint'] + self.config['Cmd']
        self.environment = dict(one.split('=', 1) for one in self.config['Env'])


class Container:
    """One that can be started again and again, as an engine restarts it."""

    def __init__(self, image, environment=None, volumes=(), user=None, hosts=(), read_only=False):
        """`volumes`: (folder or file here, place there, 'rw' or 'ro')."""
        self._image = image
        self._environment = image.environment | (environment or {})
        self._volumes = volumes
        self._user = user or image.config['User']
        self._hosts = hosts
        self._read_only = read_only
        added = [word for host in hosts for word in ('--add-host', host)]
        self.id = run('buildah', 'from', '--pull=never', *added, image.name)
        self.root = Path(run('buildah', 'mount', self.id))
        self._log = None
        self._process = None
        self.pid = None  # of the program itself

    def start(self, *arguments):
        """`arguments`: in the place of the image's CMD."""
        command = self._image.command
        if arguments:
            command = self._image.config['Entrypoint'] + list(arguments)
        self.pid = None
        if self._log:
            self._log.close()
        self._log = tempfile.TemporaryFile('a+')  # read while it is written to
        starter = self._read_only_starter if self._read_only else self._buildah_starter
        self._process = subprocess.Popen(
            starter() + command, stdin=subprocess.DEVNULL, stdout=self._log,
            stderr=subprocess.STDOUT)
        if not arguments:
            eventually(lambda: not self.running() or self._find_program())
        return self

    def _buildah_starter(self):
        out = ['buildah', 'run', '--network', 'host', '--user', self._user]
        for name, value in self._environment.items():
            out += ['--env', f'{name}={value}']
        for here, there, mode in self._volumes:
            out += ['--volume', f'{here}:{there}:{mode}']
        return out + [self.id, '--']

    def _read_only_starter(self):
        """As an engine does it: what it mounts has its place, then the root is closed."""
        user, _, group = self._user.partition(':')
        hosts = self.root / 'etc/hosts'
        hosts.write_text(''.join(f'{host.split(":")[1]} {host.split(":")[0]}\n'
                                 for host in ('localhost:127.0.0.1', *self._hosts)))
        root = shlex.quote(str(self.root))
        script = ['set -e', f'cd {root}', 'mkdir -p proc dev', 'mount --bind . .', f'cd {root}',
                  'mount -t proc proc proc', 'mount --rbind /dev dev']
        for here, there, mode in self._volumes:
            place = self.root / there.lstrip('/')
            if Path(here).is_dir():
                place.mkdir(parents=True, exist_ok=True)
            else:
                place.parent.mkdir(parents=True, exist_ok=True)
                place.touch()
            here, place = shlex.quote(str(here)), shlex.quote(str(place))
            script += [f'mount --bind {here} {place}', f'mount -o remount,bind,{mode} {place}']
        script += ['mount -o remount,bind,ro .',
                   f'exec setpriv --no-new-privs chroot --userspec={user}:{group or 0} . "$@"']
        environment = [f'{name}={value}' for name, value in self._environment.items()]
        return ['env', '-i', 'PATH=/usr/sbin:/usr/bin:/sbin:/bin', *environment, 'unshare',
                '--mount', 'sh', '-c', '\n'.join(script), 'sh']

    def _find_program(self):
        """It is the last one of those that its starter has begun."""
        below = {self._process.pid}
        for entry in sorted(Path('/proc').glob('[0-9]*'), key=lambda path: int(path.name)):
            try:
                fields = (entry / 'stat').read_text().rsplit(')', 1)[1].split()
                program = os.readlink(entry / 'exe')
            except (OSError, IndexError):
                continue
            pid = int(entry.name)
            if int(fields[1]) in below or pid in below:
                below.add(pid)
                if program.endswith(PROGRAM):
                    self.pid = pid
                    return True
        return False

    @property
    def log(self):
        self._log.seek(0)
        return self._log.read()

    def status(self, name):
        """Of the program, as the kernel knows it: Uid, CapEff, …"""
        for line in Path(f'/proc/{self.pid}/status').read_text().splitlines():
            if line.startswith(name + ':'):
                return line.split(':', 1)[1].split()
        raise RuntimeError(f'/proc knows no {name}')

    def wait(self):
        """Its exit code, once it has ended."""
        return self._process.wait(PATIENCE)

    def running(self):
        return self._process.poll() is None

    def send(self, number):
        os.kill(self.pid, number)

    def stop(self, how=signal.SIGTERM):
        self.send(how)
        return self.wait()

    def remove(self):
        """Whatever has become of it."""
        if self._process and self.running():
            if self.pid:
                self.send(signal.SIGKILL)
            else:
                self._process.kill()
            self.wait()
        if self._log:
            self._log.close()
        run('buildah', 'rm', self.id)
