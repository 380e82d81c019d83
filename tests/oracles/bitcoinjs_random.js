// Random scripts, transactions and keys, made with bitcoinjs-lib.
'use strict';

const bitcoin = require('bitcoinjs-lib');
const ecc = require('@bitcoinerlab/secp256k1');
const { ECPairFactory } = require('ecpair');

bitcoin.initEccLib(ecc);
const ECPair = ECPairFactory(ecc);
const { Transaction, script: bscript, opcodes } = bitcoin;
const net = bitcoin.networks.regtest;

function randomScript(r) {
	return r.bytes(r.pick([0, 1, 22, 25, 34, r.below(80), r.below(700)]));
}

function randomTx(r, witness, script = randomScript) {
	const tx = new Transaction();
	tx.version = r.pick([1, 2, 3, -1, 0x7fffffff, r.u32() | 0]);
	tx.locktime = r.pick([0, 1, 499999999, 500000000, r.u32()]);
	const ins = 1 + r.below(r.chance(5) ? 300 : 6);
	const outs = r.below(r.chance(5) ? 300 : 6);
	for (let i = 0; i < ins; i++) {
		tx.addInput(r.bytes(32), r.pick([0, 1, 0xffffffff, r.u32()]),
			r.pick([0, 0xfffffffe, 0xffffffff, r.u32()]), script(r));
		const items = [];
		for (let k = witness ? r.below(5) : 0; k > 0; k--)
			items.push(r.bytes(r.pick([0, 1, 64, 72, 300])));
		tx.setWitness(i, items);
	}
	for (let i = 0; i < outs; i++)
		tx.addOutput(script(r), r.value());
	return tx;
}

// Every push in its shortest form: the library cannot keep any other.
function randomCode(r) {
	const chunks = [];
	for (let n = r.below(12); n > 0; n--) {
		if (r.chance(40))
			chunks.push(r.bytes(2 + r.below(90)));
		else if (r.chance(40))
			chunks.push(opcodes.OP_CODESEPARATOR);
		else
			chunks.push(r.pick([0, 0x51, 0x60, 0x63, 0x68, 0x75, 0x76, 0x87, 0xa9, 0xac, 0xae, 0xb1]));
	}
	return bscript.compile(chunks);
}

function key(r) {
	for (;;) {
		const secret = r.bytes(32);
		if (ecc.isPrivate(secret))
			return ECPair.fromPrivateKey(secret, { network: net });
	}
}

const xOnly = (k) => k.publicKey.subarray(1, 33);
const uncompressed = (k) => ECPair.fromPrivateKey(k.privateKey, { compressed: false, network: net });

module.exports = { bitcoin, net, randomScript, randomTx, randomCode, key, xOnly, uncompressed };
