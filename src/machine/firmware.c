/* SPDX-License-Identifier: Apache-2.0 */
/* Finding the firmware's files. */
#include "machine/firmware.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/vec.h"

static const struct usual_path {
	enum guest_arch arch;
	const char *code, *vars;
} usual_paths[] = {
	{ ARCH_AMD64, "/usr/share/OVMF/OVMF_CODE_4M.fd",
	  "/usr/share/OVMF/OVMF_VARS_4M.fd" }, /* Debian, Ubuntu */
	{ ARCH_AMD64, "/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd" },
	{ ARCH_AMD64, "/usr/share/edk2/ovmf/OVMF_CODE.fd",
	  "/usr/share/edk2/ovmf/OVMF_VARS.fd" }, /* Fedora */
	{ ARCH_AMD64, "/usr/share/edk2/x64/OVMF_CODE.4m.fd",
	  "/usr/share/edk2/x64/OVMF_VARS.4m.fd" }, /* Arch */
	{ ARCH_AMD64, "/usr/share/edk2-ovmf/x64/OVMF_CODE.fd",
	  "/usr/share/edk2-ovmf/x64/OVMF_VARS.fd" },
	{ ARCH_ARM64, "/usr/share/AAVMF/AAVMF_CODE.fd",
	  "/usr/share/AAVMF/AAVMF_VARS.fd" }, /* Debian, Ubuntu */
	{ ARCH_ARM64, "/usr/share/edk2/aarch64/QEMU_EFI-pflash.raw",
	  "/usr/share/edk2/aarch64/vars-template-pflash.raw" }, /* Fedora */
	{ ARCH_ARM64, "/usr/share/edk2/aarch64/QEMU_CODE.fd",
	  "/usr/share/edk2/aarch64/QEMU_VARS.fd" }, /* Arch */
};

static const char *const packages[] = {
	[ARCH_AMD64] = "ovmf (Debian, Ubuntu) or edk2-ovmf (Fedora, Arch)",
	[ARCH_ARM64] = "qemu-efi-aarch64 (Debian, Ubuntu) or edk2-aarch64 (Fedora, Arch)",
};

void firmware_done(struct firmware *fw)
{
	free(fw->code_path);
	free(fw->vars_path);
	*fw = (struct firmware){ 0 };
}

static bool is_readable(const char *path)
{
	return access(path, R_OK) == 0;
}

/* The descriptors that count: of each name the one from the strongest folder. */
struct descriptor {
	char *name;
	const char *dir;
};

struct descriptor_list {
	VEC(struct descriptor) items;
};

static void descriptor_list_done(struct descriptor_list *list)
{
	vec_each(&list->items, item)
		free(item->name);
	vec_done(&list->items);
}

static void add_descriptor(struct descriptor_list *list, const char *name, const char *dir)
{
	vec_each(&list->items, item) {
		if (strcmp(item->name, name) == 0) {
			item->dir = dir;
			return;
		}
	}
	*vec_push(&list->items) = (struct descriptor){ .name = xstrdup(name), .dir = dir };
}

static void close_dir(DIR **dir)
{
	if (*dir)
		(void)closedir(*dir);
}

/* A folder that is not there or cannot be read has no descriptors. */
static void list_dir(const char *path, struct descriptor_list *list)
{
	CLEANUP(close_dir) DIR *dir = opendir(path);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)) != NULL)
		if (entry->d_name[0] != '.' && span_ends_with(span_of(entry->d_name), ".json"))
			add_descriptor(list, entry->d_name, path);
}

static int compare_names(const void *a, const void *b)
{
	const struct descriptor *left = a;
	const struct descriptor *right = b;

	return strcmp(left->name, right->name);
}

/* A descriptor that is damaged, empty (that is how one is hidden), for something else, or whose files are not
 * there does not count. */
static bool try_descriptor(const struct descriptor *descriptor, enum guest_arch arch,
			   struct firmware *ret)
{
	CLEANUP_STR struct str path = { 0 };
	CLEANUP_STR struct str text = { 0 };
	struct err ignored = { 0 };
	struct firmware fw = { 0 };
	bool fits = false;

	str_addf(&path, "%s/%s", descriptor->dir, descriptor->name);
	if (!fs_read_file(AT_FDCWD, str_text(&path), FIRMWARE_DESCRIPTOR_MAX, &text, &ignored) ||
	    !firmware_descriptor_parse(str_span(&text), arch, &fits, &fw, &ignored) || !fits)
		return false;
	if (!is_readable(fw.code_path) || !is_readable(fw.vars_path)) {
		firmware_done(&fw);
		return false;
	}
	*ret = fw;
	return true;
}

static bool is_raw(const struct firmware *fw)
{
	return fw->code_format == FIRMWARE_RAW && fw->vars_format == FIRMWARE_RAW;
}

static bool find_by_descriptor(const struct firmware_search *search, enum guest_arch arch,
			       struct firmware *ret)
{
	CLEANUP(descriptor_list_done) struct descriptor_list list = { 0 };
	struct firmware best = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(search->dirs); i++)
		if (search->dirs[i])
			list_dir(search->dirs[i], &list);
	if (list.items.n > 0)
		qsort(list.items.v, list.items.n, sizeof(*list.items.v), compare_names);
	vec_each(&list.items, item) {
		struct firmware fw = { 0 };

		if (!try_descriptor(item, arch, &fw))
			continue;
		if (!best.code_path || (is_raw(&fw) && !is_raw(&best))) {
			firmware_done(&best);
			best = fw;
		} else {
			firmware_done(&fw);
		}
		if (is_raw(&best))
			break;
	}
	if (best.code_path)
		*ret = best;
	return best.code_path != NULL;
}

static void set_raw(struct firmware *ret, const char *code, const char *vars)
{
	*ret = (struct firmware){ .code_path = xstrdup(code), .vars_path = xstrdup(vars) };
}

static bool find_by_path(enum guest_arch arch, struct firmware *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(usual_paths); i++) {
		const struct usual_path *path = &usual_paths[i];

		if (path->arch != arch || !is_readable(path->code) || !is_readable(path->vars))
			continue;
		set_raw(ret, path->code, path->vars);
		return true;
	}
	return false;
}

static bool is_set(const char *text)
{
	return text && text[0] != '\0';
}

static bool take_override(const struct firmware_search *search, struct firmware *ret,
			  struct err *err)
{
	if (!is_set(search->code) || !is_set(search->vars))
		return err_set(
			err, ERR_GENERAL,
			"TART_FIRMWARE_CODE and TART_FIRMWARE_VARS belong together, only one is set");
	if (!is_readable(search->code))
		return err_set(err, ERR_GENERAL, "TART_FIRMWARE_CODE: cannot read '%s'",
			       search->code);
	if (!is_readable(search->vars))
		return err_set(err, ERR_GENERAL, "TART_FIRMWARE_VARS: cannot read '%s'",
			       search->vars);
	set_raw(ret, search->code, search->vars);
	return true;
}

bool firmware_find(const struct firmware_search *search, enum guest_arch arch, struct firmware *ret,
		   struct err *err)
{
	if (is_set(search->code) || is_set(search->vars))
		return take_override(search, ret, err);
	if (find_by_descriptor(search, arch, ret))
		return true;
	if (search->usual_paths && find_by_path(arch, ret))
		return true;
	return err_set(err, ERR_GENERAL, "no UEFI firmware for %s guests found, install %s",
		       guest_arch_text(arch), packages[arch]);
}
