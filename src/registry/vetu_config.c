/* SPDX-License-Identifier: Apache-2.0 */
/* Reading Vetu's JSON, and what becomes of it. */
#include "registry/vetu_config.h"

#include <stdlib.h>
#include <string.h>

#include "image/disk.h"
#include "storage/extras.h"

#define CPU_COUNT_MAX 255

void vetu_config_done(struct vetu_config *config)
{
	free(config->cmdline);
	vec_each(&config->disks, name)
		free(*name);
	vec_done(&config->disks);
	*config = (struct vetu_config){ 0 };
}

static bool bad(const char *key, const char *rule, struct err *err)
{
	return err_set(err, ERR_GENERAL, "Vetu configuration: '%s' must be %s", key, rule);
}

/* A null member is an absent one. */
static const struct json *present(const struct json *object, const char *key)
{
	const struct json *member = json_member(object, key);

	return json_type(member) == JSON_NULL ? NULL : member;
}

static bool read_version(const struct json *tree, struct err *err)
{
	uint64_t version;

	if (!json_get_u64(present(tree, "version"), &version))
		return bad("version", "a number", err);
	if (version != 1)
		return err_set(
			err, ERR_GENERAL,
			"the image has version %llu of Vetu's configuration, and only version 1 "
			"is known",
			(unsigned long long)version);
	return true;
}

static bool read_arch(const struct json *tree, enum guest_arch *ret, struct err *err)
{
	const char *text = json_member_text(tree, "arch");

	if (!text || (strcmp(text, "amd64") != 0 && strcmp(text, "arm64") != 0))
		return bad("arch", "\"amd64\" or \"arm64\"", err);
	*ret = strcmp(text, "amd64") == 0 ? ARCH_AMD64 : ARCH_ARM64;
	return true;
}

static bool read_cmdline(const struct json *tree, char **ret, struct err *err)
{
	const struct json *member = present(tree, "cmdline");
	const char *text = member ? json_member_text(tree, "cmdline") : "";

	if (!text || strlen(text) > EXTRAS_CMDLINE_MAX)
		return bad("cmdline", "a text of at most 2047 bytes", err);
	for (const char *c = text; *c; c++) {
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			return bad("cmdline", "free of control characters", err);
	}
	*ret = xstrdup(text);
	return true;
}

static bool read_number(const struct json *tree, const char *key, uint64_t max, uint64_t *ret,
			struct err *err)
{
	const struct json *member = present(tree, key);

	if (member && (!json_get_u64(member, ret) || *ret > max))
		return bad(key, "a number that is not negative and not too large", err);
	return true;
}

static bool read_mac(const struct json *tree, struct vetu_config *config, struct err *err)
{
	const struct json *member = present(tree, "macAddress");
	const char *text = json_member_text(tree, "macAddress");

	if (!member || (text && !text[0]))
		return true;
	if (!text || !mac_parse(span_of(text), &config->mac))
		return bad("macAddress", "six hexadecimal octets separated by colons", err);
	config->has_mac = true;
	return true;
}

static bool is_listed(const struct vetu_config *config, const char *name)
{
	vec_each(&config->disks, known) {
		if (strcmp(*known, name) == 0)
			return true;
	}
	return false;
}

/* The first one becomes disk.img in any case. */
static bool is_allowed(const struct vetu_config *config, const char *name)
{
	return extras_disk_name_is_allowed(span_of(name)) ||
	       (config->disks.n == 0 && strcmp(name, DISK_FILE) == 0);
}

static bool read_disk(const struct json *disk, struct vetu_config *config, struct err *err)
{
	const char *name = json_member_text(disk, "name");

	if (!name || !is_allowed(config, name) || is_listed(config, name))
		return err_set(
			err, ERR_GENERAL,
			"Vetu configuration: a disk has no name, or one that another file has "
			"or that is no plain file name");
	if (config->disks.n > EXTRAS_DISKS_MAX)
		return err_set(err, ERR_GENERAL, "Vetu configuration: more than %d disks",
			       EXTRAS_DISKS_MAX + 1);
	*vec_push(&config->disks) = xstrdup(name);
	return true;
}

static bool read_disks(const struct json *tree, struct vetu_config *config, struct err *err)
{
	const struct json *disks = present(tree, "disks");

	if (!disks || json_type(disks) != JSON_ARRAY || json_count(disks) == 0)
		return bad("disks", "a list of at least one disk", err);
	for (size_t i = 0; i < json_count(disks); i++) {
		if (!read_disk(json_at(disks, i), config, err))
			return false;
	}
	return true;
}

bool vetu_config_parse(struct span text, struct vetu_config *ret, struct err *err)
{
	CLEANUP_JSON struct json *tree = NULL;
	CLEANUP(vetu_config_done) struct vetu_config config = { 0 };

	if (!json_parse(text, &tree, err))
		return err_context(err, "Vetu configuration");
	if (!json_is_object(tree))
		return err_set(err, ERR_GENERAL, "the Vetu configuration is not a JSON object");
	if (!read_version(tree, err) || !read_arch(tree, &config.arch, err) ||
	    !read_cmdline(tree, &config.cmdline, err) ||
	    !read_number(tree, "cpuCount", CPU_COUNT_MAX, &config.cpu_count, err) ||
	    !read_number(tree, "memorySize", INT64_MAX, &config.memory_bytes, err) ||
	    !read_mac(tree, &config, err) || !read_disks(tree, &config, err))
		return false;
	*ret = config;
	config = (struct vetu_config){ 0 };
	return true;
}

static void set_minimums(const struct vetu_config *vetu, struct config *config)
{
	if (vetu->cpu_count > 0) {
		config_set_cpu_count(config, vetu->cpu_count);
		config->cpu_count_min = vetu->cpu_count;
		json_set(config->tree, "cpuCountMin", json_u64(vetu->cpu_count));
	}
	if (vetu->memory_bytes > 0) {
		config_set_memory(config, vetu->memory_bytes);
		config->memory_min_bytes = vetu->memory_bytes;
		json_set(config->tree, "memorySizeMin", json_u64(vetu->memory_bytes));
	}
}

void vetu_config_convert(const struct vetu_config *vetu, bool has_initramfs, struct config *ret)
{
	CLEANUP(extras_done)
	struct extras extras = {
		.boots_kernel = true,
		.has_initramfs = has_initramfs,
		.cmdline = xstrdup(vetu->cmdline),
	};

	config_init_linux(ret, vetu->arch);
	set_minimums(vetu, ret);
	if (vetu->has_mac)
		config_set_mac(ret, &vetu->mac);
	for (size_t i = 1; i < vetu->disks.n; i++)
		*vec_push(&extras.disks) = xstrdup(vetu->disks.v[i]);
	extras_store(ret, &extras);
}
