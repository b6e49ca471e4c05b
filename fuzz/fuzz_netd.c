/* SPDX-License-Identifier: Apache-2.0 */
/* The keeper's protocol, both directions: what is accepted, is written again byte by byte. */
#include "proto/netd.h"

#include "fuzz.h"

static void put(const struct netd_message *m, struct str *out)
{
	switch (m->type) {
	case NETD_ATTACH:
		netd_put_attach(&m->attach, out);
		break;
	case NETD_REATTACH:
		netd_put_reattach(m->tap, out);
		break;
	case NETD_LIST:
		netd_put_list_request(&m->list_request, out);
		break;
	case NETD_POLICY:
	case NETD_R_POLICY:
		netd_put_policy(m->type, &m->policy, out);
		break;
	case NETD_STATS:
		netd_put_stats_request(m->tap, out);
		break;
	case NETD_CONNECT:
		netd_put_connect(&m->connect, out);
		break;
	case NETD_ALIAS:
		netd_put_alias(&m->alias, out);
		break;
	case NETD_R_ERROR:
		netd_put_error(&m->failure, out);
		break;
	case NETD_R_ATTACHED:
		netd_put_attached(&m->attached, out);
		break;
	case NETD_R_LIST:
		netd_put_list(&m->list, out);
		break;
	case NETD_R_STATUS:
		netd_put_status(&m->status, out);
		break;
	case NETD_R_STATS:
		netd_put_stats(&m->stats, out);
		break;
	case NETD_R_FORWARDS:
		netd_put_forwards(&m->forwards, out);
		break;
	case NETD_STATUS:
	case NETD_FORWARD:
	case NETD_RELOAD:
	case NETD_R_CONNECTED:
	case NETD_R_DONE:
		netd_put_empty(m->type, out);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span packet = span_make((const char *)data, size);
	CLEANUP(netd_message_done) struct netd_message message = { 0 };
	CLEANUP_STR struct str again = { 0 };
	struct err err = { 0 };

	if (!netd_get(packet, &message, &err)) {
		fuzz_check(err.kind == ERR_GENERAL && err.text[0] && !message.type);
		return 0;
	}
	put(&message, &again);
	fuzz_check(span_equal(str_span(&again), packet));
	return 0;
}
