"""Cache values in Weir, the caching sidecar: one file, Python 3.9 or later, nothing to install.

    from weir import Weir
    cache = Weir()  # the admin address: WEIR_ADMIN, else 127.0.0.1:8081

    posts = cache('last_posts', fetch_posts, 30)  # computed by one caller, kept for 30 seconds

    @cache('user', duration=60)  # the arguments are in the key
    def user(id, full=False): ...

    cache.disk('report', make_report, '1h')  # in the backend of that name
    cache.set('motd', 'hello', 3600)  # and get, get_or_set
    cache.clear('user:*')  # a pattern

Of all callers, in whatever process, that miss a value at the same time one computes it, and the
others wait for that. Where Weir cannot be reached everything is computed, nothing is kept, and the
log says so once. What is wrong in the call itself (a duration, a backend's name, the token) raises.
An object may be used by many threads, and after a fork.
"""
import collections
import contextlib
import datetime
import decimal
import enum
import functools
import hashlib
import http.client
import inspect
import json
import logging
import os
import pickle
import re
import socket
import threading
import time
import urllib.parse
import uuid

_MOST_IDLE = 16  # connections kept open
_RETRY_AFTER = 1.0  # seconds after a failure in which nothing waits for Weir
_LONGEST_WAIT = 300  # seconds that Weir lets a caller wait
_CLEAR_PATIENCE = 30.0  # seconds: a pattern is matched against every name
_MOST_SPELLED = 200  # characters of arguments in a key; longer ones are hashed
_UNITS = {'ms': 0.001, '': 1, 's': 1, 'm': 60, 'h': 3600, 'd': 86400}  # in seconds

_log = logging.getLogger('weir')
_Answer = collections.namedtuple('_Answer', 'status headers body')
_GONE = _Answer(0, {}, b'')  # Weir is not there, or of no help now
_ABSENT = object()
_Format = collections.namedtuple('_Format', 'name type dumps loads')


class WeirError(Exception):
    """Weir refused the call, and would refuse it again."""

    def __init__(self, status, field, message):
        super().__init__(f'{field}: {message}' if field else message)
        self.status, self.field = status, field


# ---- how values, durations and keys are written ----

_FORMATS = {
    'json': _Format('json', 'application/json', lambda value: json.dumps(
        value, separators=(',', ':'), ensure_ascii=False, allow_nan=False).encode(), json.loads),
    'pickle': _Format('pickle', 'application/x-python-pickle', pickle.dumps, pickle.loads),
    'raw': _Format('raw', 'application/octet-stream', lambda value: memoryview(value).tobytes(),
                   bytes)}


def _format_of(serializer):
    if hasattr(serializer, 'dumps') and hasattr(serializer, 'loads'):
        return _Format(repr(serializer), _FORMATS['raw'].type, serializer.dumps, serializer.loads)
    if serializer not in _FORMATS:
        raise ValueError(f'serializer: {serializer!r} is none of json, pickle, raw')
    return _FORMATS[serializer]


def _duration_ms(given):
    seconds = given
    if isinstance(given, datetime.timedelta):
        seconds = given.total_seconds()
    elif isinstance(given, str):
        parts = re.fullmatch('([0-9]+)(ms|s|m|h|d|)', given)
        seconds = parts and int(parts[1]) * _UNITS[parts[2]]
    if not isinstance(seconds, (int, float)) or not 1 <= seconds < 2**31:
        raise ValueError(f'duration: {given!r} is none: write seconds, at least 1, or "5m", "1h"')
    return round(seconds * 1000)


def _key_bytes(key):
    if isinstance(key, str):
        key = key.encode('utf-8', 'surrogateescape')  # names of files come back as they were
    if not isinstance(key, bytes):
        raise TypeError(f'key: {key!r} is neither a string nor bytes')
    return key


def _escaped(key):
    return urllib.parse.quote(_key_bytes(key), safe='')


