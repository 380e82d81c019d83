/*
 * Descriptors read and shown.  Functions nest at most three deep (sh, wsh,
 * and what stands in them); the tree of tr() is read without recursion.
 */
#include "config.h"

#include "address/descriptor_priv.h"

#include <stdlib.h>

#include "address/address.h"
#include "address/descriptor_text.h"
#include "consensus/script.h"

#define BARE_MULTISIG_KEYS_MAX 3
#define MULTI_A_KEYS_MAX 999

#define MULTI_PLACES (PLACE_TOP | PLACE_P2SH | PLACE_P2WSH)

static const struct function {
	const char *name;
	unsigned places;
	const char *where;       /* what Core says of other places */
} functions[] = {
	[DESC_PK] = { "pk", MULTI_PLACES | PLACE_P2TR, "" },
	[DESC_PKH] = { "pkh", MULTI_PLACES, "Can only have pkh at top "
		       "level, in sh(), wsh(), or in tr()" },
	[DESC_WPKH] = { "wpkh", PLACE_TOP | PLACE_P2SH, "Can only have "
			"wpkh() at top level or inside sh()" },
	[DESC_COMBO] = { "combo", PLACE_TOP, "Can only have combo() at top "
			 "level" },
	[DESC_MULTI] = { "multi", MULTI_PLACES, "Can only have "
			 "multi/sortedmulti at top level, in sh(), or in "
			 "wsh()" },
	[DESC_SORTEDMULTI] = { "sortedmulti", MULTI_PLACES, "Can only have "
			       "multi/sortedmulti at top level, in sh(), or "
			       "in wsh()" },
	[DESC_MULTI_A] = { "multi_a", PLACE_P2TR, "Can only have "
			   "multi_a/sortedmulti_a inside tr()" },
	[DESC_SORTEDMULTI_A] = { "sortedmulti_a", PLACE_P2TR, "Can only "
				 "have multi_a/sortedmulti_a inside tr()" },
	[DESC_SH] = { "sh", PLACE_TOP, "Can only have sh() at top level" },
	[DESC_WSH] = { "wsh", PLACE_TOP | PLACE_P2SH, "Can only have wsh() "
		       "at top level or inside sh()" },
	[DESC_TR] = { "tr", PLACE_TOP, "Can only have tr at top level" },
	[DESC_RAWTR] = { "rawtr", PLACE_TOP, "Can only have rawtr at top "
			 "level" },
	[DESC_ADDR] = { "addr", PLACE_TOP, "Can only have addr() at top "
			"level" },
	[DESC_RAW] = { "raw", PLACE_TOP, "Can only have raw() at top "
		       "level" },
};

const char *desc_kind_name(enum desc_kind k)
{
	return functions[k].name;
}

static void descriptor_free(struct descriptor *d)
{
	if (!d)
		return;
	for (size_t i = 0; i < d->keys_n; i++)
		desc_key_clear(&d->keys[i]);
	for (size_t i = 0; i < d->leaves_n; i++)
		descriptor_free(d->leaves[i].d);
	descriptor_free(d->sub);
	free(d->keys);
	free(d->leaves);
	free(d->literal);
	bytes_clear(&d->script);
	free(d);
}

void descriptors_clear(struct descriptors *d)
{
	for (size_t i = 0; i < d->n; i++)
		descriptor_free(d->d[i]);
	d->n = 0;
}

/* ---- reading ---- */

/* Cut the next argument, up to a comma outside of brackets, off the front;
 * false at the end. */
static bool next_argument(struct piece *out, struct piece *rest)
{
	size_t depth = 0, i;

	if (!rest->p)
		return false;
	for (i = 0; i < rest->n; i++) {
		char c = rest->p[i];

		if (c == '(' || c == '{')
			depth++;
		else if ((c == ')' || c == '}') && depth)
			depth--;
		else if ((c == ')' || c == '}' || c == ',') && !depth)
			break;
	}
	*out = (struct piece){ rest->p, i };
	if (i < rest->n && rest->p[i] == ',')
		*rest = (struct piece){ rest->p + i + 1, rest->n - i - 1 };
	else
		*rest = (struct piece){ i < rest->n ? rest->p + i : NULL,
					rest->n - i };
	return true;
}

