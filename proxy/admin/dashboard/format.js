// Figures as people read them, and the few ways in which text gets into the page. What comes from
// outside (URLs, names of cookies, messages) goes in as text and never as markup.
'use strict';

const NOTHING = '–';

function isFigure(value) {
  return typeof value === 'number' && Number.isFinite(value);
}

// Three digits are as many as anybody compares at a glance.
function short(value) {
  if (!isFigure(value)) return NOTHING;
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return String(Number(value.toFixed(digits)));
}

function count(value) {
  return isFigure(value) ? Math.round(value).toLocaleString('en-US') : NOTHING;
}

function scaled(value, step, units) {
  if (!isFigure(value)) return NOTHING;
  let unit = 0;
  while (value >= step && unit < units.length - 1) {
    value /= step;
    unit += 1;
  }
  return `${short(value)} ${units[unit]}`.trim();
}

function rate(value) {
  return scaled(value, 1000, ['', 'k', 'M']);
}

function bytes(value) {
  return scaled(value, 1024, ['B', 'KiB', 'MiB', 'GiB', 'TiB']);
}

function percent(part) {
  return isFigure(part) ? `${short(part * 100)} %` : NOTHING;
}

function duration(seconds) {
  if (!isFigure(seconds)) return NOTHING;
  if (seconds < 0.001) return `${short(seconds * 1e6)} µs`;
  if (seconds < 1) return `${short(seconds * 1000)} ms`;
  return `${short(seconds)} s`;
}

// How long something has lasted, in its two largest units.
function span(seconds) {
  if (!isFigure(seconds)) return NOTHING;
  const units = [[86400, 'd'], [3600, 'h'], [60, 'min'], [1, 's']];
  let rest = Math.round(seconds);
  const parts = units.map(([size, name]) => {
    const whole = Math.floor(rest / size);
    rest -= whole * size;
    return [whole, name];
  });
  const largest = parts.findIndex(([whole]) => whole > 0);
  if (largest < 0) return '0 s';
  return parts.slice(largest, largest + 2).filter(([whole]) => whole > 0)
    .map(([whole, name]) => `${whole} ${name}`).join(' ');
}

// ---- the page ----

function byId(id) {
  return document.getElementById(id);
}

// A text that is the same is not set again: screen readers would read it again, and a selection
// would be lost.
function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

// element('td', {class: 'number'}, 'text', anotherElement, …)
function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) made.setAttribute(key, value);
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}
