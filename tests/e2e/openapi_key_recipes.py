# SPDX-License-Identifier: Apache-2.0
"""What recipients decide about their keys, by program and on the pages: how to make a relay answer each of these calls with each status."""
import json
import re
import time

from openapi_book import FORM, KEY, PAGE, WRONG_CODE, Book
from openapi_relay import bearer, eventually
from own_certificates import OwnCertificate

CRL = "GET /v1/crl"
KEEP, UPLOAD, CONFIRM, FORGET = ("POST /v1/pickup/{token}/keep", "PUT /v1/pickup/{token}/certificate",
                                 "POST /v1/pickup/{token}/certificate/confirm", "POST /v1/pickup/{token}/forget")
PAGES = {name: PAGE + "/" + name for name in ("keys", "keep", "certificate", "certificate/confirm", "forget", "receipt")}
PARTS = "multipart/form-data; boundary=part"
NO_CERTIFICATE = "this is no certificate"


def parts(**fields):
    return "".join(f'--part\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()) + "--part--\r\n"


class KeyRecipes(Book):
    # By program.

    def decide(self, call, address, body="{}", session=None):
        return self.ask(call, bearer(session or self.session(address)), body, token=self.link(address)[0])

    def too_much(self, call, token, fields):
        """Announces more than anybody is asked for."""
        method, path = call.split(" ")
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        return self.main.raw(self.head(method, path.replace("{token}", token), lines + "Content-Length: 1000000000\r\n"))

    def upload(self, address, own):
        """The certificate waits; what the decided call answered."""
        return self.decide(UPLOAD, address, own.pem)

    def sealed_code(self, address, own):
        """The code of the mail that was sealed to the certificate."""
        def look():
            for file in (self.main.mail_folder / address / "new").glob("*"):
                if b"enveloped-data" in file.read_bytes() and (code := re.search(r"Authentication code: (\S+)", own.open(file))):
                    return code[1]
            return None

        return eventually(look, f"the code sealed to {address}")

    def waiting(self, address):
        """A certificate that waits for its code."""
        def make():
            own = OwnCertificate(address)
            self.upload(address, own)
            return own

        return self.once(f"own of {address}", make)

    def confirm(self, address, code=None):
        code = code or self.sealed_code(address, self.waiting(address))
        return self.patient(CONFIRM, body=json.dumps({"code": code}), token=self.link(address)[0])

    def hasty(self, address, confirm):
        """The answer to wrong second codes without a pause."""
        self.waiting(address)
        return next(answer for answer in (confirm() for _ in range(3)) if answer.status == 429)

    def forgotten(self, address):
        self.once(f"forgotten {address}", lambda: self.decide(FORGET, address))
        return address

    def forbidden(self, address):
        """The code of a certificate that waits and was revoked meanwhile: it was used before, and another after it."""
        def make():
            first = self.waiting(address)
            self.confirm(address)
            second = OwnCertificate(address)
            self.upload(address, second)
            fingerprint = self.confirm(address, self.sealed_code(address, second)).json()["fingerprint"]
            keys = self.enter(address).json()["keys"]
            before = next(key["fingerprint"] for key in keys if key["own"] and key["fingerprint"] != fingerprint)
            # Its first code is in the mailbox, too: the new one is the one that was not there.
            old = self.sealed_code(address, first)
            self.upload(address, first)
            code = eventually(lambda: next(iter(self.all_codes(address, first) - {old}), None), "another code")
            self.main.ctl("key", "revoke", address, "--fingerprint", before)
            return code

        return self.once(f"forbidden {address}", make)

    def all_codes(self, address, own):
        opened = [own.open(file) for file in (self.main.mail_folder / address / "new").glob("*") if b"enveloped-data" in file.read_bytes()]
        return {code[1] for text in opened if (code := re.search(r"Authentication code: (\S+)", text))}

    def crowd_out(self, address, upload):
        """Five uploads are a day's."""
        self.once(f"five of {address}", lambda: [self.upload(address, OwnCertificate(address)) for _ in range(5)])
        return upload()

    def ended(self, address):
        """An address whose own certificate has expired."""
        def make():
            own = OwnCertificate(address, seconds=4)
            self.upload(address, own)
            self.confirm(address, self.sealed_code(address, own))
            eventually(lambda: time.time() > own.ends + 1, "the certificate's end")

        self.once(f"ended {address}", make)
        return address

    def add_choices(self):
        owner, other = "owner@example.net", "keeper@example.net"
        put_key = "PUT " + KEY
        self.add(KEEP, 200, lambda: self.decide(KEEP, other), lambda: self.decide(KEEP, other, '{"fingerprint":null}'))
        self.add(FORGET, 200, lambda: self.decide(FORGET, "leaver@example.net"))
        self.add(UPLOAD, 202, lambda: self.upload(other, OwnCertificate(other)))
        self.add(CONFIRM, 200, lambda: self.confirm(owner))
        for call in (KEEP, FORGET):
            self.add(call, 400, lambda call=call: self.decide(call, other, "{"), lambda call=call: self.decide(call, other, '{"kode":"x"}'))
            self.add(call, 404, lambda call=call: self.ask(call), lambda call=call: self.decide(call, other, '{"fingerprint":"x"}'))
            self.add(call, 409, lambda call=call: self.decide(call, self.forgotten("gone@example.net")))
        self.add(CONFIRM, 400, lambda: self.ask(CONFIRM, body="{}"))
        self.add(CONFIRM, 403, lambda: self.waiting("unsure@example.net") and self.confirm("unsure@example.net", WRONG_CODE))
        self.add(CONFIRM, 404, lambda: self.ask(CONFIRM), lambda: self.confirm("gone@example.net", WRONG_CODE))
        self.add(CONFIRM, 429, lambda: self.hasty("hasty@example.net", lambda: self.ask(
            CONFIRM, body=json.dumps({"code": WRONG_CODE}), token=self.link("hasty@example.net")[0])))
        self.add(CONFIRM, 409, lambda: self.confirm("torn@example.net", self.forbidden("torn@example.net")))
        self.add(UPLOAD, 404, lambda: self.ask(UPLOAD))
        self.add(UPLOAD, 409, lambda: self.decide(UPLOAD, other, self.key_of(other).json()["certificate"]))
        self.add(UPLOAD, 422, lambda: self.decide(UPLOAD, other, NO_CERTIFICATE),
                 lambda: self.decide(UPLOAD, other, self.waiting(owner).pem), lambda: self.decide(UPLOAD, other, ""))
        self.add(UPLOAD, 429, lambda: self.crowd_out("eager@example.net", lambda: self.upload("eager@example.net", self.spare("eager@example.net"))))
        for call in (KEEP, UPLOAD, FORGET):
            self.add(call, 401, lambda call=call: self.ask(call, token=self.link(other)[0]), lambda call=call: self.decide(call, other, session="x"))
        for call in (KEEP, UPLOAD, CONFIRM, FORGET):
            self.add(call, 500, lambda call=call: self.ask(call, token=self.damaged()))
            visitor = lambda: {"token": self.link(other)[0], "fields": bearer(self.session(other))}
            self.add(call, 503, lambda call=call: self.without_memory(call, **visitor()), phase=2)
            self.add(call, 503, lambda call=call: self.without_redis(call), phase=3)
        self.add(UPLOAD, 413, lambda: self.too_much(UPLOAD, **visitor()))
        self.add(put_key, 409, lambda: self.as_app(put_key, address=self.ended("ended@example.net")))
        self.add(CRL, 200, lambda: self.ask(CRL))
        self.add(CRL, 503, lambda: self.without_redis(CRL), phase=3)

    def spare(self, address):
        return self.once(f"spare of {address}", lambda: OwnCertificate(address))

    # By people.

    def visit_of(self, address):
        """A visit of the address's link, as arguments of a call."""
        def enter():
            token, code = self.link(address)
            cookie = self.patient("POST " + PAGE + "/session", body="code=" + code, kind=FORM, token=token).fields["set-cookie"]
            return {"token": token, "fields": {"Cookie": cookie.split(";")[0]}}

        return self.once(f"visit of {address}", enter)

    def csrf(self, address):
        page = self.ask("GET " + PAGES["certificate"], **self.visit_of(address)).body.decode()
        return re.search(r'name="csrf" value="([^"]+)"', page)[1]

    def shown_key(self, address):
        """The fingerprint of the current key, as the page of the keys has it."""
        page = self.ask("GET " + PAGES["keys"], **self.visit_of(address)).body.decode()
        return re.search(r"<code>([0-9a-f]{64})</code>", page)[1]

    def send(self, name, address, **fields):
        """A form of the visit."""
        fields = {"csrf": self.csrf(address)} | fields
        if name in ("keep", "forget"):
            fields = {"fingerprint": self.shown_key(address)} | fields
        made = parts(**fields) if name == "certificate" else "&".join(f"{field}={value}" for field, value in fields.items())
        return self.ask("POST " + PAGES[name], body=made, kind=PARTS if name == "certificate" else FORM, **self.visit_of(address))

    def send_patiently(self, name, address, **fields):
        """The same, as long as wrong codes make the next look wait."""
        def send():
            answer = self.send(name, address, **fields)
            return None if answer.status == 429 else answer

        return eventually(send, f"{name} without a wait")

    def add_key_pages(self):
        guest, quitter, torn, eager = "guest@example.net", "quitter@example.net", "torn@example.net", "eager@example.net"
        owned, leaves = "owned@example.net", lambda: self.once("left", lambda: self.send("forget", quitter, confirm="yes"))
        for name, page in PAGES.items():
            call = "GET " + page
            if name != "receipt":
                self.add(call, 200, lambda call=call: self.ask(call, **self.visit_of(guest)))
            if name != "certificate/confirm":  # its code is enough
                self.add(call, 401, lambda call=call: self.ask(call, token=self.link(guest)[0]))
            self.add(call, 404, lambda call=call: self.ask(call))
            self.add(call, 500, lambda call=call: self.ask(call, token=self.damaged()))
            self.add(call, 503, lambda call=call: self.without_redis(call), phase=3)
        for name in ("keep", "certificate", "certificate/confirm", "forget"):
            call = "POST " + PAGES[name]
            if name != "certificate/confirm":
                self.add(call, 401, lambda call=call: self.ask(call, token=self.link(guest)[0]))
            self.add(call, 403, lambda call=call: self.ask(call, **self.visit_of(guest)), lambda name=name: self.send(name, guest, csrf="x"))
            self.add(call, 404, lambda call=call: self.ask(call))
            self.add(call, 500, lambda call=call: self.ask(call, token=self.damaged()))
            self.add(call, 503, lambda call=call: self.without_memory(call, **self.visit_of(guest)), phase=2)
            self.add(call, 503, lambda call=call: self.without_redis(call), phase=3)
        self.add("POST " + PAGES["certificate"], 413, lambda: self.too_much("POST " + PAGES["certificate"], **self.visit_of(guest)))
        keep, upload, confirm, forget = ("POST " + PAGES[name] for name in ("keep", "certificate", "certificate/confirm", "forget"))
        receipt = "GET " + PAGES["receipt"]
        self.add(keep, 200, lambda: self.send("keep", guest))
        self.add(keep, 409, lambda: leaves() and self.send("keep", quitter))
        self.add(upload, 202, lambda: self.send("certificate", owned, certificate=self.spare(owned).pem))
        self.add(upload, 409, lambda: self.send("certificate", guest, file=self.key_of(guest).json()["certificate"]))
        self.add(upload, 422, lambda: self.send("certificate", guest, certificate=NO_CERTIFICATE))
        self.add(upload, 429, lambda: self.crowd_out(eager, lambda: self.send("certificate", eager, certificate=self.spare(eager).pem)))
        self.add(confirm, 200, lambda: self.send_patiently("certificate/confirm", owned, code=self.sealed_code(owned, self.spare(owned))))
        self.add(confirm, 403, lambda: self.waiting("unsure@example.net") and self.send_patiently("certificate/confirm", "unsure@example.net", code=WRONG_CODE),
                 lambda: self.patient("POST " + PAGES["certificate/confirm"], body="code=" + WRONG_CODE, kind=FORM, token=self.link("unsure@example.net")[0]))
        self.add(confirm, 404, lambda: self.send("certificate/confirm", guest, code=WRONG_CODE))
        self.add(confirm, 409, lambda: self.send_patiently("certificate/confirm", torn, code=self.forbidden(torn)))
        self.add(confirm, 429, lambda: self.hasty("rash@example.net", lambda: self.send("certificate/confirm", "rash@example.net", code=WRONG_CODE)))
        self.add(forget, 200, leaves)
        self.add(forget, 409, lambda: leaves() and self.send("forget", quitter, confirm="yes"))
        self.add(forget, 422, lambda: self.send("forget", guest))
        self.add(receipt, 200, lambda: leaves() and self.ask(receipt, **self.visit_of(quitter)))
        self.add(receipt, 404, lambda: self.ask(receipt, **self.visit_of(guest)))
