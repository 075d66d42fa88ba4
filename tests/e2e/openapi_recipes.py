# SPDX-License-Identifier: Apache-2.0
"""For every call and status of /v1/openapi.json that is no matter of every call: how to make a relay answer so."""
import json
import subprocess
import tempfile

from openapi_book import (ACTIONS, BATCH, BOUNCED, BOUNCED_ONE, CA, DELIVERIES, DELIVERY, ELSEWHERE, FORM, JSON, KEY, KEYS, MAIL, MESSAGE, MESSAGES,
                          PAGE, PAGE_FILE, PAGE_PKCS12, PAGE_RESEND, PAGE_SESSION, PKCS12, RESEND, SESSION, SLASH, SUMMARY, WHY,
                          WRONG_CODE, message)
from openapi_key_recipes import KeyRecipes
from openapi_relay import basic, bearer, eventually


def mail(text="text", to="bob@example.net"):
    return f"From: alice@example.com\r\nTo: {to}\r\n\r\n{text}\r\n"


def many(count):
    return [f"crowd{n}@example.net" for n in range(count)]


class Recipes(KeyRecipes):
    def __init__(self, relays, operations):
        super().__init__(relays, operations)
        self.add_messages()
        self.add_keys()
        self.add_queue()
        self.add_suppressions()
        self.add_stream()
        self.add_pickup()
        self.add_pages()
        self.add_choices()
        self.add_key_pages()
        self.add_health()

    # Messages.

    def submitted(self, to="bob@example.net", kind="delivered"):
        """Id of a message that has come to its end."""
        def submit():
            made = self.as_app("POST " + MESSAGES, message(to)).json()["id"]
            eventually(lambda: self.as_app("GET " + MESSAGE, id=made).json()["recipients"][0]["status"] == kind, f"{to} {kind}")
            return made

        return self.once(f"message to {to}", submit)

    def add_messages(self):
        post, batch = "POST " + MESSAGES, "POST " + BATCH
        again = {"Idempotency-Key": "order-1"}
        crowd = {"to": many(30)}
        self.add(post, 202, lambda: self.as_app(post, message()), lambda: self.as_app(post, mail(), kind=MAIL),
                 lambda: self.as_app(post, message("carol@example.net", subject="x", html="<p>x", cc="Dave <dave@example.net>", reply_to=None,
                                                   headers={"X-A": "b"}, attachments=[{"filename": "a", "content": "YQ=="}])),
                 lambda: self.as_app(post, self.encrypted(), kind=MAIL), lambda: self.replayed(again))
        self.add(post, 400, lambda: self.as_app(post, "{"), lambda: self.as_app(post, message(), {"Idempotency-Key": "two words"}))
        self.add(post, 403, lambda: self.as_app(post, message(sender="eve@example.org")))
        self.add(post, 409, lambda: self.as_app(post, message("other@example.net"), again))
        self.add(post, 413, lambda: self.as_app(post, mail("x" * 103_000), kind=MAIL))
        self.add(post, 415, lambda: self.as_app(post, "x", kind="text/plain"))
        self.add(post, 422, lambda: self.as_app(post, "{}"), lambda: self.as_app(post, message(["nobody", 7])),
                 lambda: self.as_app(post, message(), query="?x=1"),
                 lambda: self.submitted("refused@example.net", "bounced") and self.as_app(post, message("refused@example.net")))
        self.add(post, 429, lambda: self.as_app(post, message(**crowd)))
        self.add(post, 429, lambda: self.spent(2), phase=1)
        self.add(post, 503, lambda: self.without_memory(post, fields=basic("app")), phase=2)
        self.add(batch, 200, lambda: self.as_app(batch, f'[{message()},{{"from":"x","to":"y"}}]'), lambda: self.as_app(batch))
        self.add(batch, 400, lambda: self.as_app(batch, "["))
        self.add(batch, 415, lambda: self.as_app(batch, mail(), kind=MAIL))
        self.add(batch, 422, lambda: self.as_app(batch, "{}"), lambda: self.as_app(batch, "[" + ",".join(["1"] * 101) + "]"))
        self.add(batch, 503, lambda: self.without_memory(batch, fields=basic("app")), phase=2)
        self.add_status()

    def add_status(self):
        one, listing = "GET " + MESSAGE, "GET " + MESSAGES
        self.add(one, 200, lambda: self.as_app(one, id=self.submitted()), lambda: self.as_boss(one, id=self.submitted()),
                 lambda: self.as_app(one, id=self.submitted("refused@example.net", "bounced")))
        self.add(one, 404, lambda: self.as_app(one), lambda: self.as_app(one, id="x"))
        self.add(listing, 200, lambda: self.submitted() and self.as_app(listing),
                 lambda: self.as_app(listing, query="?limit=1&status=delivered&since=2026-01-31T09:30:00Z"))
        self.add(listing, 422, lambda: self.as_app(listing, query="?limit=0"), lambda: self.as_app(listing, query="?x=1"),
                 lambda: self.as_app(listing, query="?cursor=x"))
        self.add(listing, 429, self.guess_passwords, phase=1)

    def replayed(self, key):
        self.as_app("POST " + MESSAGES, message(), key)
        answer = self.as_app("POST " + MESSAGES, message(), key)
        if answer.fields.get("idempotency-replayed") != "true":
            raise RuntimeError("not told as a repetition")
        return answer

    def encrypted(self):
        """A message that somebody else's program has encrypted."""
        self.key_of("bob@example.net")
        certificate = self.as_app("GET " + KEY).json()["certificate"]
        with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
            file.write(certificate)
            file.flush()
            made = subprocess.run(["openssl", "cms", "-encrypt", "-aes256", "-crlfeol", file.name], input="secret", capture_output=True,
                                  text=True, check=True)
        lines = made.stdout.replace("\r\n", "\n").replace("\n", "\r\n")
        return "From: alice@example.com\r\nTo: bob@example.net\r\n" + lines

    # Keys.

    def key_of(self, address):
        return self.as_app("PUT " + KEY, address=address)

    def add_keys(self):
        get, put, bulk = "GET " + KEY, "PUT " + KEY, "POST " + KEYS
        pem = {"Accept": "application/pem-certificate-chain"}
        bob = "bob@example.net"
        self.add(get, 200, lambda: self.key_of(bob) and self.as_app(get), lambda: self.as_app(get, fields=pem))
        self.add(get, 400, lambda: self.as_app(get, address="nobody"))
        self.add(get, 404, lambda: self.as_app(get, address="keyless@example.net"))
        self.add(put, 200, lambda: self.key_of(bob) and self.as_app(put), lambda: self.as_app(put, fields=pem))
        self.add(put, 201, lambda: self.key_of("first@example.net"), lambda: self.as_app(put, fields=pem, address="second@example.net"))
        self.add(put, 400, lambda: self.as_app(put, address="nobody"))
        self.add(put, 422, lambda: self.as_app(put, address='"two words"@example.net'))
        self.add(put, 429, lambda: self.spent(1), phase=1)
        self.add(bulk, 200, lambda: self.as_app(bulk, json.dumps({"addresses": [bob, "keyless@example.net", "nobody"]})),
                 lambda: self.as_app(bulk, json.dumps({"addresses": [bob, "third@example.net", '"two words"@example.net'], "assign": True})))
        self.add(bulk, 400, lambda: self.as_app(bulk, "{"))
        self.add(bulk, 422, lambda: self.as_app(bulk, "{}"), lambda: self.as_app(bulk, json.dumps({"addresses": many(101)})),
                 lambda: self.as_app(bulk, '{"addresses":[7]}'))
        self.add("GET " + CA, 200, lambda: self.ask("GET " + CA))

    # The queue.

    def add_queue(self):
        summary, listing, one, act = "GET " + SUMMARY, "GET " + DELIVERIES, "GET " + DELIVERY, "POST " + ACTIONS
        self.add(summary, 200, lambda: self.submitted() and self.as_boss(summary), lambda: self.as_boss(summary, query="?rows=1"))
        self.add(summary, 422, lambda: self.as_boss(summary, query="?rows=0"), lambda: self.as_boss(summary, query="?x=1"))
        self.add(listing, 200, lambda: self.submitted() and self.as_boss(listing), lambda: self.as_boss(listing, query="?limit=1&order=newest"),
                 lambda: self.as_boss(listing, query="?state=waiting&domain=example.net&sender=%3C%3E&recipient=bob@example.net&account=app"
                                      f"&message={self.submitted()}&older_than=1h&newer_than=2d&error=451"))
        self.add(listing, 422, lambda: self.as_boss(listing, query="?state=lost"), lambda: self.as_boss(listing, query="?domain="),
                 lambda: self.as_boss(listing, query="?cursor=AAAA"), lambda: self.as_boss(listing, query="?limit=1&limit=2"))
        self.add(one, 200, lambda: self.as_boss(one, id=self.submitted() + "-1"))
        self.add(one, 404, lambda: self.as_boss(one, id="no-id"), lambda: self.as_boss(one, id="01JAAAAAAAAAAAAAAAAAAAAAAA-1"))
        why = "GET " + WHY
        self.add(why, 200, lambda: self.as_boss(why, query=f"?id={self.submitted()}-1"), lambda: self.as_boss(why, query="?domain=Example.net"))
        self.add(why, 404, lambda: self.as_boss(why, query="?id=x"), lambda: self.as_boss(why, query="?id=01JAAAAAAAAAAAAAAAAAAAAAAA-1"))
        self.add(why, 422, lambda: self.as_boss(why), lambda: self.as_boss(why, query="?domain=a..b"))
        self.add(act, 200, lambda: self.as_boss(act), lambda: self.as_boss(act, body=json.dumps({"action": "hold", "ids": [self.submitted() + "-1"]})),
                 lambda: self.as_boss(act, body='{"action":"reroute","route":"mx","filter":{"domain":"nobody.example"},"limit":5,"cursor":null}'))
        self.add(act, 400, lambda: self.as_boss(act, body="{"))
        self.add(act, 422, *(lambda body=body: self.as_boss(act, body=body) for body in (
            "[]", '{"action":"retry"}', '{"action":"burn","filter":{"state":"held"}}', '{"action":"retry","filter":{}}',
            '{"action":"retry","ids":["x"]}', '{"action":"retry","ids":[]}', '{"action":"retry","filter":{"state":7}}',
            '{"action":"retry","filter":{"state":"held"},"ids":["x"]}', '{"action":"retry","filter":{"state":"held"},"cursor":"AAAA"}',
            '{"action":"reroute","route":"maildir:/x","filter":{"state":"held"}}', '{"action":"drop","filter":{"state":"held"},"dry_run":"no"}',
            '{"action":"drop","filter":{"state":"held"},"limit":0}', '{"action":"drop","filter":{"state":"held"},"all":true}')))

    # Suppressions.

    def add_suppressions(self):
        listing, one, refused = "GET " + BOUNCED, "DELETE " + BOUNCED_ONE, "refused@example.net"
        self.add(listing, 200, lambda: self.submitted(refused, "bounced") and self.as_boss(listing),
                 lambda: self.as_boss(listing, query="?recipient=bob@example.net"))
        self.add(listing, 400, lambda: self.as_boss(listing, query="?limit=0"), lambda: self.as_boss(listing, query="?cursor=*"))
        # After the last who wants the address to be refused.
        self.add(one, 200, lambda: self.submitted(refused, "bounced") and self.as_boss(one, address=refused), phase=0.5)
        self.add(one, 400, lambda: self.as_boss(one, address="nobody"))
        self.add(one, 404, lambda: self.as_boss(one))

    def add_stream(self):
        stream = "GET /v1/queue/stream"
        self.add(stream, 200, lambda: self.as_boss(stream), lambda: self.ask(stream, basic("boss") | {"Last-Event-ID": "1"}))

    # Pickup by programs.

    def link(self, address):
        """Token and code that a new address was sent."""
        return self.once(f"link of {address}", lambda: self.key_of(address) and self.main.notification(address))

    def enter(self, address, code=None):
        token, right = self.link(address)
        if code:  # the address's own failures alone count for who was here before
            self.session(address)
        return self.patient("POST " + SESSION, body=json.dumps({"code": code or right}), token=token)

    def hurry(self, address, call, wrong, kind):
        """Wrong codes without a pause, from where the right one came before."""
        self.session(address)
        token = self.link(address)[0]

        def guess():
            answer = self.ask(call, body=wrong, kind=kind, token=token)
            return answer if answer.status == 429 else None

        return eventually(guess, "a wait")

    def session(self, address):
        return self.once(f"session of {address}", lambda: self.enter(address).json()["session"])

    def take(self, address, body='{"format":"modern"}', session=None):
        token = self.link(address)[0]
        return self.ask("POST " + PKCS12, bearer(session or self.session(address)), body, token=token)

    def damaged(self):
        address = "damaged@example.net"
        token, _ = self.link(address)
        self.main.damage_link(address)
        return token

    def locked(self):
        def lock():
            for _ in range(5):
                self.enter("locked@example.net", WRONG_CODE)
            return self.link("locked@example.net")[0]

        return self.once("locked", lock)

    def expired(self):
        def expire():
            self.spent(0)
            token, _ = self.strict.notification("late@example.net")
            eventually(lambda: self.ask("GET " + PAGE, relay=self.strict, token=token).status == 410, "the code's end")
            return token

        return {"relay": self.strict, "token": self.once("expired", expire)}

    def add_pickup(self):
        session, pkcs12, resend, picker = "POST " + SESSION, "POST " + PKCS12, "POST " + RESEND, "bob@example.net"
        self.add(resend, 202, lambda: self.ask(resend))
        self.add(resend, 400, lambda: self.ask(resend, body='{"who":"x"}'))
        self.add(session, 200, lambda: self.enter(picker))
        self.add(session, 400, lambda: self.ask(session, body="{}"), lambda: self.ask(session, body='{"code":7}'))
        self.add(session, 403, lambda: self.enter("careless@example.net", WRONG_CODE))
        self.add(session, 404, lambda: self.ask(session))
        self.add(session, 410, lambda: self.ask(session, **self.expired()), phase=1)
        self.add(session, 423, lambda: self.ask(session, token=self.locked()))
        self.add(session, 429, lambda: self.hurry("hasty@example.net", session, json.dumps({"code": WRONG_CODE}), JSON))
        self.add(session, 500, lambda: self.ask(session, token=self.damaged()))
        self.add(pkcs12, 200, lambda: self.take(picker),
                 lambda: self.take(picker, '{"format":"modern","password":"correct-horse-battery","fingerprint":null}'),
                 lambda: self.take(picker, '{"format":"compatible"}'))
        self.add(pkcs12, 400, lambda: self.take(picker, "{"))
        self.add(pkcs12, 401, lambda: self.take(picker, session="x"))
        self.add(pkcs12, 404, lambda: self.ask(pkcs12), lambda: self.take(picker, '{"format":"modern","fingerprint":"x"}'))
        self.add(pkcs12, 422, lambda: self.take(picker, '{"format":"x"}'),
                 lambda: self.take(picker, '{"format":"modern","password":"short"}'))
        self.add(pkcs12, 500, lambda: self.ask(pkcs12, token=self.damaged()))
        for call in (session, pkcs12, resend, "POST " + PAGE_SESSION, "POST " + PAGE_PKCS12, "POST " + PAGE_RESEND):
            self.add(call, 503, lambda call=call: self.without_memory(call), phase=2)
        for call in (session, pkcs12, "GET " + PAGE, "POST " + PAGE_SESSION, "POST " + PAGE_PKCS12, "GET " + PAGE_FILE):
            self.add(call, 503, lambda call=call: self.without_redis(call), phase=3)

    # Pickup by people.

    def visit(self):
        """Cookie of a visitor whose code was right, and the link's token."""
        return self.once("visit", self.fresh_visit)

    def fresh_visit(self):
        cookie = self.enter_page().fields["set-cookie"].split(";")[0]
        return {"token": self.link("visitor@example.net")[0], "fields": {"Cookie": cookie}}

    def enter_page(self):
        token, code = self.link("visitor@example.net")
        return self.patient("POST " + PAGE_SESSION, body="code=" + code, kind=FORM, token=token)

    def make_file(self):
        page = self.ask("GET " + PAGE, **self.visit()).body.decode()
        csrf = page.split('name="csrf" value="')[1].split('"')[0]
        return self.ask("POST " + PAGE_PKCS12, body=f"format=modern&csrf={csrf}", kind=FORM, **self.visit())

    def add_pages(self):
        page, code, key, file = "GET " + PAGE, "POST " + PAGE_SESSION, "POST " + PAGE_PKCS12, "GET " + PAGE_FILE
        for call in (page, code):
            self.add(call, 410, lambda call=call: self.ask(call, **self.expired()), phase=1)
            self.add(call, 423, lambda call=call: self.ask(call, token=self.locked()))
        for call in (page, code, key, file):
            self.add(call, 404, lambda call=call: self.ask(call))
            self.add(call, 500, lambda call=call: self.ask(call, token=self.damaged()))
        for call in ("GET " + SLASH, "GET " + PAGE_SESSION, "GET " + PAGE_PKCS12):
            self.add(call, 303, lambda call=call: self.ask(call))
            self.add(call, 404, lambda call=call: self.ask(call, token="x"))
        visitor = lambda: self.link("visitor@example.net")[0]
        self.add(page, 200, lambda: self.ask(page, token=visitor()), lambda: self.ask(page, **self.visit()))
        self.add(code, 303, self.enter_page)
        self.add(code, 403, lambda: self.visit() and self.patient(code, token=visitor()),
                 lambda: self.ask(code, {"Origin": "https://elsewhere.example"}))
        self.add(code, 429, lambda: self.hurry("rash@example.net", code, "code=" + WRONG_CODE, FORM))
        self.add(file, 404, lambda: self.ask(file, **self.fresh_visit()))
        self.add(key, 200, self.make_file)
        self.add(key, 401, lambda: self.ask(key, token=visitor()))
        self.add(key, 403, lambda: self.ask(key, **self.visit()))
        self.add(file, 200, lambda: self.make_file() and self.ask(file, **self.visit()))
        self.add(file, 401, lambda: self.ask(file, token=visitor()))
        self.add("GET " + PAGE_RESEND, 200, lambda: self.ask("GET " + PAGE_RESEND))
        self.add("POST " + PAGE_RESEND, 202, lambda: self.ask("POST " + PAGE_RESEND))
        self.add("GET /pickup/style.css", 200, lambda: self.ask("GET /pickup/style.css"))
        self.add("GET /pickup/logo", 200, lambda: self.strict.call("GET", "/pickup/logo"),
                 lambda: self.lonely.call("GET", "/pickup/logo"))
        self.add("GET /pickup/logo", 404, lambda: self.ask("GET /pickup/logo"))

    def add_health(self):
        for path in ("/healthz", "/readyz", "/v1/openapi.json", "/docs"):
            self.add("GET " + path, 200, lambda path=path: self.ask("GET " + path))
        self.add("GET /metrics", 200, lambda: self.ask("GET /metrics"),
                 lambda: self.ask("GET /metrics", ELSEWHERE["/metrics"] | basic("boss")))
        self.add("GET /readyz", 503, lambda: self.without_redis("GET /readyz"), phase=3)
