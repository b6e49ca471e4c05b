/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Errors as values.
 *
 * What can fail returns bool (true = done) and takes `struct err *err` last. A struct err needs no
 * initialising beyond { 0 } and no freeing; its text lives inside it and is cut off with "..." when too long.
 *
 *	if (!config_read(dirfd, &config, err))
 *		return err_context(err, "VM '%s'", name);
 *
 * Set it where it happens, add context where more is known, print it once in main(). Outputs of a failed
 * call are untouched. Every macro ends in the constant `false`, which also lets static analysers see that
 * the path has failed.
 */
#ifndef TART_BASE_ERR_H
#define TART_BASE_ERR_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attrs.h"
#include "base/span.h"

/* The classes of spec cli.md 1.4; err.c maps each to exit code and prefix. */
enum err_kind {
	ERR_NONE,
	ERR_GENERAL,            /* anything without a class of its own: "Error: <text>", 1 */
	ERR_USAGE,              /* "Error: <text>" and the usage lines, 64 */
	ERR_CANCELLED,          /* SIGINT, SIGTERM, SIGHUP, 1 */
	ERR_VM_MISSING,         /* 2; see err_vm_missing() */
	ERR_VM_INCOMPLETE,      /* 1; no prefix, as all that follow unless said */
	ERR_VM_RUNNING,         /* 1: delete, push, prune of a running VM */
	ERR_VM_NOT_RUNNING,     /* 2 */
	ERR_VM_ALREADY_RUNNING, /* 2 */
	ERR_REMOTE_NAME,        /* 1 */
	ERR_DISK_SIZE,          /* 1 */
	ERR_DISK_BUSY,          /* 1 */
	ERR_BLOCK_DEVICE,       /* 1 */
	ERR_RESOURCES,          /* 1, with the "Error: " prefix */
	ERR_OCI,                /* 1: "OCI storage error: <text>" */
	ERR_IMPORT,             /* 1: "VM import failed: <text>" */
	ERR_EXPORT,             /* 1: "VM export failed: <text>" */
	ERR_STOP,               /* 1: a forced stop failed */
	ERR_EXISTS,             /* 1: the target is there already */
	ERR_TRANSPORT, /* 1: "Error: <text>"; the connection broke or stalled: worth another try */
	ERR_CREDENTIALS, /* 1: "invalid credentials: <text>" */
	ERR_HOST,        /* 1: improperly formatted host */
	ERR_CORRUPT, /* 1: "Error: <text>"; bytes are damaged: another copy of them may be right */
	ERR_SOFTNET, /* 1: "Softnet failed: <text>" */
	ERR_NO_IP,   /* 1: no IP address found */
	ERR_KIND_COUNT
};

struct err {
	enum err_kind kind;
	int sys;           /* errno, or 0 */
	char text[1024];   /* one line, no final full stop or newline */
	char detail[1536]; /* what another program said, shown on a line below; "" = nothing */
};

/* Replaces *err by a new error. `err_sys` appends ": <strerror(errnum)>" and is ERR_GENERAL. */
#define err_set(err, kind, ...)   (err_set_((err), (kind), __VA_ARGS__), false)
#define err_sys(err, errnum, ...) (err_sys_((err), (errnum), __VA_ARGS__), false)

/* Puts "<context>: " in front of the text. Kinds whose text the interface fixes to the letter stay as they are. */
#define err_context(err, ...) (err_context_((err), __VA_ARGS__), false)

/* Gives an error another class, keeping its text: an I/O error during import is an import failure. */
#define err_reclass(err, new_kind) (err_reclass_((err), (new_kind)), false)

void err_set_(struct err *err, enum err_kind kind, const char *fmt, ...) PRINTF_LIKE(3, 4);
void err_sys_(struct err *err, int errnum, const char *fmt, ...) PRINTF_LIKE(3, 4);
void err_context_(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);
void err_reclass_(struct err *err, enum err_kind new_kind);

/* Adds the detail to an error that is set: foreign text, of which as much is kept as fits. Context leaves it alone. */
void err_set_detail(struct err *err, struct span text);

/* Makes *err reusable. */
void err_clear(struct err *err);

/* How an error of this kind is shown: text before the message ("" or "Error: "...), and the exit code. */
const char *err_prefix(enum err_kind kind);
int err_exit_code(enum err_kind kind);

#endif
