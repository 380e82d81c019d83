/*
 * Pins in a map by id.
 */
#include "config.h"

#include "tls/pins.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/map.h"

struct pins {
	struct map map;
};

struct entry {
	struct node_id id;
	struct pin pin;
};

/* Keys that people trust are few and not chosen against us. */
static uint64_t id_hash(const void *key, const void *ctx)
{
	uint64_t h;

	(void)ctx;
	memcpy(&h, ((const struct node_id *)key)->key, sizeof h);
	return h;
}

static bool id_is(const void *item, const void *key)
{
	return node_id_eq(&((const struct entry *)item)->id, key);
}

static const void *id_of(const void *item)
{
	return &((const struct entry *)item)->id;
}

static const struct map_type entry_type = { id_hash, id_is, id_of };

struct pins *pins_new(void)
{
	struct pins *p = xcalloc(1, sizeof *p);

	map_init(&p->map, &entry_type, NULL);
	return p;
}

void pins_free(struct pins *p)
{
	struct entry *e;
	size_t pos = 0;

	if (!p)
		return;
	while ((e = map_next(&p->map, &pos)))
		free(e);
	map_clear(&p->map);
	free(p);
}

void pins_set(struct pins *p, const struct node_id *id, enum pin_state state,
	      const char *name)
{
	struct entry *e = map_get(&p->map, id);

	if (state == PIN_UNKNOWN) {
		free(map_take(&p->map, id));
		return;
	}
	if (!e) {
		e = xcalloc(1, sizeof *e);
		e->id = *id;
		map_put(&p->map, e);
	}
	e->pin.state = state;
	snprintf(e->pin.name, sizeof e->pin.name, "%s", name ? name : "");
}

const struct pin *pins_get(const struct pins *p, const struct node_id *id)
{
	static const struct pin unknown = { .state = PIN_UNKNOWN };
	const struct entry *e = map_get(&p->map, id);

	return e ? &e->pin : &unknown;
}

size_t pins_count(const struct pins *p, enum pin_state state)
{
	const struct entry *e;
	size_t pos = 0, n = 0;

	while ((e = map_next(&p->map, &pos)))
		n += e->pin.state == state;
	return n;
}
