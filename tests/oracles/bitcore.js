// bitcore-lib as an oracle: serialisation, signature messages, and a script
// interpreter of its own, for legacy scripts, P2SH, witness and Tapscript.
'use strict';

const h = require('./harness.js');
const { push, randomScript } = require('./script_random.js');
const { bitcoin, randomTx, randomCode, key, xOnly } = require('./bitcoinjs_random.js');
const bitcore = require('bitcore-lib');

const { Script, Transaction, Opcode } = bitcore;
const { Interpreter } = Script;
const hex = h.hex;
const BLOCK_FLAGS = h.CONSENSUS;

h.test('transactions there and back', (t, r) => {
	for (let i = 0; i < 400; i++) {
		const raw = randomTx(r, r.chance(50)).toHex();
		const tx = new Transaction(raw);
		t.ask(`tx ${raw}`, (got) => {
			const [ok, txid, , , whole] = got.split(' ');
			const theirs = Buffer.from(tx.hash, 'hex').reverse().toString('hex');
			return ok === 'ok' && txid === theirs && whole === tx.toBuffer().toString('hex')
				? null : `theirs: ${theirs} ${tx.toBuffer().toString('hex')}`;
		});
	}
});

const TYPES = [1, 2, 3, 0x81, 0x82, 0x83];

h.test('messages of legacy signatures', (t, r) => {
	for (let i = 0; i < 500; i++) {
		const tx = randomTx(r, false, randomCode);
		const type = r.pick(TYPES);
		const at = r.below(tx.ins.length);
		const code = randomCode(r);
		const theirs = Transaction.Sighash.sighash(new Transaction(tx.toHex()), type, at, new Script(code));
		// They give it as it is shown, from the last byte to the first.
		t.expect(`legacy ${tx.toHex()} ${at} ${type} ${hex(code)}`, hex(Buffer.from(theirs).reverse()));
	}
});

h.test('messages of BIP143', (t, r) => {
	for (let i = 0; i < 500; i++) {
		const tx = randomTx(r, true, randomCode);
		const at = r.below(tx.ins.length);
		tx.setWitness(at, [r.bytes(64)]);
		const type = r.pick(TYPES);
		const code = randomCode(r);
		const spent = tx.ins.map(() => ({ value: r.value(), script: Buffer.from('0014' + '11'.repeat(20), 'hex') }));
		const value = Buffer.alloc(8);
		value.writeBigUInt64LE(BigInt(spent[at].value));
		const prefixed = Buffer.concat([code.length < 253 ? Buffer.from([code.length])
			: Buffer.from([253, code.length & 255, code.length >> 8]), code]);
		const theirs = Transaction.SighashWitness.sighash(new Transaction(tx.toHex()), type, at, prefixed, value);
		t.expect(`v0 ${tx.toHex()} ${at} ${type} ${hex(code)} ${h.spentList(spent)}`, hex(theirs));
	}
});

// ---- scripts ----

/*
 * What their interpreter leaves on the stack, or null if it fails.
 */
function theirStack(script, stack, version) {
	const i = new Interpreter();
	const tx = spendOf({ sig: Buffer.alloc(0), witness: [] });
	i.set({ script: new Script(script), tx: new Transaction(tx.toHex()), nin: 0, flags: BLOCK_FLAGS,
		sigversion: version, stack: stack.slice(), satoshis: 0, execdata: { tapleafHash: Buffer.alloc(32) } });
	return i.evaluate() ? i.stack : null;
}

// Continue the script with a check of all that they left, so that not only
// the outcome is compared but every value.
function pinned(script, stack) {
	const tail = [];
	for (const item of [...stack].reverse())
		tail.push(push(item), Buffer.from([0x88]));
	return Buffer.concat([script, ...tail, Buffer.from([0x51])]);
}

