/* SPDX-License-Identifier: Apache-2.0 */
/* Reading one firmware descriptor; finding the files is firmware.c's. */
#include "machine/firmware.h"

#include <fnmatch.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"

/* The machine types of qemu_argv.c under their full names, which descriptors match by patterns. */
static const struct {
	const char *architecture;
	const char *machine;
} targets[] = {
	[ARCH_AMD64] = { "x86_64", "pc-q35-7.2" },
	[ARCH_ARM64] = { "aarch64", "virt-7.2" },
};

static bool has_text(const struct json *array, const char *text)
{
	for (size_t i = 0; i < json_count(array); i++) {
		const struct json *item = json_at(array, i);

		if (json_type(item) == JSON_STRING && strcmp(json_text(item), text) == 0)
			return true;
	}
	return false;
}

static bool has_pattern(const struct json *array, const char *text)
{
	for (size_t i = 0; i < json_count(array); i++) {
		const struct json *item = json_at(array, i);

		if (json_type(item) == JSON_STRING && fnmatch(json_text(item), text, 0) == 0)
			return true;
	}
	return false;
}

static bool has_target(const struct json *list, enum guest_arch arch)
{
	for (size_t i = 0; i < json_count(list); i++) {
		const struct json *target = json_at(list, i);
		const char *architecture = json_member_text(target, "architecture");

		if (architecture && strcmp(architecture, targets[arch].architecture) == 0 &&
		    has_pattern(json_member(target, "machines"), targets[arch].machine))
			return true;
	}
	return false;
}

/* Code and variables in two flash chips; the older descriptors have no mode and mean this one. */
static bool is_split_flash(const struct json *mapping)
{
	const char *device = json_member_text(mapping, "device");
	const char *mode = json_member_text(mapping, "mode");

	return device && strcmp(device, "flash") == 0 && (!mode || strcmp(mode, "split") == 0);
}

static bool is_suitable(const struct json *root, enum guest_arch arch)
{
	const struct json *features = json_member(root, "features");

	/* SMM is off in our machines, and keys somebody enrolled refuse most kernels. */
	return has_text(json_member(root, "interface-types"), "uefi") &&
	       has_target(json_member(root, "targets"), arch) &&
	       !has_text(features, "requires-smm") && !has_text(features, "enrolled-keys");
}

static bool read_format(const struct json *file, enum firmware_format *ret)
{
	const char *text = json_member_text(file, "format");

	if (!text)
		return false;
	if (strcmp(text, "raw") == 0)
		*ret = FIRMWARE_RAW;
	else if (strcmp(text, "qcow2") == 0)
		*ret = FIRMWARE_QCOW2;
	else
		return false;
	return true;
}

static bool read_mapping(const struct json *mapping, struct firmware *ret)
{
	const struct json *code = json_member(mapping, "executable");
	const struct json *vars = json_member(mapping, "nvram-template");
	const char *code_path = json_member_text(code, "filename");
	const char *vars_path = json_member_text(vars, "filename");
	struct firmware fw = { 0 };

	if (!is_split_flash(mapping) || !code_path || code_path[0] != '/' || !vars_path ||
	    vars_path[0] != '/' || !read_format(code, &fw.code_format) ||
	    !read_format(vars, &fw.vars_format))
		return false;
	fw.code_path = xstrdup(code_path);
	fw.vars_path = xstrdup(vars_path);
	*ret = fw;
	return true;
}

bool firmware_descriptor_parse(struct span text, enum guest_arch arch, bool *ret_fits,
			       struct firmware *ret, struct err *err)
{
	CLEANUP_JSON struct json *root = NULL;

	if (!json_parse(text, &root, err))
		return false;
	if (!json_is_object(root))
		return err_set(err, ERR_GENERAL, "not a JSON object");
	*ret_fits = is_suitable(root, arch) && read_mapping(json_member(root, "mapping"), ret);
	return true;
}
