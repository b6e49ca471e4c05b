/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exports (.tvm): writing one from files, reading one as a hostile thing. tvm_text.h has the
 * format.
 *
 * Both directions stream in bounded memory (some 100 MiB, most of it zstd's). Holes are neither
 * read nor written; only the check sums, which are over the logical content, cost time for them.
 * Cancellation is noticed.
 */
#ifndef TART_IMAGE_TVM_H
#define TART_IMAGE_TVM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "image/bytes.h"
#include "image/extent.h"

struct tvm_source {
	const char *name;
	struct extent_map *content;
	int64_t mtime; /* seconds */
};

/* Writes an export of these files, in this order, to fd in sequence: a pipe will do. Not synced. */
bool tvm_write(int fd, const struct tvm_source *files, size_t n_files, struct err *err);

/* What may be in an export; anything else makes it refused. */
struct tvm_rule {
	const char *name;
	bool is_required;
	uint64_t max_bytes; /* 0 = what the file system can hold */
};

/* Where the content goes. Offsets ascend and end within the size; what is left out is zeros. */
struct tvm_receiver {
	/* data_bytes: what it will take at most on the disk. */
	bool (*begin)(void *ctx, const char *name, uint64_t size_bytes, uint64_t data_bytes,
		      struct err *err);
	bool (*data)(void *ctx, uint64_t offset, struct span data, struct err *err);
	bool (*end)(void *ctx, struct err *err);
	void *ctx;
};

/* Reads a tar of an export; everything was received and verified when it returns true. */
bool tvm_read_tar(struct byte_source tar, const struct tvm_rule *rules, size_t n_rules,
		  struct tvm_receiver receiver, struct err *err);

/* Creates the files of an export in dirfd, sparse and synced. `shown_name` is the file's name
 * for messages. What is there already is an error; what was made before a failure stays. */
bool tvm_unpack(int fd, const char *shown_name, const struct tvm_rule *rules, size_t n_rules,
		int dirfd, struct err *err);

#endif
