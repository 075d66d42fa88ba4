# SPDX-License-Identifier: Apache-2.0
"""The messages that submit_cases.py sends: each as the JSON of POST /v1/messages, but for the contents of attachments, which are
octets here. What should arrive is not said: it follows from what is put in."""
import random

READER = "reader@example.net"  # has picked the key up; every message goes to it, too
EMOJI = "\U0001f600"
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466"
HEBREW = "\u05e9\u05dc\u05d5\u05dd \u05e2\u05d5\u05dc\u05dd"
ARABIC = "\u0645\u0631\u062d\u0628\u0627 \u0628\u0627\u0644\u0639\u0627\u0644\u0645"
DECOMPOSED = "Cafe\u0301 Zu\u0308rich A\u030a"
PIXEL = bytes.fromhex("47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b")
ALL_OCTETS = bytes(range(256))


class Box(str):
    """An address with a name, as a JSON string; keeps both apart for the comparison."""

    def __new__(cls, name, address, written=None):
        quoted = name.replace("\\", "\\\\").replace('"', '\\"')
        box = super().__new__(cls, written if written is not None else f'"{quoted}" <{address}>')
        box.name, box.address = name, address
        return box


def bare(name, address):
    """A name that stands in no quotes."""
    return Box(name, address, f"{name} <{address}>")


class Case:
    """`excuses`: reader and value that may differ, with the reason. `escaped`: JSON in ASCII."""

    def __init__(self, name, excuses=None, escaped=True, **message):
        self.name, self.excuses, self.escaped = name, excuses or {}, escaped
        self.message = {"from": "alice@example.com", "to": [READER], "subject": name, "text": "Text.\n"} | message
        for member in [name for name, value in self.message.items() if value is ...]:
            del self.message[member]


def file(content=b"%PDF-1.7\n", **members):
    return members | {"content": content}


def names():
    sender, reader = "alice@example.com", READER
    for name, both in {
        "ASCII words": "Alice Example",
        "beyond ASCII": "Zo\u00eb M\u00fcller",
        "beyond the BMP": f"Team {EMOJI} {FAMILY}",
        "right to left": HEBREW,
        "combining characters": DECOMPOSED,
        "comma": "Example, Alice",
        "quotes and backslash": 'Alice "Al\\ice" \\ "',
        "specials": "a@b.example <c>: d; (e) [f]",
        "an encoded-word": "=?utf-8?Q?not_me?=",
        "blanks": "Alice    of    Example",
        "blanks at the ends": "  Alice ",
        "long": "Stra\u00dfenbahnhaltestellenf\u00fchrungspers\u00f6nlichkeit \u00c4\u00d6\u00dc " * 4 + EMOJI,
        "long ASCII": "Alice Example " * 22 + "1234567890",
        "long word": "A" * 318,
        "beyond ASCII and comma": "M\u00fcller, Zo\u00eb",
        "empty": "",
    }.items():
        yield Case(f"name: {name}", **{"from": Box(both, sender)}, to=[Box(both, reader)])
    yield Case("name: without quotes", **{"from": bare("Zo\u00eb O'Hara-M\u00fcller", sender)},
               to=[bare("J. R. Reader (jr)", reader)], escaped=False)
    yield Case("name: angle brackets alone", **{"from": bare("", sender)}, to=[Box("", reader, f"<{reader}>")])
    yield Case("name: everywhere", to=[Box("R\u00e9ader", reader), Box("Carol, C.", "carol@example.net"), "dora@example.net"],
               cc=[Box("\u0414\u043e\u0440\u0430", "dora@example.org")], reply_to=Box("H\u00e9lp, desk", "help@example.com"))


