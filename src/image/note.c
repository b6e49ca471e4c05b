/* SPDX-License-Identifier: Apache-2.0 */
/* Parsing and printing overlay notes. */
#include "image/note.h"

#include <stdio.h>

#include "base/fs.h"
#include "base/json.h"
#include "image/disk.h"

#define VERSION        1
#define SIZE_MAX_BYTES 4096

struct base_id base_id_of(const struct stat *st)
{
	struct base_id id = { .size_bytes = (uint64_t)st->st_size };

	(void)snprintf(id.mtime, sizeof(id.mtime), "%lld.%09ld", (long long)st->st_mtim.tv_sec,
		       st->st_mtim.tv_nsec);
	return id;
}

bool base_id_equal(const struct base_id *a, const struct base_id *b)
{
	return a->size_bytes == b->size_bytes && strcmp(a->mtime, b->mtime) == 0;
}

static bool parse_id(const struct json *object, struct base_id *ret)
{
	const char *mtime = json_member_text(object, "mtime");
	struct base_id id;

	if (!json_get_u64(json_member(object, "size"), &id.size_bytes) || !mtime ||
	    strlen(mtime) >= sizeof(id.mtime))
		return false;
	memcpy(id.mtime, mtime, strlen(mtime) + 1);
	*ret = id;
	return true;
}

bool note_parse(struct span text, struct note *ret, struct err *err)
{
	CLEANUP_JSON struct json *root = NULL;
	const struct json *replacement;
	struct note note = { .has_replacement = false };
	uint64_t version;

	if (!json_parse(text, &root, err))
		return false;
	if (!json_get_u64(json_member(root, "version"), &version) || version != VERSION)
		return err_set(err, ERR_GENERAL, "it has an unknown version");
	replacement = json_member(root, "replacement");
	note.has_replacement = replacement != NULL;
	if (!parse_id(json_member(root, "base"), &note.base) ||
	    (replacement && !parse_id(replacement, &note.replacement)))
		return err_set(err, ERR_GENERAL, "it does not describe a base");
	*ret = note;
	return true;
}

bool note_read(int dirfd, struct note *ret, struct err *err)
{
	CLEANUP_STR struct str text = { 0 };

	if (!fs_read_file(dirfd, DISK_NOTE_FILE, SIZE_MAX_BYTES, &text, err))
		return false;
	return note_parse(str_span(&text), ret, err) || err_context(err, "'%s'", DISK_NOTE_FILE);
}

static struct json *id_object(const struct base_id *id)
{
	struct json *object = json_object();

	json_set(object, "mtime", json_string(id->mtime));
	json_set(object, "size", json_u64(id->size_bytes));
	return object;
}

void note_print(const struct note *note, struct str *out)
{
	CLEANUP_JSON struct json *root = json_object();

	json_set(root, "base", id_object(&note->base));
	if (note->has_replacement)
		json_set(root, "replacement", id_object(&note->replacement));
	json_set(root, "version", json_u64(VERSION));
	json_print(root, JSON_COMPACT, out);
	str_add_char(out, '\n');
}
