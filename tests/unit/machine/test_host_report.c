/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of machine/host_report.h: what facts mean. */
#include "machine/host_report.h"

#include <errno.h>

#include "base/mem.h"

#include "unit.h"

static void set_err(struct err *err, const char *text)
{
	(void)err_set(err, ERR_GENERAL, "%s", text);
}

/* A host where everything is there. */
static void fill(struct host_facts *facts)
{
	*facts = (struct host_facts){
		.host = ARCH_AMD64,
		.kvm.verdict = KVM_OK,
		.nestable = true,
		.qemu_img = xstrdup("/bin/qemu-img"),
		.virtiofsd = xstrdup("/bin/virtiofsd"),
		.io_uring = true,
		.home_path = xstrdup("/home/me/.tart"),
		.reflink = true,
		.free_bytes = 12345678901,
		.has_memory = true,
		.memory = { 8u << 20, 4u << 20, 0, 0 },
		.network = { .is_root = true,
			     .netd = xstrdup("/bin/tart-netd"),
			     .dnsmasq = xstrdup("/bin/dnsmasq"),
			     .ip_forward = 1 },
	};
	for (size_t i = 0; i < ARRAY_LEN(facts->archs); i++) {
		facts->archs[i].qemu_path = xasprintf("/bin/qemu%zu", i);
		facts->archs[i].version = (struct qemu_version){ 7, 2, 22 };
		facts->archs[i].firmware.code_path = xasprintf("/code%zu", i);
		facts->archs[i].firmware.vars_path = xasprintf("/vars%zu", i);
	}
}

static void lose_qemu(struct host_facts *facts, enum guest_arch arch)
{
	free(TAKE_PTR(facts->archs[arch].qemu_path));
	facts->archs[arch].version = (struct qemu_version){ 0 };
	set_err(&facts->archs[arch].qemu_err, "no QEMU");
}

static void lose_firmware(struct host_facts *facts, enum guest_arch arch)
{
	firmware_done(&facts->archs[arch].firmware);
	set_err(&facts->archs[arch].firmware_err, "no firmware");
}

static void without_kvm(struct host_facts *facts)
{
	facts->kvm = (struct kvm_probe){ .verdict = KVM_EMULATED, .rate = 1700000 };
}

static void without_own_qemu(struct host_facts *facts)
{
	lose_qemu(facts, ARCH_AMD64);
}

static void with_old_qemu(struct host_facts *facts)
{
	facts->archs[ARCH_AMD64].version = (struct qemu_version){ 6, 0, 0 };
	set_err(&facts->archs[ARCH_AMD64].qemu_err, "too old");
}

static void without_own_firmware(struct host_facts *facts)
{
	lose_firmware(facts, ARCH_AMD64);
}

static void without_other_arch(struct host_facts *facts)
{
	lose_qemu(facts, ARCH_ARM64);
	lose_firmware(facts, ARCH_ARM64);
}

static void without_any_qemu(struct host_facts *facts)
{
	lose_qemu(facts, ARCH_AMD64);
	lose_qemu(facts, ARCH_ARM64);
}

static void half_of_each_arch(struct host_facts *facts)
{
	lose_firmware(facts, ARCH_AMD64);
	lose_qemu(facts, ARCH_ARM64);
}

static void without_home(struct host_facts *facts)
{
	free(TAKE_PTR(facts->home_path));
	set_err(&facts->home_err, "no home");
}

static void without_space(struct host_facts *facts)
{
	facts->free_bytes = 1999999999;
}

static void without_extras(struct host_facts *facts)
{
	free(TAKE_PTR(facts->qemu_img));
	free(TAKE_PTR(facts->virtiofsd));
	free(TAKE_PTR(facts->network.dnsmasq));
	facts->network.probe.tun = EACCES;
	facts->io_uring = facts->reflink = facts->has_memory = false;
}

static const struct {
	const char *name;
	void (*change)(struct host_facts *facts);
	const char *missing; /* names of the checks with that state, in order */
	const char *broken;
	bool runs_amd64, runs_arm64;
} rows[] = {
	{ "all there", NULL, "", "", true, true },
	{ "no KVM", without_kvm, "kvm", "", true, true },
	{ "no QEMU of the own architecture", without_own_qemu, "qemu-amd64 guests-amd64", "", false,
	  true },
	{ "QEMU too old", with_old_qemu, "qemu-amd64 guests-amd64", "", false, true },
	{ "no firmware of the own architecture", without_own_firmware,
	  "firmware-amd64 guests-amd64", "", false, true },
	{ "nothing for the other one", without_other_arch, "qemu-arm64 firmware-arm64 guests-arm64",
	  "", true, false },
	{ "no QEMU", without_any_qemu, "qemu-arm64 guests-arm64", "qemu-amd64 guests-amd64", false,
	  false },
	{ "half of each", half_of_each_arch, "qemu-arm64 guests-arm64",
	  "firmware-amd64 guests-amd64", false, false },
	{ "no home", without_home, "", "home", true, true },
	{ "hardly any space", without_space, "free-space", "", true, true },
	{ "no extras", without_extras, "reflink io-uring qemu-img network tun dnsmasq virtiofsd",
	  "", true, true },
};