def subjects():
    for name, subject in {
        "beyond ASCII": "Gr\u00fc\u00dfe aus K\u00f6ln",
        "beyond the BMP": f"{EMOJI} {FAMILY} {EMOJI}",
        "right to left": f"{HEBREW} / {ARABIC} \u200f\u202b(1)\u202c",
        "combining characters": DECOMPOSED,
        "ASCII, long": "A subject of many words " * 30 + "and an end",
        "beyond ASCII, long": "Un sujet tr\u00e8s long, \u00e9crit \u00e0 la main " * 20,
        "an encoded-word": "=?utf-8?Q?caf=C3=A9?=",
        "an encoded-word within": "Re: =?iso-8859-1?B?6Q==?= and =?x?= too",
        "the beginning of an encoded-word": "a=?b and c?=",
        "blanks": " " * 300,
        "blanks that are not folded": "a" + " " * 5 + "b",
        "blanks at the ends": "  subject ",
        "blanks and beyond ASCII": "  \u00e9  \u00e8   " * 30,
        "word of 911 characters": "Word " + "w" * 911,
        "word of 1,500 characters": "w" * 1500 + " end",
        "longest": ("\u00e9" * 2048),
        "a header field": "Bcc: eve@example.org",
        "byte order mark and no-break spaces": "\ufeffa\u00a0b\u3000c",
    }.items():
        yield Case(f"subject: {name}", subject=subject)
    for ascii_first in range(4):  # where a line ends, a character would be cut at each of its octets
        yield Case(f"subject: emoji behind {ascii_first} letters", subject="x" * ascii_first + EMOJI * 120,
                   escaped=ascii_first % 2 == 0)
    yield Case("subject: blanks at folds", subject="a" + " " * 120 + "b" + " " * 7 + "c",
               excuses={("Email::MIME", "field Subject"): "unfolds into one blank, whatever stood behind the line end"})
    yield Case("subject: empty", subject="")
    yield Case("subject: none", subject=...)


def texts():
    for name, text in {
        "plain": "One line.\r\n",
        "beyond ASCII": f"Gr\u00fc\u00dfe {EMOJI} {FAMILY} {HEBREW} {DECOMPOSED}\n",
        "empty": "",
        "only line ends": "\n\n\n",
        "no final line end": "First\nlast",
        "bare LF": "a\nb\n\nc\n",
        "CRLF": "a\r\nb\r\n\r\nc\r\n",
        "bare CR": "a\rb\r\rc\r",
        "line ends of all kinds": "a\r\n\n\r\r\n\r\n\nb\n\r",
        "line of 998": "x" * 998 + "\n" + "y" * 998,
        "line of 999": "x" * 999 + "\n",
        "line of 100,000": "word " * 20_000,
        "NUL": "before\0behind\n",
        "controls": "bell\a tab\t escape\x1b[0m form feed\f delete\x7f\n",
        "lone dots": ".\n..\n. \n.\r\n...\n.",
        "From lines": "From me\n>From me\n\nFrom alice Thu Jan  1 00:00:00 1970\n",
        "trailing blanks": "a \nb\t\n \n\t\nc  ",
        "header fields": "Content-Type: text/html\nBcc: eve@example.org\n\n<p>",
        "something like a boundary": "--=_0123456789abcdef0123456789abcdef_1\n\n--=_\n--\n----\n--=_1--\n",
        "quoted-printable and base64 look-alikes": "=3D =\n=C3=A9\nSGVsbG8=\n",
        "byte order mark": "\ufefftext\n",
        "line and paragraph separators": "a\u2028b\u2029c\u0085d\n",
        "a megabyte": "All work and no play makes a dull line of text.\n" * 21_000,
    }.items():
        yield Case(f"text: {name}", text=text)
    yield Case("text: none", text=...)
    yield Case("text: JSON in UTF-8", text=f"Gr\u00fc\u00dfe {EMOJI}\n", subject=f"\u00fc {EMOJI}", escaped=False)


def structures():
    html, image = "<p>Hello</p>\n", {"content_type": "image/gif", "content": PIXEL}
    logo, sign = image | {"content_id": "logo"}, image | {"content_id": "sign@example.com", "filename": "sign.gif"}
    shown = '<img src="cid:logo"><img src="cid:sign@example.com">'
    pdf = file(filename="a.pdf", content_type="application/pdf")
    yield Case("HTML only", text=..., html="<p>Gr\u00fc\u00dfe " + EMOJI)
    yield Case("HTML empty", text=..., html="")
    yield Case("HTML in one long line", text=..., html="<p>x</p>" * 500)
    yield Case("text and HTML", html=html)
    yield Case("text and HTML, both empty", text="", html="")
    yield Case("HTML with an image", text=..., html=shown, attachments=[logo])
    yield Case("text, HTML and images", html=shown, attachments=[logo, sign])
    yield Case("text, HTML, images and attachments", html=shown, attachments=[pdf, logo, file(), sign])
    yield Case("HTML, images and attachments", text=..., html=shown, attachments=[logo, pdf, sign])
    yield Case("HTML and attachment", text=..., html=html, attachments=[pdf])
    yield Case("text, HTML and attachment", html=html, attachments=[pdf])
    yield Case("content_id without HTML", attachments=[logo, sign])
    yield Case("attachment only", text=..., attachments=[pdf])
    yield Case("content_id alone", text=..., attachments=[sign])
    yield Case("attachment without a name", attachments=[file()])
    yield Case("300 attachments", attachments=[file(b"%d" % n, filename=f"{n}.txt", content_type="text/plain") for n in range(300)])
    yield Case("parts that look like boundaries", text="--=_\n", html="--\n----\n", attachments=[file(b"\r\n--=_--\r\n")])


