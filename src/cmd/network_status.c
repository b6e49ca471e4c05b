/* SPDX-License-Identifier: Apache-2.0 */
/* tart network status: the keeper that is responsible here, and what it says of itself. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "cmd/network.h"
#include "cmd/print.h"

struct status_args {
	enum format format;
};

static const struct opt status_opts[] = {
	OPT_FORMAT(struct status_args, format),
	OPT_END,
};

/* A line for people, and a member for programs. */
struct fact {
	const char *label;
	const char *key;
	char *text; /* owned */
	struct json *value;
};

struct facts {
	VEC(struct fact) v;
};

static void facts_done(struct facts *facts)
{
	vec_each(&facts->v, fact) {
		free(fact->text);
		json_free(fact->value);
	}
	vec_done(&facts->v);
}

/* `text` and `value` are the list's from now on. */
static void add(struct facts *facts, const char *label, const char *key, char *text,
		struct json *value)
{
	*vec_push(&facts->v) =
		(struct fact){ .label = label, .key = key, .text = text, .value = value };
}

static void add_text(struct facts *facts, const char *label, const char *key, const char *text)
{
	add(facts, label, key, xstrdup(text), json_string(text));
}

static void add_number(struct facts *facts, const char *label, const char *key, uint64_t number,
		       const char *unit)
{
	add(facts, label, key, xasprintf("%llu%s", (unsigned long long)number, unit),
	    json_u64(number));
}

static void add_bool(struct facts *facts, const char *label, const char *key, bool value)
{
	add(facts, label, key, xstrdup(value ? "yes" : "no"), json_bool(value));
}

static void add_subnet(struct facts *facts, const struct netd_status *status)
{
	char subnet[CIDR_TEXT_SIZE];
	char gateway[IPV4_TEXT_SIZE];

	cidr_print(&status->subnet, subnet);
	ipv4_print(status->gateway, gateway);
	add_text(facts, "subnet", "Subnet", subnet);
	add_text(facts, "gateway", "Gateway", gateway);
}

static void add_dns(struct facts *facts, const struct netd_status *status)
{
	struct json *array = json_array();
	struct str list = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(status->dns) && status->dns[i] != 0; i++) {
		char address[IPV4_TEXT_SIZE];

		ipv4_print(status->dns[i], address);
		str_addf(&list, "%s%s", i > 0 ? ", " : "", address);
		(void)json_append(array, json_string(address));
	}
	if (list.len == 0)
		str_add(&list, "none");
	add(facts, "name servers", "DNS", str_take(&list), array);
	add_bool(facts, "own name server runs", "DNSRunning", status->dns_running);
}

static void fill(struct facts *facts, const struct netd_status *status)
{
	add_text(facts, "keeper", "Keeper", status->rootless ? "rootless" : "system");
	add_text(facts, "version", "Version", status->version);
	add_number(facts, "process", "Pid", status->pid, "");
	add_subnet(facts, status);
	add_number(facts, "running network cards", "InUse", status->nics, "");
	add_number(facts, "addresses", "Addresses", status->addresses, "");
	add_number(facts, "lease time", "LeaseTime", status->lease_s, " s");
	add_number(facts, "MTU", "MTU", status->mtu, "");
	add_bool(facts, "VMs isolated from each other", "IsolateVMs", status->isolate_vms);
	add_bool(facts, "rules survive a flush by others", "PersistentRules",
		 status->persistent_tables);
	add_dns(facts, status);
}

static void print_text(const struct facts *facts, const char *warnings)
{
	struct span rest = span_of(warnings);
	struct span line;
	int width = 0;

	vec_each(&facts->v, fact) {
		int len = (int)strlen(fact->label);

		width = len > width ? len : width;
	}
	vec_each(&facts->v, fact)
		print_line("%-*s  %s", width, fact->label, fact->text);
	while (span_next(&rest, '\n', &line)) {
		if (line.len > 0)
			print_line("%-*s  %.*s", width, "warning", SPAN_ARG(line));
	}
}

static void print_json(struct facts *facts, bool running, const char *reason, const char *warnings)
{
	CLEANUP_JSON struct json *root = json_object();
	CLEANUP_STR struct str text = { 0 };
	struct span rest = span_of(warnings);
	struct span line;
	struct json *array;

	(void)json_set(root, "Running", json_bool(running));
	if (!running)
		(void)json_set(root, "Reason", json_string(reason));
	vec_each(&facts->v, fact)
		(void)json_set(root, fact->key, TAKE_PTR(fact->value));
	array = running ? json_set(root, "Warnings", json_array()) : NULL;
	while (array && span_next(&rest, '\n', &line)) {
		if (line.len > 0)
			(void)json_append(array, json_string_span(line));
	}
	json_print(root, JSON_PRETTY, &text);
	puts(str_text(&text));
}

/* *ret_running false: there is none, and *ret_why says which were looked for. */
static bool ask(const struct tart *tart, struct netd_message *ret, bool *ret_running,
		struct err *ret_why, struct err *err)
{
	CLEANUP(keeper_close) struct keeper keeper = KEEPER_INIT;
	CLEANUP_STR struct str request = { 0 };
	enum keeper_wish wish;

	if (!network_wish(&wish, err) ||
	    !keeper_connect(tart->home, wish, &keeper, ret_running, ret_why))
		return false;
	if (!*ret_running)
		return true;
	netd_put_empty(NETD_STATUS, &request);
	if (keeper_ask(&keeper, &request, NETD_R_STATUS, ret, NULL, NULL, ret_why))
		return true;
	/* Ended just now, for it has nothing to do. */
	*ret_running = false;
	if (ret_why->kind == ERR_TRANSPORT)
		return true;
	*err = *ret_why;
	return false;
}

static bool status_run(struct tart *tart, void *args, struct err *err)
{
	const struct status_args *a = args;
	CLEANUP(netd_message_done) struct netd_message answer = { 0 };
	CLEANUP(facts_done) struct facts facts = { 0 };
	struct err why = { 0 };
	bool running = false;

	if (!ask(tart, &answer, &running, &why, err))
		return false;
	if (running)
		fill(&facts, &answer.status);
	if (a->format == FORMAT_JSON)
		print_json(&facts, running, why.text, answer.status.warnings);
	else if (running)
		print_text(&facts, answer.status.warnings);
	else
		print_line("%s; it starts with the first VM that needs it", why.text);
	return true;
}

const struct command cmd_network_status = {
	.name = "status",
	.group = &cmd_network,
	.summary = "Show the keeper of the network and its state",
	.opts = status_opts,
	.args_size = sizeof(struct status_args),
	.needs = NEEDS_HOME,
	.run = status_run,
};
