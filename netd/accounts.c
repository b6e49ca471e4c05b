/* SPDX-License-Identifier: Apache-2.0 */
/* Counting what users have. */
#include "netd/accounts.h"

#include <assert.h>

void accounts_done(struct accounts *accounts)
{
	vec_done(&accounts->all);
}

static struct account *find(const struct accounts *accounts, uint32_t uid)
{
	vec_each(&accounts->all, account)
		if (account->uid == uid)
			return account;
	return NULL;
}

static struct account *find_or_add(struct accounts *accounts, uint32_t uid)
{
	struct account *account = find(accounts, uid);

	if (!account) {
		account = vec_push(&accounts->all);
		account->uid = uid;
		account->bucket.tokens = ACCOUNTS_BURST;
	}
	return account;
}

/* A user who has nothing is forgotten once his bucket would be full again: until then a new connection must not fill it. */
static void forget_idle(struct accounts *accounts, uint64_t now_ms)
{
	for (size_t i = accounts->all.n; i-- > 0;) {
		struct account *account = &accounts->all.v[i];

		if (account->n_connections + account->n_nics > 0)
			continue;
		bucket_fill(&account->bucket, now_ms, ACCOUNTS_PER_S, ACCOUNTS_BURST);
		if (account->bucket.tokens == ACCOUNTS_BURST)
			*account = accounts->all.v[--accounts->all.n];
	}
}

bool accounts_connect(struct accounts *accounts, uint32_t uid, uint64_t now_ms)
{
	struct account *account;

	forget_idle(accounts, now_ms);
	account = find_or_add(accounts, uid);
	if (accounts->n_connections >= ACCOUNTS_CONNECTIONS)
		return false;
	if (uid != 0 && (account->n_connections >= ACCOUNTS_USER_MAX ||
			 account->n_connections - account->n_busy >= ACCOUNTS_IDLE_MAX))
		return false;
	account->n_connections++;
	accounts->n_connections++;
	return true;
}

void accounts_disconnect(struct accounts *accounts, uint32_t uid, bool was_busy)
{
	struct account *account = find(accounts, uid);

	assert(account && account->n_connections > 0);
	account->n_connections--;
	accounts->n_connections--;
	if (was_busy)
		account->n_busy--;
}

void accounts_set_busy(struct accounts *accounts, uint32_t uid, bool busy)
{
	struct account *account = find(accounts, uid);

	assert(account);
	if (busy)
		account->n_busy++;
	else
		account->n_busy--;
}

bool accounts_add_nic(struct accounts *accounts, uint32_t uid)
{
	struct account *account = find_or_add(accounts, uid);

	if (accounts->n_nics >= ACCOUNTS_NICS || (uid != 0 && account->n_nics >= ACCOUNTS_NICS_MAX))
		return false;
	account->n_nics++;
	accounts->n_nics++;
	return true;
}

void accounts_remove_nic(struct accounts *accounts, uint32_t uid)
{
	struct account *account = find(accounts, uid);

	assert(account && account->n_nics > 0);
	account->n_nics--;
	accounts->n_nics--;
}

uint64_t accounts_pay(struct accounts *accounts, uint32_t uid, unsigned cost, uint64_t now_ms)
{
	struct account *account = find(accounts, uid);

	assert(account);
	if (uid == 0)
		return 0;
	bucket_fill(&account->bucket, now_ms, ACCOUNTS_PER_S, ACCOUNTS_BURST);
	if (bucket_take(&account->bucket, cost))
		return 0;
	return bucket_wait_ms(&account->bucket, cost, ACCOUNTS_PER_S);
}