/* Which function, and what stands between its brackets. */
static const struct function *function_of(struct piece *args,
					  struct piece text)
{
	for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
		const struct function *f = &functions[i];
		size_t n = strlen(f->name);

		if (text.n < n + 2 || memcmp(text.p, f->name, n) != 0 ||
		    text.p[n] != '(' || text.p[text.n - 1] != ')')
			continue;
		*args = (struct piece){ text.p + n + 1, text.n - n - 2 };
		return f;
	}
	return NULL;
}

static bool add_key(struct descriptor *d, struct piece text,
		    enum desc_place place, struct why *why)
{
	struct why reason = { 0 };

	d->keys = xrealloc(d->keys, (d->keys_n + 1) * sizeof *d->keys);
	if (desc_key_read(&d->keys[d->keys_n++], d->params, text, place,
			  &reason))
		return true;
	why_set(why, ERR_INPUT, "%s(): %s", desc_kind_name(d->kind),
		reason.text);
	return false;
}

static bool read_threshold(struct descriptor *d, struct piece text,
			   struct why *why)
{
	unsigned v = 0;

	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9' || text.n > 4) {
			why_set(why, ERR_INPUT, "Multi threshold '%.*s' is "
				"not valid", (int)MIN_OF(text.n, 50u),
				text.p);
			return false;
		}
		v = v * 10 + (unsigned)(text.p[i] - '0');
	}
	d->threshold = v;
	if (text.n && v)
		return true;
	if (text.n)
		why_set(why, ERR_INPUT, "Multisig threshold cannot be 0, "
			"must be at least 1");
	else
		why_set(why, ERR_INPUT, "Multi threshold '' is not valid");
	return false;
}

/* How many keys may stand here, and how long their script may be. */
static bool check_multi(const struct descriptor *d, enum desc_place place,
			struct why *why)
{
	size_t max = place == PLACE_P2TR ? MULTI_A_KEYS_MAX :
					   SCRIPT_MAX_MULTISIG_KEYS;
	size_t size = 3;

	for (size_t i = 0; i < d->keys_n; i++)
		size += d->keys[i].pub_n + 1;
	if (d->keys_n == 0 || d->keys_n > max)
		why_set(why, ERR_INPUT, "Cannot have %zu keys in multisig; "
			"must have between 1 and %zu keys, inclusive",
			d->keys_n, max);
	else if (d->threshold > d->keys_n)
		why_set(why, ERR_INPUT, "Multisig threshold cannot be "
			"larger than the number of keys; threshold is %u but "
			"only %zu keys specified", d->threshold, d->keys_n);
	else if (place == PLACE_TOP && d->keys_n > BARE_MULTISIG_KEYS_MAX)
		why_set(why, ERR_INPUT, "Cannot have %zu pubkeys in bare "
			"multisig; only at most 3 pubkeys", d->keys_n);
	else if (place == PLACE_P2SH && size > SCRIPT_MAX_ELEMENT_BYTES)
		why_set(why, ERR_INPUT, "P2SH script is too large, %zu bytes "
			"is larger than 520 bytes", size);
	else
		return true;
	return false;
}

static bool read_multi(struct descriptor *d, struct piece args,
		       enum desc_place place, struct why *why)
{
	struct piece one;

	if (!next_argument(&one, &args) || !read_threshold(d, one, why))
		return false;
	while (next_argument(&one, &args)) {
		if (d->keys_n > MULTI_A_KEYS_MAX)
			break;
		if (!add_key(d, one, place, why))
			return false;
	}
	return check_multi(d, place, why);
}

