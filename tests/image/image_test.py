"""What docs/CONTAINER.md promises of the image, tried on a real one (docker/image_test.sh)."""

import http.client
import os
import re
import shlex
import signal
import ssl
import stat
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from container import PATIENCE, PROGRAM, Container, Image, eventually, run

TREE = Path(__file__).resolve().parents[2]
MOST_MIB = 45
MOST_START_MS = 300
GRACE_S = 30  # what the compose files give
# On a network of the test's own, whose loopback has a second address: to be asked there is as good
# as to be asked from outside.
OUTSIDE, PORT, ADMIN_PORT, APP_PORT = '192.0.2.1', 8080, 8081, 3000
UPSTREAM = {'WEIR_UPSTREAM': f'http://127.0.0.1:{APP_PORT}'}

image = None


def get(path='/', at=OUTSIDE, port=PORT):
    """Status, Cache-Status and body; status None: nobody answers."""
    connection = http.client.HTTPConnection(at, port, timeout=PATIENCE)
    try:
        connection.request('GET', path)
        answer = connection.getresponse()
        return answer.status, answer.headers.get('Cache-Status', ''), answer.read().decode()
    except OSError:
        return None, '', ''
    finally:
        connection.close()


def get_admin(path):
    return get(path, '127.0.0.1', ADMIN_PORT)


class App:
    """The app: a page is its path and how many were made, and may be kept for a minute. The slow
    ones wait until `gate` is set."""

    def __init__(self, context=None):
        made, gate = [], threading.Event()
        self.made, self.gate = made, gate

        class Page(BaseHTTPRequestHandler):
            def do_GET(self):
                made.append(self.path)
                if self.path.startswith('/slow'):
                    gate.wait(PATIENCE)
                body = f'{self.path} {len(made)}'.encode()
                self.send_response(200)
                self.send_header('Cache-Control', 'max-age=60')
                self.send_header('Content-Length', str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass
        self._server = ThreadingHTTPServer(('', APP_PORT), Page)
        if context:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()


class ImageTest(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp())
        os.chmod(self.folder, 0o755)

    def app(self, context=None):
        app = App(context)
        self.addCleanup(app.close)
        return app

    def container(self, environment=UPSTREAM, **of):
        container = Container(image, environment, **of)
        self.addCleanup(container.remove)
        return container

    def started(self, *arguments, **of):
        container = self.container(*arguments, **of).start()
        self.serves(container)
        return container

    def serves(self, container):
        self.assertTrue(eventually(lambda: get_admin('/healthz')[0] == 200 or
                                   not container.running()), container.log)
        self.assertTrue(container.running(), container.log)

    def file(self, name, text):
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o644)
        return path

    def volume(self, owner=10001):
        path = self.folder / f'volume{len(list(self.folder.iterdir()))}'
        path.mkdir()
        os.chown(path, owner, owner)
        return path

    def becomes_a_hit(self, path='/'):
        self.assertTrue(eventually(lambda: '; hit' in get(path)[1]), get(path))

    def on_disk(self):
        return self.file('weir.yaml', f"""
listen: 0.0.0.0:{PORT}
backends:
  ram: {{ type: ram, max_size: 32MiB }}
  disk: {{ type: disk, cache_dir: /var/cache/weir, max_size: 64MiB, min_free: 0 }}
default: [ram, disk]
routes: [{{ match: /**, cache: true }}]
""")


