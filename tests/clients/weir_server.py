"""The real binary, for tests of its clients: started with a configuration, its addresses known."""

import os
import re
import signal
import subprocess
import tempfile
from pathlib import Path

PATIENCE = 60  # seconds: for what comes at once unless something is broken

CONFIG = """\
listen: 127.0.0.1:0
upstream: http://127.0.0.1:9
workers: 2
admin: {admin}
{more}
backends:
  ram: {{ type: ram, max_size: 64MiB, max_object_size: 1MiB }}
  disk: {{ type: disk, cache_dir: {folder}/cache, min_free: 0, max_size: 64MiB }}
  redis: {{ type: redis, unix: {folder}/redis.sock, timeout: 5s }}
default: ram
"""


class WeirServer:
    """One process; `unix`: its admin address is a socket in its folder, and stays so."""

    def __init__(self, binary, unix=False, token=None):
        self._binary = binary
        self._folder = tempfile.TemporaryDirectory()
        self.folder = Path(self._folder.name)
        self._unix = f'unix:{self.folder}/admin.sock' if unix else None
        self.config = CONFIG.format(admin=self._unix or '127.0.0.1:0', folder=self.folder,
                                    more=f"admin_token: '{token}'" if token else '')
        self._process = None
        self._log = ''
        self._redis = self._start_redis()
        self.start()

    def _start_redis(self):
        """On a socket in the folder; returns when it serves."""
        redis = subprocess.Popen(
            ['redis-server', '--port', '0', '--unixsocket', self.folder / 'redis.sock', '--save',
             '', '--dir', self.folder],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        for line in redis.stdout:
            if 'eady to accept connections' in line:
                return redis
        raise RuntimeError('redis-server has ended')

    def start(self):
        """Returns when it listens. What it logs later is little, and fits into the pipe."""
        path = self.folder / 'weir.yaml'
        path.write_text(self.config)
        environment = {name: text for name, text in os.environ.items()
                       if not name.startswith('WEIR_ADMIN')}
        self._process = subprocess.Popen(
            [self._binary, 'run', '-c', path], env=environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self._log = ''
        for line in self._process.stderr:
            self._log += line
            if ' listening on ' in line:
                break
        self.admin = self._unix or re.search(r' admin address: (\S+)', self._log)[1]

    @property
    def url(self):
        return self._unix or f'http://{self.admin}'

    def stop(self):
        """Ends it in order; what it said must hold no complaint of a sanitizer."""
        self._process.send_signal(signal.SIGTERM)
        self._log += self._process.communicate(timeout=PATIENCE)[1]
        if self._process.returncode != 0:
            raise RuntimeError(f'weir ended with {self._process.returncode}:\n{self._log}')

    def close(self):
        if self._process.returncode is None:
            self.stop()
        self._redis.kill()
        self._redis.communicate()
        self._folder.cleanup()
