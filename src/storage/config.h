/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.json of a bundle: reading, validating, changing without losing what we do not know, writing in place.
 *
 * The parsed tree stays beside the typed view: config_store() writes the tree back with only our keys changed,
 * number spellings and unknown members kept, sorted by key. Source: image-format.md 2.1.
 */
#ifndef TART_STORAGE_CONFIG_H
#define TART_STORAGE_CONFIG_H

#include <stdint.h>

#include "base/err.h"
#include "base/json.h"
#include "base/tristate.h"
#include "net/mac.h"
#include "storage/display.h"

#define CONFIG_SIZE_MAX (1024 * 1024) /* bytes of config.json */

enum guest_os { OS_DARWIN, OS_LINUX };
enum guest_arch { ARCH_ARM64, ARCH_AMD64 };
enum disk_format { DISK_RAW, DISK_ASIF, DISK_OTHER };

struct config {
	uint64_t version;
	enum guest_os os;
	enum guest_arch arch;
	uint64_t cpu_count, cpu_count_min;
	uint64_t memory_bytes, memory_min_bytes;
	struct mac mac;
	struct display_size display; /* 1024x768 when absent */
	enum tristate display_refit;
	enum disk_format disk_format;
	char *disk_format_text; /* as written, "raw" when absent */
	struct json *tree;      /* owned */
};

void config_init_linux(struct config *ret, enum guest_arch arch); /* 4 CPUs, 4096 MiB, random MAC */
bool config_parse(struct span text, struct config *ret, struct err *err);
void config_print(const struct config *config,
		  struct str *out); /* pretty, sorted, newline at the end */
void config_done(struct config *config);

/* Setters change the typed view and the tree together. */
void config_set_cpu_count(struct config *config, uint64_t n);
void config_set_memory(struct config *config, uint64_t bytes);
void config_set_mac(struct config *config, const struct mac *mac);
void config_set_display(struct config *config, const struct display_size *display);
void config_set_display_refit(struct config *config, bool on);

/* Reads `config.json` of the bundle; tries again once when parsing fails, since a writer may be at work. */
bool config_read(int bundle_fd, struct config *ret, struct err *err);

/*
 * Rewrites config.json on the same inode (the file carries the "running" lock) and syncs it; creates the file when
 * there is none. At any moment the file holds the old or the new text, perhaps with blanks behind it: a longer text
 * first gets room by appending blanks, a shorter one is padded to the old length and the file cut afterwards.
 * When the disk is full the old text stays. Opens and closes the file: not for the holder of its record lock.
 */
bool config_store(int bundle_fd, const struct config *config, struct err *err);

const char *guest_os_text(enum guest_os os);       /* "darwin", "linux" */
const char *guest_arch_text(enum guest_arch arch); /* "arm64", "amd64" */
enum guest_arch guest_arch_of_host(void);

#endif
