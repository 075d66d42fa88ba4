#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Sends every message of submit_case_table.py to a relay as JSON, decrypts what arrives, and compares what three MIME readers make of
it with what was put in. RELAY (host:port), ACCOUNT, PASSWORD, MAIL (the maildirs) and KEY (the reader's, PEM) stand in the environment.
Exits 0 when all holds. Started by submit_cases_test.cpp."""
import base64
import concurrent.futures
import email
import email.header
import email.policy
import email.utils
import hashlib
import http.client
import json
import os
import pathlib
import re
import subprocess
import sys
import time
import urllib.parse

from submit_case_table import READER, boundaries_again, cases

MAIL = pathlib.Path(os.environ["MAIL"])
KEY = os.environ["KEY"]
DEADLINE = 90
PERL = [("Email::MIME", "--email-mime"), ("MIME::Parser", "--mime-parser")]
READ_MIME = pathlib.Path(__file__).with_name("read_mime.pl")
ADDRESS_FIELDS = {"from": "From", "to": "To", "cc": "Cc", "bcc": "Bcc", "reply_to": "Reply-To"}


def listed(message, member):
    boxes = message.get(member, [])
    return [boxes] if isinstance(boxes, str) else boxes


def in_header(address):
    """As it was spelled; beside a local part in ASCII a domain beyond it stands in A-labels."""
    local, domain = address.rsplit("@", 1)
    return f"{local}@{domain.encode('idna').decode().lower()}" if local.isascii() and not domain.isascii() else address


def mailbox(box):
    return [getattr(box, "name", ""), in_header(getattr(box, "address", box))]


def one_spelling(address):
    local, domain = address.rsplit("@", 1)
    return local.lower() + "@" + domain.encode("idna").decode().lower()


def recipients_of(message):
    """Each address once, in the spelling that comes first."""
    first = {}
    for member in ("to", "cc", "bcc"):
        for box in listed(message, member):
            address = getattr(box, "address", str(box))
            first.setdefault(one_spelling(address), address)
    return list(first.values())


def leaf(kind, octets, disposition="", filename="", content_id=""):
    parameters = re.findall(r';\s*([^=;\s]+)=("(?:[^"\\]|\\.)*"|[^;]*)', kind)
    params = {name.lower(): re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value for name, value in parameters}
    return {"type": kind.split(";")[0].lower(), "params": params, "disposition": disposition, "filename": filename,
            "content_id": content_id, "size": len(octets), "sha256": hashlib.sha256(octets).hexdigest()}


def text_leaf(subtype, text):
    lines = re.sub("\r\n|\r|\n", "\r\n", text).encode()
    return leaf(f"text/{subtype}; charset=utf-8", lines) | {"text": lines.decode()}


def multipart(subtype, parts, params=None, always=False):
    return {"type": f"multipart/{subtype}", "params": params or {}, "parts": parts} if always or len(parts) > 1 else parts[0]


def tree_of(message):
    inline, attached = [], []
    for a in message.get("attachments", []):
        shown = "content_id" in a and "html" in message
        part = leaf(a.get("content_type", "application/octet-stream"), a["content"], "inline" if shown else "attachment",
                    a.get("filename", ""), a.get("content_id", ""))
        (inline if shown else attached).append(part)
    versions = []
    if "text" in message or ("html" not in message and not attached):
        versions.append(text_leaf("plain", message.get("text", "")))
    if "html" in message:
        versions.append(multipart("related", [text_leaf("html", message["html"])] + inline, {"type": "text/html"}))
    body = [multipart("alternative", versions)] if versions else []
    return multipart("mixed", body + attached, always=bool(attached))


def values_of(reading):
    """One flat table of all that is compared."""
    values = {f"field {name}": value for name, value in reading["headers"].items()}
    values |= {name: reading["addresses"][field] for name, field in ADDRESS_FIELDS.items()}

    def structure(part, number):
        if "parts" in part:
            values[f"part {number or 'top'} params"] = part["params"]
            return [part["type"]] + [structure(child, f"{number}.{i}".lstrip(".")) for i, child in enumerate(part["parts"], 1)]
        for name in ("params", "disposition", "filename", "content_id", "size", "sha256"):
            values[f"part {number or 'top'} {name}"] = part[name]
        if part["params"].get("charset") == "utf-8" and part["disposition"] == "":
            values[f"part {number or 'top'} text"] = part["text"]
        return part["type"]

    values["structure"] = structure(reading["tree"], "")
    return values


def expected(message, message_id):
    headers = {"Subject": message.get("subject", "")} | message.get("headers", {})
    if "message-id" not in map(str.lower, headers):
        headers["Message-ID"] = message_id
    people = {field: [mailbox(box) for box in listed(message, member)] for member, field in ADDRESS_FIELDS.items()}
    people["Bcc"] = []
    return {"headers": {name: [value] for name, value in headers.items()}, "addresses": people, "tree": tree_of(message)}


def field_names(message, own):
    """Of all fields in the header block but Content-*: no other one stands there."""
    names = ["return-path", "received", "from", "date", "mime-version"] + [name.lower() for name in own]
    names += [ADDRESS_FIELDS[member].lower() for member in ("to", "cc", "reply_to") if listed(message, member)]
    if not listed(message, "to") and not listed(message, "cc"):
        names.append("to")  # undisclosed recipients
    return sorted(names)


def utf8(text):
    """Octets of a header field beyond ASCII are UTF-8 (RFC 6532); the email package keeps them escaped."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8")