class What(ImageTest):
    def test_it_holds_the_program_and_what_that_needs(self):
        root = self.container().root
        programs, total = [], 0
        for folder, _, names in os.walk(root):
            for name in names:
                path = Path(folder, name)
                status = path.lstat()
                total += status.st_size
                if stat.S_ISREG(status.st_mode) and status.st_mode & 0o111:
                    programs.append('/' + str(path.relative_to(root)))
        others = [one for one in programs if one != PROGRAM and '.so' not in one]
        self.assertEqual(others, [])
        for absent in ('bin/sh', 'usr/bin/apt-get', 'usr/bin/dpkg', 'etc/weir/weir.yaml'):
            self.assertFalse((root / absent).exists(), absent)
        size = total / 2**20
        print(f'image {size:.1f} MiB', flush=True)
        self.assertLessEqual(size, MOST_MIB)
        packages = [path.name for path in (root / 'var/lib/dpkg/status.d').iterdir()]
        self.assertIn('libssl3', [re.sub('t64$', '', name) for name in packages])
        for package in packages:
            self.assertTrue((root / 'usr/share/doc' / package / 'copyright').exists(), package)
        self.assertTrue((root / 'etc/debian_version').exists(), 'scanners ask for it')
        # What a new volume there takes over.
        cache = (root / 'var/cache/weir').stat()
        self.assertEqual((cache.st_uid, cache.st_gid, cache.st_mode & 0o7777),
                         (10001, 10001, 0o755))
        self.assertEqual((root / 'tmp').stat().st_mode & 0o7777, 0o1777)

    def test_engines_are_told_how_to_run_it(self):
        config = image.docker_config
        self.assertEqual(config['User'], '10001:10001')
        self.assertEqual(config['Entrypoint'], [PROGRAM])
        self.assertEqual(config['Cmd'], ['run'])
        self.assertEqual(config['StopSignal'], 'SIGTERM')
        self.assertIn('8080/tcp', config['ExposedPorts'])
        self.assertEqual(config['Healthcheck']['Test'], ['CMD', PROGRAM, 'health'])
        self.assertNotIn('WEIR_UPSTREAM', image.environment)

    def test_it_says_of_what_revision_it_is(self):
        container = self.container().start('version')
        self.assertEqual(container.wait(), 0)
        revision = run('git', '-C', TREE, '-c', f'safe.directory={TREE}', 'rev-parse', '--short=12',
                       'HEAD')
        self.assertIn(revision, container.log)


class Runs(ImageTest):
    def test_started_before_its_app_it_serves_when_that_is_there(self):
        container = self.started()
        self.assertEqual(get()[0], 502)
        app = self.app()
        self.assertTrue(eventually(lambda: get()[0] == 200))
        self.becomes_a_hit()
        made = len(app.made)
        self.assertEqual(get()[2], f'/ {made}')
        self.assertEqual(set(container.status('Uid')), {'10001'})
        self.assertEqual(set(container.status('Gid')), {'10001'})
        self.assertEqual(int(container.status('CapEff')[0], 16), 0)

    def test_its_health_is_asked_by_itself(self):
        container = self.started()
        self.assertEqual(self.container().start('health').wait(), 0)
        container.stop()
        asked = self.container(read_only=True).start('health')
        self.assertEqual(asked.wait(), 1)
        self.assertEqual(len(asked.log.splitlines()), 1, asked.log)

    def test_it_answers_soon_after_its_start(self):
        self.app()
        container = self.container(read_only=True)
        best = 1e9
        for _ in range(5):
            began = time.monotonic()
            container.start()
            while get()[0] != 200:
                self.assertLess(time.monotonic() - began, PATIENCE, container.log)
            best = min(best, (time.monotonic() - began) * 1000)
            self.assertEqual(container.stop(), 0)
        print(f'start to the first answer {best:.0f} ms', flush=True)
        self.assertLess(best, MOST_START_MS)

    def test_a_read_only_root_and_an_unknown_user(self):
        self.app()
        for of in ({'read_only': True}, {'user': '12345'}, {'user': '12345', 'read_only': True}):
            with self.subTest(of):
                container = self.started(**of)
                self.becomes_a_hit('/page')
                self.assertEqual(container.status('Uid')[0], of.get('user', '10001'))
                self.assertEqual(container.stop(), 0)

    def test_a_file_that_is_mounted_counts_and_the_environment_above_it(self):
        self.app()
        yaml = self.file('weir.yaml', f'upstream: http://127.0.0.1:{APP_PORT}\n'
                         'listen: 127.0.0.1:1\nroutes: [{ match: /kept, cache: true }]\n')
        self.started({'WEIR_LISTEN': f'{OUTSIDE}:{PORT}'},
                     volumes=[(yaml, '/etc/weir/weir.yaml', 'ro')])
        self.becomes_a_hit('/kept')
        get('/other')
        self.assertNotIn('hit', get('/other')[1])

    def test_who_stops_it_waits_for_what_is_under_way(self):
        app = self.app()
        container = self.started()
        answers = []
        asking = threading.Thread(target=lambda: answers.append(get('/slow')))
        asking.start()
        self.assertTrue(eventually(lambda: '/slow' in app.made))
        began = time.monotonic()
        container.send(signal.SIGTERM)
        self.assertTrue(eventually(lambda: get_admin('/readyz')[0] == 503))
        self.assertTrue(container.running())
        app.gate.set()
        self.assertEqual(container.wait(), 0)
        self.assertLess(time.monotonic() - began, GRACE_S)
        asking.join(PATIENCE)
        self.assertEqual(answers[0][0], 200)

    def test_what_it_cannot_run_with_is_one_line_and_exit_2(self):
        rows = [({}, None, 'upstream'),
                ({'WEIR_UPSTREAM': 'nowhere'}, None, 'WEIR_UPSTREAM'),
                (UPSTREAM, 'routs: 1\n', '/etc/weir/weir.yaml:1:1: unknown key "routs"'),
                (UPSTREAM, 'a: [\n', '/etc/weir/weir.yaml:')]
        for environment, yaml, said in rows:
            with self.subTest(said):
                volumes = []
                if yaml:
                    volumes = [(self.file('bad.yaml', yaml), '/etc/weir/weir.yaml', 'ro')]
                container = self.container(environment, volumes=volumes, read_only=True).start()
                self.assertEqual(container.wait(), 2)
                self.assertIn(said, container.log)
                self.assertEqual(len(container.log.splitlines()), 1, container.log)


