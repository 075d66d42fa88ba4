# SPDX-License-Identifier: Apache-2.0
"""A table of recipes, each of which makes a relay answer a call with a status; and those that all calls share. `main` does nearly all,
`strict` has limits of a few calls and codes of a second, `lonely` loses its Redis."""
import concurrent.futures
import http.server
import json
import os
import signal
import threading

from openapi_relay import Relay, basic, bearer, eventually

JSON, MAIL, FORM = "application/json", "message/rfc822", "application/x-www-form-urlencoded"
AFAR = {"X-Forwarded-For": "203.0.113.7"}  # over plain HTTP, as the proxy says by saying nothing
MESSAGES, BATCH, MESSAGE = "/v1/messages", "/v1/messages/batch", "/v1/messages/{id}"
KEYS, KEY, CA = "/v1/keys", "/v1/keys/{address}", "/v1/ca"
BOUNCED, BOUNCED_ONE = "/v1/suppressions", "/v1/suppressions/{address}"
SUMMARY, DELIVERIES, DELIVERY, ACTIONS = "/v1/queue/summary", "/v1/queue/deliveries", "/v1/queue/deliveries/{id}", "/v1/queue/actions"
WHY = "/v1/queue/why"
RESEND, SESSION, PKCS12 = "/v1/pickup/resend", "/v1/pickup/{token}/session", "/v1/pickup/{token}/pkcs12"
PAGE, SLASH, PAGE_SESSION = "/pickup/{token}", "/pickup/{token}/", "/pickup/{token}/session"
PAGE_PKCS12, PAGE_FILE, PAGE_RESEND = "/pickup/{token}/pkcs12", "/pickup/{token}/file", "/pickup/resend"
WRONG_CODE = "ZZZZ-ZZZZ-ZZZZ"
BODIES = {
    ("POST", MESSAGES): (JSON, '{"from":"alice@example.com","to":["bob@example.net"],"text":"x"}'),
    ("POST", BATCH): (JSON, '[{"from":"alice@example.com","to":["bob@example.net"],"text":"x"}]'),
    ("POST", KEYS): (JSON, '{"addresses":["bob@example.net"]}'),
    ("PUT", KEY): (JSON, "{}"),
    ("POST", ACTIONS): (JSON, '{"action":"retry","filter":{"state":"waiting"},"dry_run":true}'),
    ("POST", RESEND): (JSON, '{"address":"nobody@example.net"}'),
    ("POST", SESSION): (JSON, '{"code":"%s"}' % WRONG_CODE),
    ("POST", PKCS12): (JSON, '{"format":"modern"}'),
    ("POST", PAGE_SESSION): (FORM, "code=" + WRONG_CODE),
    ("POST", PAGE_PKCS12): (FORM, "format=modern"),
    ("POST", PAGE_RESEND): (FORM, "address=nobody%40example.net"),
    ("POST", "/v1/pickup/{token}/keep"): (JSON, '{"fingerprint":null}'),
    ("POST", "/v1/pickup/{token}/forget"): (JSON, '{"fingerprint":null}'),
    ("PUT", "/v1/pickup/{token}/certificate"): ("application/octet-stream", "this is no certificate"),
    ("POST", "/v1/pickup/{token}/certificate/confirm"): (JSON, '{"code":"%s"}' % WRONG_CODE),
    ("POST", "/pickup/{token}/keep"): (FORM, "csrf=x"),
    ("POST", "/pickup/{token}/forget"): (FORM, "csrf=x"),
    ("POST", "/pickup/{token}/certificate"): ("multipart/form-data; boundary=part", "--part--"),
    ("POST", "/pickup/{token}/certificate/confirm"): (FORM, "csrf=x"),
}
SCOPES = {"/v1/messages": ("submit", "keys"), "/v1/keys": ("keys", "submit"), "/v1/suppressions": ("operator", "submit"),
          "/v1/queue": ("operator", "submit"), "/metrics": ("operator", "submit")}