def decode_words(text):
    return str(email.header.make_header(email.header.decode_header(text)))


def python_mailboxes(field, raw):
    read = [[address.display_name, utf8(address.addr_spec)] for address in field.addresses]
    older = [decode_words(name) for name, address in email.utils.getaddresses([raw]) if address]
    if re.search(r"\?=\r\n[ \t]=\?", raw) or any("  " in name for name in older):
        # The newer parser of Python 3.11 puts a blank between the encoded-words of one name (bpo-35547), and makes one blank of
        # several in such a word; its older one does not.
        for newer, name in zip(read, older, strict=True):
            newer[0] = name
    return read


def python_text(field, raw):
    """Python 3.11 leaves the blank of a fold that stands in front of the first word."""
    text = str(field)
    return text.removeprefix(" ") if raw.startswith("\r\n") else text


def python_part(part, defects):
    if part.get_content_maintype() == "multipart":
        params = {name: value for name, value in part["content-type"].params.items() if name != "boundary"}
        read = {"type": part.get_content_type(), "params": params, "parts": [python_part(p, defects) for p in part.iter_parts()]}
    else:
        if part.get_content_maintype() == "message":
            as_it_was = email.policy.default.clone(linesep="\r\n", refold_source="none", cte_type="8bit", mangle_from_=False)
            octets = part.get_payload(0).as_bytes(policy=as_it_was)
        else:
            octets = part.get_payload(decode=True)
        kind, disposition = part["content-type"], part["content-disposition"]
        read = leaf("", octets, disposition.content_disposition if disposition else "",
                    disposition.params.get("filename", "") if disposition else "", (part["content-id"] or "").strip("<>"))
        read |= {"type": kind.content_type, "params": dict(kind.params)}
        if read["params"].get("charset") == "utf-8":
            read["text"] = octets.decode()
    defects += part.defects
    return read


def read_with_python(raw, fields):
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    source = dict(mail.raw_items())
    defects = []
    people = {name: python_mailboxes(mail[name], source[name]) if name in mail else [] for name in ADDRESS_FIELDS.values()}
    return {"headers": {name: [python_text(mail[name], source[name])] * len(mail.get_all(name)) for name in fields}, "addresses": people,
            "tree": python_part(mail, defects), "defects": [type(defect).__name__ for defect in defects],
            "names": sorted(name.lower() for name, _ in mail.raw_items() if not name.lower().startswith("content-"))}


def read_with_perl(raw, parser, fields):
    read = subprocess.run(["perl", READ_MIME, parser, *fields], input=raw, capture_output=True, check=False)
    if read.returncode or read.stderr:
        raise RuntimeError(f"read_mime.pl {parser}: {read.stderr.decode()}")
    return json.loads(read.stdout)


class Relay:
    def __init__(self):
        login = f"{os.environ['ACCOUNT']}:{os.environ['PASSWORD']}".encode()
        self.fields = {"Authorization": "Basic " + base64.b64encode(login).decode(), "Content-Type": "application/json"}
        self.connection = http.client.HTTPConnection(os.environ["RELAY"], timeout=DEADLINE)

    def call(self, method, path, body=b""):
        self.connection.request(method, path, body, self.fields)
        response = self.connection.getresponse()
        return response.status, response.headers, response.read()

    def submit(self, case):
        message = dict(case.message)
        if "attachments" in message:
            message["attachments"] = [a | {"content": base64.b64encode(a["content"]).decode()} for a in message["attachments"]]
        body = json.dumps(message, ensure_ascii=case.escaped).encode()
        return self.call("POST", "/v1/messages", body)

    def assign(self, address):
        status, _, body = self.call("PUT", "/v1/keys/" + urllib.parse.quote(address))
        if status not in (200, 201):
            sys.exit(f"PUT {address}: {status} {body.decode()}")


def faults_of_answer(message, fields, answer):
    """What is wrong with a 202."""
    given = {name.lower(): value for name, value in message.get("headers", {}).items()}.get("message-id")
    recipients = list(enumerate(recipients_of(message), 1))
    rows = [{"address": row["address"], "delivery": row["delivery"], "status": row["status"], "key": sorted(row["key"])}
            for row in answer["recipients"]]
    yield from (what for holds, what in [
        (sorted(answer) == ["id", "message_id", "recipients"], "members"),
        (re.fullmatch("[0-7][0-9A-HJKMNP-TV-Z]{25}", answer["id"]), "id"),
        (answer["message_id"] == given or (given is None and re.fullmatch("<[^@<> ]+@relay.example.org>", answer["message_id"])),
         f"message_id {answer['message_id']}"),
        (fields["Location"] == "/v1/messages/" + answer["id"], "Location"),
        (rows == [{"address": address, "delivery": f"{answer['id']}-{n}", "status": "queued",
                   "key": ["assigned", "fingerprint", "state"]} for n, address in recipients], f"recipients {rows}"),
        (all(re.fullmatch("[0-9a-f]{64}", row["key"]["fingerprint"]) and row["key"]["state"] == "interim" and
             isinstance(row["key"]["assigned"], bool) for row in answer["recipients"]), "key"),
    ] if not holds)


