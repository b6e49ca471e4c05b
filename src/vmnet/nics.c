/* SPDX-License-Identifier: Apache-2.0 */
/* NICs of VMs, over all keepers. */
#include "vmnet/nics.h"

#include "storage/config.h"
#include "storage/local.h"

static const enum keeper_wish each_kind[] = { KEEPER_ONLY_SYSTEM, KEEPER_ONLY_ROOTLESS };

/* What was tried so far, for who finds nothing in the end. */
static void add_reason(struct str *reasons, const char *text)
{
	str_addf(reasons, "%s%s", reasons->len > 0 ? "; " : "", text);
}

static bool is_wished(enum keeper_wish wish, enum keeper_wish kind)
{
	return wish == KEEPER_AUTO || wish == kind;
}

/* A keeper that has nothing to do any more may end while it is being asked: then it has no NICs. */
static bool list_of(const struct keeper *keeper, const struct mac *mac, struct netd_list *ret,
		    struct err *err)
{
	if (keeper_list(keeper, mac, ret, err))
		return true;
	if (err->kind != ERR_TRANSPORT)
		return false;
	*ret = (struct netd_list){ 0 };
	return true;
}

/* The MAC address of a running VM. */
static bool read_mac(const struct home *home, const char *vm, struct mac *ret, struct err *err)
{
	CLEANUP(config_done) struct config config = { 0 };
	CLEANUP_CLOSE int fd = -1;

	if (!local_peek(home, vm, &fd, err))
		return false;
	if (bundle_state(fd, NULL) != VM_RUNNING)
		return err_vm_not_running(err, vm);
	if (!config_read(fd, &config, err))
		return false;
	*ret = config.mac;
	return true;
}

/* *ret_n_nics 0: this keeper is not there, or does not know the VM; the reason was added. */
static bool ask_one(const struct home *home, enum keeper_wish kind, const struct mac *mac,
		    struct keeper *ret_keeper, struct netd_list *ret, struct str *reasons,
		    struct err *err)
{
	CLEANUP(keeper_close) struct keeper keeper = KEEPER_INIT;
	struct err why = { 0 };
	bool found = false;

	if (!keeper_connect(home, kind, &keeper, &found, &why) || !found) {
		add_reason(reasons, why.text);
		return true;
	}
	if (!list_of(&keeper, mac, ret, err))
		return false;
	if (ret->nics.n == 0) {
		add_reason(reasons, kind == KEEPER_ONLY_SYSTEM ?
					    "the system's keeper of the network does not know it" :
					    "the rootless keeper of the network does not know it");
		return true;
	}
	*ret_keeper = keeper;
	keeper = (struct keeper)KEEPER_INIT;
	return true;
}

bool nics_of_vm(const struct home *home, enum keeper_wish wish, const char *vm,
		struct keeper *ret_keeper, struct netd_list *ret, struct err *err)
{
	CLEANUP(nics_done) struct netd_list list = { 0 };
	CLEANUP_STR struct str reasons = { 0 };
	struct mac mac;

	if (!read_mac(home, vm, &mac, err))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(each_kind); i++) {
		if (!is_wished(wish, each_kind[i]))
			continue;
		if (!ask_one(home, each_kind[i], &mac, ret_keeper, &list, &reasons, err))
			return false;
		if (list.nics.n > 0) {
			*ret = list;
			list = (struct netd_list){ 0 };
			return true;
		}
	}
	return err_set(err, ERR_GENERAL, "VM \"%s\" has no network with a keeper: %s", vm,
		       reasons.len > 0 ? reasons.ptr : "TART_NETWORK_BACKEND is 'user'");
}

bool nics_of_all(const struct home *home, enum keeper_wish wish, struct netd_list *ret,
		 struct err *err)
{
	CLEANUP(nics_done) struct netd_list all = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(each_kind); i++) {
		CLEANUP(keeper_close) struct keeper keeper = KEEPER_INIT;
		CLEANUP(nics_done) struct netd_list list = { 0 };
		struct err why = { 0 };
		bool found = false;

		if (!is_wished(wish, each_kind[i]))
			continue;
		if (!keeper_connect(home, each_kind[i], &keeper, &found, &why) || !found)
			continue;
		if (!list_of(&keeper, NULL, &list, err))
			return false;
		vec_each(&list.nics, nic)
			*vec_push(&all.nics) = *nic;
	}
	*ret = all;
	all = (struct netd_list){ 0 };
	return true;
}

void nics_done(struct netd_list *list)
{
	vec_done(&list->nics);
}
