"""Invites (tls/invite.h) taken apart and put together, as an attacker with
one in hand would."""

import base64
import hashlib
import struct

PREFIX = "clinv1"
TAG = b"cloister invite 1\0"


def read(text):
    raw = text[len(PREFIX):].upper()
    raw = base64.b32decode(raw + "=" * (-len(raw) % 8))
    fields, check = raw[:120], raw[120:]
    assert hashlib.sha256(TAG + fields).digest()[:6] == check
    return {"chain": fields[:4], "onion": fields[4:36], "key": fields[36:68],
            "id": fields[68:100], "token": fields[100:116],
            "expires": struct.unpack("<I", fields[116:])[0]}


def write(i):
    fields = i["chain"] + i["onion"] + i["key"] + i["id"] + i["token"] \
        + struct.pack("<I", i["expires"])
    check = hashlib.sha256(TAG + fields).digest()[:6]
    digits = base64.b32encode(fields + check).decode().rstrip("=")
    return PREFIX + digits.lower()


def changed(text, **changes):
    return write(dict(read(text), **changes))
