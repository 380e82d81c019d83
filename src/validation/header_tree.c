/*
 * The header tree.  Each node has, besides its parent, a pointer far back
 * (as in a skip list), so that an ancestor at any height is found in a
 * logarithmic number of steps.
 */
#include "config.h"

#include "validation/header_tree_priv.h"

#include <stdlib.h>

#include "base/random.h"
#include "crypto/hash.h"

#define SLAB_NODES 2048
#define MTP_BLOCKS 11

struct header_slab {
	struct header_slab *next;
	size_t used;
	struct header_node nodes[SLAB_NODES];
};

static uint64_t hash_key(const void *key, const void *ctx)
{
	const uint64_t *salt = ctx;
	const struct block_hash *h = key;

	return siphash_u256(salt[0], salt[1], h->b);
}

static bool hash_eq(const void *item, const void *key)
{
	const struct header_node *n = item;

	return block_hash_eq(&n->hash, key);
}

static const void *hash_of(const void *item)
{
	const struct header_node *n = item;

	return &n->hash;
}

static const struct map_type by_hash_type = { hash_key, hash_eq, hash_of };

void header_tree_init(struct header_tree *t)
{
	memset(t, 0, sizeof *t);
	t->salt[0] = random_u64();
	t->salt[1] = random_u64();
	map_init(&t->by_hash, &by_hash_type, t->salt);
}

void header_tree_clear(struct header_tree *t)
{
	struct header_slab *s = t->slabs;

	while (s) {
		struct header_slab *next = s->next;

		free(s);
		s = next;
	}
	map_clear(&t->by_hash);
	free(t->nodes);
	free(t->dirty);
	memset(t, 0, sizeof *t);
}

struct header_node *header_tree_get(const struct header_tree *t,
				    const struct block_hash *h)
{
	return map_get(&t->by_hash, h);
}

static int invert_lowest_one(int n)
{
	return n & (n - 1);
}

/* Any height below works; these make the walk short from everywhere. */
static int skip_height(int height)
{
	if (height < 2)
		return 0;
	if (height & 1)
		return invert_lowest_one(invert_lowest_one(height - 1)) + 1;
	return invert_lowest_one(height);
}

static void push(struct header_node ***list, size_t *count, size_t *cap,
		 struct header_node *n)
{
	if (*count == *cap) {
		*cap = *cap ? *cap * 2 : 1024;
		*list = xrealloc(*list, *cap * sizeof **list);
	}
	(*list)[(*count)++] = n;
}

static struct header_node *node_alloc(struct header_tree *t)
{
	if (!t->slabs || t->slabs->used == SLAB_NODES) {
		struct header_slab *s = xcalloc(1, sizeof *s);

		s->next = t->slabs;
		t->slabs = s;
	}
	return &t->slabs->nodes[t->slabs->used++];
}

static void node_set_header(struct header_node *n,
			    const struct block_header *h,
			    const struct block_hash *hash)
{
	n->hash = *hash;
	n->version = h->version;
	n->time = h->time;
	n->bits = h->bits;
	n->nonce = h->nonce;
	memcpy(n->merkle_root, h->merkle_root, sizeof n->merkle_root);
	n->data.file = -1;
	n->undo.file = -1;
}

static void node_work(struct u256 *out, const struct header_node *n)
{
	const struct header_node *p = n->prev;

	if (p && p->prev && p->bits == n->bits)
		u256_sub(out, &p->chain_work, &p->prev->chain_work);
	else
		u256_block_work(out, n->bits);
}

/* Everything that follows from the parent. */
static void node_link(struct header_node *n, struct header_node *prev)
{
	struct u256 work;

	n->prev = prev;
	n->height = prev ? prev->height + 1 : 0;
	n->skip = prev ? header_node_ancestor(prev, skip_height(n->height))
		       : NULL;
	n->time_max = prev ? MAX_OF(prev->time_max, n->time) : n->time;
	node_work(&work, n);
	if (prev) {
		u256_add(&n->chain_work, &prev->chain_work, &work);
		prev->has_child = true;
	} else {
		n->chain_work = work;
	}
}

struct header_node *header_tree_add(struct header_tree *t,
				    const struct block_header *h,
				    const struct block_hash *hash,
				    struct header_node *prev)
{
	struct header_node *n = node_alloc(t);

	node_set_header(n, h, hash);
	node_link(n, prev);
	CHECK(!map_put(&t->by_hash, n));
	push(&t->nodes, &t->count, &t->cap, n);
	header_tree_touch(t, n);
	return n;
}

void header_tree_touch(struct header_tree *t, struct header_node *n)
{
	if (n->dirty)
		return;
	n->dirty = true;
	push(&t->dirty, &t->dirty_count, &t->dirty_cap, n);
}

/* ---- loading: records come in no order, nodes must ---- */

struct loading {
	struct header_tree *tree;
	struct loaded {
		struct header_node *node;
		int32_t height;
	} *list;
	size_t count, cap;
};

/* Until a node is linked, its parent's hash stands in for its work. */
_Static_assert(sizeof(struct u256) == sizeof(struct block_hash),
	       "a hash takes the room of a number");