// The output, scriptSig and witness that run the script as this kind.
const WRAP = {
	legacy: (script, items) => ({ output: script, sig: Buffer.concat(items.map(push)), witness: [] }),
	P2SH: (script, items) => ({
		output: Buffer.concat([Buffer.from([0xa9, 20]), bitcoin.crypto.hash160(script), Buffer.from([0x87])]),
		sig: Buffer.concat([...items.map(push), push(script)]), witness: [],
	}),
	P2WSH: (script, items) => ({
		output: Buffer.concat([Buffer.from([0, 32]), bitcoin.crypto.sha256(script)]),
		sig: Buffer.alloc(0), witness: [...items, script],
	}),
	Tapscript: (script, items, internal) => {
		const p = bitcoin.payments.p2tr({ internalPubkey: internal, scriptTree: { output: script },
			redeem: { output: script, redeemVersion: 0xc0 } });
		return { output: p.output, sig: Buffer.alloc(0), witness: [...items, ...p.witness.slice(-2)] };
	},
};

function spendOf(wrapped) {
	const tx = new bitcoin.Transaction();
	tx.version = 2;
	tx.locktime = 100;
	tx.addInput(Buffer.alloc(32, 7), 0, 5, wrapped.sig);
	tx.addOutput(Buffer.from([0x51]), 1000);
	tx.setWitness(0, wrapped.witness);
	return tx;
}

function theirVerdict(tx, wrapped) {
	const i = new Interpreter();
	const ok = i.verify(new Script(wrapped.sig), new Script(wrapped.output), new Transaction(tx.toHex()),
		0, BLOCK_FLAGS, wrapped.witness, 5000);
	return ok ? 'ok' : `no (${i.errstr})`;
}

const VERSION = { legacy: 0, P2SH: 0, P2WSH: 1, Tapscript: 3 };

function operations(script) {
	const ops = [];
	for (let i = 0; i < script.length;) {
		const op = script[i++];
		ops.push(op);
		if (op < 0x4c)
			i += op;
		else if (op === 0x4c)
			i += 1 + script[i];
		else if (op === 0x4d)
			i += 2 + script.readUInt16LE(i);
	}
	return ops;
}

/*
 * Where they are known to be wrong: a reason, or null. 
 */
function known(kind, script, theirs, got) {
	if (kind !== 'Tapscript' && got === 'ok' && operations(script).some(Opcode.isOpSuccess))
		return 'they read no further than an OP_SUCCESSx in scripts that are no Tapscript';
	return null;
}

for (const kind of Object.keys(WRAP)) {
	h.test(`scripts: ${kind}`, (t, r) => {
		const internal = xOnly(key(r));
		let ran = 0;
		for (let i = 0; i < 1500; i++) {
			const items = [];
			for (let n = r.below(5); n > 0; n--)
				items.push(r.bytes(r.pick([0, 1, 1, 2, 4, 5, 32])));
			let script = randomScript(r, items.length, kind === 'Tapscript');
			if (kind === 'P2SH' && script.length > 400)
				continue;
			const stack = theirStack(script, items, VERSION[kind]);
			if (stack && stack.length < 60) {
				const longer = pinned(script, stack);
				if (kind !== 'P2SH' || longer.length <= 520) {
					script = longer;
					ran++;
				}
			}
			const wrapped = WRAP[kind](script, items, internal);
			const tx = spendOf(wrapped);
			const theirs = theirVerdict(tx, wrapped);
			t.ask(`verify ${tx.toHex()} ${BLOCK_FLAGS} 5000:${hex(wrapped.output)}`, (got) => {
				if ((got === 'ok') === (theirs === 'ok'))
					return null;
				const reason = known(kind, script, theirs, got);
				return reason ? t.differ(reason) : `theirs: ${theirs} of ${hex(script)}`;
			});
		}
		console.log(`oracle bitcore: scripts: ${kind}: ${ran} ran to their end`);
		if (ran < 300)
			t.fail(`only ${ran} scripts ran to their end`);
	});
}

h.finish('bitcore');
