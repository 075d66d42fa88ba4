# SPDX-License-Identifier: Apache-2.0
"""A receiver of webhooks. Prints its port, then each request as a line of JSON: {path, fields, body}.

webhook_sink.py [CERTIFICATE]: with a PEM file of key and certificate it speaks TLS. The path decides the answer: /status/NNN that status,
/redirect 302 to /status/200, /early two 1xx before a 200, /flaky 500 until the third time, /silent none, /drip one that never ends,
/nonsense one that is no HTTP; everything else 204.
webhook_sink.py --verify KEY ID TIMESTAMP SIGNATURE <BODY: ends with 0 when the signature is right, as the Standard Webhooks specification has it.
"""
import base64
import collections
import hashlib
import hmac
import http.server
import json
import ssl
import sys
import threading
import time


class Handler(http.server.BaseHTTPRequestHandler):
    seen = collections.Counter()

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        Handler.seen[self.path] += 1
        print(json.dumps({"path": self.path, "fields": {name.lower(): value for name, value in self.headers.items()},
                          "body": body.decode()}), flush=True)
        if self.path == "/silent":
            threading.Event().wait()
        if self.path == "/drip":
            while True:
                self.wfile.write(b"H")
                time.sleep(0.2)
        if self.path == "/nonsense":
            self.wfile.write(b"220 ready\r\n")
            return
        if self.path == "/early":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")
        status = 204
        if self.path.startswith("/status/"):
            status = int(self.path.rpartition("/")[2])
        elif self.path == "/early":
            status = 200
        elif self.path == "/redirect":
            status = 302
        elif self.path == "/flaky":
            status = 200 if Handler.seen[self.path] > 2 else 500
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/status/200")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments):
        pass


def verify(key, identifier, timestamp, signature):
    secret = base64.b64decode(key.removeprefix("whsec_"), validate=True)
    signed = b".".join([identifier.encode(), timestamp.encode(), sys.stdin.buffer.read()])
    wanted = "v1," + base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
    fresh = abs(time.time() - int(timestamp)) < 300
    return 0 if fresh and hmac.compare_digest(wanted, signature) else 1


def main(certificate=None):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    print(f"port={server.server_address[1]} ready", flush=True)
    server.serve_forever()


if sys.argv[1:2] == ["--verify"]:
    sys.exit(verify(*sys.argv[2:]))
main(*sys.argv[1:])
