/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of machine/disk_arg.h: cli.md 3.3. */
#include "machine/disk_arg.h"

#include "unit.h"

/* A span against an expected text; NULL = not given. */
static bool is_text(struct span got, const char *want)
{
	return want ? got.ptr && span_is(got, want) : !got.ptr;
}

static const struct {
	const char *name;
	const char *text;
	const char *target;
	bool read_only;
	const char *sync;
	const char *caching;
} args[] = {
	{ "plain file", "disk.bin", "disk.bin", false, NULL, NULL },
	{ "read-only", "ubuntu.iso:ro", "ubuntu.iso", true, NULL, NULL },
	{ "block device", "/dev/sdb", "/dev/sdb", false, NULL, NULL },
	{ "remote name with a tag", "ghcr.io/cirruslabs/xcode:16.0",
	  "ghcr.io/cirruslabs/xcode:16.0", false, NULL, NULL },
	{ "read-only remote name", "ghcr.io/cirruslabs/xcode:16.0:ro",
	  "ghcr.io/cirruslabs/xcode:16.0", true, NULL, NULL },
	{ "NBD", "nbd://localhost:10809/myDisk:sync=none", "nbd://localhost:10809/myDisk", false,
	  "none", NULL },
	{ "NBD without options", "nbd://localhost:10809/myDisk", "nbd://localhost:10809/myDisk",
	  false, NULL, NULL },
	{ "all three", "disk.img:ro,sync=none,caching=cached", "disk.img", true, "none", "cached" },
	{ "unknown option", "disk.img:foo", "disk.img:foo", false, NULL, NULL },
	{ "unknown beside known", "disk.img:foo,ro", "disk.img", true, NULL, NULL },
	{ "ro as part of a word", "disk.img:rox", "disk.img:rox", false, NULL, NULL },
	{ "sync without =", "disk.img:sync", "disk.img:sync", false, NULL, NULL },
	{ "empty value", "disk.img:sync=", "disk.img", false, "", NULL },
	{ "last of two", "disk.img:sync=none,sync=full", "disk.img", false, "full", NULL },
	{ "only the last part", "disk.img:ro:sync=none", "disk.img:ro", false, "none", NULL },
	{ "empty last part", "disk.img:", "disk.img:", false, NULL, NULL },
	{ "no target", ":ro", "", true, NULL, NULL },
	{ "nothing", "", "", false, NULL, NULL },
	{ "a file called ro", "ro", "ro", false, NULL, NULL },
};

static void splits_arguments(void **state)
{
	(void)state;
	each_row(args, row) {
		struct disk_arg got = { 0 };

		disk_arg_parse(span_of(row->text), &got);
		check(is_text(got.target, row->target), "%s: target '%.*s'", row->name,
		      SPAN_ARG(got.target));
		check(got.opts.read_only == row->read_only, "%s: read-only", row->name);
		check(is_text(got.opts.sync, row->sync), "%s: sync '%.*s'", row->name,
		      SPAN_ARG(got.opts.sync));
		check(is_text(got.opts.caching, row->caching), "%s: caching '%.*s'", row->name,
		      SPAN_ARG(got.opts.caching));
	}
}

static const struct {
	const char *name;
	const char *text;
	bool read_only;
	const char *sync;
	const char *caching;
} root_opts[] = {
	{ "ro", "ro", true, NULL, NULL },
	{ "two", "caching=cached,sync=none", false, "none", "cached" },
	{ "empty", "", false, NULL, NULL },
	{ "unknown", "foo", false, NULL, NULL },
};

static void reads_root_options(void **state)
{
	(void)state;
	each_row(root_opts, row) {
		struct disk_opts got = { .read_only = !row->read_only };

		disk_opts_parse(span_of(row->text), &got);
		check(got.read_only == row->read_only, "%s: read-only", row->name);
		check(is_text(got.sync, row->sync), "%s: sync", row->name);
		check(is_text(got.caching, row->caching), "%s: caching", row->name);
	}
}

static const struct {
	const char *name;
	const char *target;
	enum path_kind at_path;
	enum disk_target want;
} kinds[] = {
	{ "NBD", "nbd://host/x", PATH_MISSING, DISK_TARGET_NBD },
	{ "NBD with TLS", "nbds://host/x", PATH_MISSING, DISK_TARGET_NBD },
	{ "NBD by socket", "nbd+unix:///x?socket=/s", PATH_MISSING, DISK_TARGET_NBD },
	{ "NBD by socket with TLS", "nbds+unix:///x?socket=/s", PATH_MISSING, DISK_TARGET_NBD },
	{ "NBD wins over a file of that name", "nbd://host/x", PATH_FILE, DISK_TARGET_NBD },
	{ "device", "/dev/sdb", PATH_BLOCK, DISK_TARGET_BLOCK },
	{ "file", "disk.img", PATH_FILE, DISK_TARGET_FILE },
	{ "missing file", "disk.img", PATH_MISSING, DISK_TARGET_FILE },
	{ "remote name", "ghcr.io/a/b:latest", PATH_MISSING, DISK_TARGET_IMAGE },
	{ "looks remote but exists", "images/disk.img", PATH_FILE, DISK_TARGET_FILE },
	{ "looks remote but is a device", "dev/sdb", PATH_BLOCK, DISK_TARGET_BLOCK },
	{ "missing file with a folder", "images/disk.img", PATH_MISSING, DISK_TARGET_IMAGE },
	{ "missing absolute path", "/images/disk.img", PATH_MISSING, DISK_TARGET_FILE },
	{ "empty", "", PATH_MISSING, DISK_TARGET_FILE },
};

static void tells_targets_apart(void **state)
{
	(void)state;
	each_row(kinds, row) {
		enum disk_target got = disk_target_kind(span_of(row->target), row->at_path);

		check(got == row->want, "%s: kind %d", row->name, (int)got);
	}
}

