/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables `inet tart` and `arp tart` over their life.
 *
 *	made	with the rules of rules_text.h, in one transaction and in the place of what was there before: there is no moment
 *		without rules. Where the kernel can, our netlink socket owns them and they are persistent: nobody else
 *		can change them, a foreign flush passes them by, and they outlive this process.
 *	adopted	by another process: the kernel takes the owner from a table whose owner's socket is closed. It is ours if it
 *		has the marker of our rules, and all of them.
 */
#include "netd/rules.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/netfilter/nf_tables.h>

#include "base/attrs.h"
#include "base/mem.h"
#include "netd/rules_compile.h"
#include "netd/rules_private.h"

static void rules_free(struct rules **slot)
{
	struct rules *rules = *slot;

	if (!rules)
		return;
	rules_socket_close(&rules->socket);
	if (rules->watch_fd >= 0)
		(void)close(rules->watch_fd);
	str_done(&rules->text);
	free(rules);
}

/* One of our tables as the kernel has it. */
struct table {
	bool found, marked;
	uint32_t flags, owner;
};

enum { ASK_TABLE = 1, ASK_TABLE_ARP, ASK_MARKER, ASK_MARKER_ARP, ASKED = ASK_MARKER_ARP };

static void on_table(void *ctx, const struct rules_answer *answer)
{
	struct table *tables = ctx;
	struct table *table =
		&tables[answer->seq == ASK_TABLE_ARP || answer->seq == ASK_MARKER_ARP];

	if (answer->seq == ASK_MARKER || answer->seq == ASK_MARKER_ARP) {
		table->marked = true;
		return;
	}
	table->found = true;
	table->flags = rules_attr_u32(answer->attrs, NFTA_TABLE_FLAGS);
	table->owner = rules_attr_u32(answer->attrs, NFTA_TABLE_OWNER);
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

/* Rules that the kernel refuses are ones of which it lacks a part. */
bool rules_refused(const struct rules_refusal *why, struct err *err)
{
	const char *what = why->step.what ? why->step.what : "transaction";

	if (why->errnum == EPERM)
		return err_sys(
			err, why->errnum,
			"packet filter: CAP_NET_ADMIN is missing, or its tables belong to another process");
	if (why->errnum == EOPNOTSUPP && !why->step.what)
		return err_set(err, ERR_GENERAL, "this kernel has no nf_tables (NF_TABLES)");
	if (why->step.need)
		return err_sys(err, why->errnum, "packet filter: %s: this kernel may lack %s", what,
			       why->step.need);
	return err_sys(err, why->errnum, "packet filter: %s", what);
}

bool rules_commit(const struct rules *rules, struct rules_batch *batch, struct err *err)
{
	struct rules_refusal why;

	return rules_socket_commit(&rules->socket, batch, &why) || rules_refused(&why, err);
}

static void put_end(struct rules_batch *batch, const struct table tables[2])
{
	if (tables[0].found)
		rules_put_table_end(batch, false);
	if (tables[1].found)
		rules_put_table_end(batch, true);
}

static void put_tables(const struct rules *rules, struct rules_batch *batch)
{
	rules_put_tables(batch, rules->persistent ? RULES_OWNER | RULES_PERSIST : 0);
	rules_compile(batch, str_span(&rules->text));
	rules_put_chain(batch, NFT_MSG_NEWCHAIN, false, rules->marker);
	rules_put_chain(batch, NFT_MSG_NEWCHAIN, true, rules->marker);
}

static bool make(const struct rules *rules, const struct table found[2], struct err *err)
{
	CLEANUP(rules_batch_done) struct rules_batch batch = { 0 };

	rules_batch_begin(&batch);
	put_end(&batch, found);
	put_tables(rules, &batch);
	return rules_commit(rules, &batch, err);
}

/* Whether this kernel knows the flag: tried by a table of another name, gone again with the same transaction. */
static bool can_persist(const struct rules *rules)
{
	CLEANUP(rules_batch_done) struct rules_batch batch = { 0 };
	struct rules_refusal why;

	if (rules->options.never_persist)
		return false;
	rules_batch_begin(&batch);
	rules_put_trial(&batch, RULES_OWNER | RULES_PERSIST);
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

/* Without those of VMs with lists. */
static void on_rule(void *ctx, const struct rules_answer *answer)
{
	size_t *n = ctx;

	if (!rules_is_own_name(rules_attr(answer->attrs, NFTA_RULE_CHAIN)))
		++*n;
}

/* Tables that others can change may have lost their rules alone (`nft flush table`), and look as ours then. */
static bool has_all_rules(const struct rules *rules, bool arp, bool *ret, struct err *err)
{
	CLEANUP_STR struct str question = { 0 };
	size_t n = 0;

	rules_ask_all_rules(&question, 1, arp);
	if (!rules_socket_ask(&rules->socket, &question, 1, on_rule, &n, err))
		return false;
	*ret = n >= rules_text_count(str_span(&rules->text), arp);
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
	CLEANUP(rules_batch_done) struct rules_batch batch = { 0 };

	if (!rules->persistent)
		return true;
	rules_batch_begin(&batch);
	rules_put_claim(&batch, RULES_OWNER | RULES_PERSIST);
	return rules_commit(rules, &batch, err);
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

/* Of the messages that make the rules, so that it is another one for another text or version of ours. */
static void set_marker(struct rules *rules)
{
	CLEANUP(rules_batch_done) struct rules_batch batch = { 0 };

	rules_batch_begin(&batch);
	rules_compile(&batch, str_span(&rules->text));
	rules_text_marker(str_span(&batch.bytes), rules->marker);
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
	set_marker(rules);
	/* Watched from before the tables are there, so that nothing is missed. */
	if (!rules_socket_open(&rules->socket, err) || !rules_socket_watch(&rules->watch_fd, err) ||
	    !make_or_adopt(rules, &found, err))
		return false;
	if (rules->persistent) {
		(void)close(rules->watch_fd);
		rules->watch_fd = -1;
	}
	*ret = TAKE_PTR(rules);
	*ret_found = found;
	return true;
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
	put_end(&batch, tables);
	return rules_commit(rules, &batch, err);
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

/* All at once; if that is refused, as too much or for one of them, one after the other. */
bool rules_restore(struct rules *rules, const struct nic *const *nics, size_t n, struct err *err)
{
	CLEANUP(rules_batch_done) struct rules_batch batch = { 0 };
	struct rules_refusal why;
	struct table tables[2];

	if (!look(rules, tables, err))
		return false;
	rules_batch_begin(&batch);
	put_end(&batch, tables);
	put_tables(rules, &batch);
	for (size_t i = 0; i < n; i++)
		rules_batch_add_vm(&batch, nics[i], rules->options.subnet.gateway);
	if (rules_socket_commit(&rules->socket, &batch, &why))
		return true;
	return make(rules, tables, err) && add_again(rules, nics, n, err);
}
