/* SPDX-License-Identifier: Apache-2.0 */
/* tart network doctor: what stands in the way of VMs' networks on this host, and what helps. */
#include <stdio.h>
#include <stdlib.h>

#include "cmd/checks.h"
#include "cmd/network.h"
#include "cmd/print.h"
#include "machine/network_facts.h"

struct doctor_args {
	enum format format;
};

static const struct opt doctor_opts[] = {
	OPT_FORMAT(struct doctor_args, format),
	OPT_END,
};

static void print_json(const struct host_report *report, enum network_backend backend)
{
	CLEANUP_JSON struct json *root = json_object();
	CLEANUP_STR struct str text = { 0 };

	(void)json_set(root, "Usable", json_bool(backend != NETWORK_OF_QEMU));
	(void)json_set(root, "Backend", json_string(network_backend_text(backend)));
	(void)json_set(root, "Checks", checks_as_json(report));
	json_print(root, JSON_PRETTY, &text);
	puts(str_text(&text));
}

static bool doctor_run(struct tart *tart, void *args, struct err *err)
{
	const struct doctor_args *a = args;
	CLEANUP(network_facts_done) struct network_facts facts = { 0 };
	CLEANUP(host_report_done) struct host_report report = { 0 };
	enum network_backend backend;
	enum keeper_wish wish;

	if (!network_wish(&wish, err))
		return false;
	network_facts_gather(tart->home, wish, getenv("PATH"), &facts);
	network_report_add(&report, &facts);
	backend = network_facts_backend(&facts);
	if (a->format == FORMAT_JSON)
		print_json(&report, backend);
	else
		checks_print(&report);
	return backend != NETWORK_OF_QEMU ||
	       err_set(err, ERR_GENERAL,
		       "VMs have no address and no isolation on this host: QEMU's user mode network only");
}

const struct command cmd_network_doctor = {
	.name = "doctor",
	.group = &cmd_network,
	.summary = "Show what is in the way on this host, and what helps",
	.opts = doctor_opts,
	.args_size = sizeof(struct doctor_args),
	.needs = NEEDS_HOME,
	.run = doctor_run,
};
