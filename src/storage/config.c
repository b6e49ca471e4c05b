/* SPDX-License-Identifier: Apache-2.0 */
/* config.json as text: parsing, validating, changing, printing. The file itself is config_file.c's business. */
#include "storage/config.h"

#include <string.h>
#include <sys/utsname.h>

#include "base/checked.h"
#include "base/mem.h"

#define DEFAULT_WIDTH  1024
#define DEFAULT_HEIGHT 768

static const uint64_t default_cpu_count = 4;
static const uint64_t default_memory_bytes = (uint64_t)4096 << 20;

const char *guest_os_text(enum guest_os os)
{
	return os == OS_LINUX ? "linux" : "darwin";
}

const char *guest_arch_text(enum guest_arch arch)
{
	return arch == ARCH_AMD64 ? "amd64" : "arm64";
}

enum guest_arch guest_arch_of_host(void)
{
	struct utsname host;

	/* A 32-bit program on a 64-bit kernel included: it is the kernel that QEMU asks for KVM. */
	if (uname(&host) == 0 && strcmp(host.machine, "x86_64") == 0)
		return ARCH_AMD64;
	return ARCH_ARM64;
}

/* What the key must hold, for "config.json: 'cpuCount' must be a positive integer". */
static bool bad(const char *key, const char *rule, struct err *err)
{
	return err_set(err, ERR_GENERAL, "config.json: '%s' must be %s", key, rule);
}

/* JSON null counts as absent. */
static const struct json *present(const struct json *object, const char *key)
{
	const struct json *member = json_member(object, key);

	return json_type(member) == JSON_NULL ? NULL : member;
}

static bool read_count(const struct json *tree, const char *key, uint64_t *ret, struct err *err)
{
	uint64_t value;

	if (!json_get_u64(json_member(tree, key), &value) || value == 0)
		return bad(key, "a positive integer", err);
	*ret = value;
	return true;
}

static bool read_counts(struct config *c, struct err *err)
{
	return read_count(c->tree, "version", &c->version, err) &&
	       read_count(c->tree, "cpuCount", &c->cpu_count, err) &&
	       read_count(c->tree, "cpuCountMin", &c->cpu_count_min, err) &&
	       read_count(c->tree, "memorySize", &c->memory_bytes, err) &&
	       read_count(c->tree, "memorySizeMin", &c->memory_min_bytes, err);
}

/* One of two words; *ret tells whether it is the second, and stays when the key is absent. */
static bool read_choice(const struct json *tree, const char *key, const char *first,
			const char *second, bool *ret, struct err *err)
{
	const struct json *member = present(tree, key);
	const char *text = json_type(member) == JSON_STRING ? json_text(member) : NULL;

	if (!member)
		return true;
	if (!text || (strcmp(text, first) != 0 && strcmp(text, second) != 0))
		return err_set(err, ERR_GENERAL, "config.json: '%s' must be \"%s\" or \"%s\"", key,
			       first, second);
	*ret = strcmp(text, second) == 0;
	return true;
}

static bool read_platform(struct config *c, struct err *err)
{
	bool is_linux = false;
	bool is_amd64 = false;

	if (!read_choice(c->tree, "os", "darwin", "linux", &is_linux, err) ||
	    !read_choice(c->tree, "arch", "arm64", "amd64", &is_amd64, err))
		return false;
	c->os = is_linux ? OS_LINUX : OS_DARWIN;
	c->arch = is_amd64 ? ARCH_AMD64 : ARCH_ARM64;
	if (c->os == OS_LINUX)
		return true;
	if (!json_member_text(c->tree, "ecid"))
		return bad("ecid", "a string (this is a macOS VM)", err);
	if (!json_member_text(c->tree, "hardwareModel"))
		return bad("hardwareModel", "a string (this is a macOS VM)", err);
	return true;
}

static bool read_mac(struct config *c, struct err *err)
{
	const char *text = json_member_text(c->tree, "macAddress");

	if (!text || !mac_parse(span_of(text), &c->mac))
		return bad("macAddress", "six hexadecimal octets separated by colons", err);
	return true;
}

static bool read_dimension(const struct json *display, const char *key, uint32_t *ret)
{
	uint64_t value;

	return json_get_u64(json_member(display, key), &value) && to_u32(value, ret);
}

static bool read_unit(const struct json *display, enum display_unit *ret)
{
	const struct json *unit = present(display, "unit");
	const char *text = json_type(unit) == JSON_STRING ? json_text(unit) : NULL;

	if (!unit)
		return true;
	if (!text || (strcmp(text, "pt") != 0 && strcmp(text, "px") != 0))
		return false;
	*ret = strcmp(text, "pt") == 0 ? UNIT_PT : UNIT_PX;
	return true;
}

