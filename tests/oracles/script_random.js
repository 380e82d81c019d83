// Random scripts that mostly run to their end: each operation is chosen among
// those that the stack is deep enough for.
'use strict';

const NUMBER = [
	// opcode, taken, left: numbers in, numbers out
	[0x8b, 1, 1], [0x8c, 1, 1], [0x8f, 1, 1], [0x90, 1, 1], [0x91, 1, 1],
	[0x92, 1, 1], [0x93, 2, 1], [0x94, 2, 1], [0x9a, 2, 1], [0x9b, 2, 1],
	[0x9c, 2, 1], [0x9d, 2, 0], [0x9e, 2, 1], [0x9f, 2, 1], [0xa0, 2, 1],
	[0xa1, 2, 1], [0xa2, 2, 1], [0xa3, 2, 1], [0xa4, 2, 1], [0xa5, 3, 1],
];
const ANY = [
	[0x61, 0, 0], [0x69, 1, 0], [0x6b, 1, 0], [0x6c, 0, 1], [0x6d, 2, 0],
	[0x6e, 2, 4], [0x6f, 3, 6], [0x70, 4, 6], [0x71, 6, 6], [0x72, 4, 4],
	[0x73, 1, 2], [0x74, 0, 1], [0x75, 1, 0], [0x76, 1, 2], [0x77, 2, 1],
	[0x78, 2, 3], [0x79, 2, 2], [0x7a, 2, 1], [0x7b, 3, 3], [0x7c, 2, 2],
	[0x7d, 2, 3], [0x82, 1, 2], [0x87, 2, 1], [0x88, 2, 0], [0xa6, 1, 1],
	[0xa7, 1, 1], [0xa8, 1, 1], [0xa9, 1, 1], [0xaa, 1, 1], [0xab, 0, 0],
	[0xb0, 0, 0], [0xb3, 0, 0], [0xb9, 0, 0],
];
// Those that end it, or are of no use, or mean something else in Tapscript.
const RARE = [0x50, 0x62, 0x65, 0x6a, 0x7e, 0x80, 0x83, 0x86, 0x89, 0x8d, 0x95, 0x99, 0xac, 0xad, 0xae, 0xaf, 0xb1, 0xb2, 0xba, 0xbb, 0xff];

// The shortest push of these bytes.
function push(data) {
	const b = Buffer.from(data);
	if (b.length === 0)
		return Buffer.from([0]);
	if (b.length === 1 && b[0] >= 1 && b[0] <= 16)
		return Buffer.from([0x50 + b[0]]);
	if (b.length === 1 && b[0] === 0x81)
		return Buffer.from([0x4f]);
	if (b.length < 0x4c)
		return Buffer.concat([Buffer.from([b.length]), b]);
	if (b.length < 0x100)
		return Buffer.concat([Buffer.from([0x4c, b.length]), b]);
	return Buffer.concat([Buffer.from([0x4d, b.length & 255, b.length >> 8]), b]);
}

function randomPush(r) {
	switch (r.below(6)) {
	case 0: return push([]);
	case 1: return Buffer.from([0x51 + r.below(16)]);
	case 2: return Buffer.from([0x4f]);
	case 3: return push(r.bytes(1 + r.below(5)));
	case 4: return push(r.pick([[0], [0x80], [0, 0x80], [1, 0], [0xff, 0xff, 0xff, 0x7f], [0xff, 0xff, 0xff, 0xff], [0, 0, 0, 0x80, 0], [0x50]]));
	default: return push(r.bytes(r.pick([20, 32, 33, 75, 76, 80, 255, 256, 520])));
	}
}

const small = (n) => n ? [n] : [];

// Operations with all they take, for transactions of version 2 with lock time
// 100 and sequence 5: one result each.
function phrase(r, tapscript) {
	const key = Buffer.from([2 + r.below(2), ...BASE_POINT_X]);
	const op = (...parts) => Buffer.concat(parts.map((p) => Buffer.isBuffer(p) ? p : Buffer.from([p])));
	switch (r.below(tapscript ? 5 : 4)) {
	case 0: return op(push(small(r.below(200))), 0xb1);
	case 1: return op(push(small(r.below(10))), 0xb2);
	case 2: return op(0, push(tapscript ? BASE_POINT_X : key), 0xac);
	case 3: return tapscript ? op(0, push(r.bytes(r.pick([0, 31, 33]))), 0xac)
		: op(0, 0, push(key), 0x51, 0xae);
	default: return op(0, randomPush(r), push(BASE_POINT_X), 0xba);
	}
}

const BASE_POINT_X = Buffer.from('79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798', 'hex');

// start: how many elements the script finds on the stack.
function randomScript(r, start, tapscript) {
	const out = [];
	let depth = start;
	let open = 0;
	const add = (b) => out.push(Buffer.isBuffer(b) ? b : Buffer.from([b]));
	for (let n = 2 + r.below(25); n > 0; n--) {
		if (r.chance(1)) {
			add(r.pick(RARE));
		} else if (r.chance(5)) {
			add(phrase(r, tapscript));
			depth++;
		} else if (r.chance(6)) {
			add(r.pick([0, 0x51]));
			add(r.pick([0x63, 0x64]));
			open++;
		} else if (open && r.chance(25)) {
			add(r.chance(60) ? 0x68 : 0x67);
			open -= out[out.length - 1][0] === 0x68 ? 1 : 0;
		} else if (depth === 0 || r.chance(45)) {
			add(randomPush(r));
			depth++;
		} else {
			const fit = (r.chance(50) ? NUMBER : ANY).filter((o) => o[1] <= depth);
			const [op, taken, left] = r.pick(fit.length ? fit : ANY.filter((o) => o[1] <= depth));
			if (op === 0x79 || op === 0x7a)
				add(push(small(r.below(Math.min(depth, 4)))));
			if (op === 0x6c && !r.chance(30))
				continue;
			add(op);
			depth += left - taken;
		}
	}
	while (open-- > 0)
		add(0x68);
	return Buffer.concat(out);
}

module.exports = { push, randomPush, randomScript };
