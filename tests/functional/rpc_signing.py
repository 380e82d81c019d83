"""Transactions made, signed and joined by RPC, and what descriptors say."""

from rpc_calls import error_of

KEY1 = "cMahea7zqjxrtgAbB7LSGbcQUr1uX1ojuat9jZodMN87JcbXMTcA"    # 1
KEY2 = "cMahea7zqjxrtgAbB7LSGbcQUr1uX1ojuat9jZodMN87K7XCyj5v"    # 2
PUB1 = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
PUB2 = "02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5"
MULTI = f"multi(2,{PUB1},{PUB2})"
MULTI_SCRIPT = f"5221{PUB1}21{PUB2}52ae"
# Core's own test keys' xpub, on test chains.
TPUB = ("tpubD6NzVbkrYhZ4WaWSyoBvQwbpLkojyoTZPRsgXELWz3Popb3qkjcJyJUGLnL4"
        "qHHoQvao8ESaAstxYSnhyswJ76uZPStJRJCTKvosUCJZL5B")

KINDS = ["pk", "pkh", "wpkh", "sh(wpkh", "tr", "rawtr", "sh(pk", "wsh(pk",
         "sh(wsh(pkh"]


def closed(head, inner):
    return f"{head}({inner}" + ")" * (head.count("(") + 1)


def prevtx(coin, script=None, redeem=None, witness=None, amount=None):
    p = {"txid": coin["txid"], "vout": coin["vout"],
         "scriptPubKey": script or coin["script"]}
    if redeem:
        p["redeemScript"] = redeem
    if witness:
        p["witnessScript"] = witness
    if amount is not None:
        p["amount"] = amount
    return p


def funded(n, descriptors):
    """A mature coin of each descriptor."""
    coins = []
    for d in descriptors:
        h = n.rpc.generatetodescriptor(1, d)[0]
        tx = n.rpc.getblock(h, 2)["tx"][0]
        coins.append({"txid": tx["txid"], "vout": 0,
                      "value": tx["vout"][0]["value"],
                      "script": tx["vout"][0]["scriptPubKey"]["hex"]})
    n.rpc.generatetodescriptor(100, "raw(51)")
    return coins


def address(n, d):
    return n.rpc.deriveaddresses(n.rpc.getdescriptorinfo(d)["descriptor"])[0]


def spend_to(n, coins, d="wpkh(%s)" % PUB2):
    value = sum(c["value"] for c in coins)
    return n.rpc.createrawtransaction(
        [{"txid": c["txid"], "vout": c["vout"]} for c in coins],
        [{address(n, d): round(value - 1, 8)}, {"data": "c0ffee"}])


def in_block(n, raw):
    h = n.rpc.generateblock("raw(51)", [raw])["hash"]
    txid = n.rpc.decoderawtransaction(raw)["txid"]
    assert n.rpc.getblock(h)["tx"][1] == txid


def test_every_kind_of_output_is_signed(env):
    n = env.offline().start()
    coins = funded(n, [closed(k, PUB1) for k in KINDS])
    raw = spend_to(n, coins)
    scripts = {"sh(pk": ("21" + PUB1 + "ac", None),
               "wsh(pk": (None, "21" + PUB1 + "ac")}
    pkh = n.rpc.getdescriptorinfo(f"pkh({PUB1})")
    assert pkh["issolvable"] and not pkh["isrange"]
    tx = n.rpc.decoderawtransaction(n.rpc.createrawtransaction(
        [], [{n.rpc.deriveaddresses(pkh["descriptor"])[0]: 1}]), False)
    scripts["sh(wsh(pkh"] = (None, tx["vout"][0]["scriptPubKey"]["hex"])
    prev = [prevtx(c, None, *scripts.get(k, (None, None)),
                   amount=c["value"])
            for k, c in zip(KINDS, coins)]
    # Without the scripts, without the key: said for each input.
    part = n.rpc.signrawtransactionwithkey(raw, [KEY1])
    assert not part["complete"] and len(part["errors"]) == 3
    none = n.rpc.signrawtransactionwithkey(raw, [KEY2])
    assert len(none["errors"]) == len(KINDS)
    assert none["hex"] == raw
    done = n.rpc.signrawtransactionwithkey(part["hex"], [KEY1], prev)
    assert done["complete"] and "errors" not in done, done
    in_block(n, done["hex"])
    n.stop()