static void list_names(const struct host_report *report, enum check_state state, struct str *out)
{
	vec_each(&report->checks, check)
		if (check->state == state)
			str_addf(out, "%s%s", out->len > 0 ? " " : "", check->name);
}

static void judges(void **state)
{
	(void)state;
	each_row(rows, row) {
		CLEANUP(host_facts_done) struct host_facts facts;
		CLEANUP(host_report_done) struct host_report report = { 0 };
		CLEANUP_STR struct str missing = { 0 };
		CLEANUP_STR struct str broken = { 0 };
		const struct host_check *reason;

		fill(&facts);
		if (row->change)
			row->change(&facts);
		host_report_make(&facts, &report);
		list_names(&report, CHECK_MISSING, &missing);
		list_names(&report, CHECK_BROKEN, &broken);
		check(strcmp(str_text(&missing), row->missing) == 0, "%s: missing: %s", row->name,
		      str_text(&missing));
		check(strcmp(str_text(&broken), row->broken) == 0, "%s: broken: %s", row->name,
		      str_text(&broken));
		check(report.can_run[ARCH_AMD64] == row->runs_amd64 &&
			      report.can_run[ARCH_ARM64] == row->runs_arm64,
		      "%s: amd64 %d, arm64 %d", row->name, report.can_run[ARCH_AMD64],
		      report.can_run[ARCH_ARM64]);
		reason = host_report_reason(&report);
		check((reason != NULL) == (row->broken[0] != '\0'), "%s: reason", row->name);
	}
}

static const struct host_check *find(const struct host_report *report, const char *name)
{
	vec_each(&report->checks, check)
		if (strcmp(check->name, name) == 0)
			return check;
	return NULL;
}

static const struct {
	const char *name;
	void (*change)(struct host_facts *facts);
	const char *check;
	const char *detail;
	const char *more;
} texts[] = {
	{ "KVM", NULL, "kvm", "guest code runs at full speed",
	  "{\"Verdict\":\"ok\",\"Nestable\":true}" },
	{ "no KVM", without_kvm, "kvm",
	  "kernel-mode guest code runs at 1.7 M instructions/s; guests run in software emulation, which is no "
	  "security boundary",
	  "{\"Verdict\":\"emulated\",\"InstructionsPerSecond\":1700000,\"Nestable\":true}" },
	{ "own guests", NULL, "guests-amd64", "run with KVM", "{\"Accelerator\":\"kvm\"}" },
	{ "own guests without KVM", without_kvm, "guests-amd64", "run with software emulation",
	  "{\"Accelerator\":\"tcg\"}" },
	{ "other guests", NULL, "guests-arm64", "run with software emulation",
	  "{\"Accelerator\":\"tcg\"}" },
	{ "guests without QEMU", without_own_qemu, "guests-amd64", "cannot run: no usable QEMU",
	  NULL },
	{ "guests without firmware", without_own_firmware, "guests-amd64",
	  "cannot run: no usable firmware", NULL },
	{ "QEMU", NULL, "qemu-amd64", "7.2.22, /bin/qemu1",
	  "{\"Path\":\"/bin/qemu1\",\"Version\":\"7.2.22\"}" },
	{ "old QEMU", with_old_qemu, "qemu-amd64", "too old",
	  "{\"Path\":\"/bin/qemu1\",\"Version\":\"6.0.0\"}" },
	{ "no QEMU", without_own_qemu, "qemu-amd64", "no QEMU", NULL },
	{ "firmware", NULL, "firmware-arm64", "/code0",
	  "{\"Path\":\"/code0\",\"Variables\":\"/vars0\"}" },
	{ "space", NULL, "free-space", "12.3 GB", "{\"Bytes\":12345678901}" },
	{ "little space", without_space, "free-space", "1.9 GB", "{\"Bytes\":1999999999}" },
	{ "tun", without_extras, "tun", "Permission denied", NULL },
};

static void explains(void **state)
{
	(void)state;
	each_row(texts, row) {
		CLEANUP(host_facts_done) struct host_facts facts;
		CLEANUP(host_report_done) struct host_report report = { 0 };
		CLEANUP_STR struct str more = { 0 };
		const struct host_check *found;

		fill(&facts);
		if (row->change)
			row->change(&facts);
		host_report_make(&facts, &report);
		found = find(&report, row->check);
		if (!found) {
			fail_msg("%s: no check '%s'", row->name, row->check);
			continue;
		}
		check(strcmp(found->detail, row->detail) == 0, "%s: %s", row->name, found->detail);
		if (found->more)
			json_print(found->more, JSON_COMPACT, &more);
		check(strcmp(str_text(&more), row->more ? row->more : "") == 0, "%s: %s", row->name,
		      str_text(&more));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(judges),
		cmocka_unit_test(explains),
	};

	return unit_main(tests);
}
