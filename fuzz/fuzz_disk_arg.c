/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Disk arguments: the target is a front part of the text, and whatever an NBD URL holds reaches QEMU as the value it
 * is, never as a further option.
 */
#include "machine/disk_arg.h"

#include "base/mem.h"
#include "base/number.h"
#include "base/str.h"
#include "fuzz.h"
#include "machine/nbd_url.h"
#include "machine/qemu_argv.h"

/* Cuts the next "key=value" off QEMU's list, where ",," is a comma of the value. */
static bool next_option(struct span *rest, struct str *out)
{
	size_t i = 0;

	if (rest->len == 0)
		return false;
	for (; i < rest->len; i++) {
		if (rest->ptr[i] == ',' && (i + 1 == rest->len || rest->ptr[i + 1] != ','))
			break;
		if (rest->ptr[i] == ',')
			i++;
		str_add_char(out, rest->ptr[i]);
	}
	*rest = span_from(*rest, i < rest->len ? i + 1 : i);
	return true;
}

/* The value of `key`, which the list must hold at most once; *ret_n counts all options. */
static char *option_value(const char *list, const char *key, size_t *ret_n)
{
	struct span rest = span_of(list);
	char *value = NULL;

	for (*ret_n = 0;; ++*ret_n) {
		CLEANUP_STR struct str option = { 0 };

		if (!next_option(&rest, &option))
			return value;
		if (!span_starts_with(str_span(&option), key))
			continue;
		fuzz_check(!value);
		value = xstrdup(option.ptr + strlen(key));
	}
}

static void check_value(const char *list, const char *key, const char *want, size_t n_options)
{
	size_t n = 0;
	CLEANUP_FREE char *value = option_value(list, key, &n);

	fuzz_check(n == n_options);
	fuzz_check(want ? value && strcmp(value, want) == 0 : !value);
}

static void check_node(const char *list, const struct disk_spec *disk)
{
	const struct nbd_target *nbd = &disk->nbd;
	/* driver, node-name, server.type, export, reconnect-delay, cache.no-flush, discard */
	size_t n = 7;

	n += nbd->unix_path ? 1 : 2;
	n += nbd->tls;
	n += nbd->tls && nbd->tls_hostname;
	n += disk->read_only;
	check_value(list, "export=", nbd->export_name, n);
	check_value(list, "server.path=", nbd->unix_path, n);
	check_value(list, "server.host=", nbd->unix_path ? NULL : nbd->host, n);
	check_value(list, "tls-hostname=", nbd->tls ? nbd->tls_hostname : NULL, n);
}

static void check_argv(const struct disk_spec *disk)
{
	CLEANUP(qemu_argv_done) struct qemu_argv argv = { 0 };
	struct machine_spec spec = { .vm_name = "x", .version = "1", .root = DISK_SPEC_INIT };
	bool seen = false;

	*vec_push(&spec.disks) = *disk;
	qemu_argv_build("qemu", &spec, &argv);
	vec_each(&argv.args, arg) {
		if (!span_starts_with(span_of(*arg), "driver=nbd,"))
			continue;
		check_node(*arg, disk);
		seen = true;
	}
	fuzz_check(seen);
	vec_done(&spec.disks);
}

static void check_nbd(struct span target, struct disk_spec *disk)
{
	struct err err = { 0 };
	uint64_t port;

	if (!nbd_url_parse(target, &disk->nbd, &err)) {
		fuzz_check(err.kind == ERR_GENERAL && !disk->nbd.export_name);
		return;
	}
	fuzz_check(!disk->nbd.host == !!disk->nbd.unix_path);
	fuzz_check(disk->nbd.unix_path || number_parse_u64(span_of(disk->nbd.port), 65535, &port));
	fuzz_check(!disk->nbd.tls == !disk->nbd.tls_dir);
	disk->source = DISK_SOURCE_NBD;
	check_argv(disk);
	nbd_target_done(&disk->nbd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = span_make((const char *)data, size);
	struct disk_spec disk = DISK_SPEC_INIT;
	struct disk_arg arg = { 0 };
	struct err err = { 0 };
	enum disk_target kind;

	/* It comes from a command line. */
	if (span_find(text, '\0') < size)
		return 0;
	disk_arg_parse(text, &arg);
	fuzz_check(arg.target.ptr == text.ptr && arg.target.len <= text.len);
	fuzz_check(arg.target.len == text.len || text.ptr[arg.target.len] == ':');
	fuzz_check(arg.target.len < text.len ||
		   (!arg.opts.read_only && !arg.opts.sync.ptr && !arg.opts.caching.ptr));
	(void)disk_arg_check_arch(&arg, ARCH_AMD64, &err);
	if (size == 0)
		return 0;
	kind = disk_target_kind(arg.target, PATH_MISSING);
	if (!disk_opts_apply(kind, &arg.opts, &disk, &err))
		fuzz_check(kind != DISK_TARGET_IMAGE && disk.fd == -1);
	if (kind == DISK_TARGET_NBD)
		check_nbd(arg.target, &disk);
	return 0;
}
