/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finding UEFI firmware for a guest: program code and the template of its variable store.
 *
 * Distributions describe their firmware in JSON files (QEMU's docs/interop/firmware.json). They are looked for in
 * three folders, a file in a later one replacing its namesake in an earlier one, an empty file hiding it; the
 * lowest file name that fits wins, raw images before qcow2 ones. Without a descriptor that fits, the usual paths of
 * Debian, Fedora and Arch are tried. Source: machine.md 3.5.
 */
#ifndef TART_MACHINE_FIRMWARE_H
#define TART_MACHINE_FIRMWARE_H

#include "base/err.h"
#include "base/span.h"
#include "storage/config.h"

#define FIRMWARE_DESCRIPTOR_MAX (64 * 1024) /* bytes of one JSON file */

enum firmware_format { FIRMWARE_RAW, FIRMWARE_QCOW2 };

struct firmware {
	char *code_path;
	enum firmware_format code_format;
	char *vars_path; /* the template: never written */
	enum firmware_format vars_format;
};

/* Where to look; all strings are borrowed, NULL and "" mean unset. */
struct firmware_search {
	const char *code,
		*vars;       /* TART_FIRMWARE_CODE, TART_FIRMWARE_VARS: both or neither; they win */
	const char *dirs[3]; /* folders of descriptors, the weakest first */
	bool usual_paths;    /* whether to try them in the end */
};

/* The search of a normal run. `user_dir` is "<XDG_CONFIG_HOME or ~/.config>/qemu/firmware" or NULL. */
#define FIRMWARE_SEARCH(code_env, vars_env, user_dir)                                     \
	{                                                                                 \
		.code = (code_env), .vars = (vars_env), .usual_paths = true,              \
		.dirs = { "/usr/share/qemu/firmware", "/etc/qemu/firmware", (user_dir) }, \
	}

/* ERR_GENERAL naming the package to install when there is none. Files that are found can be read. */
bool firmware_find(const struct firmware_search *search, enum guest_arch arch, struct firmware *ret,
		   struct err *err);
void firmware_done(struct firmware *fw);

/* Reads one descriptor. *ret_fits says whether it suits this architecture; only then *ret is filled. False with
 * an error when the text is no descriptor. Pure. */
bool firmware_descriptor_parse(struct span text, enum guest_arch arch, bool *ret_fits,
			       struct firmware *ret, struct err *err);

#endif
