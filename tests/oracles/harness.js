// What the node programs share: a random generator with a seed, and tests
// made of questions to oracle_cli, which are asked all at once at the end.
'use strict';

const { spawnSync } = require('child_process');
const crypto = require('crypto');

const seed = process.env.ORACLES_SEED || '1';
const tests = [];

// SHA-256 of the seed, the test's name and a counter: the same everywhere.
class Random {
	constructor(name) {
		this.name = name;
		this.count = 0;
		this.left = Buffer.alloc(0);
	}
	bytes(n) {
		while (this.left.length < n) {
			const text = `${seed}/${this.name}/${this.count++}`;
			const more = crypto.createHash('sha256').update(text).digest();
			this.left = Buffer.concat([this.left, more]);
		}
		const out = Buffer.from(this.left.subarray(0, n));
		this.left = this.left.subarray(n);
		return out;
	}
	below(n) { return Number(this.bytes(6).readUIntBE(0, 6) % n); }
	u32() { return this.bytes(4).readUInt32LE(0); }
	pick(list) { return list[this.below(list.length)]; }
	chance(percent) { return this.below(100) < percent; }
	value() { return this.below(this.pick([1000, 1e8, 21e14])); }
}

class Test {
	constructor(name) {
		this.name = name;
		this.random = new Random(name);
		this.questions = [];
		this.problems = [];
		this.differences = new Map();
		this.cases = 0;
	}
	// judge(answer) returns what is wrong with it, or nothing.
	ask(line, judge) { this.questions.push([line, judge]); }
	expect(line, answer) {
		this.ask(line, (got) => got === answer ? null : `want ${answer}`);
	}
	// A difference that is known, and who is right.
	differ(reason) {
		this.differences.set(reason, (this.differences.get(reason) || 0) + 1);
		return null;
	}
	fail(text) { this.problems.push(text); }
}

function test(name, make) {
	const t = new Test(name);
	make(t, t.random);
	tests.push(t);
}

function askAll() {
	const cli = process.env.ORACLE_CLI;
	const lines = tests.flatMap((t) => t.questions.map((q) => q[0]));
	if (lines.length === 0)
		return [];
	const run = spawnSync(cli, [], {
		input: lines.join('\n') + '\n', maxBuffer: 1 << 30,
		encoding: 'latin1',
	});
	const answers = run.stdout.split('\n');
	if (run.status !== 0 || answers.length !== lines.length + 1)
		throw new Error(`oracle_cli: status ${run.status}, ${answers.length - 1} of ${lines.length} answers; ${run.stderr}`);
	return answers;
}

function judge(t, answers) {
	for (const [line, check] of t.questions) {
		const got = answers.shift();
		let wrong = got === 'what' ? 'not understood' : check(got);
		t.cases++;
		if (wrong)
			t.fail(`${line.slice(0, 3000)}\n    said ${got.slice(0, 600)}; ${wrong}`);
	}
	if (t.cases === 0)
		t.fail('no cases');
}

// Ask, print, and end the program.
function finish(oracle) {
	const answers = askAll();
	let failed = 0;
	for (const t of tests) {
		judge(t, answers);
		let text = `oracle ${oracle}: ${t.name}: ${t.cases} cases`;
		for (const [reason, n] of t.differences)
			text += `; ${n} × ${reason}`;
		console.log(text);
		if (t.problems.length) {
			failed++;
			console.log(`FAIL oracle ${oracle}: ${t.name}: ${t.problems.length} problems, the first:`);
			for (const p of t.problems.slice(0, 3))
				console.log(`  ${p}`);
		}
	}
	console.log(`oracle ${oracle}: ${tests.length - failed} passed, ${failed} failed, 0 skipped`);
	process.exit(failed ? 1 : 0);
}

// The list of spent outputs, as oracle_cli wants it.
function spentList(outputs) {
	return outputs.map((o) => `${o.value}:${o.script.toString('hex') || '-'}`).join(',');
}

const hex = (b) => b.length ? Buffer.from(b).toString('hex') : '-';

// One bit of one byte, at a place within [from, to).
function flipped(buffer, random, from = 0, to = buffer.length) {
	const copy = Buffer.from(buffer);
	copy[from + random.below(to - from)] ^= 1 << random.below(8);
	return copy;
}

const FLAGS = {
	P2SH: 1 << 0, STRICTENC: 1 << 1, DERSIG: 1 << 2, LOW_S: 1 << 3,
	NULLDUMMY: 1 << 4, SIGPUSHONLY: 1 << 5, MINIMALDATA: 1 << 6,
	DISCOURAGE_UPGRADABLE_NOPS: 1 << 7, CLEANSTACK: 1 << 8,
	CHECKLOCKTIMEVERIFY: 1 << 9, CHECKSEQUENCEVERIFY: 1 << 10,
	WITNESS: 1 << 11, DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM: 1 << 12,
	MINIMALIF: 1 << 13, NULLFAIL: 1 << 14, WITNESS_PUBKEYTYPE: 1 << 15,
	CONST_SCRIPTCODE: 1 << 16, TAPROOT: 1 << 17,
	DISCOURAGE_UPGRADABLE_TAPROOT_VERSION: 1 << 18,
	DISCOURAGE_OP_SUCCESS: 1 << 19,
	DISCOURAGE_UPGRADABLE_PUBKEYTYPE: 1 << 20,
};
// What every block is checked with, and all there is.
const CONSENSUS = FLAGS.P2SH | FLAGS.DERSIG | FLAGS.NULLDUMMY |
	FLAGS.CHECKLOCKTIMEVERIFY | FLAGS.CHECKSEQUENCEVERIFY |
	FLAGS.WITNESS | FLAGS.TAPROOT;
const POLICY = (1 << 21) - 1;

module.exports = {
	seed, Random, test, finish, spentList, hex, flipped,
	FLAGS, CONSENSUS, POLICY,
};
