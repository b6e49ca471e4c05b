/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of netd/accounts.h and netd/bucket.h. */
#include "netd/accounts.h"

#include "unit.h"

static void a_bucket_fills_at_its_rate(void **state)
{
	struct bucket bucket = { .tokens = 10 };

	(void)state;
	bucket_fill(&bucket, 1000, 5, 10);
	assert_true(bucket_take(&bucket, 10));
	assert_false(bucket_take(&bucket, 1));
	assert_int_equal(bucket_wait_ms(&bucket, 1, 5), 200);
	bucket_fill(&bucket, 1199, 5, 10);
	assert_false(bucket_take(&bucket, 1));
	bucket_fill(&bucket, 1200, 5, 10);
	assert_true(bucket_take(&bucket, 1));
	assert_false(bucket_take(&bucket, 1));
	bucket_fill(&bucket, UINT64_MAX, 5, 10);
	assert_int_equal(bucket.tokens, 10);
	bucket_fill(&bucket, 5, 5, 10); /* a clock that goes back gives nothing */
	assert_int_equal(bucket.tokens, 10);
}

/* In small steps it gets no less than in a large one. */
static void small_steps_lose_nothing(void **state)
{
	struct bucket bucket = { .tokens = 0 };

	(void)state;
	for (uint64_t ms = 1; ms <= 10001; ms++)
		bucket_fill(&bucket, ms, 3, 1000);
	assert_int_equal(bucket.tokens, 30);
}

static size_t connect_all(struct accounts *accounts, uint32_t uid, bool busy)
{
	size_t n = 0;

	while (accounts_connect(accounts, uid, 1)) {
		n++;
		if (busy)
			accounts_set_busy(accounts, uid, true);
	}
	return n;
}

static void one_user_leaves_room_for_others(void **state)
{
	CLEANUP(accounts_done) struct accounts accounts = { .n_nics = 0 };

	(void)state;
	assert_int_equal(connect_all(&accounts, 100, false), ACCOUNTS_IDLE_MAX);
	assert_int_equal(connect_all(&accounts, 200, true), ACCOUNTS_USER_MAX);
	assert_int_equal(connect_all(&accounts, 300, false), ACCOUNTS_IDLE_MAX);
	assert_int_equal(connect_all(&accounts, 0, false),
			 ACCOUNTS_CONNECTIONS - 2 * ACCOUNTS_IDLE_MAX - ACCOUNTS_USER_MAX);
	assert_false(accounts_connect(&accounts, 400, 1));
	accounts_disconnect(&accounts, 0, false);
	assert_true(accounts_connect(&accounts, 400, 1));
	accounts_disconnect(&accounts, 200, true);
	assert_true(accounts_connect(&accounts, 200, 1));
}

static void nics_are_limited_for_each_and_for_all(void **state)
{
	CLEANUP(accounts_done) struct accounts accounts = { .n_nics = 0 };
	size_t n = 0;

	(void)state;
	while (accounts_add_nic(&accounts, 100))
		n++;
	assert_int_equal(n, ACCOUNTS_NICS_MAX);
	while (accounts_add_nic(&accounts, 0))
		n++;
	assert_int_equal(n, ACCOUNTS_NICS);
	accounts_remove_nic(&accounts, 0);
	assert_false(accounts_add_nic(&accounts, 100));
	assert_true(accounts_add_nic(&accounts, 200));
}

static void one_user_is_slowed_down_and_others_are_not(void **state)
{
	CLEANUP(accounts_done) struct accounts accounts = { .n_nics = 0 };

	(void)state;
	assert_true(accounts_connect(&accounts, 100, 1));
	assert_true(accounts_connect(&accounts, 200, 1));
	assert_true(accounts_connect(&accounts, 0, 1));
	assert_int_equal(accounts_pay(&accounts, 100, ACCOUNTS_BURST, 1), 0);
	assert_int_equal(accounts_pay(&accounts, 100, 1, 1), 1000 / ACCOUNTS_PER_S);
	assert_int_equal(accounts_pay(&accounts, 200, 1, 1), 0);
	assert_int_equal(accounts_pay(&accounts, 100, 1, 3), 0);
	for (int i = 0; i < 10000; i++)
		assert_int_equal(accounts_pay(&accounts, 0, 20, 1), 0);
}

/* Hanging up and connecting again gives no fresh bucket. */
static void a_new_connection_is_no_new_account(void **state)
{
	CLEANUP(accounts_done) struct accounts accounts = { .n_nics = 0 };

	(void)state;
	assert_true(accounts_connect(&accounts, 100, 1));
	assert_int_equal(accounts_pay(&accounts, 100, ACCOUNTS_BURST, 1), 0);
	accounts_disconnect(&accounts, 100, false);
	assert_true(accounts_connect(&accounts, 100, 2));
	assert_int_not_equal(accounts_pay(&accounts, 100, 1, 2), 0);
	accounts_disconnect(&accounts, 100, false);
	assert_true(accounts_connect(&accounts, 200, 3600000));
	assert_int_equal(accounts.all.n, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bucket_fills_at_its_rate),
		cmocka_unit_test(small_steps_lose_nothing),
		cmocka_unit_test(one_user_leaves_room_for_others),
		cmocka_unit_test(nics_are_limited_for_each_and_for_all),
		cmocka_unit_test(one_user_is_slowed_down_and_others_are_not),
		cmocka_unit_test(a_new_connection_is_no_new_account),
	};

	return unit_main(tests);
}
