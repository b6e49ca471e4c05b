/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables `inet tart` and `arp tart` over their life.
 *
 *	made	by libnftables from the text of rules_text.h, while nobody owns them. Where the kernel can, they are
 *		declared as persistent before and claimed by our own netlink socket after: from then on nobody else can
 *		change them, a foreign flush passes them by, and they outlive this process.
 *	used	through that socket alone, with the messages of rules_batch.h.
 *	adopted	by another process: the kernel takes the owner from a table whose owner's socket is closed. It is ours if it
 *		has the marker of our text.
 *
 * While tables are being replaced, others stop all guests (rules_text_hold): there is no moment without rules.
 */
#include "netd/rules.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/netfilter/nf_tables.h>

#include "base/attrs.h"
#include "base/mem.h"
#include "netd/rules_batch.h"
#include "netd/rules_kernel.h"
#include "netd/rules_socket.h"
#include "netd/rules_text.h"

struct rules {
	struct rules_options options;
	struct rules_socket socket;
	struct rules_kernel *kernel;
	struct str text;
	char marker[RULES_MARKER_SIZE];
	bool persistent;
	int watch_fd;
};

static void rules_free(struct rules **slot)
{
	struct rules *rules = *slot;

	if (!rules)
		return;
	rules_socket_close(&rules->socket);
	if (rules->watch_fd >= 0)
		(void)close(rules->watch_fd);
	rules_kernel_free(rules->kernel);
	str_done(&rules->text);
	free(rules);
}

/* One of our tables as the kernel has it. */
struct table {
	bool found, marked;
	uint32_t flags, owner;
};

enum { ASK_TABLE = 1, ASK_TABLE_ARP, ASK_MARKER, ASK_MARKER_ARP, ASKED = ASK_MARKER_ARP };

static void on_table(void *ctx, uint32_t seq, struct span attrs)
{
	struct table *tables = ctx;
	struct table *table = &tables[seq == ASK_TABLE_ARP || seq == ASK_MARKER_ARP];

	if (seq == ASK_MARKER || seq == ASK_MARKER_ARP) {
		table->marked = true;
		return;
	}
	table->found = true;
	table->flags = rules_attr_u32(attrs, NFTA_TABLE_FLAGS);
	table->owner = rules_attr_u32(attrs, NFTA_TABLE_OWNER);
}

/* inet, arp */
static bool look(const struct rules *rules, struct table ret[2], struct err *err)
{
	CLEANUP_STR struct str questions = { 0 };

	memset(ret, 0, 2 * sizeof(*ret));
	rules_ask_table(&questions, ASK_TABLE, false);
	rules_ask_table(&questions, ASK_TABLE_ARP, true);
	rules_ask_chain(&questions, ASK_MARKER, false, rules->marker);
	rules_ask_chain(&questions, ASK_MARKER_ARP, true, rules->marker);
	return rules_socket_ask(&rules->socket, &questions, ASKED, on_table, ret, err);
}

static bool refused(const struct rules_refusal *why, struct err *err)
{
	if (why->errnum == EPERM)
		return err_sys(
			err, why->errnum,
			"packet filter: CAP_NET_ADMIN is missing, or its tables belong to another process");
	if (why->errnum == EOPNOTSUPP && !why->step.what)
		return err_set(err, ERR_GENERAL, "this kernel has no nf_tables (NF_TABLES)");
	return err_sys(err, why->errnum, "packet filter: %s",
		       why->step.what ? why->step.what : "transaction");
}

static bool commit(const struct rules *rules, struct rules_batch *batch, struct err *err)
{
	struct rules_refusal why;

	return rules_socket_commit(&rules->socket, batch, &why) || refused(&why, err);
}

static struct span line_of(struct span text, size_t number)
{
	struct span line = span_make(NULL, 0);

	while (number-- > 0)
		if (!span_next(&text, '\n', &line))
			return span_make(NULL, 0);
	return line;
}

/* Rules that the kernel refuses are ones of which it lacks a part. */
static bool run(const struct rules *rules, const struct str *commands, struct err *err)
{
	size_t line = 0;
	const char *need;

	if (rules_kernel_run(rules->kernel, str_text(commands), &line, err))
		return true;
	need = rules_text_need(line_of(str_span(commands), line));
	if (need)
		return err_context(err, "this kernel may lack %s", need);
	return false;
}

static bool run_text(const struct rules *rules, const char *commands, struct err *err)
{
	return rules_kernel_run(rules->kernel, commands, NULL, err);
}

