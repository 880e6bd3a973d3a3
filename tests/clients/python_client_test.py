"""docs/clients/weir.py against the real program.

python_client_test.py WEIR SOURCE: the binary, and the tree it was built from.
"""

import contextlib
import datetime
import decimal
import enum
import http.client
import http.server
import json
import logging
import os
import socket
import sys
import threading
import unittest
import uuid
from unittest import mock

from weir_server import PATIENCE, WeirServer

sys.path.insert(0, sys.argv[2] + '/docs/clients')
import weir as client  # noqa: E402  (found by the line above)
from weir import Weir, WeirError  # noqa: E402

BINARY = os.environ.get('WEIR_TEST_BINARY', sys.argv[1])
TOKEN = 'a"token"\\with#marks'

ODD_KEYS = ['..', '.', '../..', 'a/b//c', '/', '//', '%2F', '%2A', '%', '%%', 'a+b', 'a b', '?q=1',
            '#f', 'a&b=c', 'é', '日本', '\U0001f409', 'a*b', '*', '\x00', '\r\n', '\x7f', '~', '"\'',
            'a;b', '\\', '{k}', '[a-z]', b'\xff\xfe', b'\x00*\xff', os.fsdecode(b'\xe9.txt'),
            'k' * 2048]


class Colour(enum.Enum):
    RED = 1


def setUpModule():
    global server, guarded
    server, guarded = WeirServer(BINARY), WeirServer(BINARY, unix=True, token=TOKEN)


def tearDownModule():
    server.close()
    guarded.close()


class Calls:
    """A function that counts how often it is called."""

    def __init__(self, returns=None, raises=None):
        self.count, self._returns, self._raises = 0, returns, raises
        self._lock = threading.Lock()

    def __call__(self):
        with self._lock:
            self.count += 1
        if self._raises:
            raise self._raises
        return self._returns


def together(count, work):
    """What `work` returns in so many threads that begin at once."""
    barrier, results = threading.Barrier(count), []

    def run(number):
        barrier.wait(PATIENCE)
        results.append(work(number))
    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    return results


def ask(method, path):
    """One request that no client makes, as (status, headers, JSON)."""
    connection = http.client.HTTPConnection(server.admin, timeout=PATIENCE)
    with contextlib.closing(connection):
        connection.request(method, path)
        response = connection.getresponse()
        return response.status, response.headers, json.loads(response.read() or b'null')


class ClientTest(unittest.TestCase):
    def setUp(self):
        # A loaded machine must not pass for an outage.
        self.cache = Weir(server.url, timeout=PATIENCE)
        self.cache.clear()
        self.cache.disk.clear()


