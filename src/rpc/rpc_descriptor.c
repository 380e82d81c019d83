/*
 * Methods about output descriptors.
 */
#include "config.h"

#include <stdlib.h>

#include "address/address.h"
#include "address/descriptor.h"
#include "address/descriptor_text.h"
#include "rpc/rpc_range.h"

/* Derived on the loop's thread, some fifty microseconds each. */
#define DERIVE_MAX 2000

bool rpc_range_read(struct rpc_call *call, struct rpc_range *out,
		    struct json_object *o, int64_t most)
{
	int64_t begin = 0, end;

	if (json_object_is_type(o, json_type_int)) {
		end = json_object_get_int64(o);
	} else if (json_object_is_type(o, json_type_array) &&
		   json_object_array_length(o) == 2) {
		begin = json_object_get_int64(
				json_object_array_get_idx(o, 0));
		end = json_object_get_int64(json_object_array_get_idx(o, 1));
		if (begin > end) {
			rpc_fail(call, RPC_INVALID_PARAMETER, "Range "
				 "specified as [begin,end] must not have "
				 "begin after end");
			return false;
		}
	} else {
		rpc_fail(call, RPC_INVALID_PARAMETER, "Range must be "
			 "specified as end or as [begin,end]");
		return false;
	}
	if (begin < 0 || end < 0)
		rpc_fail(call, RPC_INVALID_PARAMETER, "Range should be "
			 "greater or equal than 0");
	else if (end > 0x7fffffff)
		rpc_fail(call, RPC_INVALID_PARAMETER, "End of range is too "
			 "high");
	else if (end - begin >= most)
		rpc_fail(call, RPC_INVALID_PARAMETER, "Range is too large");
	else {
		*out = (struct rpc_range){ (uint32_t)begin, (uint32_t)end };
		return true;
	}
	return false;
}

static struct json_object *text_json(char *text TAKES)
{
	struct json_object *o = json_object_new_string(text);

	free(text);
	return o;
}

static void getdescriptorinfo(struct rpc_call *call)
{
	char sum[DESCRIPTOR_CHECKSUM_CHARS + 1];
	struct descriptors all;
	struct json_object *o, *list;
	const char *text = "";
	struct why why = { 0 };

	if (!rpc_arg_str(call, 0, &text))
		return;
	if (!descriptors_read(&all, call->params, text, false, &why)) {
		rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "%s", why.text);
		return;
	}
	CHECK(descriptor_checksum(sum, text, strcspn(text, "#")));
	o = call->result = json_object_new_object();
	json_add(o, "descriptor", text_json(descriptor_text(all.d[0])));
	if (all.n > 1) {
		list = json_object_new_array();
		for (size_t i = 0; i < all.n; i++)
			json_object_array_add(list, text_json(
					descriptor_text(all.d[i])));
		json_add(o, "multipath_expansion", list);
	}
	json_add_str(o, "checksum", sum);
	json_add_bool(o, "isrange", descriptor_is_ranged(all.d[0]));
	json_add_bool(o, "issolvable", descriptor_is_solvable(all.d[0]));
	json_add_bool(o, "hasprivatekeys",
		      descriptor_has_private_keys(all.d[0]));
	descriptors_clear(&all);
}

/* Add the addresses at one index; false: the call has its error. */
static bool add_addresses(struct rpc_call *call, struct json_object *list,
			  const struct descriptor *d, uint32_t index)
{
	struct descriptor_scripts s;
	char text[ADDRESS_MAX_CHARS];
	bool ok = true;

	if (!descriptor_scripts(&s, d, index)) {
		rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "Cannot derive "
			 "script without private keys");
		return false;
	}
	for (size_t i = 0; ok && i < s.n; i++) {
		/* The first of combo() has no address. */
		if (s.n > 1 && i == 0)
			continue;
		ok = address_of_script(text, call->params,
				       bytes_span(&s.s[i]));
		if (ok)
			json_object_array_add(list,
					      json_object_new_string(text));
		else
			rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY,
				 "Descriptor does not have a corresponding "
				 "address");
	}
	descriptor_scripts_clear(&s);
	return ok;
}

static struct json_object *addresses_json(struct rpc_call *call,
					  const struct descriptor *d,
					  const struct rpc_range *r)
{
	struct json_object *list = json_object_new_array();

	for (uint32_t i = r->begin; i <= r->end; i++) {
		if (!add_addresses(call, list, d, i)) {
			json_object_put(list);
			return NULL;
		}
	}
	return list;
}

/* The range argument must be there if, and only if, there is one to fill. */
static bool derive_range(struct rpc_call *call, struct rpc_range *out,
			 const struct descriptor *d)
{
	*out = (struct rpc_range){ 0, 0 };
	if (!rpc_has_arg(call, 1)) {
		if (!descriptor_is_ranged(d))
			return true;
		rpc_fail(call, RPC_INVALID_PARAMETER, "Range must be "
			 "specified for a ranged descriptor");
		return false;
	}
	if (!descriptor_is_ranged(d)) {
		rpc_fail(call, RPC_INVALID_PARAMETER, "Range should not be "
			 "specified for an un-ranged descriptor");
		return false;
	}
	return rpc_range_read(call, out, rpc_arg(call, 1), DERIVE_MAX);
}

static void deriveaddresses(struct rpc_call *call)
{
	struct json_object *lists, *one = NULL;
	struct descriptors all;
	struct rpc_range range;
	const char *text = "";
	struct why why = { 0 };

	if (!rpc_arg_str(call, 0, &text))
		return;
	if (!descriptors_read(&all, call->params, text, true, &why)) {
		rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "%s", why.text);
		return;
	}
	lists = json_object_new_array();
	if (derive_range(call, &range, all.d[0])) {
		for (size_t i = 0; i < all.n; i++) {
			one = addresses_json(call, all.d[i], &range);
			if (!one)
				break;
			json_object_array_add(lists, one);
		}
	}
	if (one)
		call->result = json_object_get(all.n > 1 ? lists : one);
	json_object_put(lists);
	descriptors_clear(&all);
}

static const struct rpc_method methods[] = {
	{ .name = "getdescriptorinfo", .category = "Util",
	  .run = getdescriptorinfo,
	  .help = "A descriptor without its private keys, with its checksum, "
		  "and what it is.  Miniscript is not supported.",
	  .args = { { "descriptor", RPC_STR, true, "The descriptor" } } },
	{ .name = "deriveaddresses", .category = "Util",
	  .run = deriveaddresses,
	  .help = "The addresses that a descriptor gives, at most 2000 a "
		  "call; a list of lists where it has several paths.",
	  .args = { { "descriptor", RPC_STR, true,
		      "The descriptor, with its checksum" },
		    { "range", RPC_ANY, false,
		      "The end, or [begin,end], for a ranged one" } } },
};

struct rpc_methods rpc_methods_descriptor(void)
{
	return (struct rpc_methods){ methods, ARRAY_SIZE(methods) };
}
