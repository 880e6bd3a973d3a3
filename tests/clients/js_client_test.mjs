// docs/clients/weir.mjs against the real program; with_weir.py starts it, and this.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { after, beforeEach, test } from 'node:test';

import { Weir, WeirError } from '../../docs/clients/weir.mjs';

const URL_ = process.env.WEIR_TEST_URL;
const GUARDED = process.env.WEIR_TEST_GUARDED_URL;
const TOKEN = process.env.WEIR_TEST_TOKEN;
const PATIENCE = 60; // seconds: a loaded machine must not pass for an outage

const ODD_KEYS = ['..', '.', '../..', 'a/b//c', '/', '%2F', '%2A', '%', 'a+b', 'a b', '?q=1', '#f',
  'a&b=c', 'é', '日本', '\u{1f409}', 'a*b', '*', '\0', '\r\n', '\x7f', '~', '"\'', '(!)', '\\', '{k}',
  Buffer.from([0xff, 0xfe]), Uint8Array.of(0, 0x2a, 0xff), 'k'.repeat(2048)];

const log = [];
const cache = make();

function make(options = {}) {
  return new Weir({ url: URL_, timeout: PATIENCE, log: (text) => log.push(text), ...options });
}

function calls(f) {
  const counted = (...given) => {
    ++counted.count;
    return f(...given);
  };
  counted.count = 0;
  return counted;
}

// One request that no client makes.
async function ask(method, path) {
  const request = http.request(URL_ + path, { method, agent: false }).end();
  const [response] = await once(request, 'response');
  let body = '';
  for await (const piece of response) body += piece;
  return { status: response.statusCode, headers: response.headers, body };
}

// An address that is Weir's while it is open.
class Door {
  #sockets = new Set();
  #server = net.createServer((client) => {
    const { hostname, port } = new URL(URL_);
    const weir = net.connect(port, hostname);
    for (const [from, to] of [[client, weir], [weir, client]]) {
      this.#sockets.add(from);
      from.on('error', () => {}).on('close', () => to.destroy());
      from.pipe(to);
    }
  });
  port = 0;

  async open() {
    this.#server.listen(this.port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.port = this.#server.address().port;
  }
  async close() {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await once(this.#server, 'close');
  }
}

beforeEach(async () => {
  await cache.clear();
  await cache.disk.clear();
  log.length = 0;
});

after(() => assert.equal(typeof cache, 'function'));

test('a function is called once', async () => {
  const f = calls(async () => [7, 'é', null, { a: 1.5 }]);
  for (let i = 0; i < 3; ++i) {
    assert.deepEqual(await cache('last_posts', f, 30), [7, 'é', null, { a: 1.5 }]);
  }
  assert.equal(f.count, 1);
  assert.equal(await cache('plain', () => 5), 5);
  assert.equal(await cache('null', () => null), null);
  assert.equal(await cache.get('null', 'otherwise'), null);
});

test('set, get, get_or_set and clear', async () => {
  assert.equal(await cache.get('a'), undefined);
  assert.equal(await cache.get('a', 'otherwise'), 'otherwise');
  assert.equal(await cache.set('a', { b: [1] }), undefined);
  assert.deepEqual(await cache.get('a'), { b: [1] });
  assert.equal(await cache.clear('a'), 1);
  assert.equal(await cache.clear('a'), 0);
  assert.equal(await cache.get_or_set('a', 'one'), 'one');
  assert.equal(await cache.get_or_set('a', 'two'), 'one');
  assert.equal(await cache.get_or_set('a', () => assert.fail()), 'one');
  assert.equal(await cache.get_or_set('b', async () => 'computed', 60), 'computed');
});

test('durations', async () => {
  const rows = [[30, 30], [1.5, 1], ['45', 45], ['5m', 300], ['1h', 3600], ['2d', 172800],
    ['2000ms', 2], [undefined, 300]];
  for (const [given, seconds] of rows) {
    await cache.set('a', 1, given);
    const left = Number((await ask('GET', '/v1/keys/a')).headers['cache-control'].split('=')[1]);
    assert.ok(left <= seconds && left >= Math.max(1, seconds - PATIENCE), `${given}: ${left}`);
  }
});

