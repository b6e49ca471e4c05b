/* SPDX-License-Identifier: Apache-2.0 */
/* The index of disk layers: what is accepted prints as it was, and its pieces cover each layer. */
#include "image/layer_index.h"

#include <string.h>

#include "fuzz.h"

static void walk(const struct layer_pieces *pieces)
{
	struct layer_piece piece = { .data_bytes = 0 };
	uint64_t blob_start = 0;
	uint64_t at = 0;

	if (!layer_pieces_are_known(pieces)) {
		fuzz_check(!layer_pieces_find(pieces, 0, &piece));
		return;
	}
	for (; at < pieces->data_bytes; at += piece.data_bytes) {
		fuzz_check(layer_pieces_find(pieces, at, &piece));
		fuzz_check(piece.data_start == at && piece.data_bytes > 0);
		fuzz_check(piece.blob_start == blob_start && piece.blob_bytes <= BV4_PIECE_BOUND);
		fuzz_check(piece.is_zeros || digest_is_hex(span_of(piece.digest)));
		blob_start += piece.blob_bytes;
	}
	fuzz_check(at == pieces->data_bytes && blob_start == pieces->blob_bytes);
	fuzz_check(!layer_pieces_find(pieces, at, &piece));
	fuzz_check(layer_pieces_fit(pieces, at, blob_start + BV4_END_BYTES));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span bytes = { (const char *)data, size };
	struct layer_index index = { 0 };
	CLEANUP_STR struct str printed = { 0 };
	struct err err = { 0 };

	if (!layer_index_parse(bytes, &index, &err)) {
		fuzz_check(err.text[0] && index.layers.n == 0);
		return 0;
	}
	layer_index_print(&index, &printed);
	fuzz_check(span_equal(str_span(&printed), bytes));
	for (size_t i = 0; i < index.layers.n && i < 16; i++) /* each may take a while */
		walk(&index.layers.v[i]);
	layer_index_done(&index);
	return 0;
}
