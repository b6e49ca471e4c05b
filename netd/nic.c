/* SPDX-License-Identifier: Apache-2.0 */
/* What all TAPs have in common, and what must be true of each NIC. */
#include "netd/nic.h"

#include <string.h>

#include "base/utf8.h"
#include "net/ifname.h"

const struct mac nic_gateway_mac = { { 0x02, 0x74, 0x61, 0x72, 0x74, 0x01 } };

void nic_done(struct nic *nic)
{
	policy_done(&nic->policy);
	vec_done(&nic->expose);
}

#define copy_list(from, to)                       \
	do {                                      \
		memset((to), 0, sizeof(*(to)));   \
		vec_each((from), copied_)         \
			*vec_push(to) = *copied_; \
	} while (0)

void nic_copy(const struct nic *nic, struct nic *ret)
{
	*ret = *nic;
	copy_list(&nic->policy.allow, &ret->policy.allow);
	copy_list(&nic->policy.block, &ret->policy.block);
	copy_list(&nic->expose, &ret->expose);
}

static bool can_be_shown(struct span text)
{
	while (text.len > 0) {
		uint32_t code;
		size_t n = utf8_decode(text, &code);

		if (n == 0 || code < ' ' || (code >= 0x7f && code < 0xa0))
			return false;
		text = span_from(text, n);
	}
	return true;
}

static bool check_mac(const struct mac *mac, struct err *err)
{
	static const struct mac none = { { 0 } };

	if (mac->octets[0] & 1 || mac_equal(mac, &none) || mac_equal(mac, &nic_gateway_mac))
		return err_set(err, ERR_GENERAL, "the MAC address cannot be a VM's");
	return true;
}

static bool check_expose(const struct nic *nic, struct err *err)
{
	uint8_t seen[65536 / 8] = { 0 };

	vec_each(&nic->expose, expose) {
		unsigned external = expose->external;

		if (external == 0 || expose->internal == 0)
			return err_set(err, ERR_GENERAL, "port 0 cannot be exposed");
		if (seen[external / 8] & 1u << external % 8)
			return err_set(err, ERR_GENERAL, "port %u is exposed twice", external);
		seen[external / 8] |= (uint8_t)(1u << external % 8);
	}
	return true;
}

bool nic_check(const struct nic *nic, struct err *err)
{
	bool has_lists = nic->policy.allow.n + nic->policy.block.n + nic->expose.n > 0;

	if (!check_mac(&nic->mac, err) || !check_expose(nic, err))
		return false;
	if (!*nic->vm || !can_be_shown(span_of(nic->vm)))
		return err_set(err, ERR_GENERAL, "the VM's name cannot be one");
	if (nic->mode > NETD_BRIDGED)
		return err_set(err, ERR_GENERAL, "the mode is unknown");
	if (nic->mode == NETD_BRIDGED && !ifname_is_valid(span_of(nic->interface)))
		return err_set(err, ERR_GENERAL, "the interface's name cannot be one");
	if (nic->mode != NETD_BRIDGED && *nic->interface)
		return err_set(err, ERR_GENERAL, "an interface is for bridged networking only");
	if (nic->mode != NETD_SOFTNET && has_lists)
		return err_set(err, ERR_GENERAL, "lists and ports are for Softnet only");
	if (nic->policy.allow.n > POLICY_LIST_MAX || nic->policy.block.n > POLICY_LIST_MAX ||
	    nic->expose.n > EXPOSE_MAX)
		return err_set(err, ERR_GENERAL, "a list is too long");
	return true;
}
