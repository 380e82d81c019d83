/*
 * The chain that tests of validation work on.
 */
#include "config.h"

#include "validation_fix.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "consensus/script.h"
#include "consensus/witness_commitment.h"

static const uint8_t op_true[] = { OP_1 };

/* ---- events ---- */

static void on_connected(void *ctx, const struct header_node *n,
			 struct block *b)
{
	struct fix *f = ctx;

	assert_true(block_hash_eq(&b->hash, &n->hash));
	assert_ptr_equal(chain_tip(f->chain), n);
	f->connected++;
}

static void on_disconnected(void *ctx, const struct header_node *n,
			    struct block *b)
{
	struct fix *f = ctx;

	assert_true(block_hash_eq(&b->hash, &n->hash));
	assert_ptr_equal(chain_tip(f->chain), n->prev);
	f->disconnected++;
}

static void on_tip(void *ctx, const struct header_node *tip, bool ibd)
{
	struct fix *f = ctx;

	(void)ibd;
	assert_ptr_equal(chain_tip(f->chain), tip);
	f->last_tip = tip;
	f->tips++;
}

static void on_best_header(void *ctx, const struct header_node *n)
{
	struct fix *f = ctx;

	assert_ptr_equal(chain_best_header(f->chain), n);
	f->best_headers++;
}

static void on_checked(void *ctx, const struct header_node *n,
		       const struct finding *fd)
{
	struct fix *f = ctx;

	(void)n;
	if (fd->verdict) {
		f->last_bad = *fd;
		f->checked_bad++;
	} else {
		f->checked_ok++;
	}
}

static bool on_stop(void *ctx)
{
	struct fix *f = ctx;

	return f->stop;
}

/* ---- opening and closing ---- */

enum err fix_start(struct fix *f)
{
	struct chain_options o = {
		.params = &f->params,
		.dir = f->dir,
		.clock = &f->clock,
		.workers = f->workers,
		.dbcache_bytes = f->dbcache,
		.check_all_scripts = f->check_all,
		.events = { f, on_connected, on_disconnected, on_tip,
			    on_best_header, on_checked },
		.stop = on_stop,
	};

	f->chain = NULL;
	return chain_open(&f->chain, &o, &f->why);
}

void fix_open(struct fix *f, enum chain_id id, unsigned threads)
{
	const char *tmp = getenv("TMPDIR");

	memset(f, 0, sizeof *f);
	snprintf(f->dir, sizeof f->dir, "%s/validation-XXXXXX",
		 tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(f->dir));
	f->params = chain_params_get(id);
	f->workers = threads ? workers_new(threads) : NULL;
	f->dbcache = (size_t)8 << 20;
	fix_ok(f, fix_start(f));
}

void fix_shut(struct fix *f)
{
	chain_close(f->chain);
	f->chain = NULL;
}

void fix_crash(struct fix *f)
{
	fix_shut(f);
	fix_ok(f, fix_start(f));
}

void fix_restart(struct fix *f)
{
	fix_ok(f, chain_flush(f->chain, &f->why));
	fix_crash(f);
}

void remove_tree(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *ent;
	struct stat st;

	while (d && (ent = readdir(d))) {
		char *path = path_join(dir, ent->d_name);

		if (strcmp(ent->d_name, ".") && strcmp(ent->d_name, "..")) {
			if (!lstat(path, &st) && S_ISDIR(st.st_mode))
				remove_tree(path);
			else
				unlink(path);
		}
		free(path);
	}
	if (d)
		closedir(d);
	rmdir(dir);
}

void fix_close(struct fix *f)
{
	fix_shut(f);
	workers_free(f->workers);
	remove_tree(f->dir);
}

void fix_ok(struct fix *f, enum err e)
{
	if (e)
		fail_msg("%s: %s", err_name(e), f->why.text);
}

/* ---- sums ---- */

static const char *coins_sum(struct fix *f, enum utxo_hash_type type)
{
	static char hex[65];
	struct utxo_stats s;

	fix_ok(f, chain_utxo_stats(f->chain, &s, type, &f->why));
	hash_to_rpc_hex(hex, s.hash);
	return hex;
}

const char *fix_muhash(struct fix *f)
{
	return coins_sum(f, UTXO_HASH_MUHASH);
}

const char *fix_serialized(struct fix *f)
{
	return coins_sum(f, UTXO_HASH_SERIALIZED);
}

char *vector_path(const char *rel)
{
	const char *root = getenv("CLOISTER_VECTORS");
	const char *src = getenv("srcdir");
	char *path;

	if (root)
		path = path_join(root, rel);
	else if (src)
		path = xasprintf("%s/../shared/vectors/%s", src, rel);
	else
		path = xasprintf("../shared/vectors/%s", rel);
	if (file_exists(path))
		return path;
	print_message("%s is not there: skipped\n", path);
	free(path);
	skip();
	return NULL;
}

/* ---- blocks ---- */

struct span draft_script(struct draft *d, const char *hex)
{
	struct bytes b = { 0 };
	struct span s;

	assert_true(hex_append(&b, hex));
	s = arena_copy(&d->a, bytes_span(&b));
	bytes_clear(&b);
	return s;
}

static bool ancestor_header(struct block_header *out, int height, void *arg)
{
	const struct header_node *n = header_node_ancestor(arg, height);

	if (!n)
		return false;
	header_node_header(out, n);
	return true;
}