def boundaries_again(raw):
    """A message that holds the boundaries of one that arrived."""
    found = sorted({line.rstrip(b"-") for line in raw.split(b"\r\n") if line.startswith(b"--=_")})
    lines = "".join(f"{line.decode()}\n\n{line.decode()}--\n" for line in found)
    inner = f"Subject: x\n\n{lines}".replace("\n", "\r\n").encode()
    return Case("boundaries of the message before", text=lines, html=lines, attachments=[
        file(lines.encode()), file(inner, content_type="message/rfc822")])


def contents():
    sizes = [0, 1, 2, 3, 56, 57, 58, 113, 114, 115, 57 * 1024 - 1, 57 * 1024, 57 * 1024 + 1, 114 * 1024]
    octets = random.Random(1).randbytes(max(sizes))
    yield Case("contents of sizes that fill lines and pieces", attachments=[file(octets[:size]) for size in sizes])
    yield Case("all octets", attachments=[file(ALL_OCTETS * 3, filename="all.bin")])
    yield Case("20 MB", attachments=[file(ALL_OCTETS + random.Random(2).randbytes(20_000_000 - 256), filename="big.bin")])
    yield Case("text attachment's line ends", attachments=[
        file(b"a\nb\r\nc\rd\n\r\n\n .\n.\nFrom x \n" + 1200 * b"x", filename="a.txt", content_type="text/plain"),
        file("\u00e9\r\n".encode("latin-1"), filename="b.txt", content_type="text/plain; charset=iso-8859-1")])
    yield Case("content types with parameters", attachments=[
        file(b"a,b\r\n", content_type="text/csv; charset=utf-8; header=present"),
        file(content_type='application/x-y; a="b;c \\" d=e"; f=g'),
        file(content_type="APPLICATION/X-Upper; Name=plain.bin"),
        file(content_type="text/calendar; method=REQUEST; charset=utf-8; name=invite.ics", filename="invite.ics")])
    letter = ("From: A <a@example.com>\r\nTo: b@example.com\r\nSubject: =?utf-8?Q?caf=C3=A9?=\r\nMIME-Version: 1.0\r\n"
              "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\nFrom one.\r\n\r\n--x--\r\n")
    yield Case("attached messages", attachments=[
        file(letter.encode(), content_type="message/rfc822", filename="letter.eml"),
        file(b"Subject: no line end\r\n\r\nlast", content_type="message/rfc822"),
        file("Subject: x\r\n\r\nGr\u00fc\u00dfe\r\n".encode(), content_type="message/rfc822")])


def file_names():
    for name, filename in {
        "ASCII": "report 2026-11.pdf",
        "beyond ASCII": "\u00dcbersicht f\u00fcr M\u00e4rz.pdf",
        "beyond the BMP": f"{EMOJI} {FAMILY}.png",
        "right to left": f"{HEBREW}.pdf",
        "combining characters": f"{DECOMPOSED}.txt",
        "quotes": 'the "final" one.txt',
        "backslash": "back\\slash\\.txt",
        "semicolon and comma": "a;b,c.txt",
        "percent": "100%25 %41 50%.txt",
        "apostrophe": "it's utf-8''x.txt",
        "specials": "(a) <b> [c] @d: e=f? *g!.txt",
        "an encoded-word": "=?utf-8?Q?x?=.txt",
        "blanks": "a    b  c.txt",
        "blanks at the ends": " a.txt ",
        "200 characters": "n" * 196 + ".txt",
        "200 characters beyond ASCII": "\u00e9" * 196 + ".txt",
        "1,024 octets": EMOJI * 255 + ".txt",
        "1,024 octets behind a letter": "x" + "\u20ac" * 341,
        "path": "../../etc/passwd",
        "path of Windows": "C:\\Users\\a\\b.txt",
        "dot": ".",
    }.items():
        yield Case(f"file name: {name}", attachments=[file(filename=filename)])