test('every key comes back byte for byte', async () => {
  const prefixed = make({ prefix: 'p*/' });
  for (const [number, key] of ODD_KEYS.entries()) {
    await cache.set(key, number);
    if (key.length < 2048) await prefixed.set(key, number);
  }
  for (const [number, key] of ODD_KEYS.entries()) {
    assert.equal(await cache.get(key), number, key);
    if (key.length < 2048) assert.equal(await prefixed.get(key), number, key);
  }
  const page = await ask('GET', '/v1/keys?limit=1000&backend=ram');
  const paths = new Set(JSON.parse(page.body).keys.map((entry) => entry.path));
  assert.equal(paths.size, 2 * ODD_KEYS.length - 1);
  for (const path of ['..', '%2F', '%252F', '%252A', '%2A', '%00', '%FF%FE', '%C3%A9', '%28%21%29',
    'p%2A%2F..', 'p%2A%2F%2A']) {
    assert.ok(paths.has(path), path);
  }
  for (const key of ODD_KEYS) assert.equal(await cache.clear(key, { exact: true }), 1, key);
  await assert.rejects(cache.get('\ud800'), URIError);
});

test('raw values are any bytes', async () => {
  const raw = make({ serializer: 'raw' });
  const all = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  for (const value of [Buffer.alloc(0), all, all.subarray(7, 9), Buffer.alloc(1_000_000)]) {
    await raw.set('a', value);
    assert.ok((await raw.get('a')).equals(value));
    await raw.clear('a');
    assert.ok((await raw('a', () => value)).equals(value));
  }
  await assert.rejects(raw.set('a', 'text'), /value of a cannot be written as raw/);
});

test('an object of ones own may write', async () => {
  const upper = { encode: (v) => Buffer.from(v.toUpperCase()), decode: (b) => b.toString() };
  assert.equal(await make({ serializer: upper })('a', () => 'b'), 'B');
});

test('the first caller gets what later ones get', async () => {
  const made = () => ({ at: new Date(0), left: undefined });
  assert.deepEqual(await cache('a', made), { at: '1970-01-01T00:00:00.000Z' });
  assert.deepEqual(await cache.get('a'), { at: '1970-01-01T00:00:00.000Z' });
});

test('what JSON cannot hold is told, and the lease is over', async () => {
  for (const value of [undefined, () => 1, 5n]) {
    await assert.rejects(cache('a', () => value), /value of a cannot be written as json/);
    const next = await ask('GET', '/v1/keys/a?lease=1ms&wait=0s');
    assert.ok(next.headers['weir-lease']); // nobody else has it
  }
  assert.equal(await cache('a', () => 'fine'), 'fine');
});

test('what cannot be read is computed anew', async () => {
  await make({ serializer: 'raw' }).set('a', Buffer.from('{not JSON'));
  assert.equal(await cache('a', () => 'anew'), 'anew');
  assert.match(log[0], /a is there, but cannot be read as json/);
  assert.equal(await cache.get('a'), 'anew');
});

test('a value that is too large is told, and not kept', async () => {
  assert.equal((await cache('a', () => 'x'.repeat(2_000_000))).length, 2_000_000);
  assert.equal(await cache.get('a'), undefined);
  assert.equal(log.length, 1);
  assert.match(log[0], /larger than the backend/);
});

test('backends are apart', async () => {
  await cache.disk('k', () => 'on disk', 60);
  assert.equal(await cache.get('k'), undefined);
  await cache.ram.set('k', 'in memory');
  assert.equal(await cache.get('k'), 'in memory');
  assert.equal(await cache.backend('disk').get('k'), 'on disk');
  assert.equal(await cache.disk.clear(), null); // not counted
  assert.equal(await cache.disk.get('k'), undefined);
  assert.equal(await cache.get('k'), 'in memory');
  assert.ok(cache.disk instanceof Weir);
  assert.equal(await cache, cache); // no promise of its own
});

