/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of machine/accel.h: the decision table of machine.md 2.3 and its texts. */
#include "machine/accel.h"

#include <string.h>

#include "unit.h"

#define TAIL "; using software emulation, which is no security boundary"

static const struct kvm_probe ok = { .verdict = KVM_OK };
static const struct kvm_probe emulated = { .verdict = KVM_EMULATED, .rate = 1730000 };
static const struct kvm_probe crawling = { .verdict = KVM_EMULATED, .rate = 850 };
static const struct kvm_probe failed = { .verdict = KVM_FAILED,
					 .detail = "running guest code: Bad address" };
static const struct kvm_probe none = { .verdict = KVM_NONE };
static const struct kvm_probe denied = { .verdict = KVM_DENIED };
static const struct kvm_probe denied_other = { .verdict = KVM_DENIED,
					       .foreign_user = true,
					       .uid = 65534 };
static const struct kvm_probe busy = { .verdict = KVM_BUSY };

static const struct {
	const char *name;
	enum accel_wish wish;
	enum guest_arch guest, host;
	const struct kvm_probe *probe; /* NULL = none was needed */
	bool ok;
	enum accel_kind kind;
	const char *text; /* notice or error */
} rows[] = {
	{ "auto, works", ACCEL_AUTO, ARCH_AMD64, ARCH_AMD64, &ok, true, ACCEL_KVM, "" },
	{ "auto, works on arm64", ACCEL_AUTO, ARCH_ARM64, ARCH_ARM64, &ok, true, ACCEL_KVM, "" },
	{ "auto, emulated", ACCEL_AUTO, ARCH_AMD64, ARCH_AMD64, &emulated, true, ACCEL_TCG,
	  "KVM unusable: kernel-mode guest code runs at 1.7 M instructions/s" TAIL },
	{ "auto, slower still", ACCEL_AUTO, ARCH_AMD64, ARCH_AMD64, &crawling, true, ACCEL_TCG,
	  "KVM unusable: kernel-mode guest code runs at 0.8 k instructions/s" TAIL },
	{ "auto, failed", ACCEL_AUTO, ARCH_AMD64, ARCH_AMD64, &failed, true, ACCEL_TCG,
	  "KVM unusable: its self-test failed: running guest code: Bad address" TAIL },
	{ "auto, none", ACCEL_AUTO, ARCH_AMD64, ARCH_AMD64, &none, true, ACCEL_TCG,
	  "KVM unusable: this host has no /dev/kvm" TAIL },
	{ "auto, denied", ACCEL_AUTO, ARCH_AMD64, ARCH_AMD64, &denied, true, ACCEL_TCG,
	  "KVM unusable: no permission to open /dev/kvm, add yourself to group kvm" TAIL },
	{ "auto, denied to QEMU's user", ACCEL_AUTO, ARCH_AMD64, ARCH_AMD64, &denied_other, true,
	  ACCEL_TCG,
	  "KVM unusable: user 65534, as whom QEMU would run, may not open /dev/kvm "
	  "(see TART_QEMU_USER)" TAIL },
	{ "auto, busy", ACCEL_AUTO, ARCH_AMD64, ARCH_AMD64, &busy, true, ACCEL_TCG,
	  "KVM unusable: another hypervisor is using the processor" TAIL },
	{ "auto, foreign guest", ACCEL_AUTO, ARCH_ARM64, ARCH_AMD64, NULL, true, ACCEL_TCG,
	  "KVM unusable: the guest is arm64 and this host amd64" TAIL },
	{ "kvm, works", ACCEL_FORCE_KVM, ARCH_AMD64, ARCH_AMD64, &ok, true, ACCEL_KVM, "" },
	{ "kvm, emulated", ACCEL_FORCE_KVM, ARCH_AMD64, ARCH_AMD64, &emulated, false, ACCEL_TCG,
	  "KVM unusable: kernel-mode guest code runs at 1.7 M instructions/s" },
	{ "kvm, foreign guest", ACCEL_FORCE_KVM, ARCH_AMD64, ARCH_ARM64, NULL, false, ACCEL_TCG,
	  "KVM unusable: the guest is amd64 and this host arm64" },
	{ "tcg", ACCEL_FORCE_TCG, ARCH_AMD64, ARCH_AMD64, NULL, true, ACCEL_TCG, "" },
	{ "tcg, foreign guest", ACCEL_FORCE_TCG, ARCH_ARM64, ARCH_AMD64, NULL, true, ACCEL_TCG,
	  "" },
};