class Values(ClientTest):
    def test_a_function_is_called_once(self):
        function = Calls([7, 'é', None, {'a': 1.5}])
        for _ in range(3):
            self.assertEqual(self.cache('last_posts', function, 30), [7, 'é', None, {'a': 1.5}])
        self.assertEqual(function.count, 1)
        self.assertEqual(self.cache.get('last_posts'), [7, 'é', None, {'a': 1.5}])

    def test_none_is_a_value(self):
        function = Calls(None)
        self.assertIsNone(self.cache('nothing', function))
        self.assertIsNone(self.cache('nothing', function))
        self.assertEqual(function.count, 1)
        self.assertIsNone(self.cache.get('nothing', 'a default'))

    def test_set_get_and_clear(self):
        self.assertIsNone(self.cache.get('a'))
        self.assertEqual(self.cache.get('a', 'a default'), 'a default')
        self.assertIsNone(self.cache.set('a', {'b': [1]}))
        self.assertEqual(self.cache.get('a', 'a default'), {'b': [1]})
        self.assertEqual(self.cache.clear('a'), 1)
        self.assertEqual(self.cache.clear('a'), 0)
        self.assertIsNone(self.cache.get('a'))

    def test_get_or_set_keeps_the_first(self):
        self.assertEqual(self.cache.get_or_set('a', 'one'), 'one')
        self.assertEqual(self.cache.get_or_set('a', 'two'), 'one')
        self.assertEqual(self.cache.get_or_set('b', lambda: 'computed', 60), 'computed')
        self.assertEqual(self.cache.get_or_set('b', Calls(raises=ValueError())), 'computed')

    def test_durations(self):
        for given, seconds in [(30, 30), (1.5, 1), ('45', 45), ('90s', 90), ('5m', 300),
                               ('1h', 3600), ('2d', 172800), ('2000ms', 2),
                               (datetime.timedelta(minutes=2), 120), (None, 300)]:
            with self.subTest(given):
                for key, setting in [('set', lambda k, d: self.cache.set(k, 1, d)),
                                     ('called', lambda k, d: self.cache(k, Calls(1), d)),
                                     ('or', lambda k, d: self.cache.get_or_set(k, 1, d))]:
                    self.cache.clear(key)
                    setting(key, given)
                    _, headers, _ = ask('GET', f'/v1/keys/{key}')
                    left = int(headers['Cache-Control'].split('=')[1])
                    self.assertIn(left, range(max(1, seconds - PATIENCE), seconds + 1))

    def test_every_key_comes_back_byte_for_byte(self):
        for cache in (self.cache, Weir(server.url, prefix='p*/', timeout=PATIENCE)):
            for number, key in enumerate(ODD_KEYS):
                if len(key) < 2048 or cache is self.cache:
                    cache.set(key, number)
            for number, key in enumerate(ODD_KEYS):
                if len(key) < 2048 or cache is self.cache:
                    self.assertEqual(cache.get(key), number, key)
        _, _, page = ask('GET', '/v1/keys?limit=1000&backend=ram')
        self.assertEqual(len(page['keys']), 2 * len(ODD_KEYS) - 1)
        paths = {entry['path'] for entry in page['keys']}
        for path in ('..', '%2F', '%252F', '%252A', '%2A', '%00', '%FF%FE', '%C3%A9', '%E9.txt',
                     'p%2A%2F..', 'p%2A%2F%2A'):
            self.assertIn(path, paths)
        for key in ODD_KEYS:
            self.assertEqual(self.cache.clear(key, exact=True), 1, key)

    def test_raw_values_are_any_bytes(self):
        raw = Weir(server.url, serializer='raw', timeout=PATIENCE)
        for value in (b'', bytes(range(256)), b'\r\n\r\n', bytes(1_000_000)):
            raw.set('a', bytearray(value))
            self.assertEqual(raw.get('a'), value)
            raw.clear('a')
            self.assertEqual(raw('a', lambda value=value: value), value)
        with self.assertRaisesRegex(TypeError, "value of 'a' cannot be written as raw"):
            raw.set('a', 'text')

    def test_pickle_keeps_types_and_loads_nothing_but_its_own(self):
        pickled = Weir(server.url, serializer='pickle', timeout=PATIENCE)
        value = {(1, 2): {decimal.Decimal('1.5')}, 'when': datetime.date(2026, 1, 2)}
        self.assertEqual(pickled('a', Calls(value)), value)
        self.assertEqual(pickled.get('a'), value)
        raw = Weir(server.url, serializer='raw', timeout=PATIENCE)
        raw.set('a', raw.get('a'))  # the same bytes, of nobody known
        with self.assertLogs('weir', 'WARNING') as log:
            self.assertEqual(pickled.get('a', 'a default'), 'a default')
        self.assertIn('cannot be read as pickle', log.output[0])

    def test_an_object_of_ones_own_may_write(self):
        class Upper:
            @staticmethod
            def dumps(value):
                return value.upper().encode()

            @staticmethod
            def loads(data):
                return data.decode()
        upper = Weir(server.url, serializer=Upper, timeout=PATIENCE)
        self.assertEqual(upper('a', lambda: 'b'), 'B')

    def test_the_first_caller_gets_what_later_ones_get(self):
        self.assertEqual(self.cache('a', lambda: (1, {2: 3})), [1, {'2': 3}])
        self.assertEqual(self.cache.get('a'), [1, {'2': 3}])

    def test_what_json_cannot_hold_is_told_and_the_lease_is_over(self):
        for value in ({1, 2}, float('nan'), object(), b'bytes'):
            with self.assertRaisesRegex(TypeError, "the value of 'a' cannot be written as json"):
                self.cache('a', lambda value=value: value)
            with self.assertRaises(TypeError):
                self.cache.set('a', value)
        self.assertEqual(self.cache('a', lambda: 'fine'), 'fine')

    def test_what_cannot_be_read_is_computed_anew(self):
        Weir(server.url, serializer='raw', timeout=PATIENCE).set('a', b'{not JSON')
        with self.assertLogs('weir', 'WARNING') as log:
            self.assertEqual(self.cache('a', lambda: 'anew'), 'anew')
        self.assertIn("'a' is there, but cannot be read as json", log.output[0])
        self.assertEqual(self.cache.get('a'), 'anew')

    def test_a_value_that_is_too_large_is_told_and_not_kept(self):
        with self.assertLogs('weir', 'WARNING') as log:
            self.assertEqual(len(self.cache('a', lambda: 'x' * 2_000_000)), 2_000_000)
        self.assertIn('larger than the backend', log.output[0])
        self.assertIsNone(self.cache.get('a'))

    def test_backends_are_apart(self):
        self.cache.disk('k', lambda: 'on disk', 60)
        self.assertIsNone(self.cache.get('k'))
        self.cache.ram.set('k', 'in memory')
        self.assertEqual(self.cache.get('k'), 'in memory')
        self.assertEqual(self.cache.backend('disk').get('k'), 'on disk')
        self.assertEqual(self.cache.redis('k', lambda: 'in redis', 60), 'in redis')
        self.assertEqual(self.cache.redis('k', lambda: 'again', 60), 'in redis')
        self.assertEqual(self.cache.redis.get('k'), 'in redis')
        self.assertEqual(self.cache.disk.get('k'), 'on disk')
        self.assertEqual(self.cache.redis.clear('k'), 1)
        self.assertIsNone(self.cache.redis.get('k'))
        cached = self.cache.disk('f')(lambda a: a + 1)
        self.assertEqual(cached(1), 2)
        self.assertEqual(self.cache.disk.get('f:a=1'), 2)
        self.assertIsNone(self.cache.disk.clear())  # not counted
        self.assertIsNone(self.cache.disk.get('k'))
        self.assertEqual(self.cache.get('k'), 'in memory')

    def test_a_star_clears_a_pattern_unless_exact(self):
        for key in ('user:1', 'user:2', 'user*', 'other'):
            self.cache.set(key, 1)
        self.assertEqual(self.cache.clear('user*', exact=True), 1)
        self.assertEqual(self.cache.get('user:1'), 1)
        self.assertEqual(self.cache.clear('user*'), 2)
        self.assertEqual(self.cache.get('other'), 1)

    def test_a_prefix_is_apart_and_cleared_apart(self):
        mine = Weir(server.url, prefix='app*:', timeout=PATIENCE)
        self.cache.set('a', 'all')
        self.cache.set('apple:a', 'no pattern of mine')
        mine.set('a', 'mine')
        mine.set('b', 'mine')
        self.assertEqual(self.cache.get('app*:a'), 'mine')
        self.assertEqual(mine.clear('a*'), 1)
        self.assertEqual(mine.clear(), 1)
        self.assertEqual(self.cache.get('a'), 'all')
        self.assertEqual(self.cache.get('apple:a'), 'no pattern of mine')


