# SPDX-License-Identifier: Apache-2.0
"""A running relay as openapi_recipes.py speaks to it: by HTTP, octet by octet, by sealpostctl, in its Redis, in its recipients' mail."""
import base64
import http.client
import json
import pathlib
import re
import socket
import subprocess
import time
import urllib.parse
from dataclasses import dataclass

DEADLINE = 60
SAMPLES = {"token": "A" * 24, "address": "bob%40example.net", "id": "01M8Z0Q4T7W3X5Y9A2B4C6D8EF"}


@dataclass
class Answer:
    status: int
    fields: dict
    body: bytes

    def json(self):
        return json.loads(self.body)


def basic(name, password="correct-horse"):
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


def bearer(token):
    return {"Authorization": "Bearer " + token}


def read_answer(connection, method="GET"):
    """Of a stream of events the first one."""
    response = http.client.HTTPResponse(connection, method=method)
    response.begin()
    fields = {name.lower(): value for name, value in response.getheaders()}
    if fields.get("content-type") != "text/event-stream":
        return Answer(response.status, fields, response.read())
    lines = b""
    while line := response.readline().strip():
        lines += line + b"\n"
    return Answer(response.status, fields, lines)


def eventually(look, what):
    """What `look` gives as soon as it is something."""
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(0.02)
    raise TimeoutError(what)


class Relay:
    def __init__(self, port, config, redis, mail, ctl):
        self.port, self.config, self.redis_socket, self.mail_folder, self.ctl_program = port, config, redis, pathlib.Path(mail), ctl

    @staticmethod
    def filled(path, **values):
        """A path with samples in it, or with what is given for its names."""
        given = {name: urllib.parse.quote(value, safe="") for name, value in values.items()}
        return re.sub(r"\{(\w+)\}", lambda found: (SAMPLES | given)[found[1]], path)

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), DEADLINE)

    def raw(self, octets, method="GET"):
        """The answer to these very octets."""
        with self.connect() as connection:
            connection.sendall(octets)
            return read_answer(connection, method)

    def call(self, method, target, fields=None, body=None, kind=None):
        body = body.encode() if isinstance(body, str) else body
        head = {"Host": "relay", "Connection": "close"} | (fields or {})
        if kind:
            head["Content-Type"] = kind
        if body is not None:
            head["Content-Length"] = str(len(body))
        lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
        return self.raw(f"{method} {target} HTTP/1.1\r\n{lines}\r\n".encode() + (body or b""), method)

    def ctl(self, *arguments, given=""):
        done = subprocess.run([self.ctl_program, "--config", self.config, *arguments], input=given, capture_output=True, text=True,
                              check=True, timeout=DEADLINE)
        return done.stdout

    def token(self, account, *scopes):
        wanted = [word for scope in scopes for word in ("--scope", scope)]
        return json.loads(self.ctl("token", "create", account, *wanted, "--json"))["token"]

    def redis(self, *command):
        done = subprocess.run(["redis-cli", "-s", self.redis_socket, "--raw", *command], capture_output=True, text=True, check=True,
                              timeout=DEADLINE)
        return done.stdout.splitlines()

    def damage_link(self, address):
        """As if somebody had written to Redis: the MAC of the address's links no longer fits."""
        for key in self.redis("KEYS", "pickup:*:link:*"):
            if self.redis("HGET", key, "address") == [address]:
                self.redis("HSET", key, "mac", "x")

    def notification(self, address):
        """Token and code that the address was sent."""
        def look():
            for file in (self.mail_folder / address / "new").glob("*"):
                text = file.read_text(encoding="latin-1")
                token, code = re.search(r"\nLink: \S+/pickup/([\w-]+)\r?\n", text), re.search(r"\nAuthentication code: (\S+)\r?\n", text)
                if token and code:
                    return token[1], code[1]
            return None

        return eventually(look, f"notification of {address}")
