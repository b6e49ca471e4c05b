/* SPDX-License-Identifier: Apache-2.0 */
/* VMs in the tables: coming, changing, going, and what they have counted. */
#include <arpa/inet.h>
#include <errno.h>

#include "netd/rules_private.h"

/* What bears a TAP's name, as elements to be deleted. */
struct found_elements {
	const struct rules_key *tap;
	struct rules_batch *batch;
	enum rules_set set;
	VEC(ipv4) addresses; /* its own, as packets have them; exposed ports lead there */
	bool has_own;
};

static void add_address(struct found_elements *found, struct span bytes)
{
	ipv4 address;

	memcpy(&address, bytes.ptr, sizeof(address));
	vec_each(&found->addresses, known)
		if (*known == address)
			return;
	*vec_push(&found->addresses) = address;
}

static bool is_own_address(const struct found_elements *found, struct span bytes)
{
	vec_each(&found->addresses, address)
		if (bytes.len >= sizeof(*address) &&
		    memcmp(bytes.ptr, address, sizeof(*address)) == 0)
			return true;
	return false;
}

static void on_keyed_element(void *ctx, struct span key, struct span data, struct span attrs)
{
	struct found_elements *found = ctx;
	const struct rules_key *tap = found->tap;

	(void)data;
	(void)attrs;
	if (key.len < tap->len ||
	    !span_equal(span_first(key, tap->len), span_make(tap->bytes, tap->len)))
		return;
	rules_batch_delete_element(found->batch, found->set, key);
	if (found->set == RULES_VM_ID && key.len >= tap->len + sizeof(ipv4))
		add_address(found, span_from(key, key.len - sizeof(ipv4)));
}

static void on_exposed_element(void *ctx, struct span key, struct span data, struct span attrs)
{
	struct found_elements *found = ctx;

	(void)attrs;
	if (is_own_address(found, data))
		rules_batch_delete_element(found->batch, found->set, key);
}

static void on_address_element(void *ctx, struct span key, struct span data, struct span attrs)
{
	struct found_elements *found = ctx;

	(void)data;
	(void)attrs;
	if (is_own_address(found, key))
		rules_batch_delete_element(found->batch, found->set, key);
}

static void on_set(void *ctx, const struct rules_answer *answer)
{
	struct found_elements *found = ctx;

	rules_each_element(answer->attrs,
			   found->set == RULES_EXPOSE                     ? on_exposed_element :
			   found->set == rules_counter_set(NETD_C_FORGED) ? on_address_element :
									    on_keyed_element,
			   found);
}

static void on_own_chain(void *ctx, const struct rules_answer *answer)
{
	struct found_elements *found = ctx;

	(void)answer;
	found->has_own = true;
}

/* Sets whose keys are not the name alone are read as a whole. */
static bool find_in_set(const struct rules *rules, struct found_elements *found, enum rules_set set,
			struct err *err)
{
	CLEANUP_STR struct str question = { 0 };

	found->set = set;
	if (set == RULES_VM_ID || set == RULES_VM_ARP || set == RULES_EXPOSE ||
	    set == rules_counter_set(NETD_C_FORGED))
		rules_ask_all_elements(&question, 1, set);
	else
		rules_ask_element(&question, 1, set, span_make(found->tap->bytes, found->tap->len));
	return rules_socket_ask(&rules->socket, &question, 1, on_set, found, err);
}

/* Addresses are known before what they lead to is looked at: RULES_VM_ID is the first of all. */
static bool find_all(const struct rules *rules, const char *tap, struct found_elements *found,
		     struct err *err)
{
	CLEANUP_STR struct str question = { 0 };
	char chain[RULES_OWN_SIZE];

	for (int set = 0; set < RULES_SETS; set++)
		if (!find_in_set(rules, found, (enum rules_set)set, err))
			return false;
	rules_own_name('f', tap, chain);
	rules_ask_chain(&question, 1, false, chain);
	if (!rules_socket_ask(&rules->socket, &question, 1, on_own_chain, found, err))
		return false;
	if (found->has_own)
		rules_batch_delete_own(found->batch, tap);
	return true;
}

/* `address`: what else has it is forgotten, too, since it is to be this one's alone; 0 = none. */
static bool put_forget(const struct rules *rules, struct rules_batch *batch, const char *tap,
		       ipv4 address, struct err *err)
{
	const struct rules_key key = rules_key_of_tap(tap);
	struct found_elements found = { .tap = &key, .batch = batch };
	ipv4 be = htonl(address);
	bool ok;

	if (address != 0)
		*vec_push(&found.addresses) = be;
	ok = find_all(rules, tap, &found, err);
	vec_done(&found.addresses);
	return ok;
}

bool rules_forget(struct rules *rules, const char *tap, struct err *err)
{
	CLEANUP(rules_batch_done) struct rules_batch batch = { 0 };

	rules_batch_begin(&batch);
	if (!put_forget(rules, &batch, tap, 0, err))
		return false;
	return batch.steps.n == 0 || rules_commit(rules, &batch, err);
}

static bool refused_vm(const struct rules_refusal *why, const struct nic *nic, struct err *err)
{
	if (why->step.port != 0 && (why->errnum == EEXIST || why->errnum == EBUSY))
		return err_set(err, ERR_GENERAL, "port %u is exposed by another VM already",
			       why->step.port);
	(void)rules_refused(why, err);
	return err_context(err, "'%s'", nic->tap);
}

