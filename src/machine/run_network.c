/* SPDX-License-Identifier: Apache-2.0 */
/* Choosing the way to the network and attaching NICs. */
#include "machine/run_network.h"

#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/cancel.h"

/* How long a NIC of this very VM may still be there: its `tart run` was killed, and QEMU is about to die. */
#define PAST_PAUSE_MS 50
#define PAST_TRIES    100

void network_wish_done(struct network_wish *wish)
{
	vec_each(&wish->bridged, name)
		free(*name);
	vec_done(&wish->bridged);
	policy_done(&wish->policy);
	vec_done(&wish->expose);
}

void run_network_done(struct run_network *network)
{
	vec_each(&network->nics, nic) {
		cleanup_close(&nic->fd);
		cleanup_close(&nic->vhost_fd);
	}
	vec_done(&network->nics);
	keeper_close(&network->keeper);
}

enum attach_result {
	ATTACH_DONE,
	ATTACH_MAC_IN_USE,
	ATTACH_ELSEWHERE, /* *err says why; another keeper, or none, may do */
	ATTACH_FAILED,
};

/* What is wrong with the request stays wrong wherever it goes. */
static enum attach_result judge(enum netd_error code, const struct err *err)
{
	switch (code) {
	case NETD_E_MAC_IN_USE:
		return ATTACH_MAC_IN_USE;
	case NETD_E_DENIED:
	case NETD_E_KERNEL:
		return ATTACH_ELSEWHERE;
	case NETD_E_INVALID:
	case NETD_E_LIMIT:
	case NETD_E_EXHAUSTED:
	case NETD_E_PORT_IN_USE:
	case NETD_E_MISSING:
	case NETD_E_CONFIG:
		return ATTACH_FAILED;
	}
	return err->kind == ERR_TRANSPORT ? ATTACH_ELSEWHERE : ATTACH_FAILED;
}

static void put_request(const struct network_request *request, const char *interface,
			struct str *out)
{
	const struct network_wish *wish = request->wish;
	struct netd_attach attach = {
		.mode = wish->mode,
		.mac = *request->mac,
		.policy = wish->policy,
		.expose = wish->expose,
	};

	(void)snprintf(attach.vm, sizeof(attach.vm), "%s", request->vm);
	(void)snprintf(attach.interface, sizeof(attach.interface), "%s", interface);
	netd_put_attach(&attach, out);
}

static enum attach_result attach(const struct network_request *request, const char *interface,
				 struct run_network *network, struct err *err)
{
	CLEANUP(netd_message_done) struct netd_message answer = { 0 };
	CLEANUP_STR struct str packet = { 0 };
	int fds[NETD_FDS_MAX] = { -1, -1 };
	enum netd_error code = 0;
	struct network_nic *nic;

	put_request(request, interface, &packet);
	if (!keeper_ask(&network->keeper, &packet, NETD_R_ATTACHED, &answer, fds, &code, err))
		return judge(code, err);
	nic = vec_push(&network->nics);
	nic->attached = answer.attached;
	nic->fd = fds[0];
	nic->vhost_fd = fds[1];
	if (nic->fd >= 0 && (nic->vhost_fd >= 0) == answer.attached.vhost)
		return ATTACH_DONE;
	(void)err_set(err, ERR_GENERAL,
		      "the keeper of the network has sent other descriptors than it says");
	return ATTACH_FAILED;
}

static bool is_our_past(const struct network_request *request, const struct keeper *keeper)
{
	struct netd_list list = { 0 };
	struct err ignored = { 0 };
	bool found = false;

	if (!keeper_list(keeper, request->mac, &list, &ignored))
		return false;
	vec_each(&list.nics, nic) {
		/* In a rootless keeper's namespace our number is another, but nobody else is there. */
		bool ours = keeper->kind == KEEPER_ROOTLESS || nic->uid == geteuid();

		found = found || (ours && strcmp(nic->vm, request->vm) == 0);
	}
	vec_done(&list.nics);
	return found;
}

static enum attach_result attach_patiently(const struct network_request *request,
					   const char *interface, struct run_network *network,
					   struct err *err)
{
	for (int i = 0;; i++) {
		enum attach_result result = attach(request, interface, network, err);

		if (result != ATTACH_MAC_IN_USE || i == PAST_TRIES ||
		    !is_our_past(request, &network->keeper))
			return result;
		(void)poll(NULL, 0, PAST_PAUSE_MS);
		if (!cancel_check(err))
			return ATTACH_FAILED;
	}
}

static enum attach_result attach_all(const struct network_request *request,
				     struct run_network *network, struct err *err)
{
	enum attach_result result = ATTACH_DONE;

	if (request->wish->mode != NETD_BRIDGED)
		return attach_patiently(request, "", network, err);
	vec_each(&request->wish->bridged, name)
		if (result == ATTACH_DONE)
			result = attach_patiently(request, *name, network, err);
	return result;
}

