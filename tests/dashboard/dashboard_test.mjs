// The dashboard in a real browser, of the real binary under traffic: what it shows, what its forms
// do, who can use it, and that it asks nobody else. Pictures of it are kept in PICTURES.
//   WEIR      the binary
//   PICTURES  a folder, made anew
//   CHROMIUM  the browser (/usr/bin/chromium)
import assert from 'node:assert/strict';
import {mkdirSync, rmSync} from 'node:fs';
import path from 'node:path';
import {after, before, describe, it} from 'node:test';

import {faintColours, reachedByTab, tooWide, withoutNames} from './accessible.mjs';
import {openPage, startApp, startBrowser, startVisitors, until, Weir} from './instance.mjs';

const {WEIR, PICTURES, CHROMIUM = '/usr/bin/chromium'} = process.env;

const ROUTES = `
backends:
  ram: { type: ram, max_size: 64MiB }
  small: { type: ram, max_size: 4MiB }
default: ram
routes:
  - { name: blog, match: /blog/**, cache: { duration: 60 } }
  - { name: shop, match: /shop/**, cache: { duration: 60, backend: small, tags: [shop] } }
  - { name: pages, match: /**, cache: { duration: 60 } }
`;
// Somebody who would have the page run what he sends.
const HOSTILE = '<img src=x onerror=alert(1)>';

let app;
let browser;

before(async () => {
  rmSync(PICTURES, {recursive: true, force: true});
  mkdirSync(PICTURES, {recursive: true});
  app = await startApp();
  browser = await startBrowser(CHROMIUM);
});

after(async () => {
  await browser?.close();
  app?.stop();
});

function texts(page, selector) {
  return page.locator(selector).allTextContents();
}

// The value of the tile or of the legend's entry of this label.
function valueOf(page, label) {
  return page.evaluate((wanted) => {
    for (const name of document.querySelectorAll('.tiles dt, .legend li span')) {
      if (name.textContent !== wanted) continue;
      return name.parentElement.querySelector('.value, b').textContent;
    }
    return null;
  }, label);
}

function stateIs(page, state, seen) {
  return until(`the page is ${state}`, async () => {
    assert.deepEqual(seen ? seen.complaints : [], []);
    return (await page.getAttribute('#state', 'data-state')) === state;
  });
}

// The cells of the first row of a table that has this text.
async function row(page, table, text) {
  const found = page.locator(`#${table}-rows tr`).filter({hasText: text}).first();
  return (await found.count()) === 1 ? found.locator('th, td').allTextContents() : null;
}