static void draft_coinbase(struct draft *d)
{
	struct bytes sig = { 0 };
	struct tx *cb = &d->txs[0];

	script_push_number(&sig, d->height);
	script_push_number(&sig, 7);
	cb->version = 1;
	cb->in_count = 1;
	cb->in = arena_calloc(&d->a, 1, sizeof *cb->in);
	cb->in[0].prevout.n = UINT32_MAX;
	cb->in[0].sequence = TX_SEQUENCE_FINAL;
	cb->in[0].script_sig = arena_copy(&d->a, bytes_span(&sig));
	cb->out = arena_calloc(&d->a, 4, sizeof *cb->out);
	cb->out_count = 1;
	cb->out[0].value_sat = block_subsidy_sat(&d->f->params, d->height);
	cb->out[0].script_pubkey = span_of(op_true, sizeof op_true);
	bytes_clear(&sig);
}

void draft_init(struct draft *d, struct fix *f,
		const struct header_node *parent)
{
	struct block_header prev;

	memset(d, 0, sizeof *d);
	d->f = f;
	d->parent = parent ? parent : chain_tip(f->chain);
	d->height = d->parent->height + 1;
	d->n = 1;
	draft_coinbase(d);
	header_node_header(&prev, d->parent);
	d->h.version = 0x20000000;
	d->h.prev = d->parent->hash;
	d->h.time = (uint32_t)MAX_OF(header_node_mtp(d->parent) + 1,
				     (int64_t)d->parent->time);
	d->h.bits = next_bits(&f->params, &prev, d->parent->height,
			      d->h.time, ancestor_header,
			      (void *)d->parent);
}

static void draft_commit(struct draft *d)
{
	static const uint8_t zero[32];
	static const struct span nonce = { zero, sizeof zero };
	struct tx *cb = &d->txs[0];
	struct block b = { .tx = d->txs, .tx_count = (uint32_t)d->n };
	uint8_t *s = arena_alloc(&d->a, WITNESS_COMMITMENT_BYTES);

	hex_decode(s, 6, "6a24aa21a9ed") ? (void)0 : fail();
	witness_commitment_hash(s + 6, &b, zero);
	cb->has_witness = true;
	cb->in[0].witness_count = 1;
	cb->in[0].witness = &nonce;
	cb->out[cb->out_count].value_sat = 0;
	cb->out[cb->out_count++].script_pubkey =
		span_of(s, WITNESS_COMMITMENT_BYTES);
}

struct block *draft_seal(struct draft *d)
{
	const struct chain_params *p = &d->f->params;
	uint8_t leaves[DRAFT_TXS][32];
	struct bytes raw = { 0 };
	struct block *b;
	size_t i;

	tx_finish(&d->txs[0]);
	if (!d->raw_coinbase && !d->no_commitment &&
	    buried_active(p, BURIED_SEGWIT, d->height)) {
		draft_commit(d);
		tx_finish(&d->txs[0]);
	}
	for (i = 0; i < d->n; i++)
		memcpy(leaves[i], d->txs[i].txid.b, 32);
	if (!d->raw_root)
		merkle_root(d->h.merkle_root,
			    (const uint8_t (*)[32])leaves, d->n);
	if (!d->raw_pow)
		assert_true(miner_grind(p, &d->h));
	block_header_write(&raw, &d->h);
	write_compact(&raw, d->n);
	for (i = 0; i < d->n; i++)
		tx_write(&raw, &d->txs[i], true);
	b = block_decode(&raw);
	assert_non_null(b);
	arena_clear(&d->a);
	return b;
}

struct tx tx_pay(struct arena *a, const struct outpoint *o, int64_t value)
{
	struct tx tx = { .version = 2, .in_count = 1, .out_count = 1 };

	tx.in = arena_calloc(a, 1, sizeof *tx.in);
	tx.in[0].prevout = *o;
	tx.in[0].sequence = TX_SEQUENCE_FINAL;
	tx.out = arena_calloc(a, 1, sizeof *tx.out);
	tx.out[0].value_sat = value;
	tx.out[0].script_pubkey = span_of(op_true, sizeof op_true);
	tx_finish(&tx);
	return tx;
}

struct tx *draft_pay(struct draft *d, const struct outpoint *o,
		     int64_t value)
{
	assert_true(d->n < DRAFT_TXS);
	d->txs[d->n] = tx_pay(&d->a, o, value);
	return &d->txs[d->n++];
}

struct outpoint coinbase_out(struct fix *f, int height)
{
	struct outpoint o = { .n = 0 };
	struct block *b = NULL;

	fix_ok(f, chain_read_block(f->chain, &b, chain_at(f->chain, height),
				   &f->why));
	o.txid = b->tx[0].txid;
	block_unref(b);
	return o;
}

const char *fix_submit(struct fix *f, struct block *b)
{
	static char text[160];
	struct block_result res;

	fix_ok(f, chain_submit_block(f->chain, &res, b, &f->why));
	finding_text(text, &res.finding, true);
	block_unref(b);
	return text;
}

void fix_mine(struct fix *f, int n)
{
	struct draft d;

	while (n-- > 0) {
		draft_init(&d, f, NULL);
		assert_string_equal(fix_submit(f, draft_seal(&d)), "");
	}
}

struct header_node *fix_fork(struct fix *f, const struct header_node *parent,
			     int n, uint32_t salt)
{
	struct block_result res = { .node = NULL };
	struct draft d;

	while (n-- > 0) {
		struct block *b;

		draft_init(&d, f, parent);
		d.h.nonce = salt << 16;
		d.txs[0].lock_time = salt;
		b = draft_seal(&d);
		fix_ok(f, chain_accept_block(f->chain, &res, b, true,
					     &f->why));
		assert_int_equal(res.finding.verdict, VERDICT_OK);
		assert_non_null(res.node);
		block_unref(b);
		parent = res.node;
	}
	return res.node;
}
