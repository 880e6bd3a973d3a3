// Cache values in Weir, the caching sidecar: one file, Node 18 or later, nothing to install.
//
//   import { Weir } from './weir.mjs';
//   const cache = new Weir();  // the admin address: WEIR_ADMIN, else 127.0.0.1:8081
//
//   const posts = await cache('last_posts', fetchPosts, 30);  // computed by one caller, kept 30 s
//   const user = cache.wrap('user', async (id) => …, 60);     // the arguments are in the key
//   await user(7);
//   await cache.disk('report', makeReport, '1h');             // in the backend of that name
//   await cache.set('motd', 'hello', 3600);                   // and get, get_or_set
//   await cache.clear('user:*');                              // a pattern
//
// Of all callers, in whatever process, that miss a value at the same time one computes it, and the
// others wait for that. Where Weir cannot be reached everything is computed, nothing is kept, and
// the log says so once. What is wrong in the call itself (a duration, a backend's name, the token)
// rejects.
import { createHash } from 'node:crypto';
import http from 'node:http';

const RETRY_AFTER_MS = 1000; // after a failure in which nothing waits for Weir
const LONGEST_WAIT_S = 300; // that Weir lets a caller wait
const CLEAR_PATIENCE_MS = 30_000; // a pattern is matched against every name
const MOST_SPELLED = 200; // characters of arguments in a key; longer ones are hashed
const UNITS_S = { ms: 0.001, '': 1, s: 1, m: 60, h: 3600, d: 86400 };
const GONE = { status: 0, headers: {}, body: Buffer.alloc(0) }; // not there, or of no help now
const ABSENT = Symbol('absent');

// Weir refused the call, and would refuse it again.
export class WeirError extends Error {
  constructor(status, field, message) {
    super(field ? `${field}: ${message}` : message);
    this.name = 'WeirError';
    this.status = status;
    this.field = field;
  }
}

// ---- how values, durations and keys are written ----

const FORMATS = {
  json: {
    name: 'json',
    type: 'application/json',
    encode(value) {
      const text = JSON.stringify(value);
      if (text === undefined) throw new TypeError(`JSON has no ${typeof value}`);
      return Buffer.from(text);
    },
    decode: (bytes) => JSON.parse(bytes.toString()),
  },
  raw: {
    name: 'raw',
    type: 'application/octet-stream',
    encode(value) {
      if (!ArrayBuffer.isView(value)) throw new TypeError('raw takes a Buffer, or a Uint8Array');
      return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    },
    decode: (bytes) => bytes,
  },
};

function formatOf(serializer) {
  if (typeof serializer?.encode === 'function' && typeof serializer?.decode === 'function') {
    return { name: 'it', type: FORMATS.raw.type, ...serializer };
  }
  if (!Object.hasOwn(FORMATS, serializer)) {
    throw new TypeError(`serializer: ${String(serializer)} is none of json, raw`);
  }
  return FORMATS[serializer];
}

function durationMs(given) {
  let seconds = given;
  if (typeof given === 'string') {
    const parts = /^([0-9]+)(ms|s|m|h|d|)$/.exec(given);
    seconds = parts ? Number(parts[1]) * UNITS_S[parts[2]] : NaN;
  }
  if (typeof seconds !== 'number' || !(seconds >= 1 && seconds < 2 ** 31)) {
    const text = typeof given === 'string' ? JSON.stringify(given) : String(given);
    throw new RangeError(`duration: ${text} is none: write seconds, at least 1, or "5m", "1h"`);
  }
  return Math.round(seconds * 1000);
}