/* With this way alone: what keeper_start() would try besides is a way of its own here. */
static enum attach_result try_way(const struct network_request *request, enum keeper_wish way,
				  struct run_network *ret, struct err *err)
{
	CLEANUP(run_network_done) struct run_network network = RUN_NETWORK_INIT;
	enum attach_result result;

	if (!keeper_start(request->home, way, &network.keeper, err))
		return err->kind == ERR_CANCELLED ? ATTACH_FAILED : ATTACH_ELSEWHERE;
	result = attach_all(request, &network, err);
	if (result == ATTACH_DONE) {
		*ret = network;
		network = (struct run_network)RUN_NETWORK_INIT;
	}
	return result;
}

struct ways {
	enum keeper_wish v[2];
	size_t n;
};

static void find_ways(const struct network_wish *wish, struct ways *ret)
{
	bool automatic = wish->keeper == KEEPER_AUTO;
	/* Nothing of the host's interfaces is in a rootless keeper's namespace. */
	bool rootless_may_do = wish->mode != NETD_BRIDGED;

	*ret = (struct ways){ .n = 0 };
	if (automatic || wish->keeper == KEEPER_ONLY_SYSTEM)
		ret->v[ret->n++] = KEEPER_ONLY_SYSTEM;
	if (rootless_may_do &&
	    ((automatic && geteuid() != 0) || wish->keeper == KEEPER_ONLY_ROOTLESS))
		ret->v[ret->n++] = KEEPER_ONLY_ROOTLESS;
}

static const char *option_of(const struct network_wish *wish)
{
	switch (wish->mode) {
	case NETD_HOST:
		return "--net-host";
	case NETD_BRIDGED:
		return "--net-bridged";
	case NETD_SOFTNET:
	case NETD_NAT:
		break;
	}
	return "the network";
}

static bool refuse(const struct network_wish *wish, const char *why, struct err *err)
{
	if (*why == '\0' && wish->keeper == KEEPER_ONLY_ROOTLESS)
		why = "a rootless network has none of this host's interfaces, the system's keeper does";
	else if (*why == '\0')
		why = "TART_NETWORK_BACKEND is 'user', and QEMU's user-mode network cannot do that";
	if (wish->mode == NETD_SOFTNET)
		return err_set(err, ERR_SOFTNET, "%s", why);
	return err_set(err, ERR_GENERAL, "%s: %s", option_of(wish), why);
}

static void tell(const struct network_request *request, const struct run_network *network)
{
	if (network->keeper.kind == KEEPER_ROOTLESS)
		run_ui_status(
			request->ui,
			"Rootless network: this host reaches the guest by the address that \"tart ip\" prints");
	vec_each(&network->nics, nic) {
		struct span rest = span_of(nic->attached.warning);
		struct span line;

		while (span_next(&rest, '\n', &line))
			if (line.len > 0)
				run_ui_status(request->ui, "%.*s", SPAN_ARG(line));
	}
}

static void tell_user_mode(const struct network_request *request, const char *why)
{
	run_ui_status(
		request->ui,
		"User-mode network: %s%sthe guest can reach the network, but this host cannot reach "
		"the guest by IP",
		why, *why ? ": " : "");
}

static bool fall_back(const struct network_request *request, const char *why, struct err *err)
{
	enum keeper_wish keeper = request->wish->keeper;

	if (request->wish->mode != NETD_NAT || keeper == KEEPER_ONLY_SYSTEM ||
	    keeper == KEEPER_ONLY_ROOTLESS)
		return refuse(request->wish, why, err);
	tell_user_mode(request, why);
	return true;
}

bool run_network_open(const struct network_request *request, struct run_network *ret,
		      bool *ret_mac_in_use, struct err *err)
{
	CLEANUP_STR struct str reasons = { 0 };
	struct ways ways;

	*ret_mac_in_use = false;
	find_ways(request->wish, &ways);
	for (size_t i = 0; i < ways.n; i++) {
		struct err why = { 0 };

		switch (try_way(request, ways.v[i], ret, &why)) {
		case ATTACH_DONE:
			tell(request, ret);
			return true;
		case ATTACH_MAC_IN_USE:
			*ret_mac_in_use = true;
			return true;
		case ATTACH_FAILED:
			*err = why;
			return request->wish->mode == NETD_SOFTNET ? err_reclass(err, ERR_SOFTNET) :
								     false;
		case ATTACH_ELSEWHERE:
			str_addf(&reasons, "%s%s", reasons.len > 0 ? "; " : "", why.text);
			break;
		}
	}
	return fall_back(request, str_text(&reasons), err);
}

void run_network_fill(const struct run_network *network, const struct mac *mac,
		      struct machine_spec *spec)
{
	spec->nics.n = 0;
	spec->net_life_fd = network->keeper.fd;
	vec_each(&network->nics, nic)
		*vec_push(&spec->nics) = (struct net_spec){
			.backend = NET_TAP, .mac = *mac, .fd = nic->fd, .vhost_fd = nic->vhost_fd
		};
	if (network->nics.n == 0)
		*vec_push(&spec->nics) = (struct net_spec){ .backend = NET_USER, .mac = *mac };
}