static struct descriptor *read_function(const struct chain_params *p,
					struct piece text,
					enum desc_place place,
					struct why *why);

/* Where in the tree the reader stands: one bit a level, set where the right
 * half is under way. */
struct tree_place {
	bool right[DESC_TREE_DEPTH_MAX];
	unsigned depth;
};

static bool tree_enter(struct tree_place *at, struct piece *t,
		       struct why *why)
{
	while (t->n && *t->p == '{') {
		if (at->depth == DESC_TREE_DEPTH_MAX) {
			why_set(why, ERR_INPUT, "tr() supports at most %d "
				"nesting levels", DESC_TREE_DEPTH_MAX);
			return false;
		}
		at->right[at->depth++] = false;
		t->p++;
		t->n--;
	}
	return true;
}

/* After a leaf: out of what it ends, and over the comma.  */
static bool tree_leave(struct tree_place *at, struct piece *t,
		       struct why *why)
{
	char want;

	while (at->depth && at->right[at->depth - 1]) {
		if (!t->n || *t->p != '}')
			goto refused;
		t->p++;
		t->n--;
		at->depth--;
	}
	if (!at->depth)
		return true;
	if (!t->n || *t->p != ',')
		goto refused;
	t->p++;
	t->n--;
	at->right[at->depth - 1] = true;
	return true;
refused:
	want = at->right[at->depth - 1] ? '}' : ',';
	why_set(why, ERR_INPUT, "tr(): expected '%c' after script expression",
		want);
	return false;
}

static bool read_tree(struct descriptor *d, struct piece t, struct why *why)
{
	struct tree_place at = { .depth = 0 };

	do {
		struct piece leaf, rest;
		struct desc_leaf *l;

		if (!tree_enter(&at, &t, why))
			return false;
		rest = t;
		if (!next_argument(&leaf, &rest))
			leaf.n = 0;
		d->leaves = xrealloc(d->leaves, (d->leaves_n + 1) *
						sizeof *d->leaves);
		l = &d->leaves[d->leaves_n++];
		l->depth = at.depth;
		l->d = read_function(d->params, leaf, PLACE_P2TR, why);
		if (!l->d)
			return false;
		t.p += leaf.n;
		t.n -= leaf.n;
		if (!tree_leave(&at, &t, why))
			return false;
	} while (at.depth);
	if (t.n)
		why_set(why, ERR_INPUT, "tr(): unexpected '%.*s' after its "
			"script tree", (int)MIN_OF(t.n, 50u), t.p);
	return t.n == 0;
}

static bool read_tr(struct descriptor *d, struct piece args, struct why *why)
{
	struct piece key;

	return next_argument(&key, &args) &&
	       add_key(d, key, PLACE_P2TR, why) &&
	       (!args.p || read_tree(d, args, why));
}

static bool read_literal(struct descriptor *d, struct piece text,
			 struct why *why)
{
	d->literal = xmemdup(text.n ? text.p : "", text.n + 1);
	d->literal[text.n] = 0;
	if (d->kind == DESC_RAW)
		return hex_append(&d->script, d->literal) ||
		       (why_set(why, ERR_INPUT, "Raw script is not hex"),
			false);
	return address_to_script(&d->script, d->params, d->literal, NULL) ||
	       (why_set(why, ERR_INPUT, "Address is not valid"), false);
}

