/* SPDX-License-Identifier: Apache-2.0 */
/* The pool of addresses: who has which, who had it last, what is given away next. */
#include "netd/addresses.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>

#include "base/fs.h"
#include "base/number.h"
#include "base/vec.h"
#include "netd/aside.h"

/* "xx:xx:xx:xx:xx:xx 255.255.255.255 9223372036854775807\n" for each address of a /16. */
#define LINE_MAX_BYTES 64
#define TEXT_MAX       ((size_t)65536 * LINE_MAX_BYTES)

/* One for each address of the subnet, those that are never given away included. */
struct slot {
	struct mac mac;
	uint32_t uid; /* in use */
	bool known;   /* `mac` has, or had, it */
	bool in_use;
	int64_t last_s; /* when it was taken or released last */
	uint64_t
		turn; /* grows with each use: the order within one second, whatever the clock does */
};

struct holder {
	uint32_t uid;
	size_t n;
};

struct addresses {
	struct subnet subnet;
	size_t n_slots;
	struct slot *slots;
	size_t n_in_use;
	uint64_t turn;
	VEC(struct holder) holders; /* users with addresses in use */
};

struct addresses *addresses_new(const struct subnet *subnet)
{
	struct addresses *addresses = xcalloc(1, sizeof(*addresses));

	assert(subnet->cidr.prefix >= 16 && subnet->cidr.prefix <= 29);
	addresses->subnet = *subnet;
	addresses->n_slots = (size_t)1 << (32 - subnet->cidr.prefix);
	addresses->slots = xcalloc(addresses->n_slots, sizeof(*addresses->slots));
	return addresses;
}

void addresses_free(struct addresses *addresses)
{
	if (!addresses)
		return;
	vec_done(&addresses->holders);
	free(addresses->slots);
	free(addresses);
}

size_t addresses_total(const struct addresses *addresses)
{
	return addresses->n_slots - 3;
}

size_t addresses_in_use(const struct addresses *addresses)
{
	return addresses->n_in_use;
}

static ipv4 address_at(const struct addresses *addresses, size_t i)
{
	return addresses->subnet.cidr.network + (ipv4)i;
}

/* NULL for what is not in the pool. */
static struct slot *slot_of(const struct addresses *addresses, ipv4 address)
{
	const struct subnet *subnet = &addresses->subnet;
	size_t i = address - subnet->cidr.network;

	if (address < subnet->cidr.network || i == 0 || i >= addresses->n_slots - 1 ||
	    address == subnet->gateway)
		return NULL;
	return &addresses->slots[i];
}

static struct holder *holder_of(const struct addresses *addresses, uint32_t uid)
{
	vec_each(&addresses->holders, holder)
		if (holder->uid == uid)
			return holder;
	return NULL;
}

static void hold(struct addresses *addresses, uint32_t uid)
{
	struct holder *holder = holder_of(addresses, uid);

	if (!holder) {
		holder = vec_push(&addresses->holders);
		holder->uid = uid;
	}
	holder->n++;
	addresses->n_in_use++;
}

static void unhold(struct addresses *addresses, uint32_t uid)
{
	struct holder *holder = holder_of(addresses, uid);

	assert(holder && holder->n > 0);
	addresses->n_in_use--;
	if (--holder->n == 0)
		*holder = addresses->holders.v[--addresses->holders.n];
}

static bool may_take(const struct addresses *addresses, uint32_t uid)
{
	size_t total = addresses_total(addresses);
	const struct holder *holder = holder_of(addresses, uid);
	size_t n_users = addresses->holders.n + (holder ? 0 : 1);

	if (uid == 0 || total - addresses->n_in_use > total / 4)
		return true;
	return (holder ? holder->n : 0) < total / n_users;
}

/* Its own of the last time; else one that nobody ever had, the lowest first; else what was unused for longest. */
static struct slot *choose(const struct addresses *addresses, const struct mac *mac)
{
	struct slot *best = NULL;

	for (size_t i = 1; i < addresses->n_slots - 1; i++) {
		struct slot *slot = slot_of(addresses, address_at(addresses, i));

		if (!slot || slot->in_use)
			continue;
		if (slot->known && mac_equal(&slot->mac, mac))
			return slot;
		if (!best || (best->known && (!slot->known || slot->turn < best->turn)))
			best = slot;
	}
	return best;
}

/* A MAC address is remembered for one address only. */
static void forget_elsewhere(struct addresses *addresses, const struct mac *mac,
			     const struct slot *kept)
{
	for (size_t i = 0; i < addresses->n_slots; i++) {
		struct slot *slot = &addresses->slots[i];

		if (slot != kept && !slot->in_use && slot->known && mac_equal(&slot->mac, mac))
			*slot = (struct slot){ .known = false };
	}
}

static void take(struct addresses *addresses, struct slot *slot, const struct mac *mac,
		 uint32_t uid, int64_t now_s)
{
	forget_elsewhere(addresses, mac, slot);
	*slot = (struct slot){ .mac = *mac,
			       .uid = uid,
			       .known = true,
			       .in_use = true,
			       .last_s = now_s,
			       .turn = ++addresses->turn };
	hold(addresses, uid);
}