/* The whole text, and the marker as part of the same transaction. */
static void print_all(const struct rules *rules, struct str *out)
{
	str_add_span(out, str_span(&rules->text));
	str_addf(out, "add chain inet %s %s\nadd chain arp %s %s\n", RULES_TABLE, rules->marker,
		 RULES_TABLE, rules->marker);
}

static bool make_plain(struct rules *rules, struct err *err)
{
	CLEANUP_STR struct str commands = { 0 };

	str_add(&commands, rules_text_replace);
	print_all(rules, &commands);
	return run(rules, &commands, err);
}

static void delete_found(struct rules_batch *batch, const struct table tables[2])
{
	if (tables[0].found)
		rules_batch_delete_table(batch, false);
	if (tables[1].found)
		rules_batch_delete_table(batch, true);
}

static bool delete_tables(const struct rules *rules, struct err *err)
{
	CLEANUP(rules_batch_done) struct rules_batch batch = { 0 };
	struct table tables[2];

	if (!look(rules, tables, err))
		return false;
	if (!tables[0].found && !tables[1].found)
		return true;
	rules_batch_begin(&batch);
	delete_found(&batch, tables);
	return commit(rules, &batch, err);
}

static bool claim(const struct rules *rules, struct err *err)
{
	CLEANUP(rules_batch_done) struct rules_batch batch = { 0 };

	rules_batch_begin(&batch);
	rules_batch_claim_tables(&batch, RULES_OWNER | RULES_PERSIST);
	return commit(rules, &batch, err);
}

/* Empty ones in the place of those found. */
static bool declare_persistent(const struct rules *rules, const struct table tables[2],
			       struct err *err)
{
	CLEANUP(rules_batch_done) struct rules_batch batch = { 0 };

	rules_batch_begin(&batch);
	delete_found(&batch, tables);
	rules_batch_create_tables(&batch, RULES_PERSIST);
	return commit(rules, &batch, err);
}

static bool fill_and_claim(const struct rules *rules, struct err *err)
{
	CLEANUP_STR struct str commands = { 0 };
	struct err ignored = { 0 };

	print_all(rules, &commands);
	if (run(rules, &commands, err) && claim(rules, err))
		return true;
	(void)delete_tables(rules, &ignored);
	return false;
}

static bool make_persistent(struct rules *rules, const struct table tables[2], struct err *err)
{
	struct err ignored = { 0 };
	bool ok;

	if (!run_text(rules, rules_text_hold, err))
		return false;
	ok = declare_persistent(rules, tables, err) && fill_and_claim(rules, err);
	return run_text(rules, rules_text_release, ok ? err : &ignored) && ok;
}

/* Whether this kernel knows the flag: tables of another name, gone again with the same transaction. */
static bool can_persist(const struct rules *rules)
{
	CLEANUP(rules_batch_done) struct rules_batch batch = { 0 };
	struct rules_refusal why;

	if (rules->options.never_persist)
		return false;
	rules_batch_begin(&batch);
	rules_batch_try_flags(&batch, RULES_PERSIST);
	return rules_socket_commit(&rules->socket, &batch, &why);
}

static bool make(struct rules *rules, const struct table tables[2], struct err *err)
{
	return rules->persistent ? make_persistent(rules, tables, err) : make_plain(rules, err);
}

static bool check_owner(const struct table tables[2], struct err *err)
{
	for (int i = 0; i < 2; i++)
		if (tables[i].flags & RULES_OWNER)
			return err_set(
				err, ERR_GENERAL,
				"the table '%s %s' belongs to another process (netlink port %" PRIu32
				"): is another tart-netd running?",
				i ? "arp" : "inet", RULES_TABLE, tables[i].owner);
	return true;
}

static bool is_ours(const struct rules *rules, const struct table tables[2])
{
	uint32_t flags = rules->persistent ? RULES_PERSIST : 0;

	return tables[0].marked && tables[1].marked && tables[0].flags == flags &&
	       tables[1].flags == flags;
}

static bool make_or_adopt(struct rules *rules, enum rules_found *ret_found, struct err *err)
{
	struct table tables[2];

	if (!look(rules, tables, err) || !check_owner(tables, err))
		return false;
	rules->persistent = can_persist(rules);
	*ret_found = is_ours(rules, tables) ? RULES_ADOPTED : RULES_NEW;
	if (*ret_found == RULES_NEW)
		return make(rules, tables, err);
	/* Left by one that died in between, perhaps. */
	if (!run_text(rules, rules_text_release, err))
		return false;
	return !rules->persistent || claim(rules, err);
}

