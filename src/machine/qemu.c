/* SPDX-License-Identifier: Apache-2.0 */
/* Finding QEMU. */
#include "machine/qemu.h"

#include <stdlib.h>

#include "base/child.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/program.h"

#define VERSION_TEXT_MAX 4096

static const struct {
	const char *program;
	const char *package;
} emulators[] = {
	[ARCH_AMD64] = { "qemu-system-x86_64", "qemu-system-x86" },
	[ARCH_ARM64] = { "qemu-system-aarch64",
			 "qemu-system-arm (Debian, Ubuntu) or qemu-system-aarch64 (Fedora, Arch)" },
};

/* Red Hat's only emulator, of the host's architecture, in no PATH. */
#define QEMU_KVM "/usr/libexec/qemu-kvm"

bool qemu_find(enum guest_arch arch, enum guest_arch host, const char *path_env, char **ret_path,
	       struct err *err)
{
	char *path = executable_find(emulators[arch].program, path_env);

	if (!path && arch == host && program_is_executable(QEMU_KVM))
		path = xstrdup(QEMU_KVM);
	if (!path)
		return err_set(err, ERR_GENERAL, "%s not found in PATH, install %s",
			       emulators[arch].program, emulators[arch].package);
	*ret_path = path;
	return true;
}

/* The digits at the front of *text, which moves past them. */
static bool take_number(struct span *text, unsigned int *ret)
{
	size_t len = 0;
	uint64_t value = 0;

	while (len < text->len && text->ptr[len] >= '0' && text->ptr[len] <= '9')
		len++;
	if (!number_parse_u64(span_first(*text, len), 9999, &value))
		return false;
	*ret = (unsigned int)value;
	*text = span_from(*text, len);
	return true;
}

static bool take_dot(struct span *text)
{
	if (text->len == 0 || text->ptr[0] != '.')
		return false;
	*text = span_from(*text, 1);
	return true;
}

bool qemu_version_parse(struct span text, struct qemu_version *ret)
{
	static const char prefix[] = "QEMU emulator version ";
	struct qemu_version version = { 0 };
	struct span rest;

	if (!span_starts_with(text, prefix))
		return false;
	rest = span_from(text, strlen(prefix));
	if (!take_number(&rest, &version.major) || !take_dot(&rest) ||
	    !take_number(&rest, &version.minor) || !take_dot(&rest) ||
	    !take_number(&rest, &version.micro))
		return false;
	*ret = version;
	return true;
}

bool qemu_version_read(const char *path, struct qemu_version *ret, struct err *err)
{
	const char *const argv[] = { path, "--version", NULL };
	CLEANUP_STR struct str text = { 0 };

	if (!child_run(argv, VERSION_TEXT_MAX, &text, err))
		return false;
	return qemu_version_parse(str_span(&text), ret) ||
	       err_set(err, ERR_GENERAL, "%s does not tell its version", path);
}

bool qemu_version_check(const struct qemu_version *version, struct err *err)
{
	if (version->major > QEMU_VERSION_MIN_MAJOR ||
	    (version->major == QEMU_VERSION_MIN_MAJOR && version->minor >= QEMU_VERSION_MIN_MINOR))
		return true;
	return err_set(err, ERR_GENERAL, "QEMU %u.%u.%u is too old, %d.%d or newer is needed",
		       version->major, version->minor, version->micro, QEMU_VERSION_MIN_MAJOR,
		       QEMU_VERSION_MIN_MINOR);
}