test('a star clears a pattern, unless exact', async () => {
  for (const key of ['user:1', 'user:2', 'user*', 'other']) await cache.set(key, 1);
  assert.equal(await cache.clear('user*', { exact: true }), 1);
  assert.equal(await cache.clear('user*'), 2);
  assert.equal(await cache.get('other'), 1);
  const mine = make({ prefix: 'app*:' });
  await cache.set('apple:a', 1);
  await mine.set('a', 1);
  await mine.set('b', 1);
  assert.equal(await mine.clear('a*'), 1);
  assert.equal(await mine.clear(), 1);
  assert.equal(await cache.get('apple:a'), 1);
});

test('the arguments are in the key', async () => {
  const f = calls(async (...given) => given.length);
  const wrapped = cache.wrap('user', f, 30);
  assert.equal(await wrapped(7, { x: 1, y: [2] }), 2);
  assert.equal(await wrapped(7, { y: [2], x: 1 }), 2);
  assert.equal(f.count, 1);
  const different = [[], [1], ['1'], [1n], [true], [null], [[1]], [[[1]]], [{}], [{ 1: 1 }],
    ['a,b'], ['a', 'b'], [new Date(1)], [NaN], [-0], [0], [undefined, 1], ['x'.repeat(500)],
    ['y'.repeat(500)]];
  const keys = different.map((given) => wrapped.cacheKey(...given));
  assert.equal(new Set(keys).size, different.length);
  assert.equal(wrapped.cacheKey(undefined), 'user');
  assert.ok(keys.every((key) => key.length < 300));
  assert.equal(await cache.wrap(Buffer.from('b'), f)(1), 1);
  assert.equal(await cache.get('b:1'), 1);
  for (const value of [() => 0, Symbol('s'), new Map(), cache, [new (class A {})()]]) {
    await assert.rejects(wrapped(value), /cannot be told in a key/);
  }
});

test('of fifty callers one computes', async () => {
  for (const one of [cache, cache.disk]) {
    const f = calls(async () => 'computed');
    const results = await Promise.all(Array.from({ length: 50 }, () => one('a', f, 60)));
    assert.deepEqual(new Set(results), new Set(['computed']));
    assert.equal(f.count, 1);
  }
});

test('of those who wait the next one computes where one throws', async () => {
  const f = calls(async () => {
    if (f.count < 10) throw new Error(`number ${f.count}`);
    return 'at last';
  });
  const results = await Promise.allSettled(Array.from({ length: 20 }, () => cache('a', f)));
  assert.equal(results.filter(({ reason }) => /number \d/.test(reason?.message)).length, 9);
  assert.equal(results.filter(({ value }) => value === 'at last').length, 11);
  assert.equal(f.count, 10);
});

test('who never ends loses the lease', async () => {
  assert.ok((await ask('GET', '/v1/keys/a?lease=200ms')).headers['weir-lease']);
  assert.equal(await cache('a', () => 'computed'), 'computed');
  assert.equal(await cache.get('a'), 'computed');
});

test('who waits in vain computes, and leaves the setting to the other', async () => {
  assert.ok((await ask('GET', '/v1/keys/a?lease=1h')).headers['weir-lease']);
  assert.equal(await make({ lease: 1 })('a', () => 'mine'), 'mine');
  assert.equal(await cache.get('a'), undefined);
});

test('what was cleared meanwhile is not kept; a lease that ran out is told', async (context) => {
  const clears = async () => {
    await cache.clear('a');
    return 'old';
  };
  assert.equal(await cache('a', clears), 'old');
  assert.equal(await cache.get('a'), undefined);
  assert.equal(log.length, 0);
  let now = performance.now();
  context.mock.method(performance, 'now', () => now);
  const slow = async () => { // until its lease is another's
    assert.ok((await ask('GET', '/v1/keys/b?lease=1h&wait=1m')).headers['weir-lease']);
    now += 1100; // its own clock began when it had the answer
    return 'late';
  };
  assert.equal(await make({ lease: 1 })('b', slow), 'late');
  assert.match(log[0], /b took longer than its lease of 1 s/);
  assert.equal(await cache.get('b'), undefined);
});

