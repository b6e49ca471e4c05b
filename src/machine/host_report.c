/* SPDX-License-Identifier: Apache-2.0 */
/* A report about this host, made of facts. */
#include "machine/host_report.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "machine/host_check.h"

#define LOW_SPACE_BYTES 2000000000u /* a small guest's disk */
#define GB              1000000000u

static const struct arch_names {
	const char *qemu, *qemu_label, *firmware, *firmware_label, *guests, *guests_label;
} arch_names[] = {
	[ARCH_AMD64] = { "qemu-amd64", "QEMU for amd64", "firmware-amd64", "firmware for amd64",
			 "guests-amd64", "amd64 guests" },
	[ARCH_ARM64] = { "qemu-arm64", "QEMU for arm64", "firmware-arm64", "firmware for arm64",
			 "guests-arm64", "arm64 guests" },
};

struct host_check *host_check_add(struct host_report *report, const char *name, const char *label,
				  enum check_state state, const char *fmt, ...)
{
	struct host_check *check = vec_push(&report->checks);
	CLEANUP_STR struct str detail = { 0 };
	va_list ap;

	va_start(ap, fmt);
	str_vaddf(&detail, fmt, ap);
	va_end(ap);
	check->name = name;
	check->label = label;
	check->state = state;
	check->detail = str_take(&detail);
	return check;
}

void host_check_note(struct host_check *check, const char *key, struct json *value)
{
	if (!check->more)
		check->more = json_object();
	(void)json_set(check->more, key, value);
}

void host_check_remedy(struct host_check *check, const char *remedy)
{
	free(check->remedy);
	check->remedy = xstrdup(remedy);
}

static void add_kvm(struct host_report *report, const struct host_facts *facts)
{
	bool ok = facts->kvm.verdict == KVM_OK;
	CLEANUP_STR struct str why = { 0 };
	struct host_check *check;

	kvm_probe_explain(&facts->kvm, &why);
	if (!ok)
		str_add(&why, "; guests run in software emulation, which is no security boundary");
	check = host_check_add(report, "kvm", "KVM", ok ? CHECK_OK : CHECK_MISSING, "%s",
			       str_text(&why));
	host_check_note(check, "Verdict", json_string(kvm_verdict_name(facts->kvm.verdict)));
	if (facts->kvm.verdict == KVM_EMULATED)
		host_check_note(check, "InstructionsPerSecond", json_u64(facts->kvm.rate));
	host_check_note(check, "Nestable", json_bool(facts->nestable));
}

static bool has_qemu(const struct host_arch_facts *arch)
{
	return arch->qemu_path && arch->qemu_err.kind == ERR_NONE;
}

static bool can_run(const struct host_arch_facts *arch)
{
	return has_qemu(arch) && arch->firmware.code_path;
}

static void add_qemu(struct host_report *report, const struct arch_names *names,
		     const struct host_arch_facts *facts, enum check_state if_not)
{
	const struct qemu_version *v = &facts->version;
	CLEANUP_FREE char *version = xasprintf("%u.%u.%u", v->major, v->minor, v->micro);
	struct host_check *check;

	if (has_qemu(facts))
		check = host_check_add(report, names->qemu, names->qemu_label, CHECK_OK, "%s, %s",
				       version, facts->qemu_path);
	else
		check = host_check_add(report, names->qemu, names->qemu_label, if_not, "%s",
				       facts->qemu_err.text);
	if (facts->qemu_path)
		host_check_note(check, "Path", json_string(facts->qemu_path));
	if (v->major > 0)
		host_check_note(check, "Version", json_string(version));
}

static void add_firmware(struct host_report *report, const struct arch_names *names,
			 const struct host_arch_facts *facts, enum check_state if_not)
{
	struct host_check *check;

	if (!facts->firmware.code_path) {
		(void)host_check_add(report, names->firmware, names->firmware_label, if_not, "%s",
				     facts->firmware_err.text);
		return;
	}
	check = host_check_add(report, names->firmware, names->firmware_label, CHECK_OK, "%s",
			       facts->firmware.code_path);
	host_check_note(check, "Path", json_string(facts->firmware.code_path));
	host_check_note(check, "Variables", json_string(facts->firmware.vars_path));
}

static void add_guests(struct host_report *report, const struct host_facts *facts,
		       enum guest_arch arch, enum check_state if_not)
{
	const struct arch_names *names = &arch_names[arch];
	const struct host_arch_facts *of = &facts->archs[arch];
	const char *accel = arch == facts->host && facts->kvm.verdict == KVM_OK ?
				    "KVM" :
				    "software emulation";