def test_hash_types(env):
    n = env.offline().start()
    types = ["ALL", "NONE", "SINGLE", "ALL|ANYONECANPAY",
             "NONE|ANYONECANPAY", "SINGLE|ANYONECANPAY", "DEFAULT"]
    for kind in ["pkh", "wpkh", "tr"]:
        for coin, t in zip(funded(n, [closed(kind, PUB1)] * len(types)),
                           types):
            done = n.rpc.signrawtransactionwithkey(
                spend_to(n, [coin]), [KEY1], [], t)
            assert done["complete"], (kind, t, done)
            tx = n.rpc.decoderawtransaction(done["hex"])
            sig = (tx["vin"][0].get("txinwitness") or
                   [tx["vin"][0]["scriptSig"]["hex"][2:146]])[0]
            want = {"ALL": 1, "NONE": 2, "SINGLE": 3, "DEFAULT": 1}[
                t.split("|")[0]] + (0x80 if "|" in t else 0)
            if kind == "tr" and t == "DEFAULT":
                assert len(sig) == 128
            elif kind != "pkh":
                assert int(sig[-2:], 16) == want, (kind, t, sig)
            in_block(n, done["hex"])
    e = error_of(n.rpc.signrawtransactionwithkey, spend_to(n, [coin]),
                 [KEY1], [], "EVERYTHING")
    assert e.code == -8 and "valid sighash" in e.message
    n.stop()


def test_signatures_of_two_are_joined(env):
    n = env.offline().start()
    kinds = [MULTI, f"sh({MULTI})", f"wsh({MULTI})", f"sh(wsh({MULTI}))"]
    for d, coin in zip(kinds, funded(n, kinds)):
        raw = spend_to(n, [coin])
        prev = [prevtx(coin, None,
                       MULTI_SCRIPT if d.startswith("sh(m") else None,
                       MULTI_SCRIPT if "wsh" in d else None,
                       coin["value"])]
        one = n.rpc.signrawtransactionwithkey(raw, [KEY1], prev)
        two = n.rpc.signrawtransactionwithkey(raw, [KEY2], prev)
        assert not one["complete"] and not two["complete"], d
        joined = n.rpc.combinerawtransaction([one["hex"], two["hex"]])
        both = n.rpc.signrawtransactionwithkey(one["hex"], [KEY2], prev)
        assert both["complete"] and both["hex"] == joined, d
        in_block(n, joined)
    e = error_of(n.rpc.combinerawtransaction, [])
    assert e.code == -22 and e.message == "Missing transactions"
    e = error_of(n.rpc.combinerawtransaction, [raw, raw[:-2]])
    assert e.code == -22 and "tx 1" in e.message
    n.stop()


def test_unconfirmed_outputs_are_known(env):
    n = env.offline().start()
    coin = funded(n, [f"wpkh({PUB1})"])[0]
    first = n.rpc.signrawtransactionwithkey(
        n.rpc.createrawtransaction(
            [{"txid": coin["txid"], "vout": 0}],
            {address(n, f"tr({PUB1})"): round(coin["value"] - .001, 8)}),
        [KEY1])
    txid = n.rpc.sendrawtransaction(first["hex"])
    child = n.rpc.createrawtransaction(
        [{"txid": txid, "vout": 0}],
        {address(n, f"wpkh({PUB2})"): round(coin["value"] - .002, 8)})
    done = n.rpc.signrawtransactionwithkey(child, [KEY1])
    assert done["complete"]
    second = n.rpc.sendrawtransaction(done["hex"])
    # One more time, as a replacement would be.
    assert n.rpc.signrawtransactionwithkey(child, [KEY1])["complete"]
    assert set(n.rpc.getrawmempool()) == {txid, second}
    n.rpc.generatetodescriptor(1, "raw(51)")
    assert n.rpc.getrawmempool() == []
    n.stop()


