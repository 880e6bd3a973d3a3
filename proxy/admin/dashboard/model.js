// What /v1/stats tells, and what follows from two of its answers: rates, ratios, quantiles of late.
// A field that an answer lacks is null here, and is shown as unknown.
'use strict';

const WINDOW_S = 300;
const VERDICTS = ['hits', 'stale', 'misses', 'bypasses'];
const TIMED = ['hit', 'miss', 'upstream'];

function figure(value) {
  return isFigure(value) ? value : null;
}

function list(value) {
  return Array.isArray(value) ? value : [];
}

// How much a counter grew; null where that is not known, as after a restart.
function growth(now, before) {
  return isFigure(now) && isFigure(before) && now >= before ? now - before : null;
}

function ratio(part, whole) {
  return isFigure(part) && isFigure(whole) && whole > 0 ? part / whole : null;
}

// What was answered from the cache; stale copies are from there as well.
function served(counters) {
  return isFigure(counters.hits) ? counters.hits + (counters.stale || 0) : null;
}

// Of what was looked up in the cache: what bypasses it says nothing of the cache.
function hitRatio(counters) {
  const asked = [counters.hits, counters.stale, counters.misses].filter(isFigure);
  return ratio(served(counters), asked.reduce((sum, one) => sum + one, 0));
}

// The duration in seconds that `part` of what came between two answers stayed below. `now` and
// `before` are how many fell into each class of duration; `bounds` are the classes' upper ends, but
// the last class has none. Within a class durations are taken to be spread evenly.
function quantile(part, bounds, now, before) {
  const grown = list(now).map((total, index) => growth(total, before ? before[index] : 0));
  const all = grown.reduce((sum, one) => sum + one, 0);
  if (grown.includes(null) || all === 0) return null;
  let below = 0;
  for (let index = 0; index < bounds.length; index += 1) {
    const lower = index > 0 ? bounds[index - 1] : 0;
    const within = (part * all - below) / grown[index];
    if (within <= 1) return lower + (bounds[index] - lower) * within;
    below += grown[index];
  }
  return bounds.length > 0 ? bounds[bounds.length - 1] : null;
}

function countersOf(from) {
  const counters = {requests: figure(from.requests), bytes_sent: figure(from.bytes_sent)};
  for (const name of VERDICTS) counters[name] = figure(from[name]);
  return counters;
}

// Counters between two answers, per second.
function ratesOf(now, before, seconds) {
  const rates = {};
  for (const name of Object.keys(now)) {
    const grown = before ? growth(now[name], before[name]) : null;
    rates[name] = grown === null ? null : grown / seconds;
  }
  return rates;
}

// The last minutes, a point an answer.
class Timeline {
  constructor(interval_s) {
    this.interval_s = interval_s;
    this.points = [];
    this.last = null;  // {at_s, stats}
  }

  // An instance that was started anew counts from nothing: what was is no base for differences.
  isSameRun(stats) {
    if (!this.last) return false;
    const before = this.last.stats;
    return stats.uptime_s >= before.uptime_s;
  }

  add(at_s, stats) {
    const same = this.isSameRun(stats);
    const before = same ? this.last.stats : null;
    const seconds = same ? Math.max(0.001, at_s - this.last.at_s) : 0;
    const totals = countersOf(stats.totals || {});
    const point = {
      at_s,
      follows_gap: !same || seconds > 3 * this.interval_s,
      rates: ratesOf(totals, before && countersOf(before.totals || {}), seconds),
      quantiles: this.quantilesOf(stats, before),
      bytes: new Map(list(stats.backends).map((one) => [one.name, figure(one.bytes)])),
      routes: this.routesOf(stats, before, seconds),
    };
    point.ratio = hitRatio(point.rates);
    this.points.push(point);
    this.points = this.points.filter((one) => one.at_s >= at_s - WINDOW_S);
    this.last = {at_s, stats};
    return point;
  }

  quantilesOf(stats, before) {
    const latency = stats.latency_ms || {};
    const bounds = list(latency.bounds).map((one) => one / 1000);
    return Object.fromEntries(TIMED.map((name) => {
      const now = (latency[name] || {}).counts;
      const then = before && ((before.latency_ms || {})[name] || {}).counts;
      const of = (part) => (before ? quantile(part, bounds, now, then) : null);
      return [name, {p50: of(0.5), p99: of(0.99)}];
    }));
  }

  routesOf(stats, before, seconds) {
    const earlier = new Map(list(before && before.routes).map((one) => [one.name, one]));
    return new Map(list(stats.routes).map((one) => {
      const then = earlier.get(one.name);
      return [one.name, ratesOf(countersOf(one), then ? countersOf(then) : null, seconds)];
    }));
  }

  // The point nearest to a moment; null where there is none yet.
  near(at_s) {
    let best = null;
    for (const point of this.points) {
      if (!best || Math.abs(point.at_s - at_s) <= Math.abs(best.at_s - at_s)) best = point;
    }
    return best;
  }

  // Figures of the points within the last `seconds`, put together: means of rates.
  lately(seconds) {
    const from = this.last ? this.last.at_s - seconds : 0;
    const points = this.points.filter((one) => one.at_s > from && isFigure(one.rates.requests));
    const sums = {};
    for (const name of ['requests', ...VERDICTS]) {
      const known = points.map((one) => one.rates[name]).filter(isFigure);
      sums[name] = known.length ? known.reduce((sum, one) => sum + one, 0) / known.length : null;
    }
    return sums;
  }
}