class Decorated(ClientTest):
    def test_the_arguments_are_in_the_key(self):
        calls = []

        @self.cache('user', duration=30)
        def user(number, full=False, *more, **options):
            """Fetches."""
            calls.append(number)
            return [number, full, list(more), options]
        self.assertEqual(user(7), [7, False, [], {}])
        self.assertEqual(user(number=7, full=False), [7, False, [], {}])
        self.assertEqual(calls, [7])
        self.assertEqual(user(7, x=1, y=2), user(7, y=2, x=1))
        self.assertEqual(calls, [7, 7])
        for value in (1, 1.0, True, '1', b'1', None, [1], (1,), {1}, {'1': 1}, Colour.RED,
                      decimal.Decimal(1), uuid.UUID(int=1), datetime.date(1, 1, 1),
                      datetime.datetime(1, 1, 1), datetime.timedelta(1)):
            self.assertEqual(self.cache.get(user.cache_key(value)), None, value)
            self.cache.set(user.cache_key(value), repr(value))
        self.assertEqual(self.cache.get(user.cache_key('1')), "'1'")
        self.assertEqual(user.__name__, 'user')
        self.assertEqual(user.__doc__, 'Fetches.')

    def test_what_is_equal_has_one_key(self):
        spelled = self.cache('f')(lambda a, b=2: 0).cache_key
        self.assertEqual(spelled({'x': 1, 'y': 2}), spelled(a={'y': 2, 'x': 1}))
        self.assertEqual(spelled({'b', 'a', 'c'}), spelled({'c', 'b', 'a'}))
        self.assertEqual(spelled(1, 2), spelled(b=2, a=1))
        self.assertNotEqual(spelled(['a', 'b']), spelled(["a','b"]))

    def test_without_parameters_the_key_is_as_given(self):
        @self.cache('posts')
        def posts():
            return 'posts'
        self.assertEqual(posts(), 'posts')
        self.assertEqual(self.cache.get('posts'), 'posts')

    def test_without_a_key_the_name_is_it(self):
        self.assertEqual(self.cache()(top_level)(3), 6)
        self.assertEqual(self.cache(top_level)(3), 6)
        self.assertEqual(self.cache.get('__main__.top_level:number=3'), 6)
        self.assertEqual(self.cache.clear('__main__.top_level:*'), 1)
        around = 1
        for nameless in (lambda: 0, lambda: around):
            with self.assertRaisesRegex(ValueError, 'give it a key'):
                self.cache()(nameless)

    def test_parameters_of_any_name(self):
        @self.cache('odd')
        def odd(key, self, function, signature, cls=None):
            return [key, self, function, signature, cls]
        self.assertEqual(odd(key=1, self=2, function=3, signature=4, cls=5), [1, 2, 3, 4, 5])

    def test_one_call_is_cleared_by_its_key(self):
        @self.cache('f*')
        def function(text):
            return text
        function('*')
        function('**')
        self.assertEqual(self.cache.clear(function.cache_key('*'), exact=True), 1)
        self.assertEqual(self.cache.get(function.cache_key('**')), '**')

    def test_long_arguments_are_hashed(self):
        @self.cache('long')
        def function(text):
            return len(text)
        self.assertEqual(function('x' * 100_000), 100_000)
        self.assertEqual(function('y' * 100_001), 100_001)
        self.assertEqual(self.cache.clear('long:*'), 2)

    def test_what_no_key_can_tell_raises(self):
        @self.cache('f')
        def function(*arguments):
            return 0

        class Number(int):
            pass
        for value in (object(), self, [object()], Number(1), function):
            with self.assertRaisesRegex(TypeError, 'cannot be told in a key'):
                function(value)
        with self.assertRaisesRegex(TypeError, 'missing a required argument'):
            self.cache('g')(lambda a: a)()

    def test_async_functions_are_refused_with_advice(self):
        async def function():
            return 0
        with self.assertRaisesRegex(TypeError, 'asyncio.to_thread'):
            self.cache('f')(function)