static bool read_arguments(struct descriptor *d, struct piece args,
			   enum desc_place place, struct why *why)
{
	switch (d->kind) {
	case DESC_PK:
	case DESC_PKH:
	case DESC_COMBO:
		return add_key(d, args, place, why);
	case DESC_WPKH:
		return add_key(d, args, PLACE_P2WPKH, why);
	case DESC_RAWTR:
		return add_key(d, args, PLACE_P2TR, why);
	case DESC_MULTI:
	case DESC_SORTEDMULTI:
	case DESC_MULTI_A:
	case DESC_SORTEDMULTI_A:
		return read_multi(d, args, place, why);
	case DESC_SH:
		d->sub = read_function(d->params, args, PLACE_P2SH, why);
		return d->sub != NULL;
	case DESC_WSH:
		d->sub = read_function(d->params, args, PLACE_P2WSH, why);
		return d->sub != NULL;
	case DESC_TR:
		return read_tr(d, args, why);
	case DESC_ADDR:
	case DESC_RAW:
		return read_literal(d, args, why);
	}
	return false;
}

static void refuse_function(struct why *why, struct piece t,
			    enum desc_place place)
{
	int n = (int)MIN_OF(t.n, 100u);

	if (place == PLACE_P2SH && !memchr(t.n ? t.p : "", '(', t.n))
		why_set(why, ERR_INPUT, "A function is needed within P2SH");
	else if (place == PLACE_P2WSH && !memchr(t.n ? t.p : "", '(', t.n))
		why_set(why, ERR_INPUT, "A function is needed within P2WSH");
	else if (place & (PLACE_P2WSH | PLACE_P2TR))
		why_set(why, ERR_INPUT, "'%.*s' is not a function that this "
			"node knows here (Miniscript is not supported)", n,
			t.p);
	else
		why_set(why, ERR_INPUT, "'%.*s' is not a valid descriptor "
			"function", n, t.p);
}

static struct descriptor *read_function(const struct chain_params *p,
					struct piece text,
					enum desc_place place,
					struct why *why)
{
	struct piece args;
	const struct function *f = function_of(&args, text);
	struct descriptor *d;

	if (!f) {
		refuse_function(why, text, place);
		return NULL;
	}
	if (!(f->places & place)) {
		why_set(why, ERR_INPUT, "%s", f->where);
		return NULL;
	}
	d = xcalloc(1, sizeof *d);
	d->kind = (enum desc_kind)(f - functions);
	d->params = p;
	if (!read_arguments(d, args, place, why)) {
		descriptor_free(d);
		d = NULL;
	}
	return d;
}

/* ---- several paths (BIP389) ---- */

/* Append what the text says where each <a;b;…> stands for its which-th
 * part; *paths: how many parts they have, 1 without any. */
static bool choose_paths(struct bytes *out, size_t *paths, struct piece t,
			 size_t which, struct why *why)
{
	*paths = 1;
	for (size_t i = 0; i < t.n; i++) {
		const char *end;
		size_t parts = 1, from, k;

		if (t.p[i] != '<') {
			bytes_append(out, &t.p[i], 1);
			continue;
		}
		end = memchr(t.p + i, '>', t.n - i);
		if (!end)
			goto refused;
		for (k = from = i + 1; t.p + k < end; k++) {
			if (t.p[k] != ';')
				continue;
			if (parts == which + 1)
				bytes_append(out, t.p + from, k - from);
			from = k + 1;
			parts++;
		}
		if (parts == which + 1)
			bytes_append(out, t.p + from, k - from);
		if (parts < 2 || parts > DESCRIPTOR_PATHS_MAX ||
		    (*paths > 1 && *paths != parts))
			goto refused;
		*paths = parts;
		i = (size_t)(end - t.p);
	}
	return true;
refused:
	why_set(why, ERR_INPUT, "Multipath specifiers need between 2 and %d "
		"paths, and the same number everywhere",
		DESCRIPTOR_PATHS_MAX);
	return false;
}

