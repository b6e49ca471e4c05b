/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What works on this host: the facts, and a report made of them. Gathering the facts looks at files and runs QEMU
 * for its version; the report is a pure function of them. cmd/doctor.c prints it.
 */
#ifndef TART_MACHINE_HOST_REPORT_H
#define TART_MACHINE_HOST_REPORT_H

#include "base/err.h"
#include "base/json.h"
#include "base/vec.h"
#include "machine/firmware.h"
#include "machine/host_memory.h"
#include "machine/kvm_probe.h"
#include "machine/network_facts.h"
#include "machine/qemu.h"
#include "storage/home.h"

/* What there is for guests of one architecture; an error says why something is not there. */
struct host_arch_facts {
	char *qemu_path; /* NULL: qemu_err */
	struct qemu_version version;
	struct err qemu_err; /* also set when there is one that does not start or is too old */
	struct firmware firmware;
	struct err firmware_err;
};

struct host_facts {
	enum guest_arch host;
	struct kvm_probe kvm;
	bool nestable;
	struct host_arch_facts archs[2]; /* by enum guest_arch */
	char *qemu_img, *virtiofsd;      /* paths, NULL = not there */
	struct network_facts network;
	bool io_uring;
	char *home_path; /* NULL: home_err */
	struct err home_err;
	bool reflink;
	uint64_t free_bytes; /* for this user, where VMs lie */
	bool has_memory;
	struct host_memory memory;
};

struct host_sources {
	const struct home *home; /* NULL: home_err says why */
	const struct err *home_err;
	const struct firmware_search *firmware;
	const struct child_identity *identity; /* as whom QEMU would run, NULL = as we */
	const char *path_env;
	enum keeper_wish network_wish;
};

void host_facts_gather(const struct host_sources *sources, struct host_facts *ret);
void host_facts_done(struct host_facts *facts);

enum check_state {
	CHECK_OK,
	CHECK_MISSING, /* something will not be there or be slower, `run` works without it */
	CHECK_BROKEN,  /* `run` cannot work */
};

struct host_check {
	const char *name;  /* in JSON: "qemu-amd64" */
	const char *label; /* for people: "QEMU for amd64" */
	enum check_state state;
	char *detail;
	char *remedy;      /* what helps, or NULL */
	struct json *more; /* further members in JSON, or NULL */
};

struct host_report {
	VEC(struct host_check) checks;
	bool can_run[2]; /* by enum guest_arch */
};

/* `run` can work when guests of one architecture can run and the home directory can be used. */
void host_report_make(const struct host_facts *facts, struct host_report *ret);
void host_report_done(struct host_report *report);

/* The first check that keeps `run` from working, or NULL. */
const struct host_check *host_report_reason(const struct host_report *report);

const char *check_state_text(enum check_state state); /* "ok", "missing", "broken" */

#endif
