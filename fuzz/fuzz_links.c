/* SPDX-License-Identifier: Apache-2.0 */
/* Messages of rtnetlink as they come: a type in two bytes, header and attributes. What is read is within its bounds. */
#include "netd/links_message.h"

#include "base/mem.h"
#include "fuzz.h"

static void check_link(const struct netlink_message *message)
{
	struct link_info info;

	if (!link_parse(message, &info))
		return;
	fuzz_check(info.index > 0 && info.name[0] && strlen(info.name) < sizeof(info.name));
	fuzz_check(info.master >= 0 && strlen(info.kind) < sizeof(info.kind) &&
		   strlen(info.alias) < sizeof(info.alias));
}

static void check_address(const struct netlink_message *message)
{
	struct address_info info;

	if (address_parse(message, &info))
		fuzz_check(info.prefix <= 32 && info.index >= 0);
}

static void check_route(const struct netlink_message *message)
{
	struct route_info info;

	if (route_parse(message, &info))
		fuzz_check(info.to.prefix <= 32 && info.index >= 0 &&
			   (info.to.network & ~netmask_of(info.to.prefix)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct netlink_message message;
	char *copy;

	if (size < 2)
		return 0;
	copy = xcalloc(size, 1); /* aligned as in a packet, and with an end that a sanitizer sees */
	memcpy(copy, data + 2, size - 2);
	copy = xrealloc(copy, size - 2 ? size - 2 : 1, 1);
	message = (struct netlink_message){
		.type = (uint16_t)(data[0] | data[1] << 8),
		.payload = span_make(copy, size - 2),
	};
	check_link(&message);
	check_address(&message);
	check_route(&message);
	free(copy);
	return 0;
}