function escaped(key) {
  let text;
  if (typeof key === 'string') {
    text = encodeURIComponent(key); // throws where half of a character is missing
  } else if (key instanceof Uint8Array) {
    const hex = Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('hex');
    text = hex.replace(/../g, '%$&');
  } else {
    throw new TypeError(`key: ${String(key)} is neither a string nor bytes`);
  }
  return text.replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

// A text for the value that no other value has, the same in every process.
function spell(value) {
  if (value === null || value === undefined || typeof value === 'boolean') return String(value);
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value);
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'string') return JSON.stringify(value);
  if (value instanceof Date) return `Date(${value.getTime()})`;
  if (Array.isArray(value)) return `[${Array.from(value, spell).join(',')}]`;
  const kind = typeof value === 'object' ? Object.getPrototypeOf(value) : undefined;
  if (kind !== Object.prototype && kind !== null) {
    throw new TypeError(`the argument ${String(value)} cannot be told in a key: wrap a function ` +
      'of plain values, or call cache(KEY, f)');
  }
  const names = Object.keys(value).filter((name) => value[name] !== undefined).sort();
  return `{${names.map((name) => `${JSON.stringify(name)}:${spell(value[name])}`).join(',')}}`;
}

// Arguments that are left out at the end are as those that are undefined.
function keyOfCall(key, given) {
  let count = given.length;
  while (count > 0 && given[count - 1] === undefined) --count;
  if (count === 0) return key;
  let spelled = given.slice(0, count).map(spell).join(',');
  if (spelled.length > MOST_SPELLED) spelled = createHash('sha256').update(spelled).digest('hex');
  if (typeof key === 'string') return `${key}:${spelled}`;
  return Buffer.concat([key, Buffer.from(`:${spelled}`)]);
}

// ---- the way to Weir ----

function addressOf(url) {
  if (url === 'off') return null;
  if (url.startsWith('unix:')) return { socketPath: url.slice('unix:'.length) };
  const text = /^\d+$/.test(url) ? `127.0.0.1:${url}` : url;
  let parts;
  try {
    parts = new URL(text.includes('://') ? text : `http://${text}`);
  } catch {
    parts = {};
  }
  if (parts.protocol !== 'http:' || parts.pathname !== '/' || parts.search) {
    throw new TypeError(`url: "${url}" is none: write http://HOST:PORT, or unix:/PATH`);
  }
  return { host: parts.hostname.replace(/^\[(.*)\]$/, '$1'), port: parts.port || 80 };
}

// Connections to one admin address, kept open between calls.
class Link {
  #url;
  #timeoutMs;
  #log;
  #headers;
  #agent = new http.Agent({ keepAlive: true, maxFreeSockets: 16 });
  #retryAt = 0;
  #troubles = new Set(); // told already, and not over

  constructor({ url, token, timeout, log }) {
    this.#url = url;
    this.address = addressOf(url);
    this.#timeoutMs = timeout * 1000;
    this.#headers = token ? { Authorization: `Bearer ${token}` } : {};
    this.#log = log;
  }

