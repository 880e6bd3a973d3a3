// What the dashboard is looked at with: an app, the real binary before it, visitors, a browser.
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import http from 'node:http';
import {tmpdir} from 'node:os';
import path from 'node:path';
import readline from 'node:readline';

import {chromium} from 'playwright-core';

const PATIENCE_MS = 60_000;  // of a machine that has much else to do
const ASK_AGAIN_MS = 50;

// Asks until `ask` gives something true, and gives that; fails with `what` after a while.
export async function until(what, ask) {
  const deadline = Date.now() + PATIENCE_MS;
  while (true) {
    const got = await ask();
    if (got) return got;
    if (Date.now() > deadline) throw new Error(`not so in ${PATIENCE_MS} ms: ${what}`);
    await new Promise((resolve) => { setTimeout(resolve, ASK_AGAIN_MS); });
  }
}

// Pages that may be shared, pages that set a cookie, and pages that take a while.
export async function startApp() {
  const server = http.createServer((request, response) => {
    const url = new URL(request.url, 'http://app.test');
    const headers = {'Content-Type': 'text/plain', 'Cache-Control': 'max-age=300'};
    if (url.pathname.startsWith('/cookie')) headers['Set-Cookie'] = 'visit_id=1';
    const answer = () => response.writeHead(200, headers).end(`${request.url}\n`.repeat(50));
    if (url.pathname.startsWith('/slow')) setTimeout(answer, 30);
    else answer();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    stop: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

export class Weir {
  // `yaml` with `listen`, `admin` and `upstream` added; `admin_port` 0 is any.
  static async start(binary, app, yaml, admin_port = 0) {
    const weir = new Weir();
    weir.folder = mkdtempSync(path.join(tmpdir(), 'weir-dashboard-'));
    const file = path.join(weir.folder, 'weir.yaml');
    writeFileSync(file, `upstream: ${app.url}\nlisten: 127.0.0.1:0\n`
      + `admin: 127.0.0.1:${admin_port}\naccess_log: off\nworkers: 2\n${yaml}`);
    weir.process = spawn(binary, ['run', '-c', file], {stdio: ['ignore', 'ignore', 'pipe']});
    weir.ended = once(weir.process, 'exit');
    weir.log = '';
    await weir.awaitListening();
    return weir;
  }

  async awaitListening() {
    readline.createInterface({input: this.process.stderr}).on('line', (line) => {
      this.log += `${line}\n`;
    });
    const port = (words) => Number((new RegExp(`${words} 127\\.0\\.0\\.1:(\\d+)`).exec(this.log)
      || [])[1]);
    await until(`weir listens\n${this.log}`, () => {
      if (this.process.exitCode !== null) throw new Error(`weir ended:\n${this.log}`);
      return port('listening on') && port('admin address:');
    });
    this.port = port('listening on');
    this.admin_port = port('admin address:');
    this.admin = `http://127.0.0.1:${this.admin_port}`;
  }

  // The answer to a visitor: {status, verdict}, the latter from Cache-Status. The path goes out as
  // it is, whatever is in it.
  get(target, headers = {}) {
    return new Promise((resolve, reject) => {
      http.get({port: this.port, host: '127.0.0.1', path: target,
        headers: {Host: 'app.test', ...headers}}, (response) => {
        response.resume();
        response.on('end', () => resolve(
          {status: response.statusCode, verdict: response.headers['cache-status'] || ''}));
      }).on('error', reject);
    });
  }

  async isHit(target) {
    return (await this.get(target)).verdict.includes('; hit');
  }

  async stop() {
    this.process.kill('SIGTERM');
    const [code] = await this.ended;
    rmSync(this.folder, {recursive: true});
    return code;
  }
}

const BETWEEN_VISITS_MS = 100;

// Some visits at once, again and again until it is stopped.
export function startVisitors(visit) {
  let going = true;
  const done = (async () => {
    while (going) {
      await visit();
      await new Promise((resolve) => { setTimeout(resolve, BETWEEN_VISITS_MS); });
    }
  })();
  return {stop: async () => {
    going = false;
    await done;
  }};
}

// `chromium` of Debian; as root it has no sandbox, which it would refuse.
export function startBrowser(executable) {
  return chromium.launch({executablePath: executable, chromiumSandbox: process.getuid() !== 0});
}

// A page that keeps what it complains of, and whom it asks.
export async function openPage(browser, options = {}) {
  const context = await browser.newContext({viewport: {width: 1280, height: 900}, ...options});
  const page = await context.newPage();
  const seen = {complaints: [], requests: []};
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) seen.complaints.push(message.text());
  });
  page.on('pageerror', (error) => seen.complaints.push(String(error.stack || error)));
  page.on('request', (request) => seen.requests.push(request));
  return {page, seen, close: () => context.close()};
}