static const struct {
	const char *name;
	enum disk_target kind;
	const char *opts;
	const char *error; /* NULL = fine */
	enum disk_sync sync;
	enum disk_caching caching;
	bool read_only;
} modes[] = {
	{ "file, defaults", DISK_TARGET_FILE, "", NULL, SYNC_FULL, CACHING_CACHED, false },
	{ "file, full", DISK_TARGET_FILE, "sync=full", NULL, SYNC_FULL, CACHING_CACHED, false },
	{ "file, fsync", DISK_TARGET_FILE, "sync=fsync", NULL, SYNC_FULL, CACHING_CACHED, false },
	{ "file, none", DISK_TARGET_FILE, "sync=none", NULL, SYNC_NONE, CACHING_CACHED, false },
	{ "file, empty values", DISK_TARGET_FILE, "sync=,caching=", NULL, SYNC_FULL, CACHING_CACHED,
	  false },
	{ "file, automatic", DISK_TARGET_FILE, "caching=automatic", NULL, SYNC_FULL, CACHING_CACHED,
	  false },
	{ "file, uncached", DISK_TARGET_FILE, "caching=uncached,ro", NULL, SYNC_FULL,
	  CACHING_DIRECT, true },
	{ "file, bad sync", DISK_TARGET_FILE, "sync=maybe",
	  "unsupported disk image synchronization mode: \"maybe\"", SYNC_FULL, CACHING_CACHED,
	  false },
	{ "file, bad caching", DISK_TARGET_FILE, "caching=maybe",
	  "unsupported disk image caching mode: \"maybe\"", SYNC_FULL, CACHING_CACHED, false },
	{ "file, mode in capitals", DISK_TARGET_FILE, "sync=None",
	  "unsupported disk image synchronization mode: \"None\"", SYNC_FULL, CACHING_CACHED,
	  false },
	{ "device, none", DISK_TARGET_BLOCK, "sync=none", NULL, SYNC_NONE, CACHING_CACHED, false },
	{ "device, fsync", DISK_TARGET_BLOCK, "sync=fsync",
	  "unsupported disk synchronization mode: \"fsync\"", SYNC_FULL, CACHING_CACHED, false },
	{ "device, caching ignored", DISK_TARGET_BLOCK, "caching=maybe", NULL, SYNC_FULL,
	  CACHING_CACHED, false },
	{ "NBD, full", DISK_TARGET_NBD, "sync=full,ro", NULL, SYNC_FULL, CACHING_CACHED, true },
	{ "NBD, bad sync", DISK_TARGET_NBD, "sync=maybe",
	  "unsupported disk synchronization mode: \"maybe\"", SYNC_FULL, CACHING_CACHED, false },
	{ "image, both ignored", DISK_TARGET_IMAGE, "sync=maybe,caching=maybe,ro", NULL, SYNC_FULL,
	  CACHING_CACHED, true },
};

static void checks_modes(void **state)
{
	(void)state;
	each_row(modes, row) {
		struct disk_spec spec = { .fd = 77, .sync = (enum disk_sync)9 };
		struct disk_opts opts = { 0 };
		struct err err = { 0 };
		bool ok;

		disk_opts_parse(span_of(row->opts), &opts);
		ok = disk_opts_apply(row->kind, &opts, &spec, &err);
		check(ok == !row->error, "%s: %s", row->name, ok ? "accepted" : err.text);
		check(spec.fd == 77, "%s: descriptor changed", row->name);
		if (row->error) {
			check(strcmp(err.text, row->error) == 0, "%s: %s", row->name, err.text);
			check(err.kind == ERR_GENERAL, "%s: kind %d", row->name, (int)err.kind);
			check(spec.sync == (enum disk_sync)9, "%s: output changed", row->name);
			continue;
		}
		check(spec.sync == row->sync && spec.caching == row->caching &&
			      spec.read_only == row->read_only,
		      "%s: sync %d, caching %d, read-only %d", row->name, (int)spec.sync,
		      (int)spec.caching, (int)spec.read_only);
	}
}

static const struct {
	const char *name;
	const char *text;
	enum guest_arch arch;
	bool ok;
} media[] = {
	{ "amd64 on amd64", "debian-12-amd64.iso", ARCH_AMD64, true },
	{ "amd64 on arm64", "debian-12-amd64.iso", ARCH_ARM64, false },
	{ "arm64 on arm64", "debian-12-arm64.iso:ro", ARCH_ARM64, true },
	{ "arm64 on amd64, read-only", "debian-12-arm64.iso:ro", ARCH_AMD64, false },
	{ "no architecture in the name", "debian.iso", ARCH_ARM64, true },
	{ "not at the end", "x-amd64.iso.img", ARCH_ARM64, true },
};

static void checks_architecture_in_names(void **state)
{
	(void)state;
	each_row(media, row) {
		struct disk_arg arg;
		struct err err = { 0 };
		bool ok;

		disk_arg_parse(span_of(row->text), &arg);
		ok = disk_arg_check_arch(&arg, row->arch, &err);
		check(ok == row->ok, "%s: %s", row->name, ok ? "accepted" : err.text);
		if (ok)
			continue;
		check(err.kind == ERR_USAGE, "%s: kind %d", row->name, (int)err.kind);
		check(strstr(err.text, "amd64") && strstr(err.text, "arm64"), "%s: %s", row->name,
		      err.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(splits_arguments),
		cmocka_unit_test(reads_root_options),
		cmocka_unit_test(tells_targets_apart),
		cmocka_unit_test(checks_modes),
		cmocka_unit_test(checks_architecture_in_names),
	};

	return unit_main(tests);
}