	if (can_run(of)) {
		struct host_check *check = host_check_add(
			report, names->guests, names->guests_label, CHECK_OK, "run with %s", accel);

		host_check_note(check, "Accelerator",
				json_string(arch == facts->host && facts->kvm.verdict == KVM_OK ?
						    "kvm" :
						    "tcg"));
		return;
	}
	(void)host_check_add(report, names->guests, names->guests_label, if_not,
			     "cannot run: no usable %s", has_qemu(of) ? "firmware" : "QEMU");
}

static void add_archs(struct host_report *report, const struct host_facts *facts)
{
	enum guest_arch own = facts->host;
	enum guest_arch other = own == ARCH_AMD64 ? ARCH_ARM64 : ARCH_AMD64;
	const enum guest_arch order[] = { own, other };
	bool any = can_run(&facts->archs[own]) || can_run(&facts->archs[other]);

	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		/* Nobody needs the other architecture: with none at all, the own one is to be mended. */
		enum check_state if_not = any || order[i] == other ? CHECK_MISSING : CHECK_BROKEN;
		const struct host_arch_facts *of = &facts->archs[order[i]];

		add_qemu(report, &arch_names[order[i]], of, if_not);
		add_firmware(report, &arch_names[order[i]], of, if_not);
		add_guests(report, facts, order[i], if_not);
		report->can_run[order[i]] = can_run(of);
	}
}

static void add_program(struct host_report *report, const char *name, const char *label,
			const char *path)
{
	struct host_check *check = host_check_add(report, name, label,
						  path ? CHECK_OK : CHECK_MISSING, "%s",
						  path ? path : "not found");

	if (path)
		host_check_note(check, "Path", json_string(path));
}

static void add_home(struct host_report *report, const struct host_facts *facts)
{
	bool ok = facts->home_err.kind == ERR_NONE;
	struct host_check *check;

	if (!ok) {
		(void)host_check_add(report, "home", "home directory", CHECK_BROKEN, "%s",
				     facts->home_err.text);
		return;
	}
	check = host_check_add(report, "home", "home directory", CHECK_OK, "%s", facts->home_path);
	host_check_note(check, "Path", json_string(facts->home_path));
	check = host_check_add(report, "free-space", "free space",
			       facts->free_bytes >= LOW_SPACE_BYTES ? CHECK_OK : CHECK_MISSING,
			       "%" PRIu64 ".%" PRIu64 " GB", facts->free_bytes / GB,
			       facts->free_bytes % GB / (GB / 10));
	host_check_note(check, "Bytes", json_u64(facts->free_bytes));
	(void)host_check_add(
		report, "reflink", "reflink", facts->reflink ? CHECK_OK : CHECK_MISSING, "%s",
		facts->reflink ?
			"clones share their blocks" :
			"this file system cannot share blocks: clones are overlays on their source's disk");
}

static void add_memory(struct host_report *report, const struct host_facts *facts)
{
	struct host_check *check;

	if (!facts->has_memory)
		return;
	check = host_check_add(report, "memory", "memory", CHECK_OK,
			       "%" PRIu64 " MiB, %" PRIu64 " MiB available",
			       facts->memory.total_bytes >> 20,
			       facts->memory.available_bytes >> 20);
	host_check_note(check, "TotalBytes", json_u64(facts->memory.total_bytes));
	host_check_note(check, "AvailableBytes", json_u64(facts->memory.available_bytes));
}

void host_report_make(const struct host_facts *facts, struct host_report *ret)
{
	struct host_report report = { 0 };

	add_kvm(&report, facts);
	add_archs(&report, facts);
	add_home(&report, facts);
	add_memory(&report, facts);
	(void)host_check_add(
		&report, "io-uring", "io_uring", facts->io_uring ? CHECK_OK : CHECK_MISSING, "%s",
		facts->io_uring ? "used for disks" : "not available: disks use threads");
	add_program(&report, "qemu-img", "qemu-img", facts->qemu_img);
	network_report_add(&report, &facts->network);
	add_program(&report, "virtiofsd", "virtiofsd", facts->virtiofsd);
	*ret = report;
}

void host_report_done(struct host_report *report)
{
	vec_each(&report->checks, check) {
		free(check->detail);
		free(check->remedy);
		json_free(check->more);
	}
	vec_done(&report->checks);
}

const struct host_check *host_report_reason(const struct host_report *report)
{
	vec_each(&report->checks, check)
		if (check->state == CHECK_BROKEN)
			return check;
	return NULL;
}

const char *check_state_text(enum check_state state)
{
	static const char *const texts[] = {
		[CHECK_OK] = "ok", [CHECK_MISSING] = "missing", [CHECK_BROKEN] = "broken"
	};

	return texts[state];
}