bool descriptors_read(struct descriptors *out, const struct chain_params *p,
		      const char *text, bool need_checksum, struct why *why)
{
	struct piece payload = { text, 0 };
	struct bytes one = { 0 };
	size_t paths = 1;
	bool ok = true;

	out->n = 0;
	if (!descriptor_seal_check(&payload.n, text, need_checksum, why))
		return false;
	for (size_t i = 0; ok && i < paths; i++) {
		one.n = 0;
		ok = choose_paths(&one, &paths, payload, i, why);
		if (!ok)
			break;
		out->d[i] = read_function(p, (struct piece){
				(const char *)one.p, one.n }, PLACE_TOP, why);
		ok = out->d[i] != NULL;
		out->n += ok;
	}
	if (one.p)
		bytes_wipe(one.p, one.cap);
	bytes_clear(&one);
	if (!ok)
		descriptors_clear(out);
	return ok;
}

/* ---- what it is ---- */

/* The functions below it, without those below them: at most one level of
 * sh() and one of wsh() stand above the rest. */
static bool any_key(const struct descriptor *d,
		    bool (*holds)(const struct desc_key *k))
{
	for (; d; d = d->sub) {
		for (size_t i = 0; i < d->keys_n; i++)
			if (holds(&d->keys[i]))
				return true;
		for (size_t i = 0; i < d->leaves_n; i++)
			for (size_t k = 0; k < d->leaves[i].d->keys_n; k++)
				if (holds(&d->leaves[i].d->keys[k]))
					return true;
	}
	return false;
}

static bool key_is_ranged(const struct desc_key *k)
{
	return k->range != RANGE_NONE;
}

static bool key_is_private(const struct desc_key *k)
{
	return k->is_private;
}

bool descriptor_is_ranged(const struct descriptor *d)
{
	return any_key(d, key_is_ranged);
}

bool descriptor_has_private_keys(const struct descriptor *d)
{
	return any_key(d, key_is_private);
}

bool descriptor_is_solvable(const struct descriptor *d)
{
	return d->kind != DESC_ADDR && d->kind != DESC_RAW;
}

/* ---- shown ---- */

static void str_write(struct bytes *b, const char *s)
{
	bytes_append(b, s, strlen(s));
}

/* name(threshold,keys,literal, without the closing bracket. */
static bool write_head(struct bytes *b, const struct descriptor *d,
		       const uint32_t *index)
{
	str_write(b, desc_kind_name(d->kind));
	str_write(b, "(");
	if (d->threshold) {
		char *s = xasprintf("%u,", d->threshold);

		str_write(b, s);
		free(s);
	}
	for (size_t i = 0; i < d->keys_n; i++) {
		if (i)
			str_write(b, ",");
		if (!desc_key_write(b, &d->keys[i], d->params, index))
			return false;
	}
	if (d->literal)
		str_write(b, d->literal);
	return true;
}

static bool write_tree(struct bytes *b, const struct descriptor *d,
		       const uint32_t *index)
{
	struct tree_place at = { .depth = 0 };

	for (size_t i = 0; i < d->leaves_n; i++) {
		str_write(b, ",");
		while (at.depth < d->leaves[i].depth) {
			str_write(b, "{");
			at.right[at.depth++] = false;
		}
		if (!write_head(b, d->leaves[i].d, index))
			return false;
		str_write(b, ")");
		while (at.depth && at.right[at.depth - 1]) {
			str_write(b, "}");
			at.depth--;
		}
		if (at.depth)
			at.right[at.depth - 1] = true;
	}
	return true;
}

static char *text_new(const struct descriptor *d, const uint32_t *index)
{
	struct bytes b = { 0 };
	size_t open = 0;
	bool ok = true;
	char *sealed;

	for (; ok && d; d = d->sub, open++)
		ok = write_head(&b, d, index) && write_tree(&b, d, index);
	while (open--)
		str_write(&b, ")");
	bytes_append(&b, "", 1);
	sealed = ok ? descriptor_seal((const char *)b.p) : NULL;
	bytes_clear(&b);
	return sealed;
}

char *descriptor_text(const struct descriptor *d)
{
	return text_new(d, NULL);
}

char *descriptor_text_at(const struct descriptor *d, uint32_t index)
{
	return text_new(d, &index);
}
