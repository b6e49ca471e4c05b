/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and writing our key of config.json. */
#include "storage/extras.h"

#include <stdlib.h>
#include <string.h>

#include "storage/bundle.h"
#include "storage/name.h"

/* A disk of one of these names would be mistaken for it. */
static const char *const reserved[] = {
	BUNDLE_CONFIG,     BUNDLE_DISK,      BUNDLE_NVRAM,       BUNDLE_STATE,
	BUNDLE_MANIFEST,   BUNDLE_SOCKET,    BUNDLE_OVERLAY,     BUNDLE_OVERLAY_NOTE,
	BUNDLE_EFIVARS,    BUNDLE_QEMU_LOG,  BUNDLE_CONSOLE_LOG, BUNDLE_VNC_SOCKET,
	BUNDLE_KERNEL,     BUNDLE_INITRAMFS, BUNDLE_LAYERS,      BUNDLE_VSOCK_SOCKET,
	BUNDLE_QGA_SOCKET,
};

void extras_done(struct extras *extras)
{
	free(extras->cmdline);
	vec_each(&extras->disks, name)
		free(*name);
	vec_done(&extras->disks);
	*extras = (struct extras){ 0 };
}

static bool is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_' || c == '.';
}

bool extras_disk_name_is_allowed(struct span name)
{
	if (name.len == 0 || name.len > NAME_BYTES_MAX || name.ptr[0] == '.' ||
	    name.ptr[name.len - 1] == '.')
		return false;
	for (size_t i = 0; i < name.len; i++) {
		if (!is_name_char(name.ptr[i]))
			return false;
	}
	for (size_t i = 0; i < ARRAY_LEN(reserved); i++) {
		if (span_is(name, reserved[i]))
			return false;
	}
	return true;
}

static bool bad(const char *member, const char *rule, struct err *err)
{
	return err_set(err, ERR_GENERAL, "config.json: '%s' in '%s' must be %s", member, EXTRAS_KEY,
		       rule);
}

static bool read_boot(const struct json *boot, struct extras *extras, struct err *err)
{
	const struct json *initramfs = json_member(boot, "initramfs");
	const char *cmdline = json_member_text(boot, "cmdline");

	if (!boot)
		return true;
	if (!json_is_object(boot))
		return bad("boot", "an object", err);
	if (initramfs && !json_get_bool(initramfs, &extras->has_initramfs))
		return bad("initramfs", "true or false", err);
	if (!cmdline || strlen(cmdline) > EXTRAS_CMDLINE_MAX)
		return bad("cmdline", "a text of at most 2047 bytes", err);
	for (const char *c = cmdline; *c; c++) {
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			return bad("cmdline", "free of control characters", err);
	}
	extras->boots_kernel = true;
	extras->cmdline = xstrdup(cmdline);
	return true;
}

static bool has_disk(const struct extras *extras, const char *name)
{
	vec_each(&extras->disks, known) {
		if (strcmp(*known, name) == 0)
			return true;
	}
	return false;
}

static bool read_disks(const struct json *disks, struct extras *extras, struct err *err)
{
	if (!disks)
		return true;
	if (json_type(disks) != JSON_ARRAY || json_count(disks) > EXTRAS_DISKS_MAX)
		return bad("disks", "a list of at most 12 file names", err);
	for (size_t i = 0; i < json_count(disks); i++) {
		const struct json *item = json_at(disks, i);
		const char *name = json_type(item) == JSON_STRING ? json_text(item) : "";

		if (!extras_disk_name_is_allowed(span_of(name)) || has_disk(extras, name))
			return bad("disks", "a list of different names of disk files", err);
		*vec_push(&extras->disks) = xstrdup(name);
	}
	return true;
}

bool extras_read(const struct config *config, struct extras *ret, struct err *err)
{
	CLEANUP(extras_done) struct extras extras = { 0 };
	const struct json *object = json_member(config->tree, EXTRAS_KEY);

	if (object && !json_is_object(object))
		return err_set(err, ERR_GENERAL, "config.json: '%s' must be an object", EXTRAS_KEY);
	if (!read_boot(json_member(object, "boot"), &extras, err) ||
	    !read_disks(json_member(object, "disks"), &extras, err))
		return false;
	*ret = extras;
	extras = (struct extras){ 0 };
	return true;
}

void extras_store(struct config *config, const struct extras *extras)
{
	struct json *object;

	json_remove(config->tree, EXTRAS_KEY);
	if (extras_are_none(extras))
		return;
	object = json_set(config->tree, EXTRAS_KEY, json_object());
	if (extras->boots_kernel) {
		struct json *boot = json_set(object, "boot", json_object());

		json_set(boot, "cmdline", json_string(extras->cmdline));
		json_set(boot, "initramfs", json_bool(extras->has_initramfs));
	}
	if (extras->disks.n > 0) {
		struct json *disks = json_set(object, "disks", json_array());

		vec_each(&extras->disks, name)
			json_append(disks, json_string(*name));
	}
}