def _spell(value):
    """A text for the value that no other value has, the same in every process."""
    kind = type(value)
    if value is None or kind in (bool, int, float, str, bytes, decimal.Decimal, uuid.UUID):
        return repr(value)
    if kind in (tuple, list, set, frozenset):
        parts = [_spell(part) for part in value]
        return f'{kind.__name__}({",".join(parts if kind in (tuple, list) else sorted(parts))})'
    if kind is dict:
        return '{' + ','.join(sorted(f'{_spell(k)}:{_spell(v)}' for k, v in value.items())) + '}'
    if isinstance(value, enum.Enum):
        return f'{kind.__module__}.{kind.__qualname__}({_spell(value.value)})'
    if kind in (datetime.date, datetime.time, datetime.datetime, datetime.timedelta):
        return f'{kind.__name__}({value}{getattr(value, "tzinfo", None) or ""})'
    raise TypeError(f'the argument {value!r}, of type {kind.__name__}, cannot be told in a key: '
                    'cache a function of plain values, or call cache(KEY, function)')


def _own_name(function):
    if function.__name__ == '<lambda>' or getattr(function, '__closure__', None):
        raise ValueError(f'{function.__qualname__} is a lambda, or uses variables of the function '
                         'around it, which its name does not tell: give it a key')
    return f'{function.__module__}.{function.__qualname__}'


def _key_of_call(key, signature, /, *args, **kwargs):
    """The arguments by their names, with defaults filled in: f(1) and f(a=1) are one call."""
    bound = signature.bind(*args, **kwargs)
    bound.apply_defaults()
    spelled = ','.join(f'{name}={_spell(value)}' for name, value in bound.arguments.items())
    if len(spelled) > _MOST_SPELLED:
        spelled = hashlib.sha256(spelled.encode('utf-8', 'surrogatepass')).hexdigest()
    return _key_bytes(key) + (b':' + _key_bytes(spelled) if spelled else b'')


# ---- the way to Weir ----

class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__('localhost', timeout=timeout)
        self._path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class _Link:
    """Connections to one admin address, kept open between calls. Any thread."""

    def __init__(self, url, token, timeout):
        self._url, self._timeout = url, timeout
        self.open = self._opener(url, timeout)
        self._headers = {'Authorization': f'Bearer {token}'} if token else {}
        self._begin()

    def _begin(self):
        """Makes what a forked child must not share with its parent."""
        self._idle, self._lock, self._retry_at = collections.deque(), threading.Lock(), 0.0
        self._troubles = set()  # told already, and not over
        self._pid = os.getpid()

    @staticmethod
    def _opener(url, timeout):
        if url == 'off':
            return None
        if url.startswith('unix:'):
            return functools.partial(_UnixConnection, url[len('unix:'):], timeout)
        if url.isdigit():
            url = f'127.0.0.1:{url}'
        parts = urllib.parse.urlsplit(url if '://' in url else f'http://{url}')
        if parts.scheme != 'http' or not parts.hostname or parts.path.strip('/') or parts.query:
            raise ValueError(f'url: {url!r} is none: write http://HOST:PORT, or unix:/PATH')
        return functools.partial(http.client.HTTPConnection, parts.hostname, parts.port or 80,
                                 timeout=timeout)

    def ask(self, method, target, body, headers, patience):
        """One call; nothing without an answer in time, or soon after one that had none."""
        if self._pid != os.getpid():
            for connection in self._idle:
                connection.close()  # in this process: it stays the parent's
            self._begin()
        # What is to be cleared is tried always.
        if not self.open or (time.monotonic() < self._retry_at and method != 'DELETE'):
            return None
        call = method, target, body, {**self._headers, **headers}, self._timeout + patience
        try:
            answer = self._exchange(*call)
        except (OSError, http.client.HTTPException) as error:
            self._retry_at = time.monotonic() + _RETRY_AFTER
            self.tell('answer', f'cannot be reached ({error!r}): nothing is cached meanwhile')
            return None
        self._retry_at = 0.0
        self.tell('answer')
        return answer

    def _exchange(self, *call):
        # None is idle, or Weir has closed it meanwhile. Every call may be sent twice.
        with contextlib.suppress(IndexError, ConnectionError):
            return self._exchange_on(self._idle.pop(), *call)
        return self._exchange_on(self.open(), *call)

    def _exchange_on(self, connection, method, target, body, headers, patience):
        try:
            if not connection.sock:
                connection.connect()
            connection.sock.settimeout(patience)
            with contextlib.suppress(ConnectionError):  # it may refuse a body half-way, and say why
                connection.request(method, target, body, headers)
            response = connection.getresponse()
            answer = _Answer(response.status, response.headers, response.read())
        except BaseException:  # an interrupted answer must not become the next call's
            connection.close()
            raise
        if len(self._idle) < _MOST_IDLE:
            self._idle.append(connection)
        else:
            connection.close()
        return answer

    def tell(self, what, trouble=None):
        """Logs a trouble once, and once that it is over."""
        with self._lock:
            if (what in self._troubles) == bool(trouble):
                return
            self._troubles ^= {what}
        _log.log(logging.WARNING if trouble else logging.INFO, 'Weir at %s %s', self._url,
                 trouble or 'serves again')


