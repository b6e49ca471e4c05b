/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of machine/kvm_cache.h. */
#include "machine/kvm_cache.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/fs.h"

#include "unit.h"

static const struct kvm_key key = { .boot_id = "4fe6df69-7ab2-44c2-9548-88d67c6b9e73",
				    .uid = 1000,
				    .device = 5,
				    .inode = 18446744073709551615u };

#define MEMBERS(boot, uid, device, inode, verdict, rate)                              \
	"{\"bootId\":" boot ",\"uid\":" uid ",\"device\":" device ",\"inode\":" inode \
	",\"verdict\":" verdict ",\"rate\":" rate "}"
#define BOOT  "\"4fe6df69-7ab2-44c2-9548-88d67c6b9e73\""
#define INODE "18446744073709551615"

static const struct {
	const char *name;
	const char *text;
	bool hit;
	enum kvm_verdict verdict;
} rows[] = {
	{ "ok", MEMBERS(BOOT, "1000", "5", INODE, "\"ok\"", "0"), true, KVM_OK },
	{ "emulated", MEMBERS(BOOT, "1000", "5", INODE, "\"emulated\"", "7"), true, KVM_EMULATED },
	{ "denied is not kept", MEMBERS(BOOT, "1000", "5", INODE, "\"denied\"", "0"), false,
	  KVM_OK },
	{ "busy is not kept", MEMBERS(BOOT, "1000", "5", INODE, "\"busy\"", "0"), false, KVM_OK },
	{ "unknown verdict", MEMBERS(BOOT, "1000", "5", INODE, "\"fine\"", "0"), false, KVM_OK },
	{ "verdict is no text", MEMBERS(BOOT, "1000", "5", INODE, "1", "0"), false, KVM_OK },
	{ "another boot",
	  MEMBERS("\"4fe6df69-7ab2-44c2-9548-88d67c6b9e74\"", "1000", "5", INODE, "\"ok\"", "0"),
	  false, KVM_OK },
	{ "another user", MEMBERS(BOOT, "0", "5", INODE, "\"ok\"", "0"), false, KVM_OK },
	{ "another device", MEMBERS(BOOT, "1000", "6", INODE, "\"ok\"", "0"), false, KVM_OK },
	{ "another inode", MEMBERS(BOOT, "1000", "5", "1", "\"ok\"", "0"), false, KVM_OK },
	{ "negative rate", MEMBERS(BOOT, "1000", "5", INODE, "\"ok\"", "-1"), false, KVM_OK },
	{ "cut off", "{\"bootId\":" BOOT ",\"uid\":1000,", false, KVM_OK },
	{ "members missing", "{}", false, KVM_OK },
	{ "an array", "[]", false, KVM_OK },
	{ "empty", "", false, KVM_OK },
};

static void reads_only_its_own(void **state)
{
	(void)state;
	each_row(rows, row) {
		struct kvm_probe probe = { .verdict = KVM_BUSY };
		bool hit = kvm_cache_parse(span_of(row->text), &key, &probe);

		check(hit == row->hit, "%s: %s", row->name, hit ? "taken" : "ignored");
		check(probe.verdict == (hit ? row->verdict : KVM_BUSY), "%s: verdict %d", row->name,
		      (int)probe.verdict);
	}
}

struct folder {
	char path[64];
	int fd;
};

static void open_folder(struct folder *folder)
{
	(void)snprintf(folder->path, sizeof(folder->path), "/tmp/tart-kvm-cache-XXXXXX");
	assert_non_null(mkdtemp(folder->path));
	folder->fd = open(folder->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(folder->fd >= 0);
}

static void close_folder(struct folder *folder)
{
	struct err err = { 0 };

	assert_true(fs_remove_tree(AT_FDCWD, folder->path, &err));
	(void)close(folder->fd);
}

static void keeps_a_verdict(void **state)
{
	struct kvm_probe put = { .verdict = KVM_EMULATED, .rate = 1700000 };
	struct kvm_probe got = { 0 };
	struct kvm_key other = key;
	struct err err = { 0 };
	struct folder folder;

	(void)state;
	open_folder(&folder);
	assert_false(kvm_cache_read(folder.fd, &key, &got));
	assert_true(kvm_cache_write(folder.fd, &key, &put, &err));
	assert_true(kvm_cache_read(folder.fd, &key, &got));
	assert_int_equal(got.verdict, KVM_EMULATED);
	assert_int_equal(got.rate, 1700000);
	other.uid = 1001;
	assert_false(kvm_cache_read(folder.fd, &other, &got));
	/* Another user's verdict takes the place of the first. */
	assert_true(kvm_cache_write(folder.fd, &other, &put, &err));
	assert_false(kvm_cache_read(folder.fd, &key, &got));
	close_folder(&folder);
}

static void does_not_keep_what_may_change(void **state)
{
	const enum kvm_verdict passing[] = { KVM_DENIED, KVM_BUSY, KVM_NONE, KVM_FAILED };
	struct err err = { 0 };
	struct folder folder;

	(void)state;
	open_folder(&folder);
	for (size_t i = 0; i < ARRAY_LEN(passing); i++) {
		struct kvm_probe put = { .verdict = passing[i] };

		check(kvm_cache_write(folder.fd, &key, &put, &err), "%s: %s",
		      kvm_verdict_name(passing[i]), err.text);
		check(!fs_exists(folder.fd, KVM_CACHE_FILE), "%s was kept",
		      kvm_verdict_name(passing[i]));
	}
	close_folder(&folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_only_its_own),
		cmocka_unit_test(keeps_a_verdict),
		cmocka_unit_test(does_not_keep_what_may_change),
	};

	return unit_main(tests);
}
