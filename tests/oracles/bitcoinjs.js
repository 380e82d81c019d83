// bitcoinjs-lib as an oracle: serialisation, merkle roots, signature
// messages and addresses.
'use strict';

const h = require('./harness.js');
const { bitcoin, net, randomScript, randomTx, randomCode, key, xOnly } =
	require('./bitcoinjs_random.js');
const { Transaction, Block, payments, script: bscript } = bitcoin;
const hex = h.hex;
// It warns at every address of a future witness version.
console.warn = () => {};

function answerOf(tx) {
	const stripped = tx.clone();
	stripped.stripWitnesses();
	return `ok ${hex(tx.getHash())} ${hex(tx.getHash(true))} ${tx.weight()} ${tx.toHex()} ${stripped.toHex()}`;
}

// ---- serialisation ----

h.test('transactions there and back', (t, r) => {
	for (let i = 0; i < 1000; i++) {
		const tx = randomTx(r, r.chance(50));
		t.expect(`tx ${tx.toHex()}`, answerOf(tx));
	}
});

// Damaged transactions: both read the same, or both refuse.
h.test('damaged transactions', (t, r) => {
	for (let i = 0; i < 3000; i++) {
		let raw = randomTx(r, r.chance(50)).toBuffer();
		if (raw.length > 3000)
			continue;
		const how = r.below(5);
		// One more way to write the number of inputs, which is small.
		if (how === 4 && raw[4] > 0 && raw[4] < 253)
			raw = Buffer.concat([raw.subarray(0, 4), Buffer.from([253, raw[4], 0]), raw.subarray(5)]);
		else if (how === 0)
			raw = raw.subarray(0, r.below(raw.length));
		else if (how === 1)
			raw = Buffer.concat([raw, r.bytes(1 + r.below(4))]);
		else
			raw = h.flipped(raw, r, 0, how === 2 ? Math.min(raw.length, 60) : raw.length);
		let theirs = 'bad';
		let same = true;
		try {
			const tx = Transaction.fromBuffer(raw);
			theirs = answerOf(tx);
			same = tx.toBuffer().equals(raw);
		} catch (e) {
			theirs = /53|safe|range|integer/i.test(String(e)) ? 'number' : 'bad';
		}
		t.ask(`tx ${hex(raw)}`, (got) => {
			if (got === theirs || (got === 'bad' && theirs === 'number'))
				return null;
			if (got === 'bad' && theirs !== 'bad' && !same)
				return t.differ('they read a longer form than needed');
			if (got.startsWith('ok') && theirs === 'number')
				return t.differ('they hold no amount over 2^53');
			return `theirs: ${theirs.slice(0, 200)}`;
		});
	}
});

h.test('blocks there and back', (t, r) => {
	for (let i = 0; i < 60; i++) {
		const b = new Block();
		b.version = r.u32() | 0;
		b.prevHash = r.bytes(32);
		b.timestamp = r.u32();
		b.bits = 0x207fffff;
		b.nonce = r.u32();
		const n = 1 + r.below(r.pick([3, 20, 70]));
		const coinbase = new Transaction();
		coinbase.addInput(Buffer.alloc(32), 0xffffffff, 0xffffffff, r.bytes(4 + r.below(60)));
		coinbase.addOutput(randomScript(r), 5000000000);
		b.transactions = [coinbase];
		while (b.transactions.length < n)
			b.transactions.push(randomTx(r, r.chance(50)));
		b.merkleRoot = Block.calculateMerkleRoot(b.transactions);
		// Over the coinbase's wtxid as it is; a commitment has zeros there.
		coinbase.setWitness(0, [Buffer.alloc(32)]);
		const raw = b.toBuffer();
		const witnessRoot = (() => {
			const c = Block.calculateMerkleRoot(b.transactions, true);
			const nonce = Buffer.alloc(32);
			return (root) => bitcoin.crypto.hash256(Buffer.concat([root, nonce])).equals(c);
		})();
		t.ask(`block ${hex(raw)}`, (got) => {
			const [ok, hash, root, wroot, count, weight] = got.split(' ');
			if (ok !== 'ok' || hash !== hex(b.getHash()) || root !== hex(b.merkleRoot))
				return `hash ${hex(b.getHash())}, root ${hex(b.merkleRoot)}`;
			if (Number(count) !== n || Number(weight) !== b.weight())
				return `${n} transactions, weight ${b.weight()}`;
			return witnessRoot(Buffer.from(wroot, 'hex')) ? null : 'witness root';
		});
		const cut = raw.subarray(0, r.below(raw.length));
		if (cut.length)
			t.expect(`block ${hex(cut)}`, 'bad');
	}
});

// ---- what signatures sign ----

const TYPES = [1, 2, 3, 0x81, 0x82, 0x83, 0, 4, 0x50, 0x84, 0xff];

