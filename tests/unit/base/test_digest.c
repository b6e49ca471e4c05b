/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of base/digest.h, against the vectors of FIPS 180-2 and NIST's long message. */
#include "base/digest.h"

#include <fcntl.h>

#include "temp_dir.h"

static const struct {
	const char *name;
	const char *text;
	int times;
	const char *hex;
} vectors[] = {
	{ "nothing", "", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
	{ "one block", "abc", 1,
	  "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
	{ "two blocks", "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
	  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
	{ "a million letters, in pieces", "aaaaaaaaaa", 100000,
	  "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0" },
};

static void known_vectors(void **state)
{
	(void)state;
	each_row(vectors, row) {
		CLEANUP(digest_cleanup) struct digest *d = digest_new();
		char hex[DIGEST_HEX_SIZE];

		for (int i = 0; i < row->times; i++)
			digest_add(d, row->text, strlen(row->text));
		digest_finish(d, hex);
		check(strcmp(hex, row->hex) == 0, "%s: %s", row->name, hex);
		if (row->times == 1)
			digest_of(span_of(row->text), hex);
		check(strcmp(hex, row->hex) == 0, "%s, at once: %s", row->name, hex);
	}
}

static void a_range_of_a_file(void **state)
{
	const struct temp_dir *dir = *state;
	CLEANUP_CLOSE int fd = openat(dir->fd, "a", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	char hex[DIGEST_HEX_SIZE] = "untouched";
	struct err err = { 0 };

	assert_true(fs_pwrite_all(fd, "xabcx", 5, 0, &err));
	assert_true(digest_of_range(fd, 1, 3, hex, &err));
	assert_string_equal(hex, vectors[1].hex);
	assert_true(digest_of_range(fd, 5, 0, hex, &err));
	assert_string_equal(hex, vectors[0].hex);

	/* A hole, larger than any buffer, read as the zeros it stands for. */
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(ftruncate(fd, 1 << 20), 0);
	assert_true(digest_of_range(fd, 0, 1 << 20, hex, &err));
	assert_string_equal(hex,
			    "30e14955ebf1352266dc2ff8067e68104607e750abb9d3b36582b8af909fcb58");
}

static void a_range_past_the_end_is_an_error(void **state)
{
	static const struct {
		const char *name;
		uint64_t offset, len;
	} rows[] = {
		{ "one byte too long", 0, 6 },
		{ "starts at the end", 5, 1 },
		{ "starts behind it", 6, 0 },
		{ "wraps around", 3, UINT64_MAX },
	};
	const struct temp_dir *dir = *state;
	CLEANUP_CLOSE int fd = openat(dir->fd, "a", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	struct err err = { 0 };

	assert_true(fs_pwrite_all(fd, "xabcx", 5, 0, &err));
	each_row(rows, row) {
		char hex[DIGEST_HEX_SIZE] = "untouched";

		check(!digest_of_range(fd, row->offset, row->len, hex, &err), "%s", row->name);
		check(strcmp(hex, "untouched") == 0, "%s: touched its result", row->name);
	}
}

#define HEX63 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde"

static void recognises_64_lower_case_digits(void **state)
{
	(void)state;
	assert_true(digest_is_hex(span_of(HEX63 "f")));
	assert_false(digest_is_hex(span_of(HEX63)));
	assert_false(digest_is_hex(span_of(HEX63 "ff")));
	assert_false(digest_is_hex(span_of(HEX63 "F")));
	assert_false(digest_is_hex(span_of(HEX63 "g")));
	assert_false(digest_is_hex(span_of(HEX63 "/")));
	assert_false(digest_is_hex(span_of("")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_vectors),
		temp_dir_test(a_range_of_a_file),
		temp_dir_test(a_range_past_the_end_is_an_error),
		cmocka_unit_test(recognises_64_lower_case_digits),
	};

	return unit_main(tests);
}
