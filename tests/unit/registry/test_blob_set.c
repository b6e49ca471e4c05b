/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of registry/blob_set.h. */
#include "registry/blob_set.h"

#include <string.h>

#include "base/digest.h"
#include "unit.h"

static void make_digest(unsigned number, blob_digest ret)
{
	char hex[DIGEST_HEX_SIZE];

	digest_of(span_make((const char *)&number, sizeof(number)), hex);
	(void)snprintf(ret, sizeof(blob_digest), NAME_DIGEST_PREFIX "%s", hex);
}

#define N_MANY 3000

static void keeps_what_was_put(void **state)
{
	struct blob_set set = { 0 };
	blob_digest digest;
	size_t n = 0;

	(void)state;
	assert_null(blob_set_next(&set, NULL));
	for (unsigned i = 0; i < N_MANY; i++) {
		make_digest(i, digest);
		assert_int_equal(blob_set_get(&set, digest)->state, 0);
		blob_set_get(&set, digest)->state = (int)i + 1;
	}
	assert_int_equal(set.n, N_MANY);
	for (unsigned i = 0; i < N_MANY; i++) {
		make_digest(i, digest);
		assert_int_equal(blob_set_get(&set, digest)->state, (int)i + 1);
		assert_string_equal(blob_set_get(&set, digest)->digest, digest);
	}
	assert_int_equal(set.n, N_MANY);
	for (struct blob_entry *entry = blob_set_next(&set, NULL); entry;
	     entry = blob_set_next(&set, entry))
		n++;
	assert_int_equal(n, N_MANY);
	blob_set_done(&set);
	assert_null(blob_set_next(&set, NULL));
}

/* Equal where the slot is computed from: they differ in the first digits. */
static void tells_colliding_digests_apart(void **state)
{
	static const char digits[] = "abcdef";
	struct blob_set set = { 0 };
	blob_digest digest;

	(void)state;
	make_digest(1, digest);
	for (size_t i = 0; digits[i]; i++) {
		digest[sizeof(NAME_DIGEST_PREFIX) - 1] = digits[i];
		blob_set_get(&set, digest)->state = (int)i + 1;
	}
	for (size_t i = 0; digits[i]; i++) {
		digest[sizeof(NAME_DIGEST_PREFIX) - 1] = digits[i];
		assert_int_equal(blob_set_get(&set, digest)->state, i + 1);
	}
	assert_int_equal(set.n, 6);
	blob_set_done(&set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_what_was_put),
		cmocka_unit_test(tells_colliding_digests_apart),
	};

	return unit_main(tests);
}