  // One call; nothing without an answer in time, or soon after one that had none.
  async ask(method, path, body, headers, patienceMs) {
    // What is to be cleared is tried always.
    if (!this.address || (performance.now() < this.#retryAt && method !== 'DELETE')) return null;
    const options = { ...this.address, method, path, headers: { ...this.#headers, ...headers } };
    try {
      const answer = await this.#exchange(options, body, this.#timeoutMs + patienceMs);
      this.#retryAt = 0;
      this.tell('answer');
      return answer;
    } catch (error) {
      this.#retryAt = performance.now() + RETRY_AFTER_MS;
      this.tell('answer', `cannot be reached (${error.message}): nothing is cached meanwhile`);
      return null;
    }
  }

  // Where Weir had closed an idle connection it is asked on another: every call may be sent twice.
  async #exchange(options, body, timeoutMs) {
    for (;;) {
      const { answer, error, reused } = await this.#exchangeOnce(options, body, timeoutMs);
      if (answer) return answer;
      if (!reused || !['ECONNRESET', 'EPIPE'].includes(error.code)) throw error;
    }
  }

  #exchangeOnce(options, body, timeoutMs) {
    return new Promise((resolve) => {
      const request = http.request({ ...options, agent: this.#agent });
      const fail = (error) => resolve({ error, reused: request.reusedSocket });
      const timer = setTimeout(() => request.destroy(new Error('no answer in time')), timeoutMs);
      request.on('close', () => clearTimeout(timer));
      request.on('error', fail);
      request.on('response', (response) => {
        const pieces = [];
        response.on('data', (piece) => pieces.push(piece));
        response.on('error', fail);
        response.on('end', () => {
          const { statusCode: status, headers } = response;
          resolve({ answer: { status, headers, body: Buffer.concat(pieces) } });
        });
      });
      request.end(body);
    });
  }

  // Logs a trouble once, and once that it is over.
  tell(what, trouble) {
    if (this.#troubles.has(what) === Boolean(trouble)) return;
    if (trouble) this.#troubles.add(what);
    else this.#troubles.delete(what);
    this.log(`Weir at ${this.#url} ${trouble ?? 'serves again'}`);
  }

  log(text) {
    this.#log(text);
  }
}

// ---- the cache ----

// What may be asked of the object that are no backends' names: what promises, JSON and inspectors
// look for in everything.
const NO_BACKENDS = new Set(['then', 'toJSON', 'prototype']);

const asFunction = {
  get(target, name) {
    if (typeof name === 'symbol' || name in target || NO_BACKENDS.has(name)) return target[name];
    return target.backend(name);
  },
};

// The low-level cache behind one admin address. It is a function: see above.
//
// url         http://HOST:PORT, HOST:PORT, unix:/PATH, or `off`: everything is computed
// token       the admin_token; else WEIR_ADMIN_TOKEN
// prefix      stands before every key
// timeout     seconds that Weir may take to answer; then it is as if it were gone
// lease       seconds that a function may take; then another caller computes it too
// serializer  json: callers get what was written and read again; raw: Buffers; or an object with
//             encode and decode, to a Buffer and back
// log         what to do with a line for the log
export class Weir {
  constructor(options = {}, view = undefined) {
    const call = async (key, f, duration) => cached(call._, key, f, duration);
    delete call.name; // these are good names for backends
    delete call.length;
    Object.setPrototypeOf(call, new.target.prototype);
    call._ = view ?? settings(typeof options === 'string' ? { url: options } : options);
    return new Proxy(call, asFunction);
  }

  // The same cache in the backend of that name, as the property of that name is.
  backend(name) {
    return new Weir({}, { ...this._, backend: name });
  }

  // The value; `otherwise` where there is none, or Weir is gone.
  async get(key, otherwise = undefined) {
    return read(this._, key, await ask(this._, 'GET', pathOf(this._, key)), otherwise);
  }

  // Keeps it for that time, or for the backend's default_expire.
  async set(key, value, duration = undefined) {
    const body = written(this._, key, value);
    await ask(this._, 'PUT', pathOf(this._, key), { body, duration });
  }

  // The value that is there; else this one is set, or what it returns.
  async get_or_set(key, value, duration = undefined) {
    if (typeof value === 'function') return cached(this._, key, value, duration);
    const body = written(this._, key, value);
    const answer = await ask(this._, 'POST', pathOf(this._, key), { body, duration });
    return read(this._, key, answer, this._.format.decode(body));
  }

  // The function, cached by its arguments.
  wrap(key, f, duration = undefined) {
    if (typeof f !== 'function') throw new TypeError(`${String(f)} is no function`);
    if (duration !== undefined) durationMs(duration);
    const cacheKey = (...given) => keyOfCall(key, given);
    const wrapped = async (...given) =>
      cached(this._, cacheKey(...given), () => f(...given), duration);
    return Object.assign(wrapped, { cacheKey });
  }

  // Clears a key, or a pattern (`*` is any text, unless `exact`); without: all values. Resolves to
  // how many there were; null: not known, or Weir is gone, which is logged each time.
  async clear(key = undefined, { exact = false } = {}) {
    const prefix = `/v1/keys/${this._.prefix}`;
    let path = this._.prefix ? `${prefix}*` : '/v1/keys';
    if (key !== undefined) {
      path = prefix + (exact ? escaped(key) : escaped(key).replace(/%2a/gi, '*'));
    }
    const answer = await ask(this._, 'DELETE', path, { patienceMs: CLEAR_PATIENCE_MS });
    // 202: not all instances of a fleet have heard of it yet.
    if ([200, 202].includes(answer.status)) return JSON.parse(answer.body).cleared;
    if (this._.link.address) {
      this._.link.log(`Weir: ${path} is not cleared: it may be served until its time is over`);
    }
    return null;
  }
}

function settings(options) {
  const { url = process.env.WEIR_ADMIN || 'http://127.0.0.1:8081', prefix = '' } = options;
  const { token = process.env.WEIR_ADMIN_TOKEN, timeout = 1, lease = 30 } = options;
  if (!Number.isInteger(lease) || lease < 1 || lease > 3600) {
    throw new RangeError(`lease: ${String(lease)} is no number of seconds from 1 to 3600`);
  }
  const { serializer = 'json', log = (text) => console.warn(text) } = options;
  const link = new Link({ url, token, timeout, log });
  return { link, prefix: escaped(prefix), lease, format: formatOf(serializer), backend: undefined };
}

async function cached(own, key, f, duration) {
  if (typeof f !== 'function') throw new TypeError(`${String(f)} is no function`);
  if (duration !== undefined) durationMs(duration); // a wrong one is told before f is called
  const path = pathOf(own, key);
  const lease = `${own.lease}s`;
  const wait = Math.min(own.lease, LONGEST_WAIT_S);
  let answer = await ask(own, 'GET', path, { query: { lease, wait: '0s' } });
  if (answer.status === 404 && !answer.headers['weir-lease']) { // another computes it
    const query = { lease, wait: `${wait}s` };
    answer = await ask(own, 'GET', path, { query, patienceMs: wait * 1000 });
  }
  const found = read(own, key, answer, ABSENT);
  if (found !== ABSENT) return found;
  const token = answer.headers['weir-lease'];
  const began = performance.now();
  let body;
  try {
    const value = await f();
    body = written(own, key, value);
  } catch (error) { // the next one's turn
    if (token) await ask(own, 'DELETE', path, { query: { lease: token } }).catch(() => {});
    throw error;
  }
  // With neither, the wait was too long: whoever has the lease sets it.
  if (token || answer.status === 200) {
    const put = await ask(own, 'PUT', path, { body, duration, query: { lease: token } });
    if (put.status === 409 && performance.now() - began > own.lease * 1000) {
      own.link.log(`Weir: ${path} took longer than its lease of ${own.lease} s: not kept`);
    }
  }
  return own.format.decode(body);
}

function pathOf(own, key) {
  return `/v1/keys/${own.prefix}${escaped(key)}`;
}

function written(own, key, value) {
  try {
    return own.format.encode(value);
  } catch (error) {
    const text = `the value of ${String(key)} cannot be written as ${own.format.name}: `;
    throw new TypeError(text + error.message, { cause: error });
  }
}

function read(own, key, answer, otherwise) {
  if (answer.status !== 200) return otherwise;
  try {
    return own.format.decode(answer.body);
  } catch (error) {
    const problem = `cannot be read as ${own.format.name}: ${error.message}`;
    own.link.log(`Weir: ${String(key)} is there, but ${problem}`);
    return otherwise;
  }
}

// The answer, or GONE. A call that is wrong: WeirError.
async function ask(own, method, path, { body, duration, query = {}, patienceMs = 0 } = {}) {
  const ms = duration === undefined ? undefined : `${durationMs(duration)}ms`;
  const given = Object.entries({ ...query, backend: own.backend, duration: ms });
  const text = new URLSearchParams(given.filter(([, value]) => value)).toString();
  const headers = body ? { 'Content-Type': own.format.type, 'Content-Length': body.length } : {};
  const target = text ? `${path}?${text}` : path;
  const answer = await own.link.ask(method, target, body, headers, patienceMs);
  if (!answer) return GONE;
  if ([200, 201, 202, 204, 409].includes(answer.status)) {
    own.link.tell(method);
    return answer;
  }
  let error = { field: '', message: `status ${answer.status}: that is no admin address of Weir` };
  try {
    error = JSON.parse(answer.body).error ?? error;
  } catch {} // no JSON
  if (answer.status === 404 && error.field === 'key') return answer;
  if (answer.status < 500 && answer.status !== 413) {
    throw new WeirError(answer.status, error.field, error.message);
  }
  own.link.tell(method, `refuses ${method} ${path}: ${error.message}`);
  return GONE;
}