# ---- the cache ----

class Weir:
    """The low-level cache behind one admin address.

    url         http://HOST:PORT, HOST:PORT, unix:/PATH, or `off`: everything is computed
    token       the admin_token; else WEIR_ADMIN_TOKEN
    prefix      stands before every key
    timeout     seconds that Weir may take to answer; then it is as if it were gone
    lease       seconds that a function may take; then another caller computes it too
    serializer  json: callers get what was written and read again, so a tuple is a list
                raw: bytes as they are; or an object with dumps and loads
                pickle: WHOEVER CAN WRITE TO THE CACHE CAN RUN CODE IN YOUR PROCESS. Only where all
                who reach the admin address, or its store, are trusted as that process is.
    """

    def __init__(self, url=None, token=None, prefix='', timeout=1.0, serializer='json', lease=30):
        if lease not in range(1, 3601):
            raise ValueError(f'lease: {lease!r} is no number of seconds from 1 to 3600')
        self._link = _Link(url or os.environ.get('WEIR_ADMIN') or 'http://127.0.0.1:8081',
                           token or os.environ.get('WEIR_ADMIN_TOKEN'), timeout)
        self._prefix, self._format = _key_bytes(prefix), _format_of(serializer)
        self._lease, self._backend = lease, None

    def backend(self, name):
        """The same cache in the backend of that name, as the attribute of that name is."""
        view = object.__new__(type(self))
        view.__dict__.update(self.__dict__, _backend=name)
        return view

    def __getattr__(self, name):
        if name.startswith('_'):
            raise AttributeError(name)
        return self.backend(name)

    def __call__(self, key=None, function=None, duration=None):
        """cache(KEY, f, 30): the value, else f's. @cache(KEY), @cache(): f by its arguments."""
        if duration is not None:
            _duration_ms(duration)  # a wrong one is told before anything is computed
        if function is not None:
            if not callable(function):
                raise TypeError(f'{function!r} is no function; of a decorator: duration=…')
            return self._cached(key, function, duration)
        if callable(key):
            return self._decorate(None, duration, key)
        return functools.partial(self._decorate, key, duration)

    def get(self, key, default=None):
        """The value; the default where there is none, or Weir is gone."""
        return self._read(key, self._ask('GET', self._path(key)), default)

    def set(self, key, value, duration=None):
        """Keeps it for that time, or for the backend's default_expire."""
        self._put(key, self._written(key, value), duration)

    def get_or_set(self, key, value, duration=None):
        """The value that is there; else this one is set, or what it returns."""
        if callable(value):
            return self(key, value, duration)
        body = self._written(key, value)
        answer = self._ask('POST', self._path(key), body, duration=duration)
        return self._read(key, answer, self._format.loads(body))

    def clear(self, key=None, exact=False):
        """Clears a key, or a pattern (`*` is any text, unless `exact`); without: all values.

        Returns how many there were; None: not known, or Weir is gone, which is logged each time.
        """
        prefix = '/v1/keys/' + _escaped(self._prefix)
        if key is None:
            path = prefix + '*' if self._prefix else '/v1/keys'
        else:
            path = self._path(key) if exact else prefix + _escaped(key).replace('%2A', '*')
        answer = self._ask('DELETE', path, patience=_CLEAR_PATIENCE)
        if answer.status in (200, 202):  # 202: not all instances of a fleet have heard of it yet
            return json.loads(answer.body)['cleared']
        if self._link.open:
            _log.warning('%r is not cleared: it may be served until its time is over', key)
        return None

    def _decorate(self, key, duration, function):
        if inspect.iscoroutinefunction(function):
            raise TypeError(f'{function.__qualname__} is async, and this client blocks: await '
                            'asyncio.to_thread(cache, KEY, a_function)')
        key = _own_name(function) if key is None else key
        cache_key = functools.partial(_key_of_call, key, inspect.signature(function))

        @functools.wraps(function)
        def cached(*args, **kwargs):
            compute = functools.partial(function, *args, **kwargs)
            return self._cached(cache_key(*args, **kwargs), compute, duration)
        cached.cache_key = cache_key  # cache.clear(f.cache_key(7), exact=True)
        return cached

    def _cached(self, key, function, duration):
        path, lease, wait = self._path(key), f'{self._lease}s', min(self._lease, _LONGEST_WAIT)
        answer = self._ask('GET', path, lease=lease, wait='0s')
        if answer.status == 404 and not answer.headers.get('Weir-Lease'):  # another computes it
            answer = self._ask('GET', path, patience=wait, lease=lease, wait=f'{wait}s')
        value = self._read(key, answer, _ABSENT)
        if value is not _ABSENT:
            return value
        token, began = answer.headers.get('Weir-Lease'), time.monotonic()
        try:
            body = self._written(key, function())
        except BaseException:  # the next one's turn
            if token:
                with contextlib.suppress(WeirError):
                    self._ask('DELETE', path, lease=token)
            raise
        # With neither, the wait was too long: whoever has the lease sets it.
        if token or answer.status == 200:
            put = self._put(key, body, duration, token)
            if put.status == 409 and time.monotonic() > began + self._lease:
                _log.warning('%r took longer than its lease of %d s: not kept', key, self._lease)
        return self._format.loads(body)

    def _path(self, key):
        return '/v1/keys/' + _escaped(self._prefix + _key_bytes(key))

    def _written(self, key, value):
        try:
            return self._format.dumps(value)
        except Exception as error:
            raise TypeError(f'the value of {key!r} cannot be written as {self._format.name}: '
                            f'{error}') from error

    def _read(self, key, answer, otherwise):
        if answer.status != 200:
            return otherwise
        name, given = self._format.name, answer.headers['Content-Type']
        try:
            if name == 'pickle' and given != self._format.type:
                raise ValueError(f'it is {given}')  # what others set must not be run by mistake
            return self._format.loads(answer.body)
        except Exception as error:
            _log.warning('%r is there, but cannot be read as %s: %r', key, name, error)
            return otherwise

    def _put(self, key, body, duration, lease=None):
        return self._ask('PUT', self._path(key), body, duration=duration, lease=lease)

    def _ask(self, method, path, body=None, patience=0.0, duration=None, **query):
        """The answer, or _GONE. A call that is wrong: WeirError."""
        query.update(backend=self._backend,
                     duration=None if duration is None else f'{_duration_ms(duration)}ms')
        text = urllib.parse.urlencode({name: of for name, of in query.items() if of})
        headers = {} if body is None else {'Content-Type': self._format.type}
        answer = self._link.ask(method, f'{path}?{text}' if text else path, body, headers, patience)
        if not answer:
            return _GONE
        if answer.status in (200, 201, 202, 204, 409):
            self._link.tell(method)
            return answer
        try:
            error = json.loads(answer.body)['error']
            field, message = error['field'], error['message']
        except (ValueError, TypeError, KeyError):
            field, message = '', f'status {answer.status}: that is no admin address of Weir'
        if answer.status == 404 and field == 'key':
            return answer
        if answer.status < 500 and answer.status != 413:
            raise WeirError(answer.status, field, message)
        self._link.tell(method, f'refuses {method} {path}: {message}')
        return _GONE
