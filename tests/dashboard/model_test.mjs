// What the dashboard makes of figures, without a browser: the page's own scripts, run by Node.js.
import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {it} from 'node:test';
import vm from 'node:vm';

const FOLDER = new URL('../../proxy/admin/dashboard/', import.meta.url);
const text = ['format.js', 'model.js'].map((name) => readFileSync(new URL(name, FOLDER), 'utf8'));
const page = vm.runInNewContext(`${text.join('\n')}
  ({bytes, duration, hitRatio, percent, quantile, rate, span, Timeline})`);

it('writes figures as people read them', () => {
  const rows = [
    [page.span, [[0, '0 s'], [59.6, '1 min'], [3661, '1 h 1 min'], [90000, '1 d 1 h']]],
    [page.duration, [[6.44e-5, '64.4 µs'], [0.0121, '12.1 ms'], [2, '2 s'], [undefined, '–']]],
    [page.bytes, [[0, '0 B'], [1536, '1.5 KiB'], [5 * 2 ** 30, '5 GiB'], [NaN, '–']]],
    [page.rate, [[0, '0'], [12345, '12.3 k'], [null, '–']]],
    [page.percent, [[0.8231, '82.3 %'], [1, '100 %'], [null, '–']]],
  ];
  for (const [write, cases] of rows) {
    for (const [value, wanted] of cases) assert.equal(write(value), wanted);
  }
});

it('counts stale copies as served, and bypasses and what was refused as neither', () => {
  const counters = {requests: 100, hits: 6, stale: 2, misses: 2, bypasses: 5};
  assert.equal(page.hitRatio(counters), 0.8);
  assert.equal(page.hitRatio({hits: 0, stale: 0, misses: 0, bypasses: 0}), null);
  assert.equal(page.hitRatio({}), null);
});

it('takes quantiles of what came between two answers', () => {
  const bounds = [1, 2, 4];
  const rows = [
    ['spread evenly within a class', 0.5, [0, 10, 0, 0], [0, 0, 0, 0], 1.5],
    ['only what is new', 0.5, [100, 10, 0, 0], [100, 0, 0, 0], 1.5],
    ['over several classes', 0.75, [2, 0, 2, 0], null, 3],
    ['at the end of a class', 0.5, [2, 0, 2, 0], null, 1],
    ['beyond the last bound', 0.99, [0, 0, 0, 3], null, 4],
    ['nothing new', 0.5, [1, 1, 1, 1], [1, 1, 1, 1], null],
    ['counters that went back', 0.5, [1, 1, 1, 1], [2, 0, 0, 0], null],
    ['no such figures', 0.5, undefined, undefined, null],
  ];
  for (const [name, part, now, before, wanted] of rows) {
    assert.equal(page.quantile(part, bounds, now, before), wanted, name);
  }
});

function stats(uptime_s, hits, misses) {
  return {
    uptime_s,
    totals: {requests: hits + misses, hits, stale: 0, misses, bypasses: 0},
    routes: [{name: 'blog', requests: hits + misses, hits, misses}],
    backends: [{name: 'ram', bytes: 10 * hits}],
    latency_ms: {bounds: [1, 2], hit: {counts: [hits, 0, 0]}},
  };
}

it('takes rates from two answers, and begins anew with a new instance', () => {
  const timeline = new page.Timeline(2);
  const first = timeline.add(100, stats(50, 10, 10));
  assert.equal(first.rates.requests, null);
  assert.equal(first.bytes.get('ram'), 100);

  const second = timeline.add(102, stats(52, 40, 20));
  assert.equal(second.rates.requests, 20);
  assert.equal(second.ratio, 0.75);
  assert.equal(second.routes.get('blog').hits, 15);
  assert.equal(second.quantiles.hit.p50, 0.0005);
  assert.equal(second.quantiles.upstream.p50, null);
  assert.equal(second.follows_gap, false);

  const anew = timeline.add(104, stats(1, 45, 25));
  assert.equal(anew.rates.requests, null);
  assert.equal(anew.follows_gap, true);
});

it('keeps five minutes, finds a moment, and knows when nobody looked', () => {
  const timeline = new page.Timeline(2);
  for (let at = 0; at <= 400; at += 2) timeline.add(at, stats(at, at, 0));
  assert.equal(timeline.points[0].at_s, 100);
  assert.equal(timeline.near(201.2).at_s, 202);
  assert.equal(timeline.near(0).at_s, 100);
  assert.equal(timeline.lately(20).requests, 1);
  assert.equal(timeline.add(500, stats(500, 500, 0)).follows_gap, true);
});
