// The page at work: asks for figures every two seconds as long as somebody looks, and draws them.
'use strict';

const INTERVAL_S = 2;
const WORDS_EVERY_S = 20;

const timeline = new Timeline(INTERVAL_S);
const view = {paused: false, timer: null, asking: false, back_s: 0, told_at_s: -Infinity};

const charts = {};

function nowS() {
  return performance.now() / 1000;
}

function makeCharts() {
  const percentScale = () => ({place: (value) => value, ticks: [0, 0.5, 1]});
  const from0 = (base) => (values) => linearScale(roundUp(Math.max(0, ...values), base));
  const times = (values) => logScale(Math.min(0.001, ...values.filter((one) => one > 0)),
    Math.max(0.1, ...values));
  charts.ratio = new Chart(byId('chart-ratio'), {format: percent, scale: percentScale});
  charts.requests = new Chart(byId('chart-requests'),
    {format: rate, stacked: true, scale: (values) => from0(10)(values)});
  charts.latency = new Chart(byId('chart-latency'), {format: duration, scale: times});
  charts.bytes = new Chart(byId('chart-bytes'), {format: bytes, scale: from0(1024)});
}

const RATIO_LINES = [
  {name: 'ratio', label: 'From the cache', look: 'hits', value: (point) => point.ratio}];
const REQUEST_LINES = [['hits', 'Hits'], ['stale', 'Stale'], ['misses', 'Misses'],
  ['bypasses', 'Bypasses']].map(([name, label]) => (
  {name, label, look: name, value: (point) => point.rates[name]}));
const LATENCY_LINES = [['hit', 'Hits', 'hits'], ['miss', 'Misses', 'misses'],
  ['upstream', 'App', 'app']].map(([name, label, look]) => (
  {name, label, look, value: (point) => point.quantiles[name].p99}));

function byteLines(stats) {
  return list(stats.backends).map(({name}, index) => ({
    name, label: name, look: `series-${index % 4}`, value: (point) => point.bytes.get(name)}));
}

// ---- drawing ----

function drawCharts() {
  if (!timeline.last) return;
  const end = timeline.last.at_s;
  const at = view.back_s === 0 ? timeline.points[timeline.points.length - 1]
    : timeline.near(end - view.back_s);
  const all = [[charts.ratio, RATIO_LINES], [charts.requests, REQUEST_LINES],
    [charts.latency, LATENCY_LINES], [charts.bytes, byteLines(timeline.last.stats)]];
  for (const [chart, lines] of all) chart.draw(timeline.points, lines, end, WINDOW_S, at);
}

function drawTiles(stats, point) {
  const totals = stats.totals || {};
  const clients = stats.connections || {};
  const time = (name) => {
    const {p50, p99} = point.quantiles[name];
    return {value: duration(p50), note: `99 % within ${duration(p99)}`};
  };
  fillTiles(byId('tiles'), [
    {label: 'Requests per second', value: rate(point.rates.requests),
      note: `${count(totals.requests)} since the start`},
    {label: 'Hit ratio', value: percent(point.ratio),
      note: `${percent(hitRatio(countersOf(totals)))} since the start`},
    {label: 'Hits, median', ...time('hit')},
    {label: 'Misses, median', ...time('miss')},
    {label: 'Bytes saved', value: bytes(totals.bytes_from_cache),
      note: `of ${bytes(totals.bytes_sent)} sent`},
    {label: 'Fetches in progress', value: count(stats.flights),
      note: `${count(clients.clients)} clients connected`},
  ]);
}

function drawTables(stats, point) {
  fillTable(byId('reasons-rows'), list(stats.reasons).map((one) => [
    count(one.count), {code: one.detail, note: one.text || ''}, one.subject || NOTHING,
    one.route || NOTHING, {code: one.yaml || '', note: one.advice || ''}]), 1);
  fillTable(byId('routes-rows'), list(stats.routes).map((one) => {
    const rates = point.routes.get(one.name) || {};
    return [one.name || 'none matched', rate(rates.requests), percent(hitRatio(countersOf(one))),
      ...['requests', ...VERDICTS].map((name) => count(one[name])), bytes(one.bytes_sent)];
  }), 0);
  fillTable(byId('backends-rows'), list(stats.backends).map((one) => [
    one.name, one.type || NOTHING,
    {text: `${bytes(one.bytes)} of ${bytes(one.max_bytes)}`,
      share: ratio(one.bytes, one.max_bytes)},
    ...['objects', 'hits', 'misses', 'stores', 'evictions', 'errors', 'dropped'].map(
      (name) => count(one[name])), one.breaker || NOTHING]), 0);
  const asked = (stats.totals || {}).requests;
  fillTable(byId('keys-rows'), list(stats.keys).map((one) => [
    count(one.count), percent(ratio(one.count, asked)), one.url]), 2);
}

