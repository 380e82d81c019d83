// Outputs of every usual kind and how they are spent, by bitcoinjs-lib.
'use strict';

const h = require('./harness.js');
const { bitcoin, net, randomCode, key, xOnly, uncompressed } =
	require('./bitcoinjs_random.js');
const { Transaction, payments, script: bscript, opcodes } = bitcoin;

const der = (k, hash, type) => bscript.signature.encode(k.sign(hash), type);
const TAP_TYPES = [0, 1, 2, 3, 0x81, 0x82, 0x83];
const ECDSA_TYPES = [1, 1, 2, 3, 0x81, 0x82, 0x83];

function multisig(r) {
	const n = 1 + r.below(5);
	const m = 1 + r.below(n);
	const keys = Array.from({ length: n }, () => key(r));
	const redeem = payments.p2ms({ m, pubkeys: keys.map((k) => k.publicKey) }).output;
	return { keys: keys.slice(n - m), redeem };
}

/*
 * A kind of output: its script, the bytes of it that are a key or a hash,
 * and how its input is signed.  sign() returns [scriptSig, witness].
 */
const KINDS = {
	'P2PK': (r) => {
		const k = r.chance(30) ? uncompressed(key(r)) : key(r);
		const script = payments.p2pk({ pubkey: k.publicKey }).output;
		return { script, data: [1, script.length - 1], types: ECDSA_TYPES, amount: false,
			sign: (s) => [bscript.compile([der(k, s.legacy(script), s.type)]), []] };
	},
	'P2PKH': (r) => {
		const k = r.chance(30) ? uncompressed(key(r)) : key(r);
		const script = payments.p2pkh({ pubkey: k.publicKey }).output;
		return { script, data: [3, 23], types: ECDSA_TYPES, amount: false,
			sign: (s) => [bscript.compile([der(k, s.legacy(script), s.type), k.publicKey]), []] };
	},
	'P2SH multisig': (r) => {
		const { keys, redeem } = multisig(r);
		const script = payments.p2sh({ redeem: { output: redeem } }).output;
		return { script, data: [2, 22], types: ECDSA_TYPES, amount: false,
			sign: (s) => [bscript.compile([opcodes.OP_0,
				...keys.map((k) => der(k, s.legacy(redeem), s.type)), redeem]), []] };
	},
	'P2WPKH': (r) => {
		const k = key(r);
		const script = payments.p2wpkh({ pubkey: k.publicKey }).output;
		const code = payments.p2pkh({ pubkey: k.publicKey }).output;
		return { script, data: [2, 22], types: ECDSA_TYPES, amount: true,
			sign: (s) => [Buffer.alloc(0), [der(k, s.v0(code), s.type), k.publicKey]] };
	},
	'P2SH-P2WPKH': (r) => {
		const k = key(r);
		const inner = payments.p2wpkh({ pubkey: k.publicKey }).output;
		const code = payments.p2pkh({ pubkey: k.publicKey }).output;
		const script = payments.p2sh({ redeem: { output: inner } }).output;
		return { script, data: [2, 22], types: ECDSA_TYPES, amount: true,
			sign: (s) => [bscript.compile([inner]), [der(k, s.v0(code), s.type), k.publicKey]] };
	},
	'P2WSH multisig': (r) => {
		const { keys, redeem } = multisig(r);
		const script = payments.p2wsh({ redeem: { output: redeem } }).output;
		return { script, data: [2, 34], types: ECDSA_TYPES, amount: true,
			sign: (s) => [Buffer.alloc(0), [Buffer.alloc(0),
				...keys.map((k) => der(k, s.v0(redeem), s.type)), redeem]] };
	},
	'P2TR key path': (r) => {
		const k = key(r);
		const scriptTree = r.chance(50) ? { output: randomCode(r) } : undefined;
		const p = payments.p2tr({ internalPubkey: xOnly(k), scriptTree, network: net });
		const tweaked = k.tweak(bitcoin.crypto.taggedHash('TapTweak',
			Buffer.concat([xOnly(k), p.hash || Buffer.alloc(0)])));
		return { script: p.output, data: [2, 34], types: TAP_TYPES, amount: true,
			sign: (s) => [Buffer.alloc(0), [s.schnorr(tweaked, s.v1())]] };
	},
	'P2TR script path': (r) => {
		const internal = key(r);
		const k = key(r);
		const leaf = { output: bscript.compile([xOnly(k), opcodes.OP_CHECKSIG]) };
		// A tree of a few leaves, ours anywhere in it.
		let tree = leaf;
		for (let n = r.below(4); n > 0; n--) {
			const other = { output: bscript.compile([r.bytes(32), opcodes.OP_CHECKSIG]) };
			tree = r.chance(50) ? [tree, other] : [other, tree];
		}
		const p = payments.p2tr({ internalPubkey: xOnly(internal), scriptTree: tree,
			redeem: { output: leaf.output, redeemVersion: 0xc0 }, network: net });
		const leafHash = bitcoin.crypto.taggedHash('TapLeaf',
			Buffer.concat([Buffer.from([0xc0, leaf.output.length]), leaf.output]));
		const control = p.witness[p.witness.length - 1];
		return { script: p.output, data: [2, 34], types: TAP_TYPES, amount: true,
			sign: (s) => [Buffer.alloc(0), [s.schnorr(k, s.v1(leafHash)), leaf.output, control]] };
	},
};