def test_bad_requests(env):
    n = env.offline().start()
    rpc, txid = n.rpc, "11" * 32
    good = address(n, f"wpkh({PUB1})")
    for inputs, outputs, rest, code, words in [
            ([{"vout": 0}], {}, [], -3, "type string"),
            ([{"txid": "11", "vout": 0}], {}, [], -8, "length 64"),
            ([{"txid": "zz" * 32, "vout": 0}], {}, [], -8, "hexadecimal"),
            ([{"txid": txid}], {}, [], -8, "missing vout"),
            ([{"txid": txid, "vout": -1}], {}, [], -8, "negative"),
            ([{"txid": txid, "vout": 0, "sequence": -1}], {}, [], -8,
             "sequence number is out of range"),
            ([5], {}, [], -3, "type object"),
            ([], {good: -1}, [], -3, "Amount out of range"),
            ([], {good: "x"}, [], -3, "Invalid amount"),
            ([], {good: 21000001}, [], -3, "Amount out of range"),
            ([], {good: True}, [], -3, "not a number"),
            ([], {"nobody": 1}, [], -5, "Invalid Bitcoin address: nobody"),
            ([], {"data": "xyz"}, [], -8, "hexadecimal"),
            ([], [{good: 1}, {good: 2}], [], -8, "duplicated address"),
            ([], [{"data": "00"}, {"data": "01"}], [], -8,
             "duplicate key: data"),
            ([], [5], [], -8, "not an object"),
            ([], [{}], [], -8, "exactly one key"),
            ([], {}, [-1], -8, "locktime out of range"),
            ([], {}, [2 ** 32], -8, "locktime out of range"),
            ([], {}, [0, True, 4], -8, "version out of range(1~3)"),
            ([{"txid": txid, "vout": 0, "sequence": 0xffffffff}], {},
             [0, True], -8, "contradict replaceable")]:
        e = error_of(rpc.createrawtransaction, inputs, outputs, *rest)
        assert e.code == code and words in e.message, (inputs, outputs, e)
    raw = rpc.createrawtransaction([{"txid": txid, "vout": 1}], {good: 1},
                                   99, False)
    tx = rpc.decoderawtransaction(raw)
    assert tx["locktime"] == 99 and tx["version"] == 2
    assert tx["vin"][0]["sequence"] == 0xfffffffe
    for args, code, words in [
            (("00", [KEY1]), -22, "TX decode failed"),
            ((raw, ["nokey"]), -5, "Invalid private key"),
            ((raw, [5]), -5, "Invalid private key"),
            ((raw, [KEY1], [{}]), -22, "expected object"),
            ((raw, [KEY1], [{"txid": txid, "vout": 1,
                             "scriptPubKey": "0014" + "00" * 20}]), -3,
             "Missing amount")]:
        e = error_of(rpc.signrawtransactionwithkey, *args)
        assert e.code == code and words in e.message, (args, e)
    lost = rpc.signrawtransactionwithkey(raw, [KEY1])
    assert lost["errors"][0]["error"] == "Input not found or already spent"
    # A signature of Taproot covers all outputs that are spent.
    coin = funded(n, [f"tr({PUB1})"])[0]
    done = rpc.signrawtransactionwithkey(spend_to(n, [coin]), [KEY1])
    tx = rpc.decoderawtransaction(done["hex"])
    mixed = rpc.createrawtransaction(
        [{"txid": coin["txid"], "vout": 0}, {"txid": txid, "vout": 1}],
        {good: 1})
    witness = tx["vin"][0]["txinwitness"][0]
    mixed = mixed[:8] + "0001" + mixed[8:-8] + "0140" + witness + "00" + \
        mixed[-8:]
    lost = rpc.signrawtransactionwithkey(mixed, [KEY1])
    assert not lost["complete"] and len(lost["errors"]) == 2
    # No key is kept or logged.
    assert KEY1 not in n.log() and KEY2 not in n.log()
    n.stop()


def test_descriptors(env):
    n = env.offline().start()
    rpc = n.rpc
    info = rpc.getdescriptorinfo(f"wpkh([d34db33f/84h/0h/0h]{TPUB}/0/*)")
    assert info["isrange"] and info["issolvable"]
    assert not info["hasprivatekeys"]
    assert info["descriptor"].endswith("#" + info["checksum"])
    three = rpc.deriveaddresses(info["descriptor"], [1, 3])
    assert three == rpc.deriveaddresses(info["descriptor"], 3)[1:]
    assert all(rpc.validateaddress(a)["isvalid"] for a in three)
    both = rpc.getdescriptorinfo(f"tr({TPUB}/<0;1>/*)")
    assert len(both["multipath_expansion"]) == 2
    lists = rpc.deriveaddresses(f"tr({TPUB}/<0;1>/*)#" + both["checksum"],
                                1)
    assert [len(x) for x in lists] == [2, 2] and lists[0] != lists[1]
    secret = rpc.getdescriptorinfo(f"pkh({KEY1})")
    assert secret["hasprivatekeys"] and KEY1 not in secret["descriptor"]
    for args, code, words in [
            ((info["descriptor"],), -8, "must be specified"),
            ((info["descriptor"], -1), -8, "greater or equal"),
            ((info["descriptor"], [3, 1]), -8, "begin after end"),
            ((info["descriptor"], [0, 1000000]), -8, "too large"),
            ((info["descriptor"], 2 ** 31), -8, "too high"),
            ((info["descriptor"].split("#")[0], 1), -5, "checksum"),
            ((secret["descriptor"], 1), -8, "un-ranged"),
            ((rpc.getdescriptorinfo("raw(51)")["descriptor"],), -5,
             "corresponding address"),
            ((rpc.getdescriptorinfo(f"pkh({TPUB}/0h/*)")["descriptor"], 1),
             -5, "without private keys")]:
        e = error_of(rpc.deriveaddresses, *args)
        assert e.code == code and words in e.message, (args, e)
    e = error_of(rpc.getdescriptorinfo, "wsh(and_v(v:pk(00),older(1)))")
    assert e.code == -5 and "Miniscript" in e.message
    n.stop()
