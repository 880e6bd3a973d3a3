// Asks the instance that this page came from. The token is sent in a field of each request, and
// never stands in an address.
'use strict';

const TOKEN_KEPT_AS = 'weir-admin-token';
const PATIENCE_MS = 10_000;

// Why an answer is none: `kind` is gone (nobody answers), token (missing or wrong) or refused.
class Refused extends Error {
  constructor(kind, message) {
    super(message);
    this.kind = kind;
  }
}

// Of this tab, and until it is closed. Where a browser keeps nothing, of this page.
const token = {
  text: '',
  get() {
    try {
      return sessionStorage.getItem(TOKEN_KEPT_AS) || this.text;
    } catch {
      return this.text;
    }
  },
  set(text) {
    this.text = text;
    try {
      sessionStorage.setItem(TOKEN_KEPT_AS, text);
    } catch {
      // It is in `text`.
    }
  },
};

function faultOf(status, json) {
  const error = (json && json.error) || {};
  const message = error.message || `status ${status}`;
  return error.field ? `${error.field}: ${message}` : message;
}

// The answer as an object; throws Refused. `order` makes it a POST. The mode of the request stays
// the default one: with others a browser that sends no Referer says `Origin: null` too, which Weir
// takes for another site's.
async function ask(path, order) {
  const headers = {Accept: 'application/json'};
  if (token.get()) headers.Authorization = `Bearer ${token.get()}`;
  if (order) headers['Content-Type'] = 'application/json';
  let answer;
  let json;
  try {
    answer = await fetch(path, {
      method: order ? 'POST' : 'GET',
      headers,
      body: order ? JSON.stringify(order) : undefined,
      cache: 'no-store',
      credentials: 'omit',
      redirect: 'error',
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    json = await answer.json().catch(() => null);
  } catch {
    throw new Refused('gone', 'the instance does not answer');
  }
  if (answer.status === 401) throw new Refused('token', faultOf(answer.status, json));
  if (!answer.ok || json === null || typeof json !== 'object') {
    throw new Refused('refused',
      answer.ok ? 'the answer is not JSON' : faultOf(answer.status, json));
  }
  return json;
}

// While a form is answered it cannot be sent again; its button says so to screen readers too.
async function whileBusy(form, work) {
  const button = form.querySelector('button[type=submit]');
  if (button.getAttribute('aria-disabled') === 'true') return;
  button.setAttribute('aria-disabled', 'true');
  try {
    await work();
  } finally {
    button.removeAttribute('aria-disabled');
  }
}

function complain(place, error) {
  place.classList.add('failed');
  place.replaceChildren(element('span', {}, `It failed: ${error.message}`));
}
