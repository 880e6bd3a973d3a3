#!/usr/bin/env python3
"""A small web app to put Weir in front of: slow pages, private ones, cookies, an event stream.

Python's standard library only. Prints `listening on PORT` once it can be asked; --port 0 takes
any free port. It listens on the loopback only.
"""

import argparse
import html
import itertools
import signal
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

STYLE = """body { font: 16px/1.6 system-ui, sans-serif; max-width: 42rem; margin: 3rem auto;
       padding: 0 1rem; color: #223; background: #fcfcfa }
a { color: #06c }
code { background: #eee; padding: .1em .3em; border-radius: 3px }
footer { margin-top: 2rem; color: #778; font-size: .85rem }
"""

POSTS = {
    "1": ("What a weir is", "A low dam. The river passes over it, and behind it stands a pond."),
    "2": ("Why pages are slow", "They ask a database, which asks a disk, which takes its time."),
    "3": ("What to cache", "What is the same for everyone, for as long as it stays the same."),
}

calls = itertools.count(1)


def work(seconds):
    """The database that every demo app seems to have."""
    time.sleep(seconds)


class App(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "demo"
    sys_version = ""
    disable_nagle_algorithm = True  # head and body are two writes: else the second waits for an ACK

    def do_GET(self):
        url = urlsplit(self.path)
        first = "/" + url.path.strip("/").split("/")[0]
        handler = {
            "/": self.home, "/blog": self.blog, "/search": self.search, "/slow": self.slow,
            "/private": self.private, "/login": self.login, "/logout": self.logout,
            "/static": self.static, "/events": self.events,
        }.get(first, self.not_found)
        handler(url)

    do_HEAD = do_GET

    def home(self, _url):
        work(0.3)
        posts = "".join(f'<li><a href="/blog/{n}">{html.escape(title)}</a>'
                        for n, (title, _) in POSTS.items())
        self.page("Weir's demo app", f"""
<p>This page took the app 0.3 s. Load it again: with Weir in front the time below stands still
for ten seconds, and the page is there at once.
<ul>{posts}
<li><a href="/search?q=pond">/search?q=pond</a>: a key of its own for every <code>q</code>
<li><a href="/slow">/slow</a>: takes 2 s, once a minute
<li><a href="/private">/private</a>: says <code>Cache-Control: private</code>
<li><a href="/login">/login</a>: sets a session cookie; <a href="/logout">/logout</a> takes it back
<li><a href="/events">/events</a>: an event stream
<li><a href="/static/app.css">/static/app.css</a>: says <code>max-age=3600</code> itself
</ul>""")

    def blog(self, url):
        post = POSTS.get(url.path.removeprefix("/blog").strip("/"))
        if post is None:
            self.not_found(url)
            return
        work(0.2)
        self.page(post[0], f"<p>{html.escape(post[1])}")

    def search(self, url):
        wanted = parse_qs(url.query).get("q", [""])[0]
        work(0.4)
        found = [f'<li><a href="/blog/{n}">{html.escape(title)}</a>'
                 for n, (title, text) in POSTS.items()
                 if wanted.lower() in (title + text).lower()]
        self.page("Search", f"<p>{len(found)} for “{html.escape(wanted)}”<ul>{''.join(found)}</ul>")

    def slow(self, _url):
        work(2)
        self.page("Slow", "<p>This took 2 s. Ask for it ten times at once: the app is asked once.")

    def private(self, _url):
        self.page("Private", "<p>For you alone, so no cache keeps it.",
                  {"Cache-Control": "private"})

    def login(self, _url):
        self.page("Logged in", """<p>You have a session cookie now, so from here on every page is
fetched for you alone (<code>detail=session</code>), until <a href="/logout">/logout</a>. The answer
that sets a cookie is not stored either.""",
                  {"Set-Cookie": "session=demo; Path=/; HttpOnly; SameSite=Lax"})

    def logout(self, _url):
        self.page("Logged out", '<p>The cookie is gone. <a href="/">Home</a>',
                  {"Set-Cookie": "session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"})

    def static(self, url):
        if url.path != "/static/app.css":
            self.not_found(url)
            return
        self.answer(200, "text/css; charset=utf-8", STYLE, {"Cache-Control": "max-age=3600"})

    def events(self, _url):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Cache-Control", "no-store")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        if self.command == "HEAD":
            return
        try:
            for number in range(1, 61):
                self.wfile.write(f"id: {number}\ndata: {time.strftime('%H:%M:%S')}\n\n".encode())
                self.wfile.flush()
                time.sleep(1)
        except OSError:
            pass  # the reader left

    def not_found(self, _url):
        self.page("Not found", '<p>Nothing here. <a href="/">Home</a>', status=404)

    def page(self, title, body, headers=None, status=200):
        self.answer(status, "text/html; charset=utf-8", f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{html.escape(title)}</title>
<link rel="stylesheet" href="/static/app.css">
<h1>{html.escape(title)}</h1>{body}
<footer>made at {time.strftime('%H:%M:%S')}, answer {next(calls)} of the app</footer>
</html>
""", headers)

    def answer(self, status, content_type, text, headers=None):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format, *args):
        pass  # Weir's access log tells more


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], ConnectionError):  # readers may leave at any time
            super().handle_error(request, client_address)


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--port", type=int, default=8000)
    options.add_argument("--host", default="127.0.0.1", help="the address to listen on")
    arguments = options.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with Server((arguments.host, arguments.port), App) as server:
        print(f"listening on {server.server_address[1]}", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()
