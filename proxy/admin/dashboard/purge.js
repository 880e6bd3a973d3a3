// The form that purges. Each purge is confirmed, with what it is about in words.
'use strict';

const PURGES = {
  url: {
    label: 'URL',
    hint: 'As visitors ask for it, such as https://example.com/blog?page=2. '
      + 'http and https are one.',
    say: (text) => `the URL ${text}, with all its variants`,
  },
  prefix: {
    label: 'Path', hint: '/blog/ on every host, or example.com/blog/ on that one.',
    say: (text) => `everything below ${text}`,
  },
  match: {
    label: 'Pattern', hint: '* stands for anything within a segment, ** for several: /blog/*/rss.',
    say: (text) => `everything that matches ${text}`,
  },
  tags: {
    label: 'Tags', hint: 'One or more, with spaces between them: post-7 author-2.',
    read: (text) => text.split(/[\s,]+/).filter(Boolean),
    say: (tags) => `everything that has the tag ${tags.join(' or ')}`,
  },
  all: {read: () => true, say: () => 'everything that is stored'},
};

function purgeOrder() {
  const kind = byId('purge-kind').value;
  const {read} = PURGES[kind];
  const text = byId('purge-text').value.trim();
  const order = {[kind]: read ? read(text) : text};
  if (byId('purge-soft').checked) order.soft = true;
  return order;
}

function purgeInWords(order) {
  const kind = Object.keys(order)[0];
  return PURGES[kind].say(order[kind]);
}

function adaptPurgeForm() {
  const {label, hint} = PURGES[byId('purge-kind').value];
  byId('purge-text-field').hidden = !label;
  byId('purge-text').required = Boolean(label);
  if (!label) return;
  setText(byId('purge-text-label'), label);
  setText(byId('purge-hint'), hint);
}

// Resolves to whether it was confirmed. Escape, or anything but the button, is a no.
function confirmed(text, action) {
  const dialog = byId('confirm');
  setText(byId('confirm-text'), text);
  setText(byId('confirm-yes'), action);
  return new Promise((resolve) => {
    let answer = false;
    byId('confirm-yes').onclick = () => {
      answer = true;
      dialog.close();
    };
    byId('confirm-no').onclick = () => dialog.close();
    dialog.onclose = () => resolve(answer);
    dialog.showModal();
    byId('confirm-no').focus();
  });
}

function purgeTold(order, answer) {
  const what = purgeInWords(order);
  if (answer.purged === 0) return `Nothing to purge: no route caches ${what}.`;
  const {live, acked} = answer.instances || {};
  const done = order.soft ? 'Made stale' : 'Purged';
  const by = live > 1 || acked < live ? `, by ${acked} of ${live} instances` : '';
  return `${done}: ${what}${by}. It took ${short(answer.took_ms)} ms.`;
}

async function sendPurge(order) {
  const result = byId('purge-result');
  result.classList.remove('failed');
  setText(result, 'Purging…');
  try {
    setText(result, purgeTold(order, await ask('/v1/purge', order)));
  } catch (error) {
    complain(result, error);
  }
}

function startPurgeForm() {
  const form = byId('purge-form');
  byId('purge-kind').addEventListener('change', adaptPurgeForm);
  adaptPurgeForm();
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const order = purgeOrder();
    const verb = order.soft ? 'Make stale' : 'Purge';
    const ask_for = `${verb} ${purgeInWords(order)}? Visitors will have it from the app again.`;
    if (await confirmed(ask_for, verb)) await whileBusy(form, () => sendPurge(order));
  });
}
