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
#include "netd/rules_foreign.h"
#include "netd/rules_private.h"

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

bool rules_refused(const struct rules_refusal *why, struct err *err)
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

bool rules_commit(const struct rules *rules, struct rules_batch *batch, struct err *err)
{
	struct rules_refusal why;

	return rules_socket_commit(&rules->socket, batch, &why) || rules_refused(&why, err);
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
	return rules_commit(rules, &batch, err);
}

static bool claim(const struct rules *rules, struct err *err)
{
	CLEANUP(rules_batch_done) struct rules_batch batch = { 0 };

	rules_batch_begin(&batch);
	rules_batch_claim_tables(&batch, RULES_OWNER | RULES_PERSIST);
	return rules_commit(rules, &batch, err);
}

/* Empty ones in the place of those found. */
static bool declare(const struct rules *rules, const struct table tables[2], struct err *err)
{
	CLEANUP(rules_batch_done) struct rules_batch batch = { 0 };

	rules_batch_begin(&batch);
	delete_found(&batch, tables);
	rules_batch_create_tables(&batch, rules->persistent ? RULES_PERSIST : 0);
	return rules_commit(rules, &batch, err);
}

static bool fill(const struct rules *rules, struct err *err)
{
	CLEANUP_STR struct str commands = { 0 };

	print_all(rules, &commands);
	return run(rules, &commands, err);
}

/*
 * In the place of those found. When it fails with guests that may be running, these stay stopped: better cut off than
 * unfiltered.
 */
static bool make(const struct rules *rules, const struct table tables[2], struct err *err)
{
	struct err ignored = { 0 };

	if (!run_text(rules, rules_text_hold, err))
		return false;
	if (declare(rules, tables, err) && fill(rules, err) &&
	    (!rules->persistent || claim(rules, err)))
		return run_text(rules, rules_text_release, err);
	(void)delete_tables(rules, &ignored);
	if (!tables[0].found && !tables[1].found)
		(void)run_text(rules, rules_text_release, &ignored);
	return false;
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

/* What rules there are in one of our tables. */
struct rule_count {
	size_t fixed; /* without those of VMs with lists */
};

static void on_rule(void *ctx, uint32_t seq, struct span attrs)
{
	struct rule_count *count = ctx;
	struct span chain = rules_attr(attrs, NFTA_RULE_CHAIN);

	(void)seq;
	if (!rules_is_own_name(chain))
		count->fixed++;
}

/* Tables that others can change may have lost their rules alone (`nft flush table`), and look as ours then. */
static bool has_all_rules(const struct rules *rules, bool arp, bool *ret, struct err *err)
{
	CLEANUP_STR struct str question = { 0 };
	struct rule_count count = { 0 };

	rules_ask_all_rules(&question, 1, arp);
	if (!rules_socket_ask(&rules->socket, &question, 1, on_rule, &count, err))
		return false;
	*ret = count.fixed >= rules_text_count(str_span(&rules->text), arp);
	return true;
}

static bool are_ours(const struct rules *rules, const struct table tables[2], bool *ret,
		     struct err *err)
{
	uint32_t flags = rules->persistent ? RULES_PERSIST : 0;
	bool inet = false;
	bool arp = false;

	*ret = false;
	for (int i = 0; i < 2; i++)
		if (!tables[i].marked || (tables[i].flags & ~RULES_OWNER) != flags)
			return true;
	if (!has_all_rules(rules, false, &inet, err) || !has_all_rules(rules, true, &arp, err))
		return false;
	*ret = inet && arp;
	return true;
}

static bool adopt(const struct rules *rules, struct err *err)
{
	/* Left by one that died while it replaced tables, perhaps. */
	return (!rules->persistent || claim(rules, err)) &&
	       run_text(rules, rules_text_release, err);
}

static bool make_or_adopt(struct rules *rules, enum rules_found *ret_found, struct err *err)
{
	struct table tables[2];
	bool ours;

	if (!look(rules, tables, err) || !check_owner(tables, err))
		return false;
	rules->persistent = can_persist(rules);
	if (!are_ours(rules, tables, &ours, err))
		return false;
	*ret_found = ours ? RULES_ADOPTED : RULES_NEW;
	return ours ? adopt(rules, err) : make(rules, tables, err);
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
	/* From before the tables are there, so that nothing is missed. */
	if (!rules_socket_watch(&rules->watch_fd, err) || !make_or_adopt(rules, &found, err))
		return false;
	if (rules->persistent) {
		(void)close(rules->watch_fd);
		rules->watch_fd = -1;
	}
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

int rules_watch_fd(const struct rules *rules)
{
	return rules->watch_fd;
}

bool rules_check(struct rules *rules, bool *ret_gone, struct err *err)
{
	struct table tables[2];
	bool ours;

	*ret_gone = false;
	if (rules->watch_fd >= 0 && !rules_socket_has_lost(rules->watch_fd, rules->socket.port))
		return true;
	if (!look(rules, tables, err) || !are_ours(rules, tables, &ours, err))
		return false;
	*ret_gone = !ours;
	return true;
}

/* One that cannot come back stays cut off, and does not keep others from it. */
static bool add_again(struct rules *rules, const struct nic *const *nics, size_t n, struct err *err)
{
	bool ok = true;

	for (size_t i = 0; i < n; i++) {
		struct err why = { 0 };

		if (rules_add(rules, nics[i], &why))
			continue;
		if (ok)
			*err = why;
		ok = false;
	}
	return ok;
}

bool rules_restore(struct rules *rules, const struct nic *const *nics, size_t n, struct err *err)
{
	struct table tables[2];

	return look(rules, tables, err) && make(rules, tables, err) &&
	       add_again(rules, nics, n, err);
}

bool rules_foreign(struct rules *rules, struct str *out, struct err *err)
{
	CLEANUP_STR struct str listing = { 0 };

	if (!rules_kernel_list(rules->kernel, &listing, err))
		return false;
	rules_foreign_find(str_span(&listing), &rules->options.subnet, out);
	return true;
}

bool rules_foreign_here(const struct subnet *subnet, struct str *out, struct err *err)
{
	CLEANUP_STR struct str listing = { 0 };
	struct rules_kernel *kernel = rules_kernel_new();
	bool ok;

	if (!kernel)
		return err_set(err, ERR_GENERAL, "cannot set up libnftables");
	ok = rules_kernel_list(kernel, &listing, err);
	rules_kernel_free(kernel);
	if (ok)
		rules_foreign_find(str_span(&listing), subnet, out);
	return ok;
}