def top_level(number):
    return 2 * number


class Leases(ClientTest):
    def test_of_fifty_threads_one_computes(self):
        for cache in (self.cache, self.cache.disk):
            function = Calls('computed')
            results = together(50, lambda _: cache('a', function, 60))
            self.assertEqual(results, ['computed'] * 50)
            self.assertEqual(function.count, 1)

    def test_others_wait_for_who_computes(self):
        begun, go_on = threading.Event(), threading.Event()

        def slow():
            begun.set()
            self.assertTrue(go_on.wait(PATIENCE))
            return 'computed'
        other = Calls('a second time')

        def work(number):
            if number == 0:
                return self.cache('a', slow)
            self.assertTrue(begun.wait(PATIENCE))
            if number == 1:
                go_on.set()
            return self.cache('a', other)
        self.assertEqual(together(4, work), ['computed'] * 4)
        self.assertEqual(other.count, 0)

    def test_what_it_raises_is_raised_and_the_next_one_computes(self):
        class Broken(Exception):
            pass
        failing = Calls(raises=Broken())
        for error, function in ((Broken, failing), (KeyboardInterrupt,
                                                    Calls(raises=KeyboardInterrupt()))):
            with self.assertRaises(error):
                self.cache('a', function)
            _, headers, _ = ask('GET', '/v1/keys/a?lease=1ms&wait=0s')
            self.assertIn('Weir-Lease', headers)  # nobody else has it
        self.assertEqual(self.cache('a', lambda: 'fine'), 'fine')

    def test_of_who_waits_the_next_one_computes_where_one_raises(self):
        lock, left = threading.Lock(), [10]

        def fails_at_first():
            with lock:
                left[0] -= 1
                if left[0] > 0:
                    raise ValueError(left[0])
            return 'at last'

        def work(_):
            with contextlib.suppress(ValueError):
                return self.cache('a', fails_at_first)
        results = together(20, work)
        self.assertEqual(results.count(None), 9)
        self.assertEqual(results.count('at last'), 11)
        self.assertEqual(left, [0])

    def test_who_never_ends_loses_the_lease(self):
        status, headers, _ = ask('GET', '/v1/keys/a?lease=200ms')
        self.assertEqual(status, 404)
        self.assertIn('Weir-Lease', headers)
        self.assertEqual(self.cache('a', lambda: 'computed'), 'computed')
        self.assertEqual(self.cache.get('a'), 'computed')

    def test_who_waits_in_vain_computes_and_leaves_the_setting_to_the_other(self):
        hurried = Weir(server.url, timeout=PATIENCE, lease=1)
        _, headers, _ = ask('GET', '/v1/keys/a?lease=1h')
        self.assertEqual(hurried('a', lambda: 'mine'), 'mine')
        self.assertIsNone(self.cache.get('a'))
        self.assertEqual(ask('DELETE', f'/v1/keys/a?lease={headers["Weir-Lease"]}')[0], 204)

    def test_what_was_cleared_meanwhile_is_not_kept(self):
        def function():
            self.cache.clear('a')
            return 'old'
        self.assertEqual(self.cache('a', function), 'old')
        self.assertIsNone(self.cache.get('a'))

    def test_a_lease_that_ran_out_is_told(self):
        hurried = Weir(server.url, timeout=PATIENCE, lease=1)

        def slow():  # until its lease is another's
            status, headers, _ = ask('GET', '/v1/keys/a?lease=1h&wait=1m')
            self.assertEqual(status, 404)
            self.assertIn('Weir-Lease', headers)
            now.return_value += 1.1  # its own clock began when it had the answer
            return 'late'
        with mock.patch.object(client.time, 'monotonic', return_value=100.0) as now, \
                self.assertLogs('weir', 'WARNING') as log:
            self.assertEqual(hurried('a', slow), 'late')
        self.assertIn("'a' took longer than its lease of 1 s", log.output[0])
        self.assertIsNone(self.cache.get('a'))