class Stores(ImageTest):
    def test_a_volume_keeps_pages_across_restarts(self):
        app = self.app()
        yaml = self.on_disk()
        container = self.container(volumes=[(yaml, '/etc/weir/weir.yaml', 'ro'),
                                            (self.volume(), '/var/cache/weir', 'rw')])
        for number, how in enumerate((signal.SIGKILL, signal.SIGTERM, signal.SIGTERM)):
            container.start()
            self.serves(container)
            if number == 0:
                self.becomes_a_hit('/page')
                made = len(app.made)
                written = 'weir_backend_stores_total{backend="disk"} 1'
                self.assertTrue(eventually(lambda: written in get_admin('/metrics')[2]))
            self.assertIn('; hit', get('/page')[1])
            self.assertEqual(len(app.made), made, 'the app was asked again')
            container.stop(how)

    def test_a_volume_that_cannot_be_written_to_leaves_memory(self):
        self.app()
        full = self.folder / 'full'
        full.mkdir()
        run('mount', '-t', 'tmpfs', '-o', 'size=64k,uid=10001,gid=10001,mode=755', 'tmpfs', full)
        self.addCleanup(run, 'umount', full)
        filled = subprocess.run(['dd', 'if=/dev/zero', f'of={full}/lost+found', 'bs=4096'],
                                capture_output=True)
        self.assertIn(b'No space left', filled.stderr)
        used = self.volume()
        volumes = [(self.on_disk(), '/etc/weir/weir.yaml', 'ro')]
        before = self.started(volumes=[*volumes, (used, '/var/cache/weir', 'rw')])
        self.becomes_a_hit('/page')
        self.assertEqual(before.stop(), 0)
        for volume, mode in ((self.volume(), 'ro'), (used, 'ro'), (full, 'rw'),
                             (self.volume(0), 'rw')):
            with self.subTest(f'{volume} {mode}'):
                container = self.container(
                    volumes=[*volumes, (volume, '/var/cache/weir', mode)], read_only=True).start()
                self.serves(container)
                self.becomes_a_hit('/page')
                self.assertIn('goes on without it', container.log)
                self.assertEqual(container.stop(), 0)

    def test_two_of_them_share_a_redis_server(self):
        app = self.app()
        redis = subprocess.Popen(['redis-server', '--port', '6379', '--save', '', '--dir',
                                  self.folder], stdout=subprocess.DEVNULL)
        self.addCleanup(redis.wait)
        self.addCleanup(redis.kill)
        yaml = (TREE / 'docker/sidecar/weir.yaml').read_text()
        yaml = yaml.replace(':8000', f':{APP_PORT}')
        yaml = self.file('fleet.yaml', yaml.replace('host: redis', 'host: 127.0.0.1'))
        volumes = [(yaml, '/etc/weir/weir.yaml', 'ro')]
        for number in range(2):
            container = self.started({}, volumes=volumes)
            self.assertTrue(eventually(lambda: "in step with the fleet's log" in container.log))
            if number == 0:
                self.becomes_a_hit('/page')
                self.assertTrue(eventually(
                    lambda: run('redis-cli', '--scan', '--pattern', 'demo:r:*') != ''))
            self.assertIn('; hit', get('/page')[1])
            container.stop()
        self.assertEqual(len(app.made), 1)