def fields():
    ids = [f"<{n:020d}.message@example.com>" for n in range(40)]
    unsubscribe = "<mailto:leave@example.com?subject=u>, <https://example.com/u?list=1&who=" + "0123456789" * 8 + ">"
    yield Case("fields: of a thread", headers={"In-Reply-To": ids[-1], "References": " ".join(ids)})
    yield Case("fields: of a list", headers={"List-Unsubscribe": unsubscribe, "List-Id": "News <news.example.com>",
                                             "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"})
    yield Case("fields: message id", headers={"Message-ID": "<fixed.1@example.com>"})
    yield Case("fields: message id, long", headers={"message-id": "<" + "a" * 480 + "@example.com>"})
    yield Case("fields: message id like an encoded-word", headers={"Message-ID": "<=?utf-8?Q?x?=@example.com>"},
               excuses={("MIME::Parser", "field Message-ID"): "its decoder does not know in which fields no encoded-word can stand"})
    yield Case("fields: link with =?", headers={"List-Unsubscribe": "<https://example.com/u?a=?b=?>"})
    yield Case("fields: own", headers={"X-Campaign": "a: b; c", "X-Empty": "", "X-Mixed-Case": "V", "Importance": "high"})
    yield Case("fields: beyond ASCII", headers={"X-Note": f"Gr\u00fc\u00dfe {EMOJI} {HEBREW}", "Comments": "\u00e9" * 500})
    yield Case("fields: blanks", headers={"X-Note": "  a   b  "})
    yield Case("fields: long", headers={"X-Long": "value " * 2000 + "end", "X-Word": "w" * 5000})
    yield Case("fields: long name", headers={"X-" + "n" * 74: EMOJI * 20, "Y-" + "n" * 74: "value " * 20 + "end"})
    yield Case("fields: a hundred", headers={f"X-Field-{n}": f"value {n}" for n in range(100)})


def recipients():
    crowd = [Box(f"N\u00b0 {n}", f"crowd{n}@example.net") for n in range(499)]
    carol, dora, bob = "carol@example.net", "dora@example.net", Box("Secret B\u00f6b", "bob@example.net")
    yield Case("reply_to: one", reply_to=Box("Desk", "desk@example.com"))
    yield Case("reply_to: several", reply_to=["desk@example.com", Box("H\u00e9lp", "help@example.org")])
    yield Case("reply_to: empty list", reply_to=[], cc=[], bcc=[])
    yield Case("to is a string", to=READER)
    yield Case("cc and bcc", to=[carol], cc=[READER, Box("D", dora)], bcc=[bob])
    yield Case("bcc, read by it", to=[carol], bcc=[READER, bob])
    yield Case("bcc only", to=..., bcc=[READER, bob])
    yield Case("cc only", to=..., cc=[Box("R", READER)])
    yield Case("one address in two spellings", to=["Reader@example.net", "reader@EXAMPLE.net"])
    yield Case("one address in to, cc and bcc", to=[READER], cc=[Box("Again", READER)], bcc=["READER@example.net"])
    yield Case("local part beyond ASCII", to=[READER, Box("J\u00fcrgen", "j\u00fcrgen@example.net")])
    yield Case("local part and domain beyond ASCII", to=[READER, "j\u00fcrgen@b\u00fccher.example"], escaped=False)
    yield Case("domain beyond ASCII", to=[READER, Box("IDN", "idn@b\u00fccher.example")])
    yield Case("local part with specials", to=[READER, "o'hara+tag!x/y=z@example.net"])
    yield Case("sender beyond ASCII", **{"from": Box("Zo\u00eb", "zo\u00eb@example.com")}, reply_to="z@b\u00fccher.example")
    yield Case("sender with a quoted local part", **{"from": Box("Alice", '"alice, of course"@example.com')})
    yield Case("500 recipients", to=crowd[:300] + [READER], cc=crowd[300:])


def cases():
    for topic in (names, subjects, texts, structures, contents, file_names, fields, recipients):
        yield from topic()