/* Whatever bears its name goes, and it comes, in one transaction. */
static bool replace_vm(struct rules *rules, const struct nic *nic, struct err *err)
{
	CLEANUP(rules_batch_done) struct rules_batch batch = { 0 };
	struct rules_refusal why;

	rules_batch_begin(&batch);
	if (!put_forget(rules, &batch, nic->tap, nic->address, err))
		return false;
	rules_batch_add_vm(&batch, nic, rules->options.subnet.gateway);
	return rules_socket_commit(&rules->socket, &batch, &why) || refused_vm(&why, nic, err);
}

bool rules_add(struct rules *rules, const struct nic *nic, struct err *err)
{
	CLEANUP(rules_batch_done) struct rules_batch batch = { 0 };
	struct rules_refusal why;

	rules_batch_begin(&batch);
	rules_batch_add_vm(&batch, nic, rules->options.subnet.gateway);
	if (rules_socket_commit(&rules->socket, &batch, &why))
		return true;
	if (why.errnum == EEXIST || why.errnum == EBUSY)
		return replace_vm(rules, nic, err);
	return refused_vm(&why, nic, err);
}

bool rules_remove(struct rules *rules, const struct nic *nic, struct err *err)
{
	CLEANUP(rules_batch_done) struct rules_batch batch = { 0 };
	struct rules_refusal why;

	rules_batch_begin(&batch);
	rules_batch_remove_vm(&batch, nic);
	if (rules_socket_commit(&rules->socket, &batch, &why))
		return true;
	if (why.errnum == ENOENT || why.errnum == EBUSY)
		return rules_forget(rules, nic->tap, err);
	return refused_vm(&why, nic, err);
}

/* One that is not quite as `was` says becomes as `now` says all the same; what it has counted is lost then. */
bool rules_change(struct rules *rules, const struct nic *was, const struct nic *now,
		  struct err *err)
{
	CLEANUP(rules_batch_done) struct rules_batch batch = { 0 };
	struct rules_refusal why;

	rules_batch_begin(&batch);
	rules_batch_change_vm(&batch, was, now, rules->options.subnet.gateway);
	if (rules_socket_commit(&rules->socket, &batch, &why))
		return true;
	if (why.errnum == EEXIST || why.errnum == EBUSY || why.errnum == ENOENT)
		return replace_vm(rules, now, err);
	return refused_vm(&why, now, err);
}

static void on_counted_element(void *ctx, struct span key, struct span data, struct span attrs)
{
	struct netd_count *count = ctx;

	(void)key;
	(void)data;
	*count = rules_element_count(attrs);
}

static void on_counter(void *ctx, const struct rules_answer *answer)
{
	struct netd_count *counts = ctx;

	if (answer->seq >= 1 && answer->seq <= NETD_COUNTERS)
		rules_each_element(answer->attrs, on_counted_element, &counts[answer->seq - 1]);
}

bool rules_count(struct rules *rules, const struct nic *nic, struct netd_count ret[NETD_COUNTERS],
		 struct err *err)
{
	CLEANUP_STR struct str questions = { 0 };
	struct netd_count counts[NETD_COUNTERS] = { 0 };

	for (int i = 0; i < NETD_COUNTERS; i++) {
		const struct rules_key key = rules_key_of_counter(i, nic);

		rules_ask_element(&questions, (uint32_t)i + 1, rules_counter_set(i),
				  span_make(key.bytes, key.len));
	}
	if (!rules_socket_ask(&rules->socket, &questions, NETD_COUNTERS, on_counter, counts, err))
		return false;
	memcpy(ret, counts, sizeof(counts));
	return true;
}

void tap_names_done(tap_names *names)
{
	vec_each(names, name)
		free(*name);
	vec_done(names);
}

static int compare_names(const void *a, const void *b)
{
	const char *const *x = a;
	const char *const *y = b;

	return strcmp(*x, *y);
}

/* Names are the kernel's word, but not all of them need be ours: tables without an owner are open to all. */
static void on_id(void *ctx, struct span key, struct span data, struct span attrs)
{
	tap_names *names = ctx;
	char name[RULES_IFNAME_SIZE + 1] = { 0 };

	(void)data;
	(void)attrs;
	memcpy(name, key.ptr, key.len < RULES_IFNAME_SIZE ? key.len : RULES_IFNAME_SIZE);
	if (netd_is_tap_name(name))
		*vec_push(names) = xstrdup(name);
}

static void on_ids(void *ctx, const struct rules_answer *answer)
{
	rules_each_element(answer->attrs, on_id, ctx);
}

/* Sorted, each once: an interrupted dump tells some twice. */
static void tidy(tap_names *names)
{
	size_t kept = 0;

	if (names->n > 0)
		qsort(names->v, names->n, sizeof(*names->v), compare_names);
	for (size_t i = 0; i < names->n; i++) {
		if (kept > 0 && strcmp(names->v[kept - 1], names->v[i]) == 0)
			free(names->v[i]);
		else
			names->v[kept++] = names->v[i];
	}
	names->n = kept;
}

bool rules_registered(struct rules *rules, tap_names *ret, struct err *err)
{
	CLEANUP_STR struct str question = { 0 };
	CLEANUP(tap_names_done) tap_names names = { 0 };

	rules_ask_all_elements(&question, 1, RULES_VM_ID);
	if (!rules_socket_ask(&rules->socket, &question, 1, on_ids, &names, err))
		return false;
	tidy(&names);
	*ret = names;
	names = (tap_names){ 0 };
	return true;
}
