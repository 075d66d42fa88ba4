# SPDX-License-Identifier: Apache-2.0
"""A real mail server (aiosmtpd) as a next hop. Files what it takes under FOLDER/ADDRESS/new/, as a maildir would, and prints its port.

mail_sink.py FOLDER smtp|smtps|lmtp [CERTIFICATE [NAME PASSWORD]]: with a certificate smtp demands STARTTLS, with a name also AUTH.
The local part of a recipient decides: refused* is refused at RCPT, rejected* after the data, later* with 451 at its first two attempts,
never* with 450 for ever.
"""
import asyncio
import pathlib
import ssl
import sys

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, AuthResult


class Handler:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.attempts = {}
        self.taken = 0

    async def handle_RCPT(self, server, session, envelope, address, options):
        attempts = self.attempts[address] = self.attempts.get(address, 0) + 1
        if address.startswith("refused"):
            return "550 5.1.1 there is no such user"
        if address.startswith("never"):
            return "450 4.2.1 not now"
        if address.startswith("later") and attempts <= 2:
            return "451 4.7.1 greylisted"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, server, session, envelope):
        if envelope.rcpt_tos[0].startswith("rejected"):
            return "554 5.6.0 we do not like it"
        sender = envelope.mail_from.strip("<>")  # the null sender comes as "<>"
        for address in envelope.rcpt_tos:
            place = self.folder / address.lower()
            for name in ("tmp", "new"):
                (place / name).mkdir(parents=True, exist_ok=True)
            self.taken += 1
            file = place / "tmp" / str(self.taken)
            file.write_bytes(b"Return-Path: <%s>\r\n" % sender.encode() + envelope.original_content)
            file.rename(place / "new" / file.name)
        secure = session.ssl is not None or server.transport.get_extra_info("sslcontext") is not None
        print(f"taken from=<{sender}> to=<{envelope.rcpt_tos[0]}> tls={secure} "
              f"login={getattr(session.auth_data, 'login', b'').decode()}", flush=True)
        return "250 2.0.0 taken"


def make_server(mode, handler, context, login):
    def authenticate(server, session, envelope, mechanism, data):
        return AuthResult(success=(data.login.decode(), data.password.decode()) == login, auth_data=data)

    options = dict(hostname="sink.example", enable_SMTPUTF8=True)
    if login:
        options |= dict(authenticator=authenticate, auth_required=True, auth_require_tls=mode == "smtp")
    if mode == "lmtp":
        return LMTP(handler, **options)
    if mode == "smtp" and context:
        options |= dict(tls_context=context, require_starttls=True)
    return SMTP(handler, **options)


async def main(folder, mode, certificate=None, *login):
    context = None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
    handler = Handler(folder)
    server = await asyncio.get_running_loop().create_server(
        lambda: make_server(mode, handler, context, login), "127.0.0.1", 0, ssl=context if mode == "smtps" else None)
    print(f"port={server.sockets[0].getsockname()[1]} ready", flush=True)
    await server.serve_forever()


asyncio.run(main(*sys.argv[1:]))