describe('the dashboard', () => {
  let weir;
  let visitors;

  before(async () => {
    weir = await Weir.start(WEIR, app, ROUTES);
    let visit = 0;
    visitors = startVisitors(async () => {
      visit += 1;
      await Promise.all([
        weir.get('/blog/1'), weir.get('/blog/2'), weir.get(`/slow/${visit}`),
        weir.get(`/shop/${visit % 7}`), weir.get('/cookie/banner'),
        weir.get('/blog/1', {Cookie: `${HOSTILE.replaceAll(/[ =]/g, '')}=1`}),
        weir.get(`/blog/${HOSTILE.replaceAll(' ', '/')}`),
      ]);
    });
  });

  after(async () => {
    await visitors?.stop();
    assert.equal(await weir?.stop(), 0);
  });

  async function open(options) {
    const opened = await openPage(browser, options);
    await opened.page.goto(weir.admin);
    await stateIs(opened.page, 'live', opened.seen);
    return opened;
  }

  it('loads, complains of nothing, and asks nobody but the instance', async () => {
    const {page, seen, close} = await open();
    await until('it asks again', () => seen.requests.length >= 3);
    const asked = new Set(seen.requests.map((request) => request.url())
      .filter((url) => !url.startsWith('data:')));
    assert.deepEqual([...asked], [`${weir.admin}/`, `${weir.admin}/v1/stats`]);
    assert.deepEqual(seen.complaints, []);
    assert.equal(await page.title(), 'Weir');
    await close();
  });

  it('shows figures that move under traffic', async () => {
    const {page, seen, close} = await open();
    const asked = async () => Number((await page.locator('.tiles .note').first().textContent())
      .replaceAll(/\D/g, ''));
    const at_first = await asked();
    assert.ok(at_first > 0);
    await until('requests are counted on', async () => (await asked()) > at_first);
    for (const label of ['Requests per second', 'Hit ratio', 'Hits, median', 'Misses, median',
      'Bytes saved', 'Hits', 'Misses', 'Bypasses', 'App', 'ram', 'small', 'From the cache']) {
      await until(`${label} has a value`, async () => /\d/.test(await valueOf(page, label)));
    }
    for (const chart of ['ratio', 'requests', 'latency', 'bytes']) {
      const lines = page.locator(`#chart-${chart} .line`);
      await until(`${chart} has a line`, () => lines.evaluateAll((all) => all.some(
        (line) => line.getAttribute('d').split('L').length > 2)));
    }
    assert.deepEqual(seen.complaints, []);
    await close();
  });

  it('tells routes, backends, reasons with what to change, and top keys', async () => {
    const {page, close} = await open();
    const blog = await row(page, 'routes', 'blog');
    assert.ok(Number(blog[3].replaceAll(',', '')) > 0, `requests of ${blog}`);
    assert.ok(await row(page, 'routes', 'shop'));
    const small = await row(page, 'backends', 'small');
    assert.match(small[2], /iB of 4 MiB/);
    const reason = await until('set-cookie is told', () => row(page, 'reasons', 'set-cookie'));
    assert.match(reason.join('|'), /visit_id/);
    assert.match(reason.join('|'), /pages/);
    assert.match(reason[4], /set_cookie/);
    const key = await until('a key is told', () => row(page, 'keys', 'app.test/blog/1'));
    assert.match(key[1], /%/);
    await close();
  });

  it('shows what visitors send as text and never as markup', async () => {
    const {page, seen, close} = await open();
    await until('the cookie is told', () => row(page, 'reasons', '<img'));
    assert.equal(await page.locator('main img').count(), 0);
    assert.deepEqual(seen.complaints, []);
    await close();
  });

  it('purges by keyboard, and only what was confirmed', async () => {
    const {page, close} = await open();
    await until('it is stored', () => weir.isHit('/blog/kept'));
    await page.focus('#purge-kind');
    await page.keyboard.press('Tab');
    await page.keyboard.type('http://app.test/blog/kept');
    await page.keyboard.press('Enter');
    assert.match(await page.textContent('#confirm-text'), /http:\/\/app\.test\/blog\/kept/);
    await page.keyboard.press('Escape');
    assert.equal(await page.isVisible('#confirm'), false);
    assert.equal(await weir.isHit('/blog/kept'), true);

    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await until('it says so', async () => /^Purged: the URL/.test(
      await page.textContent('#purge-result')));
    assert.match((await weir.get('/blog/kept')).verdict, /fwd=uri-miss/);
    await close();
  });

  it('purges by all other kinds, and says what is wrong with an order', async () => {
    const {page, close} = await open();
    const purge = async (kind, text) => {
      await page.selectOption('#purge-kind', kind);
      if (text) await page.fill('#purge-text', text);
      const before = await page.textContent('#purge-result');
      await page.click('#purge-form button');
      await page.click('#confirm-yes');
      return until('an answer', async () => {
        const told = await page.textContent('#purge-result');
        return told && told !== before && told !== 'Purging…' ? told : null;
      });
    };
    assert.match(await purge('prefix', 'not a path/'), /^It failed: prefix: /);
    for (const [kind, text, told] of [['prefix', '/shop/', 'below /shop/'],
      ['match', '/shop/*', 'that matches /shop/*'],
      ['tags', 'post-7 shop', 'that has the tag post-7 or shop'], ['all', '', 'that is stored']]) {
      await until('it is stored', () => weir.isHit('/shop/kept'));
      const answer = await purge(kind, text);
      assert.ok(answer.startsWith(`Purged: everything ${told}. `), answer);
      assert.match((await weir.get('/shop/kept')).verdict, /fwd=/);
    }
    await until('it is stored', () => weir.isHit('/shop/kept'));
    await page.check('#purge-soft');
    assert.match(await purge('prefix', '/shop/'), /^Made stale: everything below \/shop\//);
    assert.equal(await weir.isHit('/shop/kept'), false);
    await close();
  });

  it('explains a request: outcome, route, reason, what to change, key', async () => {
    const {page, close} = await open();
    await until('it is stored', () => weir.isHit('/blog/told?page=2'));
    const explain = async (url, headers) => {
      await page.fill('#explain-url', url);
      await page.fill('#explain-headers', headers);
      await page.click('#explain-form button');
    };
    await explain('http://app.test/blog/told?page=2&utm_source=x', '');
    await until('a hit', async () => /served from the cache/.test(
      await page.textContent('#explain-result')));
    const details = await page.textContent('#explain-details');
    assert.match(details, /blog/);
    assert.match(details, /query page/);
    assert.match(details, /utm_source/);

    const cookie = `Cookie: ${HOSTILE.replaceAll(/[ =]/g, '')}=1`;
    await explain('http://app.test/blog/told?page=2', cookie);
    await until('not a hit', async () => /app would be asked/.test(
      await page.textContent('#explain-result')));
    assert.match(await page.textContent('#explain-details'), /What to change.*cookies:/s);
    assert.equal(await page.locator('main img').count(), 0);

    await explain('http://', '');
    await until('a complaint', async () => /It failed: /.test(
      await page.textContent('#explain-result')));
    await close();
  });

  it('asks no more while paused or hidden, and goes on', async () => {
    const {page, seen, close} = await open();
    const asks = () => seen.requests.filter((one) => one.url().endsWith('/v1/stats')).length;
    const hide = (hidden) => page.evaluate((is) => {
      Object.defineProperty(document, 'hidden', {configurable: true, get: () => is});
      document.dispatchEvent(new Event('visibilitychange'));
    }, hidden);
    const timersSet = () => page.evaluate(() => view.timer !== null);
    await page.click('#pause');
    await stateIs(page, 'paused');
    await until('no look is planned', async () => !(await timersSet()));
    const before_going_on = asks();
    await page.click('#pause');
    await until('it asks on', () => asks() > before_going_on);
    await until('a look is planned', timersSet);
    await hide(true);
    await until('no look is planned', async () => !(await timersSet()));
    const while_hidden = asks();
    await hide(false);
    await until('it asks on', () => asks() > while_hidden);
    await close();
  });

  it('can be looked back in by keyboard, and says in words what charts show', async () => {
    const {page, close} = await open();
    await until('some points', () => page.evaluate(() => timeline.points.length > 2));
    await page.focus('#moment');
    await page.keyboard.press('ArrowLeft');
    assert.equal(await page.getAttribute('#moment', 'aria-valuetext'), '2 s ago');
    await page.keyboard.press('End');
    assert.equal(await page.getAttribute('#moment', 'aria-valuetext'), 'now');
    assert.match((await texts(page, '#chart-requests p')).join(), /Hits [\d.]+.*, Misses [\d.]+/);
    await until('a summary', async () => /In the last 20 seconds: .*from the cache/.test(
      await page.textContent('#words')));
    assert.equal(await page.getAttribute('#words', 'aria-live'), 'polite');
    await close();
  });

  for (const scheme of ['light', 'dark']) {
    it(`is accessible in its ${scheme} scheme`, async () => {
      const {page, close} = await open({colorScheme: scheme, reducedMotion: 'reduce'});
      await until('reasons', () => row(page, 'reasons', 'set-cookie'));
      assert.deepEqual(await withoutNames(page), []);
      assert.deepEqual(await faintColours(page), []);
      const reached = await reachedByTab(page);
      assert.deepEqual(reached.filter((one) => !one.outlined), []);
      const names = reached.map((one) => one.name);
      for (const id of ['pause', 'moment', 'reasons-title', 'purge-kind', 'purge-text',
        'purge-soft', 'explain-method', 'explain-url', 'explain-headers', '#explain']) {
        assert.ok(names.includes(id), `${id} is not reached by Tab: ${names}`);
      }
      const moves = await page.evaluate(() => document.getAnimations().length
        || getComputedStyle(document.documentElement).scrollBehavior === 'smooth');
      assert.equal(moves, false);
      await close();
    });
  }

  it('fits a phone of 360 pixels', async () => {
    const {page, close} = await open({viewport: {width: 360, height: 740}});
    await until('reasons', () => row(page, 'reasons', 'set-cookie'));
    await page.fill('#explain-url', `http://app.test/blog/${'long'.repeat(60)}?page=2`);
    await page.click('#explain-form button');
    await until('an answer', async () => /Cache-Status/.test(
      await page.textContent('#explain-result')));
    assert.deepEqual(await tooWide(page), []);
    await close();
  });

  for (const [name, options] of [
    ['light', {colorScheme: 'light'}], ['dark', {colorScheme: 'dark'}],
    ['phone', {viewport: {width: 360, height: 740}, deviceScaleFactor: 2}]]) {
    it(`has its picture taken: ${name}`, async () => {
      const {page, close} = await open(options);
      await until('some points', () => page.evaluate(() => timeline.points.length > 4));
      await page.fill('#explain-url', 'http://app.test/cookie/banner');
      await page.click('#explain-form button');
      await until('an answer', () => page.textContent('#explain-result'));
      await page.evaluate(() => window.scrollTo(0, 0));
      await page.screenshot({path: path.join(PICTURES, `${name}.png`), fullPage: true});
      await close();
    });
  }
});

describe('with a token', () => {
  it('asks for it, keeps it out of addresses, and sends it', async () => {
    const weir = await Weir.start(WEIR, app, `admin_token: right\n${ROUTES}`);
    const {page, seen, close} = await openPage(browser);
    await page.goto(weir.admin);
    await stateIs(page, 'token');
    assert.equal(await page.isVisible('main'), false);
    assert.equal(await page.evaluate(() => document.activeElement.id), 'token-text');
    await page.keyboard.type('wrong');
    await page.keyboard.press('Enter');
    await until('it is refused', async () => /admin_token/.test(
      await page.textContent('#token-fault')));
    await page.fill('#token-text', 'right');
    await page.keyboard.press('Enter');
    await stateIs(page, 'live');
    assert.equal(await page.isVisible('main'), true);
    assert.equal(await page.evaluate(() => document.activeElement.id), 'main');
    await page.reload();
    await stateIs(page, 'live');
    const last = seen.requests.filter((one) => one.url().endsWith('/v1/stats')).at(-1);
    assert.equal(last.headers().authorization, 'Bearer right');
    for (const request of seen.requests) assert.doesNotMatch(request.url(), /right|wrong|\?/);
    assert.equal(await page.evaluate(() => document.cookie + JSON.stringify(localStorage)), '{}');
    await close();
    assert.equal(await weir.stop(), 0);
  });
});

describe('when the instance ends', () => {
  it('says so, and goes on with the next one', async () => {
    const weir = await Weir.start(WEIR, app, ROUTES);
    const {page, close} = await openPage(browser);
    await page.goto(weir.admin);
    await stateIs(page, 'live');
    assert.equal(await weir.stop(), 0);
    await stateIs(page, 'gone');
    assert.match(await page.textContent('#state'), /does not answer/);
    const next = await Weir.start(WEIR, app, ROUTES, weir.admin_port);
    await stateIs(page, 'live');
    await next.get('/blog/1');
    await until('it counts anew', async () => /^1 since/.test(
      await page.locator('.tiles .note').first().textContent()));
    await close();
    assert.equal(await next.stop(), 0);
  });
});
