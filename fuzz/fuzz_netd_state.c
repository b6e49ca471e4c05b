/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the keeper reads back of itself: saved NICs, the file of addresses, the chosen subnet. What is read of each prints as
 * itself.
 */
#include <string.h>

#include "base/str.h"
#include "fuzz.h"
#include "netd/addresses.h"
#include "netd/saved_nic.h"
#include "netd/state.h"

static void try_nic(struct span text)
{
	CLEANUP(nic_done) struct nic nic = { .uid = 0 };
	CLEANUP(nic_done) struct nic again = { .uid = 0 };
	CLEANUP_STR struct str printed = { 0 };
	CLEANUP_STR struct str twice = { 0 };
	struct err err = { 0 };

	if (!saved_nic_parse(text, &nic, &err))
		return;
	fuzz_check(netd_is_tap_name(nic.tap));
	fuzz_check(nic_check(&nic, &err));
	saved_nic_print(&nic, &printed);
	fuzz_check(saved_nic_parse(str_span(&printed), &again, &err));
	saved_nic_print(&again, &twice);
	fuzz_check(span_equal(str_span(&printed), str_span(&twice)));
}

static void try_addresses(struct span text)
{
	const struct subnet subnet = { .cidr = { 0xc0a84000, 24 }, .gateway = 0xc0a84001 };
	struct addresses *pool = addresses_new(&subnet);
	struct addresses *again = addresses_new(&subnet);
	CLEANUP_STR struct str printed = { 0 };
	CLEANUP_STR struct str twice = { 0 };

	(void)addresses_parse(text, pool);
	fuzz_check(addresses_in_use(pool) == 0);
	addresses_print(pool, &printed);
	fuzz_check(addresses_parse(str_span(&printed), again));
	addresses_print(again, &twice);
	fuzz_check(span_equal(str_span(&printed), str_span(&twice)));
	addresses_free(pool);
	addresses_free(again);
}

static void try_subnet(struct span text)
{
	struct subnet subnet;
	bool chosen;

	if (!saved_subnet_parse(text, "B", &subnet, &chosen))
		return;
	fuzz_check(subnet.cidr.prefix >= 16 && subnet.cidr.prefix <= 29);
	fuzz_check(cidr_has(&subnet.cidr, subnet.gateway));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = span_make((const char *)data, size);

	try_nic(text);
	try_addresses(text);
	try_subnet(text);
	return 0;
}