# What loopback may call without a credential is called for somebody else, by a proxy that is trusted.
ELSEWHERE = {"/metrics": {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https"}}


def scopes_of(path):
    """The scope that a call wants, and one that does not do; nothing for what anybody may call."""
    return next((scopes for begin, scopes in SCOPES.items() if path.startswith(begin)), None)


def message(to="bob@example.net", sender="alice@example.com", **more):
    return json.dumps({"from": sender, "to": to if isinstance(to, list) else [to], "text": "x"} | more)


class Book:
    def __init__(self, relays, operations):
        self.main, self.strict, self.lonely = relays["main"], relays["strict"], relays["lonely"]
        self.operations, self.table, self.used, self.made = operations, {}, set(), {}
        self.taken_bodies, self.events = [], []
        self.slow = self.time_out_all()
        self.prepare()
        for method, path in operations:
            self.add_framing(method, path)
            if scopes_of(path):
                self.add_access(method, path)

    # What openapi_cases.py asks.

    def answers(self, method, path, status):
        self.used.add((method, path, status))
        return [made() for _, made in self.table.get((method, path, status), [])]

    def order(self, method, path, status):
        """`main` first, while it has memory; `lonely` loses its Redis at the end."""
        return max((phase for phase, _ in self.table.get((method, path, status), [])), default=0)

    def unused(self):
        return set(self.table) - self.used

    def webhook_events(self, wanted):
        try:
            eventually(lambda: wanted <= {event["type"] for event in self.events}, "events")
        except TimeoutError:
            pass
        return list(self.events)

    # How recipes are written.

    def add(self, call, status, *recipes, phase=0):
        method, path = call.split(" ")
        self.table.setdefault((method, path, status), []).extend((phase, recipe) for recipe in recipes)

    def once(self, name, make):
        """Made when it is wanted first."""
        if name not in self.made:
            self.made[name] = make()
        return self.made[name]

    def ask(self, call, fields=None, body=None, kind=JSON, query="", relay=None, **values):
        method, path = call.split(" ")
        relay = relay or self.main
        if body is None and (method, path) in BODIES:
            kind, body = BODIES[method, path]
        answer = relay.call(method, relay.filled(path, **values) + query, fields, body, kind if body is not None else None)
        if answer.status < 300 and body and path.startswith("/v1/") and method == "POST":
            self.taken_bodies.append((method, path, kind, body))
        return answer

    def patient(self, call, **more):
        """Again, as long as wrong codes make the next look wait."""
        def ask():
            answer = self.ask(call, **more)
            return None if answer.status == 429 else answer

        return eventually(ask, f"{call} without a wait")

    def as_app(self, call, body=None, fields=None, **more):
        return self.ask(call, basic("app") | (fields or {}), body, **more)

    def as_boss(self, call, **more):
        return self.ask(call, basic("boss"), **more)

    # The relays before the first call.

    def prepare(self):
        self.main.ctl("account", "add", "boss", "--send-as", "@example.com", "--admin", "--password-stdin", given="correct-horse\n")
        self.main.ctl("account", "add", "broken", "--send-as", "@example.com", "--password-stdin", given="correct-horse\n")
        self.main.redis("SET", "account:{0}:of:broken", "what no account is kept in")
        self.main.ctl("webhook", "add", "app", f"http://127.0.0.1:{self.listen()}/", "--event", "delivered", "--event", "bounced",
                      "--event", "deferred", "--event", "picked_up", "--allow-private")
        self.wrong = {scope: self.main.token("app", scope) for scope in ("submit", "keys")}
        self.strict_token = self.strict.token("app", "submit", "keys", "operator")
        self.lonely_token = self.lonely.token("app", "submit", "keys", "operator")

    def listen(self):
        """A receiver of webhooks; its port."""
        events = self.events

        class Receiver(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                events.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server.server_address[1]

    # What every call answers before it is looked at.

    def head(self, method, path, fields="", query="", version="HTTP/1.1"):
        return f"{method} {Relay.filled(path)}{query} {version}\r\nHost: relay\r\n{fields}\r\n".encode()

    def add_framing(self, method, path):
        """Of what is refused before anybody is asked who sends it; certificates are taken from visitors only, and theirs are told."""
        call = f"{method} {path}"
        for status, octets in {
            400: self.head(method, path, query="?x=%zz"),
            411: self.head(method, path, "Transfer-Encoding: chunked\r\n"),
            413: self.head(method, path, "Content-Length: 1000000000\r\n"),
            414: self.head(method, path, query="?x=" + "a" * 5000),
            417: self.head(method, path, "Expect: the-unexpected\r\n"),
            431: self.head(method, path, "X: " + "a" * 17000 + "\r\n"),
            505: self.head(method, path, version="HTTP/2.0"),
        }.items():
            if status == 413 and method != "GET" and path.endswith("/certificate"):
                continue
            self.add(call, status, lambda octets=octets: self.main.raw(octets))
        self.add(call, 403, lambda: self.ask(call, AFAR | bearer("x")))
        self.add(call, 408, lambda: self.slow[method, path].result())

    def time_out_all(self):
        """A request for each call that stops in the middle of its header, all at once: each takes ten seconds."""
        pool = concurrent.futures.ThreadPoolExecutor(len(self.operations))

        def wait(method, path):
            return self.main.raw(self.head(method, path)[:-2])

        slow = {pair: pool.submit(wait, *pair) for pair in self.operations}
        pool.shutdown(wait=False)
        return slow

    # What every call answers that wants a credential.

    def add_access(self, method, path):
        call = f"{method} {path}"
        way = ELSEWHERE.get(path, {})
        self.add(call, 401, lambda: self.ask(call, way), lambda: self.ask(call, way | bearer("wrong")))
        self.add(call, 403, lambda: self.ask(call, way | bearer(self.wrong[scopes_of(path)[1]])))
        self.add(call, 429, lambda: self.beyond_calls(call, way), phase=1)
        self.add(call, 500, lambda: self.ask(call, way | basic("broken")))
        self.add(call, 503, lambda: self.without_redis(call, way | bearer(self.lonely_token)), phase=3)

    def spend_calls(self):
        """All four: a new address, one too many, a message to one too many, and a listing."""
        token = bearer(self.strict_token)
        return [self.ask("PUT " + KEY, token, relay=self.strict, address="late@example.net"),
                self.ask("PUT " + KEY, token, relay=self.strict, address="more@example.net"),
                self.ask("POST " + MESSAGES, token, message("more@example.net"), relay=self.strict),
                self.ask("GET " + MESSAGES, token, relay=self.strict)]

    def spent(self, number):
        return self.once("spent", self.spend_calls)[number]

    def beyond_calls(self, call, way):
        self.spent(0)
        return self.ask(call, way | bearer(self.strict_token), relay=self.strict)

    def guess_passwords(self):
        def guess():
            answer = self.ask("GET " + MESSAGES, basic("app", "wrong"), relay=self.strict)
            return answer if answer.status == 429 else None

        return eventually(guess, "too many wrong logins")

    def without_redis(self, call, fields=None, **more):
        self.once("killed", lambda: os.kill(int(os.environ["REDIS_OF_LONELY"]), signal.SIGKILL) or True)
        return self.ask(call, fields, relay=self.lonely, **more)

    def without_memory(self, call, **more):
        """While a large body is awaited that holds nearly all of relay.memory_limit."""
        self.once("held", self.hold_memory)
        return self.ask(call, **more)

    def hold_memory(self):
        """No body of this relay may take all of it: several do. Nine octets are counted for each."""
        octets, largest = 8 * 1024 * 1024 // 9, 390_000
        sizes = [largest] * (octets // largest) + [octets % largest]
        return [self.hold(size) for size in sizes]

    def hold(self, length):
        connection = self.main.connect()
        fields = "".join(f"{name}: {value}\r\n" for name, value in basic("app").items())
        connection.sendall(self.head("POST", MESSAGES, f"{fields}Content-Length: {length}\r\nExpect: 100-continue\r\n"))
        if not connection.recv(100).startswith(b"HTTP/1.1 100 "):
            raise RuntimeError("the memory is not held")
        return connection
