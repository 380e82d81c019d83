// The same spends through a node of ours: outputs of every kind are put in a
// block on regtest, each spent by a transaction that bitcoinjs-lib signed,
// which the mempool takes and blocks may have in them, and not with one bit
// changed.
'use strict';

const fs = require('fs');
const http = require('http');
const os = require('os');
const path = require('path');
const { spawn } = require('child_process');

const h = require('./harness.js');
const { bitcoin } = require('./bitcoinjs_random.js');
const { KINDS, planSpend, signSpend, breakSignature, breakShown, breakTx } =
	require('./bitcoinjs_kinds.js');

const PER_KIND = 4;
const OUTPUT = 'raw(51)';
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

class Node {
	constructor() {
		this.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'cloister-oracle-'));
		this.chain = path.join(this.dir, 'regtest');
		this.process = spawn(path.join(process.env.CLOISTER_BUILD, 'src/cloisterd'),
			[`-datadir=${this.dir}`, '-chain=regtest', '-connect=0', '-listen=0', '-rpcbind=0'],
			{ stdio: 'ignore' });
		this.ended = new Promise((done) => this.process.on('close', done));
		process.on('exit', () => this.process.kill());
	}
	// The result, or the error as { error: { code, message } }.
	call(method, ...params) {
		const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
		const auth = fs.readFileSync(path.join(this.chain, '.cookie'), 'utf8').trim();
		return new Promise((done, fail) => {
			const q = http.request({ socketPath: path.join(this.chain, 'run/rpc.sock'),
				method: 'POST', path: '/', auth, agent: false,
				headers: { 'content-type': 'application/json' } }, (res) => {
				let text = '';
				res.on('data', (d) => { text += d; });
				res.on('end', () => {
					const reply = JSON.parse(text);
					done(reply.error ? { error: reply.error } : reply.result);
				});
			});
			q.on('error', fail);
			q.end(body);
		});
	}
	async ready() {
		for (let i = 0; i < 300; i++) {
			try {
				if (await this.call('getblockcount') === 0)
					return;
			} catch (e) { /* not yet */ }
			await sleep(100);
		}
		throw new Error('the node does not answer');
	}
	async stop() {
		await this.call('stop');
		const status = await this.ended;
		fs.rmSync(this.dir, { recursive: true });
		return status;
	}
}

// One transaction with an output for every input of every plan.
async function fund(node, r, plans) {
	const { tx: [coinbase] } = await node.call('getblock', await node.call('getblockhash', 1));
	const tx = new bitcoin.Transaction();
	tx.addInput(Buffer.from(coinbase, 'hex').reverse(), 0);
	for (const p of plans) {
		p.spent = p.inputs.map((k) => {
			const value = 10000 + r.below(1000000);
			return { script: k.script, value, index: tx.addOutput(k.script, value) };
		});
	}
	for (const o of plans.flatMap((p) => p.spent))
		o.hash = tx.getHash();
	const made = await node.call('generateblock', OUTPUT, [tx.toHex()]);
	if (made.error)
		throw new Error(`funding: ${made.error.message}`);
	// For the relative lock times of 5.
	await node.call('generatetodescriptor', 6, OUTPUT);
}

async function refuse(node, t, tx, reason) {
	const made = await node.call('generateblock', OUTPUT, [tx.toHex()]);
	t.cases++;
	if (!made.error || !made.error.message.includes(reason))
		t.fail(`${tx.toHex()}\n    got ${JSON.stringify(made)}, want ${reason}`);
}

async function accept(node, t, tx) {
	const made = await node.call('generateblock', OUTPUT, [tx.toHex()], false);
	const said = made.error ? made.error.message : await node.call('submitblock', made.hex);
	t.cases++;
	if (said !== null)
		t.fail(`${tx.toHex()}\n    got ${JSON.stringify(said)}, must be accepted`);
	else if (await node.call('getbestblockhash') !== made.hash)
		t.fail('the block is not the tip');
}

// The mempool's answer to one that must not pass.
async function refuseLoose(node, t, tx) {
	const [said] = await node.call('testmempoolaccept', [tx.toHex()], 0);
	t.cases++;
	if (said.allowed !== false ||
	    !said['reject-reason'].startsWith('mempool-script-verify-flag-failed'))
		t.fail(`${tx.toHex()}\n    got ${JSON.stringify(said)}, want a script's failure`);
}

// Through the mempool into a block.
async function send(node, t, tx) {
	const [said] = await node.call('testmempoolaccept', [tx.toHex()], 0);
	const sent = await node.call('sendrawtransaction', tx.toHex(), 0);
	await node.call('generatetodescriptor', 1, OUTPUT);
	const block = await node.call('getblock', await node.call('getbestblockhash'));
	t.cases++;
	if (said.allowed !== true || said.vsize_bip141 !== tx.virtualSize() || sent !== tx.getId())
		t.fail(`${tx.toHex()}\n    got ${JSON.stringify([said, sent])}, must be taken`);
	else if (!block.tx.includes(sent))
		t.fail('the block does not have it');
}

async function spendAll(node, t) {
	const r = t.random;
	const plans = Object.keys(KINDS).flatMap((kind) =>
		Array.from({ length: PER_KIND }, () => planSpend(r, kind)));
	await node.call('generatetodescriptor', 110, OUTPUT);
	await fund(node, r, plans);
	const keyHash = () => Buffer.concat([Buffer.from([0, 20]), r.bytes(20)]);
	for (const [i, p] of plans.entries()) {
		const s = signSpend(r, p, p.spent, () => 300 + r.below(9000), keyHash);
		await refuseLoose(node, t, breakSignature(r, s));
		await refuse(node, t, breakSignature(r, s), 'block-script-verify-flag-failed');
		const shown = breakShown(r, s);
		if (shown)
			await refuse(node, t, shown, 'block-script-verify-flag-failed');
		// Where it spends from may be what is changed.
		const other = breakTx(r, s);
		if (other)
			await refuse(node, t, other, 'TestBlockValidity failed');
		await (i % 2 ? accept : send)(node, t, s.tx);
		await refuse(node, t, s.tx, 'bad-txns-inputs-missingorspent');
	}
}

async function main() {
	const node = new Node();
	const tests = [];
	h.test('spends of every kind in blocks', (t) => tests.push(t));
	const [t] = tests;
	try {
		await node.ready();
		await spendAll(node, t);
	} catch (e) {
		t.fail(String(e.stack));
	}
	const status = await node.stop().catch((e) => String(e));
	if (status !== 0)
		t.fail(`the node ended with ${status}`);
	h.finish('bitcoinjs with a node');
}

main();
