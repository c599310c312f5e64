"""Mails that break parsers, made on the spot: name -> bytes. The promise: a Message or Unparsable, nothing else."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

_TOP = b"From: a@client.example\r\nTo: support@hoster.example\r\nSubject: x\r\nMessage-ID: <1@client.example>\r\n"


def _nested(levels: int) -> bytes:
    heads = b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (n, n) for n in range(levels))
    return _TOP + heads + b"Content-Type: text/plain\r\n\r\ndeep\r\n"


def _inner_mails(levels: int) -> bytes:
    return _TOP + b"Content-Type: message/rfc822\r\n\r\n" * levels + b"Subject: inside\r\n\r\ndeep\r\n"


def _parts(count: int) -> bytes:
    part = b"--b\r\nContent-Type: text/plain\r\n\r\nx\r\n"
    return _TOP + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + part * count + b"--b--\r\n"


def _lost_boundary() -> bytes:
    """As SendGrid bounces are: the inner multipart never starts, the outer one has no epilogue."""
    return (
        _TOP + b"Content-Type: multipart/mixed; boundary=outer\r\n\r\n--outer\r\n"
        b"Content-Type: multipart/alternative; boundary=never\r\n\r\nsome text\r\n"
    )


def _soup(seed: int) -> bytes:
    rng = random.Random(seed)
    return rng.randbytes(20_000)


def _damaged(seed: int) -> bytes:
    """An ordinary mail with bytes overwritten at random places."""
    rng = random.Random(seed)
    raw = bytearray(
        _TOP + b'MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary="=_1"\r\n'
        b"Date: Thu, 19 Nov 2026 10:00:00 +0100\r\nReceived: from a by b; Thu, 19 Nov 2026 10:00:00 +0100\r\n\r\n"
        b'--=_1\r\nContent-Type: text/plain; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'
        b"Please reboot =C3=A9 server 48213\r\n--=_1\r\nContent-Type: text/html\r\n\r\n<p>Please <b>reboot</b>\r\n"
        b"--=_1--\r\n"
    )
    for _ in range(40):
        raw[rng.randrange(len(raw))] = rng.randrange(256)
    return bytes(raw)


HOSTILE: Mapping[str, Callable[[], bytes]] = {
    "empty": lambda: b"",
    "blank lines": lambda: b"\r\n\r\n\r\n",
    "binary": lambda: _soup(1),
    "png": lambda: b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40,
    "NULs": lambda: b"\x00" * 5_000,
    "NULs in header and body": lambda: b"From: a\x00@x.example\r\nSubject: \x00a\x00\r\n\r\nb\x00c\x00\r\n",
    "header only": lambda: b"Subject: x",
    "no header end": lambda: b"From: a@x.example\r\nSubject: " + b"x" * 300,
    "nesting 300": lambda: _nested(300),
    "nesting 1000": lambda: _nested(1_000),
    "nesting 5000": lambda: _nested(5_000),
    "inner mails 100": lambda: _inner_mails(100),
    "inner mails 1000": lambda: _inner_mails(1_000),
    "inner mails 5000": lambda: _inner_mails(5_000),
    "100k headers": lambda: (
        b"".join(b"X-H%d: v\r\n" % n for n in range(100_000)) + b"From: a@x.example\r\n\r\nbody\r\n"
    ),
    "1 MB subject": lambda: b"From: a@x.example\r\nSubject: " + b"a " * 500_000 + b"\r\n\r\nbody\r\n",
    "1 MB from": lambda: b"From: " + b"a b, " * 200_000 + b"\r\nSubject: x\r\n\r\nbody\r\n",
    "100k recipients": lambda: b"To: " + b"a@x.example, " * 100_000 + b"\r\nSubject: x\r\n\r\nbody\r\n",
    "50k encoded words": lambda: b"Subject: " + b"=?utf-8?q?x?= " * 50_000 + b"\r\n\r\nbody\r\n",
    "50k folded encoded words": lambda: b"Subject: " + b"=?utf-8?b?eA==?=\r\n " * 50_000 + b"\r\n\r\nbody\r\n",
    "200k quotes in from": lambda: b'From: "' + b'"' * 200_000 + b"\r\n\r\nbody\r\n",
    "100k brackets in from": lambda: b"From: " + b"(" * 100_000 + b"\r\n\r\nbody\r\n",
    "brackets in message-id": lambda: b"Message-ID: <[x]@y>\r\nFrom: a@x.example\r\n\r\nb\r\n",
    "50k brackets in message-id": lambda: b"Message-ID: " + b"(" * 50_000 + b"\r\n\r\nbody\r\n",
    "20k parts": lambda: _parts(20_000),
    "no boundary": lambda: _TOP + b"Content-Type: multipart/mixed\r\n\r\nwhere is it\r\n",
    "lost boundary": _lost_boundary,
    "unknown charset": lambda: _TOP + b"Content-Type: text/plain; charset=klingon\r\n\r\nhello \xe9\r\n",
    "charset zip": lambda: _TOP + b"Content-Type: text/plain; charset=zip\r\n\r\nhello \xe9\r\n",
    "charset punycode": lambda: _TOP + b"Content-Type: text/plain; charset=punycode\r\n\r\n" + b"a-" * 50_000,
    "charset with NUL": lambda: _TOP + b'Content-Type: text/plain; charset="a\x00b"\r\n\r\nhello\r\n',
    "charset of 2231": lambda: _TOP + b"Content-Type: text/plain; charset*=bad'x'%ff%fe\r\n\r\nhello\r\n",
    "5k continuations": lambda: (
        _TOP + b"Content-Type: text/plain;" + b"".join(b" name*%d=a;\r\n" % n for n in range(5_000)) + b"\r\n\r\nb\r\n"
    ),
    "broken base64": lambda: _TOP + b"Content-Transfer-Encoding: base64\r\n\r\n!!!!a\x00=\xff==b\r\n",
    "broken quoted-printable": lambda: _TOP + b"Content-Transfer-Encoding: quoted-printable\r\n\r\n=\xff=ZZ=\r\n",
    "broken uuencode": lambda: _TOP + b"Content-Transfer-Encoding: x-uuencode\r\n\r\nbegin 6\r\nxx\r\n",
    "date far away": lambda: b"Date: Mon, 99 Foo 99999 99:99:99 +9999\r\nFrom: a@x.example\r\n\r\nbody\r\n",
    "date overflow": lambda: b"Date: Thu, 19 Nov 99999999999 10:00:00 +0000\r\nFrom: a@x.example\r\n\r\nbody\r\n",
    "deep html": lambda: _TOP + b"Content-Type: text/html\r\n\r\n" + b"<div>" * 100_000 + b"deep",
    "deep quote": lambda: _TOP + b"Content-Type: text/html\r\n\r\n" + b"<blockquote>" * 20_000 + b"deep",
    "html without end": lambda: _TOP + b"Content-Type: text/html\r\n\r\n" + b"<" * 200_000,
    "one long line": lambda: _TOP + b"\r\n" + b"a:b " * 100_000,
    "one long colon line": lambda: _TOP + b"\r\n" + (b"x" * 300 + b":\r\n") * 2_000,
    "100k quotes": lambda: _TOP + b"\r\n" + b">" * 100_000 + b" x\r\n",
    "only quotes": lambda: _TOP + b"\r\n" + b"> a\r\n" * 20_000,
    "lines of dates": lambda: _TOP + b"\r\n" + b"On 12/11/2026 10:00 a@x.example\r\n" * 5_000,
    "lines of markers": lambda: _TOP + b"\r\n" + b"-----Original Message-----\r\n" * 5_000,
    "lines of header names": lambda: _TOP + b"\r\n" + b"From: a@x.example\r\n" * 5_000,
    "lines of closings": lambda: _TOP + b"\r\n" + b"Cordiali saluti\r\n" * 5_000,
    "lone CRs": lambda: b"From: a@x.example\rSubject: x\r\rbody\r",
    "mbox line": lambda: b"From a@x.example Thu Nov 19 10:00:00 2026\r\nFrom: a@x.example\r\n\r\nbody\r\n",
    "utf-16": lambda: "From: a@x.example\r\n\r\nbody".encode("utf-16"),
    **{f"damaged {n}": (lambda n=n: _damaged(n)) for n in range(60)},  # type: ignore[misc]  # a lambda bound to its n
    **{f"soup {n}": (lambda n=n: b"From: a@x.example\r\n" + _soup(n)) for n in range(5)},  # type: ignore[misc]  # as above
}