static bool read_display(struct config *c, struct err *err)
{
	const struct json *display = present(c->tree, "display");
	const struct json *refit = present(c->tree, "displayRefit");
	bool on = false;

	c->display = (struct display_size){ .width = DEFAULT_WIDTH, .height = DEFAULT_HEIGHT };
	if (display &&
	    (!json_is_object(display) || !read_dimension(display, "width", &c->display.width) ||
	     !read_dimension(display, "height", &c->display.height) ||
	     !read_unit(display, &c->display.unit)))
		return bad("display", "an object with width, height and perhaps unit (pt or px)",
			   err);
	if (refit && !json_get_bool(refit, &on))
		return bad("displayRefit", "true or false", err);
	c->display_refit = !refit ? UNSET : on ? ON : OFF;
	return true;
}

static bool read_disk_format(struct config *c, struct err *err)
{
	const struct json *format = present(c->tree, "diskFormat");
	const char *text = format ? json_member_text(c->tree, "diskFormat") : "raw";

	if (!text)
		return bad("diskFormat", "a string", err);
	c->disk_format = strcmp(text, "raw") == 0  ? DISK_RAW :
			 strcmp(text, "asif") == 0 ? DISK_ASIF :
						     DISK_OTHER;
	c->disk_format_text = xstrdup(text);
	return true;
}

bool config_parse(struct span text, struct config *ret, struct err *err)
{
	CLEANUP(config_done) struct config config = { 0 };

	if (!json_parse(text, &config.tree, err))
		return err_context(err, "config.json");
	if (!json_is_object(config.tree))
		return err_set(err, ERR_GENERAL, "config.json is not a JSON object");
	if (!read_counts(&config, err) || !read_platform(&config, err) || !read_mac(&config, err) ||
	    !read_display(&config, err) || !read_disk_format(&config, err))
		return false;
	*ret = config;
	config = (struct config){ 0 };
	return true;
}

void config_done(struct config *config)
{
	free(config->disk_format_text);
	json_free(config->tree);
	*config = (struct config){ 0 };
}

void config_print(const struct config *config, struct str *out)
{
	CLEANUP_JSON struct json *sorted = json_dup(config->tree);

	json_sort(sorted);
	json_print(sorted, JSON_PRETTY, out);
	str_add_char(out, '\n');
}

void config_init_linux(struct config *ret, enum guest_arch arch)
{
	struct display_size display = { .width = DEFAULT_WIDTH, .height = DEFAULT_HEIGHT };
	struct mac mac;

	*ret = (struct config){
		.version = 1,
		.os = OS_LINUX,
		.arch = arch,
		.cpu_count_min = default_cpu_count,
		.memory_min_bytes = default_memory_bytes,
		.display_refit = UNSET,
		.disk_format = DISK_RAW,
		.disk_format_text = xstrdup("raw"),
		.tree = json_object(),
	};
	json_set(ret->tree, "version", json_u64(ret->version));
	json_set(ret->tree, "os", json_string(guest_os_text(ret->os)));
	json_set(ret->tree, "arch", json_string(guest_arch_text(arch)));
	json_set(ret->tree, "cpuCountMin", json_u64(ret->cpu_count_min));
	json_set(ret->tree, "memorySizeMin", json_u64(ret->memory_min_bytes));
	json_set(ret->tree, "diskFormat", json_string(ret->disk_format_text));
	mac_random(&mac);
	config_set_cpu_count(ret, default_cpu_count);
	config_set_memory(ret, default_memory_bytes);
	config_set_mac(ret, &mac);
	config_set_display(ret, &display);
}

void config_set_cpu_count(struct config *config, uint64_t n)
{
	config->cpu_count = n;
	json_set(config->tree, "cpuCount", json_u64(n));
}

void config_set_memory(struct config *config, uint64_t bytes)
{
	config->memory_bytes = bytes;
	json_set(config->tree, "memorySize", json_u64(bytes));
}

void config_set_mac(struct config *config, const struct mac *mac)
{
	char text[MAC_TEXT_SIZE];

	config->mac = *mac;
	mac_print(mac, text);
	json_set(config->tree, "macAddress", json_string(text));
}

void config_set_display(struct config *config, const struct display_size *display)
{
	struct json *object = json_member(config->tree, "display");

	config->display = *display;
	/* Changed in place: members that we do not know stay. */
	if (!json_is_object(object))
		object = json_set(config->tree, "display", json_object());
	json_set(object, "width", json_u64(display->width));
	json_set(object, "height", json_u64(display->height));
	if (display->unit == UNIT_NONE)
		json_remove(object, "unit");
	else
		json_set(object, "unit", json_string(display_unit_text(display->unit)));
}

void config_set_display_refit(struct config *config, bool on)
{
	config->display_refit = on ? ON : OFF;
	json_set(config->tree, "displayRefit", json_bool(on));
}
