// bitcoinjs-lib as an oracle: spends of every usual kind, signed there, which
// our rules must allow, and refuse when one bit is changed.
'use strict';

const h = require('./harness.js');
const { KINDS, planSpend, signSpend, breakSignature, breakShown, breakTx, nudge } =
	require('./bitcoinjs_kinds.js');

const verifyLine = (tx, spent, flags) => `verify ${tx.toHex()} ${flags} ${h.spentList(spent)}`;

const refused = (what) => (got) => got.startsWith('no ') ? null : `a changed ${what} is accepted`;

for (const kind of Object.keys(KINDS)) {
	h.test(`signed ${kind}`, (t, r) => {
		for (let i = 0; i < 60; i++) {
			const plan = planSpend(r, kind);
			const s = signSpend(r, plan, plan.inputs.map((k) => ({
				script: k.script, value: r.value(), hash: r.bytes(32), index: r.below(10),
			})), () => r.value());
			t.expect(verifyLine(s.tx, s.spent, h.CONSENSUS), 'ok');
			t.expect(verifyLine(s.tx, s.spent, h.POLICY), 'ok');

			t.ask(verifyLine(breakSignature(r, s), s.spent, h.CONSENSUS), refused('signature'));
			const shown = breakShown(r, s);
			if (shown)
				t.ask(verifyLine(shown, s.spent, h.CONSENSUS), refused('key or script'));
			const tx = breakTx(r, s);
			if (tx)
				t.ask(verifyLine(tx, s.spent, h.CONSENSUS),
					refused('transaction'));

			const script = s.spent.map((o) => ({ ...o }));
			script[s.at].script = h.flipped(script[s.at].script, r, ...s.kind.data);
			t.ask(verifyLine(s.tx, script, h.CONSENSUS),
				refused('script'));

			const amount = s.spent.map((o) => ({ ...o }));
			nudge(amount[s.at]);
			t.ask(verifyLine(s.tx, amount, h.CONSENSUS), (got) => {
				const others = s.spent.length > 1;
				if (s.kind.amount)
					return got.startsWith('no ') ? null : 'a changed amount is accepted';
				// Old signatures do not say what they spend; a Taproot input beside may.
				return got === 'ok' || others ? null : 'the amount is not signed, and was refused';
			});
		}
	});
}

h.finish('bitcoinjs signing');
