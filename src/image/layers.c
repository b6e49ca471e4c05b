/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The record of layers as text, and how our writer cuts a disk. layers_file.c reads and stores it.
 *
 *	tart-layers 1 DIGEST                of all that follows this line
 *	disk BYTES MTIME
 *	overlay BYTES MTIME                 if there was one
 *	origin HOST/REPOSITORY              any number
 *	layer BYTES BLOB-BYTES DATA-DIGEST BLOB-DIGEST ORIGINS FLAGS
 *	layer BYTES                         not known
 *	index BYTES                         and that many bytes after this line (image/layer_index.h), none = not known
 *
 * ORIGINS is the bit set as a decimal number; FLAGS is "o" for an overlaid layer, else "-".
 */
#include "image/layers.h"

#include "base/checked.h"
#include "base/mem.h"
#include "base/number.h"
#include "image/sum.h"

#define FORMAT     "tart-layers 1 "
#define ORIGIN_MAX 512 /* bytes: a host and a repository */

/* Descriptors of disk layers in a manifest of 1 MiB: 348 bytes each, and some room for the rest. */
#define WANTED_LAYERS ((uint64_t)2990)

void disk_layers_done(struct disk_layers *layers)
{
	vec_each(&layers->origins, origin)
		free(*origin);
	vec_done(&layers->origins);
	vec_done(&layers->items);
	layer_index_done(&layers->index);
	*layers = (struct disk_layers){ 0 };
}

/* The words of a line. */
struct words {
	struct span rest;
	bool failed;
};

static struct span next_word(struct words *words)
{
	struct span word = { 0 };

	if (!span_next(&words->rest, ' ', &word) || word.len == 0)
		words->failed = true;
	return word;
}

static uint64_t next_number(struct words *words, uint64_t max)
{
	uint64_t value = 0;

	if (!number_parse_u64(next_word(words), max, &value))
		words->failed = true;
	return value;
}

static void next_digest(struct words *words, char ret_hex[DIGEST_HEX_SIZE])
{
	struct span word = next_word(words);

	if (!digest_is_hex(word)) {
		words->failed = true;
		return;
	}
	memcpy(ret_hex, word.ptr, word.len);
	ret_hex[word.len] = '\0';
}

static bool words_end(const struct words *words)
{
	return !words->failed && !words->rest.ptr;
}

static bool parse_id(struct words *words, struct base_id *ret)
{
	struct base_id id = { .size_bytes = next_number(words, INT64_MAX) };
	struct span mtime = next_word(words);

	if (!words_end(words) || mtime.len >= sizeof(id.mtime))
		return false;
	for (size_t i = 0; i < mtime.len; i++)
		if (!strchr("-.0123456789", mtime.ptr[i]) || !mtime.ptr[i])
			return false;
	memcpy(id.mtime, mtime.ptr, mtime.len);
	*ret = id;
	return true;
}

static bool parse_origin(struct words *words, struct disk_layers *layers)
{
	struct span origin = next_word(words);

	if (!words_end(words) || origin.len > ORIGIN_MAX || layers->origins.n == LAYERS_ORIGINS_MAX)
		return false;
	for (size_t i = 0; i < origin.len; i++)
		if (origin.ptr[i] <= ' ' || origin.ptr[i] > '~')
			return false;
	*vec_push(&layers->origins) = xstrndup(origin.ptr, origin.len);
	return true;
}

static bool parse_layer(struct words *words, struct disk_layers *layers)
{
	struct disk_layer item = { .data_bytes = next_number(words, INT64_MAX) };
	struct span flags;

	if (layers->items.n == LAYERS_MAX)
		return false;
	if (!words_end(words)) {
		item.blob_bytes = next_number(words, INT64_MAX);
		next_digest(words, item.data_digest);
		next_digest(words, item.blob_digest);
		item.origins = (uint32_t)next_number(words, ((uint64_t)1 << layers->origins.n) - 1);
		flags = next_word(words);
		item.is_overlaid = span_is(flags, "o");
		if (!words_end(words) || item.blob_bytes == 0 ||
		    (!item.is_overlaid && !span_is(flags, "-")))
			return false;
	}
	*vec_push(&layers->items) = item;
	return true;
}

/* The lines from `disk` to `index`; *rest is what follows them. */
static bool parse_lines(struct span *rest, struct disk_layers *layers, uint64_t *ret_index_bytes)
{
	struct span line;
	bool has_disk = false;

	while (span_next(rest, '\n', &line)) {
		struct words words = { .rest = line };
		struct span kind = next_word(&words);
		bool ok = false;

		if (span_is(kind, "layer")) {
			ok = parse_layer(&words, layers);
		} else if (span_is(kind, "disk") && !has_disk) {
			has_disk = ok = parse_id(&words, &layers->disk);
		} else if (span_is(kind, "overlay") && !layers->has_overlay) {
			layers->has_overlay = ok = parse_id(&words, &layers->overlay);
		} else if (span_is(kind, "origin") && layers->items.n == 0) {
			ok = parse_origin(&words, layers);
		} else if (span_is(kind, "index")) {
			*ret_index_bytes = next_number(&words, LAYER_INDEX_MAX);
			return has_disk && words_end(&words);
		}
		if (!ok)
			return false;
	}
	return false;
}