static void decides(void **state)
{
	(void)state;
	each_row(rows, row) {
		struct accel_choice got = { 0 };
		struct err err = { 0 };
		bool fine = accel_decide(row->wish, row->guest, row->host, row->probe, &got, &err);
		const char *text = fine ? got.notice : err.text;

		check(fine == row->ok, "%s: %s", row->name, fine ? "chosen" : "refused");
		check(strcmp(text, row->text) == 0, "%s: %s", row->name, text);
		check(!fine || got.kind == row->kind, "%s: accelerator %d", row->name,
		      (int)got.kind);
		check(accel_needs_probe(row->wish, row->guest, row->host) == (row->probe != NULL),
		      "%s: probe needed or not", row->name);
	}
}

static const struct {
	const char *name;
	const char *text;
	bool ok;
	enum accel_wish wish;
} texts[] = {
	{ "auto", "auto", true, ACCEL_AUTO },    { "kvm", "kvm", true, ACCEL_FORCE_KVM },
	{ "tcg", "tcg", true, ACCEL_FORCE_TCG }, { "unset", NULL, true, ACCEL_AUTO },
	{ "empty", "", true, ACCEL_AUTO },       { "capitals", "KVM", false, ACCEL_AUTO },
	{ "hvf", "hvf", false, ACCEL_AUTO },
};

static void reads_the_environment(void **state)
{
	(void)state;
	each_row(texts, row) {
		enum accel_wish wish = (enum accel_wish)9;
		struct err err = { 0 };
		bool fine = accel_wish_from_env(row->text, &wish, &err);

		check(fine == row->ok, "%s: %s", row->name, fine ? "accepted" : err.text);
		check(wish == (fine ? row->wish : (enum accel_wish)9), "%s: wish %d", row->name,
		      (int)wish);
		check(fine || strstr(err.text, "TART_ACCEL"), "%s: %s", row->name, err.text);
	}
}

/* What works for the host's own architecture says nothing about another one. */
static void never_runs_foreign_guests_with_kvm(void **state)
{
	struct accel_choice choice = { .kind = ACCEL_KVM };
	struct err err = { 0 };

	(void)state;
	assert_true(accel_decide(ACCEL_AUTO, ARCH_ARM64, ARCH_AMD64, &ok, &choice, &err));
	assert_int_equal(choice.kind, ACCEL_TCG);
	assert_false(accel_decide(ACCEL_FORCE_KVM, ARCH_ARM64, ARCH_AMD64, &ok, &choice, &err));
}

/* Any verdict is fine here, a hang or a crash is not; and what the test leaves behind is looked at. */
static void probes_this_host(void **state)
{
	struct kvm_probe probe;
	CLEANUP_STR struct str text = { 0 };

	(void)state;
	kvm_probe(NULL, &probe);
	kvm_probe_explain(&probe, &text);
	check(text.len > 0, "no explanation");
	check(probe.verdict != KVM_EMULATED || probe.rate > 0, "no rate");
	check(probe.verdict != KVM_FAILED || probe.detail[0] != '\0', "no detail");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decides),
		cmocka_unit_test(never_runs_foreign_guests_with_kvm),
		cmocka_unit_test(reads_the_environment),
		cmocka_unit_test(probes_this_host),
	};

	return unit_main(tests);
}