class Encrypted(ImageTest):
    def certificate(self):
        run('openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj',
            '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout',
            self.folder / 'key.pem', '-out', self.folder / 'cert.pem')
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / 'cert.pem', self.folder / 'key.pem')
        return self.folder / 'cert.pem', context

    def test_an_app_behind_tls_is_verified_by_the_certificates_that_are_there(self):
        certificate, context = self.certificate()
        self.app(context=context)
        upstream = {'WEIR_UPSTREAM': f'https://127.0.0.1:{APP_PORT}'}
        container = self.started(upstream)
        self.assertEqual(get()[0], 502)
        self.assertIn('certificate', container.log)
        container.stop()
        bundle = self.file('bundle.crt', certificate.read_text())
        self.started(upstream, volumes=[(bundle, '/etc/ssl/certs/ca-certificates.crt', 'ro')])
        self.assertEqual(get()[0], 200)


class Written(ImageTest):
    """What the documents tell people to type."""

    def commands(self):
        for name in ('README.md', 'docs/CONTAINER.md'):
            text = (TREE / name).read_text().replace('\\\n', ' ')
            for block in re.findall(r'```sh\n(.*?)```', text, re.DOTALL):
                for line in block.splitlines():
                    if 'docker run' in line:
                        yield name, shlex.split(line[line.index('docker run'):].split(' #')[0])[2:]

    def test_the_lines_with_docker_run_serve_pages(self):
        commands = list(self.commands())
        self.assertGreaterEqual(len(commands), 3)
        self.assertIn('README.md', [name for name, _ in commands])
        self.app()
        self.file('weir.yaml', f'upstream: http://127.0.0.1:{APP_PORT}\nlisten: 0.0.0.0:{PORT}\n'
                  'routes: [{ match: /**, cache: true }]\n')
        for name, words in commands:
            with self.subTest(f'{name}: {" ".join(words)}'):
                container = self.started(**self.options(words))
                self.becomes_a_hit('/page')
                self.assertEqual(container.stop(), 0)

    def options(self, words):
        """`docker run`'s options, as these containers know them. One that is not known here is not
        to be promised there."""
        environment, volumes, hosts, of = {}, [], [], {}
        words = list(words)
        while words[0].startswith('-'):
            option = words.pop(0)
            if option in ('--rm', '-d'):
                continue
            if option == '--read-only':
                of['read_only'] = True
                continue
            value = words.pop(0)
            if option == '-e':
                variable, value = value.split('=', 1)
                environment[variable] = value
            elif option == '-v':
                here, there, *mode = value.split(':')
                here = here.replace('$PWD', str(self.folder))
                volumes.append((here if '/' in here else self.volume(), there, (mode or ['rw'])[0]))
            elif option == '--add-host':
                hosts.append(value.replace('host-gateway', OUTSIDE))
            elif option == '--user':
                of['user'] = value
            else:
                self.assertIn(option, ('-p', '--name', '--restart'))
        self.assertEqual(words, ['weir'])
        return of | {'environment': environment, 'volumes': volumes, 'hosts': hosts}

    def test_the_compose_files_are_valid(self):
        for name in ('compose.yaml', 'compose.fleet.yaml'):
            run('docker-compose', '-f', TREE / 'docker' / name, 'config', '--quiet')


if __name__ == '__main__':
    image = Image(sys.argv.pop(1))
    unittest.main(verbosity=2)
