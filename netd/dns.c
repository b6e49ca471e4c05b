/* SPDX-License-Identifier: Apache-2.0 */
/* What dnsmasq is told. */
#include "netd/dns.h"

#include <sys/wait.h>

#include "base/child.h"
#include "base/program.h"

char *dns_find(void)
{
	return executable_find("dnsmasq",
			       "/usr/sbin:/usr/bin:/sbin:/usr/local/sbin:/usr/local/bin");
}

/*
 * Lines of their own:
 *	bind-interfaces, listen-address	the gateway's address alone; the host may have another resolver elsewhere
 *	no-hosts			names of the host's network are not for guests (/etc/hosts)
 *	pid-file			none: the starter knows the process
 *	log-facility			nothing is logged, as guests could fill disks; why it cannot start goes to stderr before
 *	user=, group=			it stays who it is: starter.c
 *	no dhcp-* line			with one it would want CAP_NET_ADMIN and keep it
 */
void dns_print_config(const struct starter_dns *dns, struct str *out)
{
	char address[IPV4_TEXT_SIZE];

	ipv4_print(dns->listen, address);
	str_addf(out,
		 "port=53\n"
		 "bind-interfaces\n"
		 "listen-address=%s\n"
		 "no-hosts\n"
		 "pid-file=\n"
		 "log-facility=/dev/null\n"
		 "user=\n"
		 "group=\n",
		 address);
	if (dns->upstream[0] == 0)
		return;
	str_add(out, "no-resolv\n");
	for (size_t i = 0; i < STARTER_UPSTREAM_MAX && dns->upstream[i] != 0; i++) {
		ipv4_print(dns->upstream[i], address);
		str_addf(out, "server=%s\n", address);
	}
}

void dns_describe_end(int status, struct str *out)
{
	static const char *const reasons[] = {
		NULL,
		"it does not understand its configuration",
		"it cannot listen at its address",
		"it cannot read or write a file",
		"it has no memory left",
		"another problem",
	};
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;

	str_add(out, "dnsmasq ");
	child_describe_status(status, out);
	if (code > 0 && (size_t)code < ARRAY_LEN(reasons))
		str_addf(out, ": %s", reasons[code]);
}