class Refused(ClientTest):
    def test_misuse_raises_whether_or_not_weir_is_there(self):
        gone = Weir(f'unix:{server.folder}/nobody')
        for cache in (self.cache, gone):
            function = Calls(1)
            for duration in (0, -1, 0.5, 'soon', '1 h', '', [], float('nan'), 2**31, '0'):
                with self.assertRaisesRegex(ValueError, '^duration: '):
                    cache('a', function, duration)
                with self.assertRaisesRegex(ValueError, '^duration: '):
                    cache('a', duration=duration)
                with self.assertRaisesRegex(ValueError, '^duration: '):
                    cache.set('a', 1, duration)
            self.assertEqual(function.count, 0)
            with self.assertRaisesRegex(TypeError, '^key: 7 is neither'):
                cache.get(7)
            with self.assertRaisesRegex(TypeError, '30 is no function'):
                cache('a', 30)
            with self.assertRaises(AttributeError):
                cache._private

    def test_what_weir_refuses_raises_and_nothing_is_computed(self):
        function = Calls(1)
        for field, call in [('backend', lambda: self.cache.nope('a', function)),
                            ('backend', lambda: self.cache.nope.get('a')),
                            ('backend', lambda: self.cache.nope.clear()),
                            ('key', lambda: self.cache('', function)),
                            ('key', lambda: self.cache.clear('')),
                            ('key', lambda: self.cache.set('k' * 2049, 1))]:
            with self.assertRaisesRegex(WeirError, f'^{field}: ') as raised:
                call()
            self.assertEqual((raised.exception.status, raised.exception.field), (400, field))
        self.assertEqual(function.count, 0)

    def test_a_wrong_token_raises(self):
        for token in (None, 'wrong'):
            with mock.patch.dict(os.environ), self.assertRaisesRegex(WeirError, 'admin_token'):
                os.environ.pop('WEIR_ADMIN_TOKEN', None)
                Weir(guarded.url, token, timeout=PATIENCE).get('a')
        right = Weir(guarded.url, TOKEN, timeout=PATIENCE)
        self.assertEqual(right('a', lambda: 'through a socket'), 'through a socket')
        self.assertEqual(right.clear('a'), 1)

    def test_what_is_no_admin_address_is_told(self):
        class Quiet(http.server.SimpleHTTPRequestHandler):
            def log_message(self, *_):
                pass
        with http.server.HTTPServer(('127.0.0.1', 0), Quiet) as other:
            thread = threading.Thread(target=other.handle_request)
            thread.start()
            with self.assertRaisesRegex(WeirError, 'no admin address of Weir'):
                Weir(f'127.0.0.1:{other.server_port}', timeout=PATIENCE).get('a')
            thread.join(PATIENCE)

    def test_arguments_of_the_object(self):
        for arguments in ({'url': 'https://a'}, {'url': 'http://a/path'}, {'url': 'http://'},
                          {'serializer': 'picle'}, {'lease': 0}, {'lease': 3601}):
            with self.assertRaisesRegex(ValueError, f'^{next(iter(arguments))}: '):
                Weir(**arguments)

    def test_the_environment_says_where(self):
        with mock.patch.dict(os.environ, WEIR_ADMIN=guarded.url, WEIR_ADMIN_TOKEN=TOKEN):
            Weir(timeout=PATIENCE).set('env', 1)
        self.assertEqual(Weir(guarded.url, TOKEN, timeout=PATIENCE).get('env'), 1)
        with mock.patch.dict(os.environ, WEIR_ADMIN=server.admin):
            Weir(timeout=PATIENCE).set('env', 2)
        self.assertEqual(self.cache.get('env'), 2)
        with mock.patch.dict(os.environ, WEIR_ADMIN='off'), self.assertNoLog():
            self.assertEqual(Weir()('env', lambda: 3), 3)
            self.assertIsNone(Weir().clear())

    @contextlib.contextmanager
    def assertNoLog(self):  # assertNoLogs is Python 3.10's
        with self.assertLogs('weir') as log:
            yield
            logging.getLogger('weir').info('the only line')
        self.assertEqual(len(log.output), 1, log.output)