// For those who listen and do not look: not more often than one can follow.
function tellInWords() {
  const now = nowS();
  if (now - view.told_at_s < WORDS_EVERY_S) return;
  const {requests, ...counters} = timeline.lately(WORDS_EVERY_S);
  if (!isFigure(requests)) return;
  view.told_at_s = now;
  const part = hitRatio(counters);
  const from_cache = isFigure(part) ? `, ${percent(part)} of them from the cache` : '';
  setText(byId('words'), `In the last ${WORDS_EVERY_S} seconds: ${rate(requests)} requests a `
    + `second${from_cache}.`);
}

function show(stats) {
  const point = timeline.add(nowS(), stats);
  setText(byId('instance'), `${stats.version || ''} · up ${span(stats.uptime_s)}`);
  drawTiles(stats, point);
  drawTables(stats, point);
  drawCharts();
  tellInWords();
}

// ---- asking ----

const STATES = {
  connecting: 'Connecting…', live: 'Live', paused: 'Paused', token: 'Needs the token',
  gone: 'The instance does not answer; trying again', refused: 'It answers with an error',
};

function setState(state, more) {
  byId('state').dataset.state = state;
  setText(byId('state'), more ? `${STATES[state]}: ${more}` : STATES[state]);
  document.body.classList.toggle('outdated', state === 'gone' || state === 'refused');
}

function askForToken(message) {
  const form = byId('token');
  setText(byId('token-fault'), token.get() ? message : '');
  if (!form.hidden) return;
  form.hidden = false;
  byId('main').hidden = true;
  byId('token-text').focus();
}

// Who has just typed the token stands at the figures then.
function showMain() {
  if (byId('token').hidden) return;
  byId('token').hidden = true;
  byId('main').hidden = false;
  byId('main').focus();
}

async function look() {
  if (view.asking) return;
  view.asking = true;
  try {
    const stats = await ask('/v1/stats');
    showMain();
    show(stats);
    setState(view.paused ? 'paused' : 'live');
  } catch (error) {
    setState(error.kind || 'refused', error.kind === 'refused' ? error.message : '');
    if (error.kind === 'token') askForToken(error.message);
    if (!error.kind) throw error;
  } finally {
    view.asking = false;
    plan();
  }
}

// The next look, unless nobody sees it, it is not wanted, or it needs a token first.
function plan() {
  clearTimeout(view.timer);
  view.timer = null;
  const waits_for_token = !byId('token').hidden;
  if (view.paused || document.hidden || waits_for_token) return;
  view.timer = setTimeout(look, INTERVAL_S * 1000);
}

// ---- the page's controls ----

function lookBack() {
  const slider = byId('moment');
  view.back_s = WINDOW_S - Number(slider.value);
  const text = view.back_s === 0 ? 'now' : `${span(view.back_s)} ago`;
  slider.setAttribute('aria-valuetext', text);
  setText(byId('moment-text'), text);
  drawCharts();
}

function togglePause() {
  view.paused = !view.paused;
  byId('pause').setAttribute('aria-pressed', String(view.paused));
  if (view.paused) {
    plan();
    setState('paused');
  } else {
    look();
  }
}

function start() {
  makeCharts();
  startPurgeForm();
  startExplainForm();
  byId('pause').addEventListener('click', togglePause);
  byId('moment').addEventListener('input', lookBack);
  byId('token-form').addEventListener('submit', (event) => {
    event.preventDefault();
    token.set(byId('token-text').value);
    byId('token-text').value = '';
    look();
  });
  document.addEventListener('visibilitychange', () => {
    if (document.hidden || view.paused) plan();
    else look();
  });
  new ResizeObserver(drawCharts).observe(byId('charts'));
  look();
}

start();
