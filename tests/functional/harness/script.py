"""Scripts from words, and the usual forms of outputs."""

import hashlib

from .primitives import script_number

NAMES = """NOP VER IF NOTIF VERIF VERNOTIF ELSE ENDIF VERIFY RETURN TOALTSTACK
FROMALTSTACK 2DROP 2DUP 3DUP 2OVER 2ROT 2SWAP IFDUP DEPTH DROP DUP NIP OVER
PICK ROLL ROT SWAP TUCK CAT SUBSTR LEFT RIGHT SIZE INVERT AND OR XOR EQUAL
EQUALVERIFY RESERVED1 RESERVED2 1ADD 1SUB 2MUL 2DIV NEGATE ABS NOT 0NOTEQUAL
ADD SUB MUL DIV MOD LSHIFT RSHIFT BOOLAND BOOLOR NUMEQUAL NUMEQUALVERIFY
NUMNOTEQUAL LESSTHAN GREATERTHAN LESSTHANOREQUAL GREATERTHANOREQUAL MIN MAX
WITHIN RIPEMD160 SHA1 SHA256 HASH160 HASH256 CODESEPARATOR CHECKSIG
CHECKSIGVERIFY CHECKMULTISIG CHECKMULTISIGVERIFY NOP1 CHECKLOCKTIMEVERIFY
CHECKSEQUENCEVERIFY NOP4 NOP5 NOP6 NOP7 NOP8 NOP9 NOP10 CHECKSIGADD""".split()
OPS = {name: 0x61 + i for i, name in enumerate(NAMES)}
OPS.update({"RESERVED": 0x50, "1NEGATE": 0x4f, "CLTV": 0xb1, "CSV": 0xb2})


def push(data):
    n = len(data)
    if n < 0x4c:
        return bytes([n]) + data
    if n <= 0xff:
        return b"\x4c" + bytes([n]) + data
    return b"\x4d" + n.to_bytes(2, "little") + data


def asm(*words):
    """Names of opcodes (a string may hold several), numbers and bytes."""
    out = b""
    for w in words:
        if isinstance(w, bytes):
            out += push(w)
        elif isinstance(w, int):
            out += script_number(w)
        else:
            for name in w.split():
                out += bytes([OPS[name]]) if name in OPS else \
                    script_number(int(name))
    return out


def hash160(b):
    return hashlib.new("ripemd160", hashlib.sha256(b).digest()).digest()


def p2sh(script):
    return asm("HASH160", hash160(script), "EQUAL")


def p2wsh(script):
    return asm(0, hashlib.sha256(script).digest())


class Form:
    """How a script is put into an output, and given its arguments."""

    def __init__(self, name, script, args):
        self.name, self.witness, self.sig = name, [], b""
        if name in ("bare", "p2sh"):
            self.sig = b"".join(push(a) for a in args)
        if name == "bare":
            self.output = script
        elif name == "p2sh":
            self.output = p2sh(script)
            self.sig += push(script)
        else:
            self.witness = list(args) + [script]
            self.output = p2wsh(script)
        if name == "p2sh-p2wsh":
            self.sig = push(self.output)
            self.output = p2sh(self.output)


FORMS = ("bare", "p2sh", "p2wsh", "p2sh-p2wsh")