/* What the index says of a layer has to agree with the record; of one that is not known it says nothing. */
static bool join_index(struct disk_layers *layers)
{
	if (layers->index.layers.n != layers->items.n)
		return false;
	for (size_t i = 0; i < layers->items.n; i++) {
		const struct disk_layer *item = &layers->items.v[i];
		const struct layer_pieces *pieces = &layers->index.layers.v[i];

		if (!layer_pieces_fit(pieces, item->data_bytes, item->blob_bytes))
			return false;
	}
	return true;
}

static bool check_digest(struct span *rest, struct err *err)
{
	char digest[DIGEST_HEX_SIZE];
	struct span line = { 0 };

	(void)span_next(rest, '\n', &line);
	if (!span_starts_with(line, FORMAT) || !rest->ptr)
		return err_set(err, ERR_GENERAL, "it has an unknown format");
	digest_of(*rest, digest);
	if (!span_is(span_from(line, strlen(FORMAT)), digest))
		return err_set(err, ERR_GENERAL, "it is damaged");
	return true;
}

static bool parse(struct span text, struct disk_layers *layers, struct err *err)
{
	uint64_t index_bytes = 0;

	if (!check_digest(&text, err))
		return false;
	if (!parse_lines(&text, layers, &index_bytes) || !text.ptr || text.len != index_bytes)
		return err_set(err, ERR_GENERAL, "it does not describe layers");
	if (index_bytes == 0)
		return true;
	if (!layer_index_parse(text, &layers->index, err))
		return false;
	return join_index(layers) || err_set(err, ERR_GENERAL, "its index belongs to other layers");
}

bool disk_layers_parse(struct span text, struct disk_layers *ret, struct err *err)
{
	CLEANUP(disk_layers_done) struct disk_layers layers = { 0 };

	if (!parse(text, &layers, err))
		return err_context(err, "record of layers");
	*ret = layers;
	layers = (struct disk_layers){ 0 };
	return true;
}

static void print_id(const char *kind, const struct base_id *id, struct str *out)
{
	str_addf(out, "%s %llu %s\n", kind, (unsigned long long)id->size_bytes, id->mtime);
}

static void print_layer(const struct disk_layer *item, struct str *out)
{
	str_addf(out, "layer %llu", (unsigned long long)item->data_bytes);
	if (item->blob_bytes > 0)
		str_addf(out, " %llu %s %s %lu %s", (unsigned long long)item->blob_bytes,
			 item->data_digest, item->blob_digest, (unsigned long)item->origins,
			 item->is_overlaid ? "o" : "-");
	str_add_char(out, '\n');
}

/* Pieces count only for layers that are known, and if they are theirs. */
static void print_index(const struct disk_layers *layers, struct str *out)
{
	struct layer_index index = { 0 };

	for (size_t i = 0; i < layers->items.n; i++) {
		const struct disk_layer *item = &layers->items.v[i];
		const struct layer_pieces *pieces = &layers->index.layers.v[i];
		struct layer_pieces *shown = vec_push(&index.layers);

		if (layer_pieces_fit(pieces, item->data_bytes, item->blob_bytes))
			*shown = *pieces; /* borrowed: only the array is freed */
		shown->data_bytes = item->data_bytes;
	}
	layer_index_print(&index, out);
	vec_done(&index.layers);
}

void disk_layers_print(const struct disk_layers *layers, struct str *out)
{
	CLEANUP_STR struct str body = { 0 };
	CLEANUP_STR struct str index = { 0 };
	char digest[DIGEST_HEX_SIZE];

	print_id("disk", &layers->disk, &body);
	if (layers->has_overlay)
		print_id("overlay", &layers->overlay, &body);
	vec_each(&layers->origins, origin)
		str_addf(&body, "origin %s\n", *origin);
	vec_each(&layers->items, item)
		print_layer(item, &body);
	if (layers->items.n > 0 && layers->index.layers.n == layers->items.n)
		print_index(layers, &index);
	str_addf(&body, "index %zu\n", index.len);
	str_add_span(&body, str_span(&index));
	digest_of(str_span(&body), digest);
	str_addf(out, "%s%s\n", FORMAT, digest);
	str_add_span(out, str_span(&body));
}

uint64_t layer_bytes_for(uint64_t disk_bytes)
{
	uint64_t bytes = LAYER_BYTES_MIN;

	while (bytes < LAYER_BYTES_MAX && disk_bytes / bytes >= WANTED_LAYERS)
		bytes *= 2;
	return bytes;
}

bool zeros_digest(uint64_t len, char ret_hex[DIGEST_HEX_SIZE], struct err *err)
{
	CLEANUP(digest_cleanup) struct digest *digest = digest_new();

	if (!sum_add_zeros(digest, len, err))
		return false;
	digest_finish(digest, ret_hex);
	return true;
}
