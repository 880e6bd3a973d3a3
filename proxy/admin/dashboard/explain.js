// The form that explains a request: what would become of it now, and why.
'use strict';

function explainOrder() {
  const lines = byId('explain-headers').value.split('\n').map((line) => line.trim());
  return {
    url: byId('explain-url').value.trim(),
    method: byId('explain-method').value,
    headers: lines.filter(Boolean),
  };
}

// ---- pieces of an explanation ----

function part(title, ...content) {
  const known = content.filter(Boolean);
  return known.length ? [element('h3', {}, title), ...known] : [];
}

function sentence(...words) {
  return element('p', {}, ...words);
}

function code(text) {
  return element('code', {}, text);
}

// A table of its own, which scrolls by itself where it is too wide.
function smallTable(caption, heads, rows) {
  if (rows.length === 0) return null;
  const head = element('tr', {}, ...heads.map((text) => element('th', {scope: 'col'}, text)));
  const lines = rows.map(([first, ...rest]) => element('tr', {},
    element('th', {scope: 'row'}, first), ...rest.map((cell) => element('td', {}, cell))));
  const made = element('table', {}, element('caption', {}, caption), element('thead', {}, head),
    element('tbody', {}, ...lines));
  return element('div', {class: 'scroll', role: 'region', 'aria-label': caption, tabindex: '0'},
    made);
}

function outcomePart(now) {
  if (!now) return [];
  const told = now.hit ? 'It would be served from the cache.'
    : now.follows ? 'It would wait for a fetch that is in progress.'
      : now.asks_app ? 'The app would be asked.' : 'It would be answered without the app.';
  return [
    element('p', {class: 'verdict'}, told),
    sentence('Cache-Status: ', code(now.cache_status || NOTHING)),
  ];
}

function routePart(route) {
  if (!route) return part('Route', sentence('None matches: the request is passed through.'));
  const place = route.file ? ` (${route.file}, line ${route.line})` : '';
  const caches = route.caches === false ? ' It does not cache.' : '';
  return part('Route', sentence(element('b', {}, route.name || 'without a name'), place, caches));
}

function changeOf(change) {
  if (!change) return [];
  return [change.yaml
    ? sentence('What to change, in ', change.where || 'the configuration', ':') : null,
  change.yaml ? element('pre', {}, code(change.yaml)) : null,
  change.means ? sentence(change.means) : null];
}

function reasonPart({reason, change}) {
  if (!reason) return [];
  const about = reason.subject ? ['; about ', code(reason.subject)] : [];
  return part('Why it is not shared', sentence(code(reason.detail), ` ${reason.text}`, ...about),
    ...changeOf(change));
}

function keyPart(key) {
  if (!key) return [];
  const rows = list(key.parts).map((one) => [one.name ? `${one.part} ${one.name}` : one.part,
    code(one.value || ''), one.in_key ? 'yes' : 'no', one.why || '']);
  return part('Cache key', smallTable('What the request says, and whether it is in the key',
    ['Part', 'Value', 'In the key', 'Why'], rows));
}

function storedPart(stored) {
  if (!stored) return [];
  const rows = list(stored.held).map((one) => [one.backend,
    one.state ? `${one.state}${one.purged ? ` (${one.purged} purge)` : ''}` : 'list of variants',
    isFigure(one.bytes) ? bytes(one.bytes) : '', isFigure(one.age_s) ? span(one.age_s) : '',
    isFigure(one.ttl_s) ? `${one.ttl_s} s` : '']);
  const notes = [];
  if (rows.length === 0) notes.push('Nothing is stored under this key.');
  if (list(stored.vary).length) notes.push(`Its answers differ by ${stored.vary.join(', ')}.`);
  if (stored.in_flight) notes.push('It is being fetched.');
  if (stored.uncacheable) {
    const seconds = Math.ceil((stored.uncacheable.for_ms || 0) / 1000);
    notes.push(`Its last answer was not to be stored (${stored.uncacheable.detail}), which is `
      + `remembered for ${seconds} s more.`);
  }
  return part('What is stored', smallTable('Copies, nearest tier first',
    ['Backend', 'State', 'Size', 'Age', 'Fresh for'], rows),
  notes.length ? sentence(notes.join(' ')) : null,
  ...(stored.uncacheable ? changeOf(stored.uncacheable.change) : []));
}

function outcomeOf(answer) {
  if (!answer.stored) return 'not stored';
  if (!answer.shared) return 'stored, for its stale windows or to be validated';
  return `stored for ${span(answer.ttl_s)}`;
}

function answersPart(storing) {
  if (!storing) return [];
  const rows = list(storing.answers).map((one) => [one.answer,
    outcomeOf(one),
    one.refused ? one.refused.text : '']);
  const tiers = list(storing.tiers).join(', then ');
  return part('What would become of the app’s answer',
    tiers ? sentence(`It would be stored in ${tiers}.`) : null,
    smallTable('Answers that the app might give', ['Answer', 'Outcome', 'Why'], rows));
}

function appPart(app) {
  if (!app) return [];
  const lines = [app.request, ...list(app.fields).map((one) => `${one.name}: ${one.value}`)];
  const rows = list(app.changes).map((one) => [one.name, code(one.value || ''),
    one.removed ? 'left out' : 'changed', one.why || '']);
  return part('What the app is sent', element('pre', {}, code(lines.join('\n'))),
    smallTable('Fields that the app does not get as they came', ['Field', 'Value', 'Is', 'Why'],
      rows));
}

// All but the outcome.
function explained(answer) {
  return [...routePart(answer.route), ...reasonPart(answer),
    ...storedPart(answer.stored), ...keyPart(answer.key), ...answersPart(answer.storing),
    ...appPart(answer.app)];
}

async function sendExplain(order) {
  const result = byId('explain-result');
  const details = byId('explain-details');
  result.classList.remove('failed');
  setText(result, 'Asking…');
  try {
    const answer = await ask('/v1/explain', order);
    result.replaceChildren(...outcomePart(answer.now));
    details.replaceChildren(...explained(answer));
  } catch (error) {
    complain(result, error);
    details.replaceChildren();
  }
}

function startExplainForm() {
  const form = byId('explain-form');
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    whileBusy(form, () => sendExplain(explainOrder()));
  });
}
