/* SPDX-License-Identifier: Apache-2.0 */
/* The keeper's messages: names, and giving back what a message holds. */
#include "proto/netd.h"

const char *const netd_counter_names[NETD_COUNTERS] = {
	[NETD_C_SPOOFED] = "spoofed", [NETD_C_ARP] = "arp",         [NETD_C_SERVER] = "dhcp-server",
	[NETD_C_REFUSED] = "refused", [NETD_C_DROPPED] = "dropped", [NETD_C_PEER] = "peer",
	[NETD_C_INBOUND] = "inbound", [NETD_C_FORGED] = "forged",
};

const char *netd_type_name(enum netd_type type)
{
	static const struct {
		enum netd_type type;
		const char *name;
	} names[] = {
		{ NETD_ATTACH, "ATTACH" },
		{ NETD_REATTACH, "REATTACH" },
		{ NETD_LIST, "LIST" },
		{ NETD_STATUS, "STATUS" },
		{ NETD_POLICY, "POLICY" },
		{ NETD_STATS, "STATS" },
		{ NETD_CONNECT, "CONNECT" },
		{ NETD_FORWARD, "FORWARD" },
		{ NETD_RELOAD, "RELOAD" },
		{ NETD_ALIAS, "ALIAS" },
		{ NETD_R_ERROR, "R_ERROR" },
		{ NETD_R_ATTACHED, "R_ATTACHED" },
		{ NETD_R_LIST, "R_LIST" },
		{ NETD_R_STATUS, "R_STATUS" },
		{ NETD_R_POLICY, "R_POLICY" },
		{ NETD_R_STATS, "R_STATS" },
		{ NETD_R_CONNECTED, "R_CONNECTED" },
		{ NETD_R_FORWARDS, "R_FORWARDS" },
		{ NETD_R_DONE, "R_DONE" },
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (names[i].type == type)
			return names[i].name;
	}
	return "?";
}

void netd_message_done(struct netd_message *message)
{
	if (!message)
		return;
	policy_done(&message->attach.policy);
	vec_done(&message->attach.expose);
	policy_done(&message->policy.policy);
	vec_done(&message->policy.expose);
	vec_done(&message->list.nics);
	vec_each(&message->forwards.vms, vm)
		vec_done(&vm->ports);
	vec_done(&message->forwards.vms);
}

bool netd_is_tap_name(const char *text)
{
	struct span name = span_of(text);
	size_t prefix = strlen(NETD_TAP_PREFIX);

	if (!span_starts_with(name, NETD_TAP_PREFIX) || name.len != prefix + 8)
		return false;
	return strspn(text + prefix, "0123456789abcdef") == 8;
}