def delivered(recipient):
    """The file in the recipient's maildir; waits for it."""
    local, domain = recipient["address"].rsplit("@", 1)
    folder = MAIL / (urllib.parse.quote(local, safe="+") + "@" + domain.encode("idna").decode().lower()) / "new"
    deadline = time.monotonic() + DEADLINE
    while True:
        for path in folder.glob(f"*.{recipient['delivery']}.*"):
            return path
        if time.monotonic() > deadline:
            raise RuntimeError(f"no mail for {recipient['address']}")
        time.sleep(0.01)  # a file in a folder announces nothing


def decrypted(path):
    """The outer header fields and the entity inside, as a mail program shows them."""
    plain = subprocess.run(["openssl", "cms", "-decrypt", "-binary", "-in", path, "-recip", KEY, "-inkey", KEY], capture_output=True,
                           check=False)
    if plain.returncode:
        raise RuntimeError("openssl cms: " + plain.stderr.decode())
    header = path.read_bytes().split(b"\r\n\r\n", 1)[0] + b"\r\n"
    fields = re.findall(rb"[^\r\n]*\r\n(?:[ \t][^\r\n]*\r\n)*", header)
    return b"".join(field for field in fields if not field.lower().startswith(b"content-")) + plain.stdout


def differences(case, reader, wanted, read):
    for name in sorted(wanted.keys() | read.keys()):
        if wanted.get(name) == read.get(name):
            continue
        if reader != "Python" and any(re.fullmatch(pattern, name) for who, pattern in case.excuses if who == reader):
            continue
        yield f"{reader} {name}: {str(read.get(name))[:200]!r} instead of {str(wanted.get(name))[:200]!r}"


def faults_of_octets(raw):
    """What no reader minds, and a mail server on the way may."""
    lines = raw.split(b"\r\n")
    if any(b"\r" in line or b"\n" in line or b"\0" in line for line in lines):
        yield "a bare CR, LF or NUL"
    if max(map(len, lines)) > 998:
        yield "a line of more than 998 octets"
    if any(len(line) > 76 for line in lines[:lines.index(b"")] if b"=?utf-8?" in line and not line.lower().startswith(b"message-id:")):
        yield "a line of more than 76 characters with an encoded-word"
    body = raw.split(b"\r\n\r\n", 1)[1]
    if not body.isascii() and b"\r\nContent-Transfer-Encoding: 8bit\r\n" not in raw[:-len(body)]:
        yield "8-bit octets below a header that does not say so"


def check(case, status, fields, body):
    """What is wrong with what came of a case, and the message that arrived."""
    if status != 202:
        return [f"{status} {body.decode()[:500]}"], b""
    message, answer = case.message, json.loads(body)
    faults = [f"answer: {what}" for what in faults_of_answer(message, fields, answer)]
    files = {one_spelling(recipient["address"]): delivered(recipient) for recipient in answer["recipients"]}
    raw = decrypted(files[READER])
    public = {one_spelling(mailbox(box)[1]) for member in ("to", "cc") for box in listed(message, member)}
    hidden = {one_spelling(mailbox(box)[1]) for box in listed(message, "bcc")} - public
    for address, path in files.items():
        octets = path.read_bytes() + (raw if address == READER else b"")
        faults += [f"{address} sees {bcc}" for bcc in hidden if bcc.encode() in octets.lower()]
    faults += faults_of_octets(raw)
    wanted = expected(message, answer["message_id"])
    names = list(wanted["headers"])
    read = read_with_python(raw, names)
    extra = {"names": field_names(message, names), "defects": []}
    faults += differences(case, "Python", values_of(wanted) | extra, values_of(read) | {name: read[name] for name in extra})
    for reader, flag in PERL:
        faults += differences(case, reader, values_of(wanted), values_of(read_with_perl(raw, flag, names)))
    return faults, raw


def main():
    relay, table = Relay(), list(cases())
    for address in recipients_of(next(case for case in table if case.name == "500 recipients").message):
        relay.assign(address)
    failed = 0

    def tell(case, faults):
        nonlocal failed
        failed += bool(faults)
        if faults:
            print(f"FAILED {case.name}: " + " ".join("; ".join(faults).split())[:2000])

    def safely(case, answer):
        try:
            return check(case, *answer)
        except Exception as why:  # a reader that breaks off, say
            return [f"{type(why).__name__}: {why}"], b""

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        running = {case.name: (case, pool.submit(safely, case, relay.submit(case))) for case in table}
        for case, result in running.values():
            tell(case, result.result()[0])
        raw = running["text, HTML, images and attachments"][1].result()[1]
        last = boundaries_again(raw)
        tell(last, safely(last, relay.submit(last))[0] if b"\r\n--=_" in raw else ["no boundary to repeat"])
    print(f"{len(table) + 1} cases, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