// Everything a kind needs to sign input `at`.
function signer(tx, at, spent, type) {
	return {
		type,
		legacy: (code) => tx.hashForSignature(at, code, type),
		v0: (code) => tx.hashForWitnessV0(at, code, spent[at].value, type),
		v1: (leaf) => tx.hashForWitnessV1(at, spent.map((o) => o.script),
			spent.map((o) => o.value), type, leaf),
		schnorr: (k, hash) => Buffer.concat([k.signSchnorr(hash), Buffer.from(type ? [type] : [])]),
	};
}

// Inputs of which one, at `at`, is of the kind; the others of any.
function planSpend(r, kind) {
	const ins = 1 + r.below(4);
	const at = r.below(ins);
	const inputs = [];
	for (let i = 0; i < ins; i++)
		inputs.push(KINDS[i === at ? kind : r.pick(Object.keys(KINDS))](r));
	return { at, inputs, kind: inputs[at] };
}

// spent: a script, value, hash and index for each input.
function signSpend(r, plan, spent, outputValue, outputScript = () => r.bytes(22)) {
	const tx = new Transaction();
	tx.version = 2;
	tx.locktime = r.below(100);
	for (const o of spent)
		tx.addInput(o.hash, o.index, r.pick([0xffffffff, 0xfffffffd, 5]));
	// As many outputs as inputs: SINGLE has its own.
	for (let i = 0; i < spent.length; i++)
		tx.addOutput(outputScript(), outputValue());
	const types = plan.inputs.map((k) => r.pick(k.types));
	plan.inputs.forEach((k, i) => {
		const [sig, witness] = k.sign(signer(tx, i, spent, types[i]));
		tx.setInputScript(i, sig);
		tx.setWitness(i, witness);
	});
	return { ...plan, tx, spent, type: types[plan.at] };
}

// clone() would share the witnesses.
const copyOf = (tx) => Transaction.fromHex(tx.toHex());

// Change one bit of the first signature of the input, wherever that is.
function breakSignature(r, s) {
	const tx = copyOf(s.tx);
	const input = tx.ins[s.at];
	if (input.witness.length) {
		const i = input.witness.findIndex((w) => w.length >= 64);
		input.witness[i] = h.flipped(input.witness[i], r);
	} else {
		const chunks = bscript.decompile(input.script);
		const i = chunks.findIndex((c) => Buffer.isBuffer(c) && c.length >= 60);
		chunks[i] = h.flipped(chunks[i], r);
		input.script = bscript.compile(chunks);
	}
	return tx;
}

// Change one bit of what is shown beside signatures: key, script, control
// block.  null for a Taproot key path, which shows nothing.
function breakShown(r, s) {
	const tx = copyOf(s.tx);
	const input = tx.ins[s.at];
	const items = input.witness;
	const first = items.findIndex((w) => w.length >= 64);
	const shown = [items.length - 1, items.length - 2].filter((i) => i > first && first >= 0);
	const chunks = bscript.decompile(input.script);
	if (chunks.length > 1 || (chunks.length && shown.length && r.chance(50))) {
		chunks.push(h.flipped(chunks.pop(), r));
		input.script = bscript.compile(chunks);
	} else if (shown.length) {
		const i = r.pick(shown);
		items[i] = h.flipped(items[i], r);
	} else {
		return null;
	}
	return tx;
}

// The amount, by one.
function nudge(out) {
	out.value += out.value % 2 ? -1 : 1;
}

// Change what the signature's type commits to; null where it does not.
function breakTx(r, s) {
	const tx = copyOf(s.tx);
	const base = s.type & 3;
	const alone = s.type & 0x80;
	const how = r.below(5);
	if (how === 0)
		tx.locktime ^= 1;
	else if (how === 1)
		tx.version ^= 4;
	else if (how === 2)
		tx.ins[s.at].hash = h.flipped(tx.ins[s.at].hash, r);
	else if (how === 3 && base !== 2)
		nudge(tx.outs[base === 3 ? s.at : r.below(tx.outs.length)]);
	else if (how === 4 && !alone)
		tx.ins[r.below(tx.ins.length)].index ^= 1;
	else
		return null;
	return tx;
}

module.exports = { KINDS, planSpend, signSpend, breakSignature, breakShown, breakTx, nudge };