class Outages(unittest.TestCase):
    def setUp(self):
        self.server = WeirServer(BINARY, unix=True)
        self.addCleanup(self.server.close)
        self.cache = Weir(self.server.url, timeout=PATIENCE)

    def test_without_weir_all_is_computed_and_the_log_says_so_once(self):
        self.cache.set('a', 'kept')
        self.server.stop()
        with self.assertLogs('weir', 'INFO') as log, mock.patch.object(client, '_RETRY_AFTER', 0):
            function = Calls('computed')
            self.assertEqual([self.cache('b', function, 30) for _ in range(3)], ['computed'] * 3)
            self.assertEqual(function.count, 3)
            self.assertEqual(self.cache.get('a', 'a default'), 'a default')
            self.assertIsNone(self.cache.set('a', 1))
            self.assertEqual(self.cache.get_or_set('a', (1,)), [1])
            with self.assertRaises(ZeroDivisionError):
                self.cache('b', lambda: 1 // 0)
            self.assertEqual(len(together(8, lambda _: self.cache('b', function))), 8)
        self.assertEqual(len(log.output), 1, log.output)
        self.assertIn('cannot be reached', log.output[0])
        with self.assertLogs('weir', 'WARNING') as log:
            self.assertIsNone(self.cache.clear('a'))
            self.assertIsNone(self.cache.clear('a'))
        self.assertEqual(len(log.output), 2)
        self.assertIn("'a' is not cleared", log.output[0])
        self.server.start()
        with self.assertLogs('weir', 'INFO') as log:
            self.assertEqual(self.cache.clear('a'), 0)  # always tried
        self.assertIn('serves again', log.output[0])
        self.assertEqual(self.cache('b', function), 'computed')
        self.assertEqual(self.cache.get('b'), 'computed')

    def test_soon_after_a_failure_nobody_tries(self):
        self.server.stop()
        with mock.patch.object(client.time, 'monotonic', return_value=100.0) as now:
            with self.assertLogs('weir', 'WARNING'):
                self.assertIsNone(self.cache.get('a'))
            self.server.start()
            Weir(self.server.url, timeout=PATIENCE).set('a', 1)
            self.assertIsNone(self.cache.get('a'))
            now.return_value += client._RETRY_AFTER
            self.assertEqual(self.cache.get('a'), 1)

    def test_a_connection_that_weir_closed_is_no_outage(self):
        together(4, lambda number: self.cache.set('a', number))  # some are idle now
        self.server.stop()
        self.server.start()
        with self.assertLogs('weir') as log:
            self.cache.set('b', 2)
            self.assertEqual(self.cache('b', lambda: 3), 2)
            logging.getLogger('weir').info('the only line')
        self.assertEqual(len(log.output), 1, log.output)

    def test_who_never_answers_is_waited_for_shortly(self):
        with socket.socket() as silent, self.assertLogs('weir', 'WARNING') as log:
            silent.bind(('127.0.0.1', 0))
            silent.listen()
            cache = Weir(f'127.0.0.1:{silent.getsockname()[1]}', timeout=0.05)
            self.assertEqual(cache('a', lambda: 'computed'), 'computed')
            self.assertIsNone(cache.get('a'))
        self.assertEqual(len(log.output), 1)

    def test_who_talks_no_http_is_an_outage_too(self):
        with socket.socket() as odd, self.assertLogs('weir', 'WARNING'):
            odd.bind(('127.0.0.1', 0))
            odd.listen()

            def answer():
                with odd.accept()[0] as connection:
                    connection.recv(65536)
                    connection.sendall(b'SSH-2.0-odd\r\n')
            thread = threading.Thread(target=answer)
            thread.start()
            cache = Weir(f'127.0.0.1:{odd.getsockname()[1]}', timeout=PATIENCE)
            self.assertEqual(cache('a', lambda: 'computed'), 'computed')
            thread.join(PATIENCE)


class Forks(ClientTest):
    def test_parent_and_children_do_not_mix_their_answers(self):
        together(4, lambda number: self.cache.set(f'before {number}', number))  # some are idle now

        def work(name):
            for number in range(25):
                self.cache.set(f'{name}', [name, number])
                if self.cache.get(f'{name}') != [name, number]:
                    return False
            return True
        children = []
        for name in range(3):
            child = os.fork()
            if child == 0:
                os._exit(0 if work(name) else 1)
            children.append(child)
        self.assertTrue(work('parent'))
        for child in children:
            self.assertEqual(os.waitpid(child, 0)[1], 0)

    def test_a_child_forked_while_threads_call_goes_on(self):
        stop = threading.Event()

        def call():
            while not stop.is_set():
                self.cache.get('a')
        threads = [threading.Thread(target=call) for _ in range(2)]
        for thread in threads:
            thread.start()
        for _ in range(3):
            child = os.fork()
            if child == 0:
                self.cache.set('child', 1)
                os._exit(0 if self.cache.get('child') == 1 else 1)
            self.assertEqual(os.waitpid(child, 0)[1], 0)
        stop.set()
        for thread in threads:
            thread.join(PATIENCE)


if __name__ == '__main__':
    # Idle connections end with the process.
    unittest.main(argv=sys.argv[:1] + sys.argv[3:], warnings='ignore')