static void prev_hash_put(struct header_node *n, const struct block_hash *h)
{
	memcpy(&n->chain_work, h, sizeof *h);
}

static struct block_hash prev_hash_get(const struct header_node *n)
{
	struct block_hash h;

	memcpy(&h, &n->chain_work, sizeof h);
	return h;
}

static bool load_record(const struct index_record *rec, void *arg)
{
	struct loading *l = arg;
	struct header_node *n = node_alloc(l->tree);

	node_set_header(n, &rec->header, &rec->hash);
	n->height = rec->height;
	n->status = rec->status;
	n->tx_count = rec->tx_count;
	if (rec->status & BLOCK_HAVE_DATA)
		n->data = rec->data;
	if (rec->status & BLOCK_HAVE_UNDO)
		n->undo = rec->undo;
	if (l->count == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 1024;
		l->list = xrealloc(l->list, l->cap * sizeof *l->list);
	}
	prev_hash_put(n, &rec->header.prev);
	l->list[l->count].node = n;
	l->list[l->count++].height = n->height;
	return true;
}

static int by_height(const void *a, const void *b)
{
	const struct loaded *x = a, *y = b;

	return (x->height > y->height) - (x->height < y->height);
}

static bool hash_all(struct loading *l)
{
	size_t i;

	map_reserve(&l->tree->by_hash, l->count);
	for (i = 0; i < l->count; i++)
		if (map_put(&l->tree->by_hash, l->list[i].node))
			return false;
	return true;
}

/* Mostly the one before, for there are few branches. */
static struct header_node *find_parent(const struct loading *l, size_t i)
{
	struct block_hash h = prev_hash_get(l->list[i].node);

	if (i && block_hash_eq(&l->list[i - 1].node->hash, &h))
		return l->list[i - 1].node;
	return header_tree_get(l->tree, &h);
}

static enum err link_all(struct loading *l, struct why *why)
{
	char hex[65];
	size_t i;

	if (l->count)
		qsort(l->list, l->count, sizeof *l->list, by_height);
	for (i = 0; i < l->count; i++) {
		struct header_node *n = l->list[i].node, *prev = NULL;
		int height = n->height;

		if (height)
			prev = find_parent(l, i);
		if (height ? !prev || prev->height != height - 1 : i > 0) {
			hash_to_rpc_hex(hex, n->hash.b);
			return why_set(why, ERR_CORRUPT, "the block index "
				       "does not hold the parent of block %s"
				       " (height %d)", hex, height);
		}
		node_link(n, prev);
		push(&l->tree->nodes, &l->tree->count, &l->tree->cap, n);
	}
	return ERR_NONE;
}

enum err header_tree_load(struct header_tree *t, struct index_db *db,
			  struct why *why)
{
	struct loading l = { .tree = t };
	enum err e = index_db_load(db, load_record, &l, why);

	if (!e && !hash_all(&l))
		e = why_set(why, ERR_CORRUPT,
			    "the block index holds a block twice");
	if (!e)
		e = link_all(&l, why);
	free(l.list);
	return e;
}

/* ---- questions ---- */

void header_node_header(struct block_header *out,
			const struct header_node *n)
{
	memset(out, 0, sizeof *out);
	out->version = n->version;
	if (n->prev)
		out->prev = n->prev->hash;
	memcpy(out->merkle_root, n->merkle_root, sizeof out->merkle_root);
	out->time = n->time;
	out->bits = n->bits;
	out->nonce = n->nonce;
}

struct header_node *header_node_ancestor(const struct header_node *n,
					 int height)
{
	int at;

	if (!n || height < 0 || height > n->height)
		return NULL;
	at = n->height;
	while (at > height) {
		int skip = skip_height(at);
		int prev_skip = skip_height(at - 1);

		/* Not if the parent's jump gets closer without passing. */
		if (n->skip && (skip == height ||
				(skip > height && !(prev_skip < skip - 2 &&
						    prev_skip >= height)))) {
			n = n->skip;
			at = skip;
		} else {
			n = n->prev;
			at--;
		}
	}
	return (struct header_node *)n;
}

int64_t header_node_mtp(const struct header_node *n)
{
	uint32_t t[MTP_BLOCKS];
	int count = 0, i;

	for (; n && count < MTP_BLOCKS; n = n->prev) {
		for (i = count++; i > 0 && t[i - 1] > n->time; i--)
			t[i] = t[i - 1];
		t[i] = n->time;
	}
	return count ? t[count / 2] : 0;
}

struct header_node *header_node_fork(const struct header_node *a,
				     const struct header_node *b)
{
	if (a->height > b->height)
		a = header_node_ancestor(a, b->height);
	else
		b = header_node_ancestor(b, a->height);
	while (a != b) {
		/* Jump together while the jumps still differ. */
		if (a->skip && a->skip != b->skip) {
			a = a->skip;
			b = b->skip;
		} else {
			a = a->prev;
			b = b->prev;
		}
	}
	return (struct header_node *)a;
}