enum addresses_result addresses_take(struct addresses *addresses, const struct mac *mac,
				     uint32_t uid, int64_t now_s, ipv4 *ret)
{
	struct slot *slot = choose(addresses, mac);

	if (!slot)
		return ADDRESSES_EXHAUSTED;
	if (!may_take(addresses, uid))
		return ADDRESSES_UNFAIR;
	take(addresses, slot, mac, uid, now_s);
	*ret = address_at(addresses, (size_t)(slot - addresses->slots));
	return ADDRESSES_DONE;
}

bool addresses_take_this(struct addresses *addresses, const struct mac *mac, uint32_t uid,
			 int64_t now_s, ipv4 address)
{
	struct slot *slot = slot_of(addresses, address);

	if (!slot || slot->in_use)
		return false;
	take(addresses, slot, mac, uid, now_s);
	return true;
}

void addresses_release(struct addresses *addresses, ipv4 address, int64_t now_s)
{
	struct slot *slot = slot_of(addresses, address);

	if (!slot || !slot->in_use)
		return;
	unhold(addresses, slot->uid);
	slot->in_use = false;
	slot->last_s = now_s;
	slot->turn = ++addresses->turn;
}

static bool parse_line(struct span line, struct mac *ret_mac, ipv4 *ret_address, int64_t *ret_s)
{
	struct span mac;
	struct span address;
	struct span last;
	uint64_t last_s;

	if (!span_next(&line, ' ', &mac) || !span_next(&line, ' ', &address) ||
	    !span_next(&line, ' ', &last) || line.ptr)
		return false;
	if (!mac_parse(mac, ret_mac) || !ipv4_parse(address, ret_address) ||
	    !number_parse_u64(last, INT64_MAX, &last_s))
		return false;
	*ret_s = (int64_t)last_s;
	return true;
}

static int by_turn(const void *a, const void *b)
{
	const struct slot *const *x = a;
	const struct slot *const *y = b;

	return ((*x)->turn > (*y)->turn) - ((*x)->turn < (*y)->turn);
}

static int by_mac_and_turn(const void *a, const void *b)
{
	const struct slot *const *x = a;
	const struct slot *const *y = b;
	int order = memcmp(&(*x)->mac, &(*y)->mac, sizeof((*x)->mac));

	return order != 0 ? order : by_turn(a, b);
}

typedef VEC(struct slot *) slot_list;

static void list_known(const struct addresses *addresses, slot_list *ret)
{
	for (size_t i = 0; i < addresses->n_slots; i++)
		if (addresses->slots[i].known)
			*vec_push(ret) = &addresses->slots[i];
}

/* Of several addresses of one MAC address the last counts. At once, since a file may hold many: false if there were any. */
static bool forget_doubles(struct addresses *addresses)
{
	slot_list known = { 0 };
	bool whole = true;

	list_known(addresses, &known);
	if (known.n > 0)
		qsort(known.v, known.n, sizeof(*known.v), by_mac_and_turn);
	for (size_t i = 1; i < known.n; i++) {
		if (!mac_equal(&known.v[i - 1]->mac, &known.v[i]->mac))
			continue;
		whole = false;
		if (!known.v[i - 1]->in_use)
			*known.v[i - 1] = (struct slot){ .known = false };
	}
	vec_done(&known);
	return whole;
}

/* Lines are in the order of their last use. */
bool addresses_parse(struct span text, struct addresses *addresses)
{
	struct span line;
	bool whole = true;

	while (span_next(&text, '\n', &line)) {
		struct mac mac;
		struct slot *slot;
		ipv4 address;
		int64_t last_s;

		if (line.len == 0 && !text.ptr)
			break;
		if (!parse_line(line, &mac, &address, &last_s) ||
		    !(slot = slot_of(addresses, address)) || slot->in_use) {
			whole = false;
			continue;
		}
		if (slot->known)
			whole = false;
		*slot = (struct slot){
			.mac = mac, .known = true, .last_s = last_s, .turn = ++addresses->turn
		};
	}
	return forget_doubles(addresses) && whole;
}

void addresses_print(const struct addresses *addresses, struct str *out)
{
	slot_list known = { 0 };

	list_known(addresses, &known);
	if (known.n > 0)
		qsort(known.v, known.n, sizeof(*known.v), by_turn);
	vec_each(&known, slot) {
		char mac[MAC_TEXT_SIZE];
		char address[IPV4_TEXT_SIZE];

		mac_print(&(*slot)->mac, mac);
		ipv4_print(address_at(addresses, (size_t)(*slot - addresses->slots)), address);
		str_addf(out, "%s %s %" PRId64 "\n", mac, address, (*slot)->last_s);
	}
	vec_done(&known);
}

bool addresses_load(struct addresses *addresses, int state_dirfd, struct err *err)
{
	CLEANUP_STR struct str text = { 0 };

	if (!fs_read_file(state_dirfd, ADDRESSES_FILE, TEXT_MAX, &text, err)) {
		if (err->sys != ENOENT)
			return false;
		err_clear(err);
		return true;
	}
	/* What is damaged costs a VM its usual address, no more. */
	(void)addresses_parse(str_span(&text), addresses);
	return true;
}

bool addresses_store(const struct addresses *addresses, int state_dirfd, struct err *err)
{
	CLEANUP_STR struct str text = { 0 };

	addresses_print(addresses, &text);
	return aside_replace(state_dirfd, ADDRESSES_FILE, str_span(&text), 0600, err);
}
