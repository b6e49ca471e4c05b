/* SPDX-License-Identifier: Apache-2.0 */
/* tart doctor: what works on this host. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/checks.h"
#include "cmd/command.h"
#include "cmd/host_firmware.h"
#include "cmd/network.h"
#include "cmd/print.h"
#include "machine/host_report.h"
#include "machine/identity.h"
#include "storage/home.h"

struct doctor_args {
	enum format format;
};

static const struct opt doctor_opts[] = {
	OPT_FORMAT(struct doctor_args, format),
	OPT_END,
};

static void print_json(const struct host_report *report)
{
	CLEANUP_JSON struct json *root = json_object();
	CLEANUP_STR struct str text = { 0 };
	struct json *guests;

	(void)json_set(root, "Usable", json_bool(!host_report_reason(report)));
	guests = json_set(root, "Guests", json_array());
	for (size_t arch = 0; arch < ARRAY_LEN(report->can_run); arch++)
		if (report->can_run[arch])
			(void)json_append(guests,
					  json_string(guest_arch_text((enum guest_arch)arch)));
	(void)json_set(root, "Checks", checks_as_json(report));
	json_print(root, JSON_PRETTY, &text);
	puts(str_text(&text));
}

/* VMs made here will belong to who owns the home directory. */
static bool choose_identity(const struct home *home, struct identity *ret)
{
	struct err ignored = { 0 };

	return identity_choose(home->root_fd, getenv("TART_QEMU_USER"), ret, &ignored);
}

static void make_report(enum keeper_wish network_wish, struct host_report *ret)
{
	CLEANUP(home_done) struct home home = HOME_INIT;
	CLEANUP(host_firmware_done) struct host_firmware firmware;
	CLEANUP(host_facts_done) struct host_facts facts = { 0 };
	struct err home_err = { 0 };
	struct identity identity = { 0 };
	/* Not NEEDS_HOME: a home directory that cannot be used is a line of the report. */
	bool has_home = home_open(getenv("TART_HOME"), getenv("HOME"), &home, &home_err);
	struct host_sources sources = {
		.home = has_home ? &home : NULL,
		.home_err = &home_err,
		.firmware = &firmware.search,
		.path_env = getenv("PATH"),
		.network_wish = network_wish,
	};

	if (has_home && choose_identity(&home, &identity))
		sources.identity = identity_of(&identity);
	host_firmware_init(&firmware);
	host_facts_gather(&sources, &facts);
	host_report_make(&facts, ret);
}

static bool doctor_run(struct tart *tart, void *args, struct err *err)
{
	const struct doctor_args *a = args;
	CLEANUP(host_report_done) struct host_report report = { 0 };
	const struct host_check *reason;
	enum keeper_wish network;

	(void)tart;
	if (!network_wish(&network, err))
		return false;
	make_report(network, &report);
	if (a->format == FORMAT_JSON)
		print_json(&report);
	else
		checks_print(&report);
	reason = host_report_reason(&report);
	return !reason || err_set(err, ERR_GENERAL, "VMs cannot run on this host: %s: %s",
				  reason->label, reason->detail);
}

const struct command cmd_doctor = {
	.name = "doctor",
	.summary = "Show what works on this host",
	.opts = doctor_opts,
	.args_size = sizeof(struct doctor_args),
	.run = doctor_run,
};