h.test('messages of legacy signatures', (t, r) => {
	for (let i = 0; i < 2000; i++) {
		const tx = randomTx(r, false);
		const type = r.chance(80) ? r.pick(TYPES) : r.u32() & 0x7fffffff;
		const at = r.below(tx.ins.length);
		const code = randomCode(r);
		const theirs = tx.hashForSignature(at, code, type);
		const one = (type & 0x1f) === 3 && at >= tx.outs.length;
		t.ask(`legacy ${tx.toHex()} ${at} ${type} ${hex(code)}`, (got) => {
			if (got === hex(theirs))
				return null;
			// The number one, little-endian as all hashes are.
			if (one && got === '01' + '00'.repeat(31) && theirs[31] === 1)
				return t.differ('they write the number one of an unmatched SINGLE backwards');
			return `theirs: ${hex(theirs)}`;
		});
	}
});

// With a witness: without one, our library makes no such message.
function randomSegwitTx(r) {
	const tx = randomTx(r, true);
	const at = r.below(tx.ins.length);
	tx.setWitness(at, [r.bytes(64)]);
	// They cannot hash no outputs at all.
	if (tx.outs.length === 0)
		tx.addOutput(randomScript(r), r.value());
	return [tx, at];
}

function randomSpent(r, n, at, kind) {
	const spent = [];
	for (let i = 0; i < n; i++)
		spent.push({ value: r.value(), script: randomScript(r) });
	// The input's own is of the kind whose message is asked for.
	spent[at].script = kind === 0
		? Buffer.concat([Buffer.from([0, 20]), r.bytes(20)])
		: Buffer.concat([Buffer.from([0x51, 32]), r.bytes(32)]);
	return spent;
}

h.test('messages of BIP143', (t, r) => {
	for (let i = 0; i < 2000; i++) {
		const [tx, at] = randomSegwitTx(r);
		const type = r.chance(80) ? r.pick(TYPES) : r.u32() & 0x7fffffff;
		const code = r.chance(50) ? randomCode(r) : randomScript(r);
		const spent = randomSpent(r, tx.ins.length, at, 0);
		const theirs = tx.hashForWitnessV0(at, code, spent[at].value, type);
		t.expect(`v0 ${tx.toHex()} ${at} ${type} ${hex(code)} ${h.spentList(spent)}`, hex(theirs));
	}
});

h.test('messages of BIP341 and BIP342', (t, r) => {
	for (let i = 0; i < 2000; i++) {
		const [tx, at] = randomSegwitTx(r);
		const type = r.pick([0, 1, 2, 3, 0x81, 0x82, 0x83]);
		const spent = randomSpent(r, tx.ins.length, at, 1);
		const leaf = r.chance(50) ? r.bytes(32) : undefined;
		const annex = r.chance(30) ? Buffer.concat([Buffer.from([0x50]), r.bytes(r.below(300))]) : undefined;
		const none = (type & 3) === 3 && at >= tx.outs.length;
		const theirs = none ? null : tx.hashForWitnessV1(at, spent.map((o) => o.script),
			spent.map((o) => o.value), type, leaf, annex);
		t.expect(`taproot ${tx.toHex()} ${at} ${type} ${h.spentList(spent)} ${hex(leaf || [])} ${hex(annex || [])}`,
			none ? 'none' : hex(theirs));
	}
});

// ---- addresses ----

h.test('addresses', (t, r) => {
	const chains = [['main', bitcoin.networks.bitcoin], ['test', bitcoin.networks.testnet], ['regtest', net]];
	for (let i = 0; i < 1200; i++) {
		const [name, network] = r.pick(chains);
		const program = r.bytes(r.pick([2, 20, 32, 40, 2 + r.below(39)]));
		const script = r.pick([
			() => payments.p2pkh({ hash: r.bytes(20), network }).output,
			() => payments.p2sh({ hash: r.bytes(20), network }).output,
			() => payments.p2wpkh({ hash: r.bytes(20), network }).output,
			() => payments.p2wsh({ hash: r.bytes(32), network }).output,
			() => payments.p2tr({ pubkey: xOnly(key(r)), network }).output,
			() => bscript.compile([0x52 + r.below(15), program]),
		])();
		const text = bitcoin.address.fromOutputScript(script, network);
		t.expect(`script ${name} ${hex(script)}`, `ok ${text}`);
		t.expect(`address ${name} ${text}`, `ok ${hex(script)}`);
		const wrong = Buffer.from(text);
		const at = r.below(wrong.length);
		wrong[at] = r.pick([...'qpzry9x8QPZRY9X8AB1'].filter((c) => c.charCodeAt(0) !== wrong[at])).charCodeAt(0);
		t.ask(`address ${name} ${wrong}`, (got) => {
			let theirs = 'bad';
			try {
				theirs = `ok ${hex(bitcoin.address.toOutputScript(wrong.toString(), network))}`;
			} catch (e) { /* refused */ }
			return got === theirs ? null : `theirs: ${theirs}`;
		});
	}
});

h.finish('bitcoinjs');