test('misuse is refused, whether or not Weir is there', async () => {
  for (const one of [cache, make({ url: 'unix:/nowhere/at/all' })]) {
    const f = calls(() => 1);
    for (const duration of [0, -1, 0.5, 'soon', '1 h', '', [], NaN, 2 ** 31, null]) {
      await assert.rejects(one('a', f, duration), /^RangeError: duration: /);
      await assert.rejects(one.set('a', 1, duration), /^RangeError: duration: /);
      assert.throws(() => one.wrap('a', f, duration), /^RangeError: duration: /);
    }
    assert.equal(f.count, 0);
    await assert.rejects(one.get(7), /^TypeError: key: 7 is neither/);
    await assert.rejects(one('a', 30), /30 is no function/);
  }
  for (const [name, value] of [['url', 'https://a'], ['url', 'http://a/path'], ['url', 'http://'],
    ['serializer', 'jsn'], ['lease', 0], ['lease', 3601]]) {
    assert.throws(() => new Weir({ [name]: value }), new RegExp(`Error: ${name}: `));
  }
});

test('what Weir refuses is told, and nothing is computed', async () => {
  const f = calls(() => 1);
  for (const [field, call] of [['backend', () => cache.nope('a', f)],
    ['backend', () => cache.nope.get('a')], ['key', () => cache('', f)],
    ['key', () => cache.clear('')],
    ['key', () => cache.set('k'.repeat(2049), 1)]]) {
    await assert.rejects(call(), (error) =>
      error instanceof WeirError && error.status === 400 && error.field === field);
  }
  assert.equal(f.count, 0);
  for (const token of ['', 'wrong']) {
    await assert.rejects(make({ url: GUARDED, token }).get('a'), /admin_token/);
  }
});

test('a socket, a token, and the environment', async () => {
  assert.equal(await make({ url: GUARDED, token: TOKEN })('a', () => 'a socket'), 'a socket');
  process.env.WEIR_ADMIN = GUARDED;
  process.env.WEIR_ADMIN_TOKEN = TOKEN;
  assert.equal(await new Weir({ timeout: PATIENCE }).get('a'), 'a socket');
  process.env.WEIR_ADMIN = 'off';
  assert.equal(await new Weir({ log: assert.fail })('a', () => 'computed'), 'computed');
  assert.equal(await new Weir({ log: assert.fail }).clear('a'), null);
  delete process.env.WEIR_ADMIN;
  delete process.env.WEIR_ADMIN_TOKEN;
  assert.equal(await new Weir(URL_).get('nothing', 7), 7);
});

test('without Weir all is computed, and the log says so once', async (context) => {
  const door = new Door();
  await door.open();
  const one = make({ url: `127.0.0.1:${door.port}` });
  await one.set('a', 'kept');
  await Promise.all([1, 2, 3, 4].map((number) => one.get(`idle ${number}`)));
  await door.close();
  await door.open();
  assert.equal(await one.get('a'), 'kept'); // connections that were closed are no outage
  assert.deepEqual(log, []);
  await door.close();
  const f = calls(async () => 'computed');
  for (let i = 0; i < 3; ++i) assert.equal(await one('b', f, 30), 'computed');
  assert.equal(f.count, 3);
  assert.equal(await one.get('a', 'otherwise'), 'otherwise');
  assert.equal(await one.set('a', 1), undefined);
  assert.equal(await one.get_or_set('a', 2), 2);
  await assert.rejects(one('b', () => assert.fail('its own')), /its own/);
  assert.equal(log.length, 1);
  assert.match(log[0], /cannot be reached/);
  assert.equal(await one.clear('a'), null);
  assert.match(log[1], /a is not cleared/);
  await door.open();
  assert.equal(await one.clear('a'), 1); // always tried
  assert.match(log[2], /serves again/);
  assert.equal(await one('b', f), 'computed');
  assert.equal(await cache.get('b'), 'computed');

  await door.close();
  let now = performance.now();
  context.mock.method(performance, 'now', () => now);
  assert.equal(await one.get('b'), undefined);
  await door.open();
  assert.equal(await one.get('b'), undefined); // so soon after a failure nobody tries
  now += 1000;
  assert.equal(await one.get('b'), 'computed');
  await door.close();
});

test('who never answers is waited for shortly', async () => {
  const silent = net.createServer().listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const one = make({ url: `127.0.0.1:${silent.address().port}`, timeout: 0.05 });
  assert.equal(await one('a', () => 'computed'), 'computed');
  assert.match(log[0], /no answer in time/);
  silent.close();
});