bool rules_open(const struct rules_options *options, struct rules **ret,
		enum rules_found *ret_found, struct err *err)
{
	CLEANUP(rules_free) struct rules *rules = xcalloc(1, sizeof(*rules));
	enum rules_found found;

	rules->options = *options;
	rules->watch_fd = -1;
	rules->socket.fd = -1;
	rules_text(options, &rules->text);
	rules_text_marker(str_span(&rules->text), rules->marker);
	if (!rules_socket_open(&rules->socket, err))
		return false;
	rules->kernel = rules_kernel_new();
	if (!rules->kernel)
		return err_set(err, ERR_GENERAL, "cannot set up libnftables");
	if (!make_or_adopt(rules, &found, err))
		return false;
	if (!rules->persistent && !rules_socket_watch(&rules->watch_fd, err))
		return false;
	*ret = TAKE_PTR(rules);
	*ret_found = found;
	return true;
}

void rules_close(struct rules *rules, bool keep)
{
	struct err ignored = { 0 };

	if (rules && !keep)
		(void)delete_tables(rules, &ignored);
	rules_free(&rules);
}

bool rules_are_persistent(const struct rules *rules)
{
	return rules->persistent;
}

/* What bears a TAP's name, as elements to be deleted. */
struct found_elements {
	const struct rules_key *tap;
	struct rules_batch *batch;
	enum rules_set set;
	VEC(ipv4) addresses; /* its own: exposed ports lead there */
	bool has_own;
};

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
		memcpy(vec_push(&found->addresses), key.ptr + key.len - sizeof(ipv4), sizeof(ipv4));
}

static void on_exposed_element(void *ctx, struct span key, struct span data, struct span attrs)
{
	struct found_elements *found = ctx;

	(void)attrs;
	vec_each(&found->addresses, address)
		if (data.len >= sizeof(*address) &&
		    memcmp(data.ptr, address, sizeof(*address)) == 0)
			rules_batch_delete_element(found->batch, found->set, key);
}

static void on_set(void *ctx, uint32_t seq, struct span attrs)
{
	struct found_elements *found = ctx;

	(void)seq;
	rules_each_element(
		attrs, found->set == RULES_EXPOSE ? on_exposed_element : on_keyed_element, found);
}

static void on_own_chain(void *ctx, uint32_t seq, struct span attrs)
{
	struct found_elements *found = ctx;

	(void)seq;
	(void)attrs;
	found->has_own = true;
}

/* Sets whose keys are more than the name are read as a whole. */
static bool find_in_set(const struct rules *rules, struct found_elements *found, enum rules_set set,
			struct err *err)
{
	CLEANUP_STR struct str question = { 0 };

	found->set = set;
	if (set == RULES_VM_ID || set == RULES_VM_ARP || set == RULES_EXPOSE)
		rules_ask_all_elements(&question, 1, set);
	else
		rules_ask_element(&question, 1, set, span_make(found->tap->bytes, found->tap->len));
	return rules_socket_ask(&rules->socket, &question, 1, on_set, found, err);
}

/* Addresses are known before exposed ports are looked at: RULES_VM_ID is the first of all. */
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

static bool put_forget(const struct rules *rules, struct rules_batch *batch, const char *tap,
		       struct err *err)
{
	const struct rules_key key = rules_key_of_tap(tap);
	struct found_elements found = { .tap = &key, .batch = batch };
	bool ok = find_all(rules, tap, &found, err);

	vec_done(&found.addresses);
	return ok;
}

bool rules_forget(struct rules *rules, const char *tap, struct err *err)
{
	CLEANUP(rules_batch_done) struct rules_batch batch = { 0 };

	rules_batch_begin(&batch);
	if (!put_forget(rules, &batch, tap, err))
		return false;
	return batch.steps.n == 0 || commit(rules, &batch, err);
}

static bool refused_vm(const struct rules_refusal *why, const struct nic *nic, struct err *err)
{
	if (why->step.port != 0 && (why->errnum == EEXIST || why->errnum == EBUSY))
		return err_set(err, ERR_GENERAL, "port %u is exposed by another VM already",
			       why->step.port);
	(void)refused(why, err);
	return err_context(err, "'%s'", nic->tap);
}

/* Whatever bears its name goes, and it comes, in one transaction. */
static bool replace_vm(struct rules *rules, const struct nic *nic, struct err *err)
{
	CLEANUP(rules_batch_done) struct rules_batch batch = { 0 };
	struct rules_refusal why;

	rules_batch_begin(&batch);
	if (!put_forget(rules, &batch, nic->tap, err))
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
