/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What tart and the keeper tart-netd say to each other, as structs and as bytes. No I/O. docs/PROTOCOL.netd.md is the
 * prose: who may send what when, and every limit.
 *
 * SOCK_SEQPACKET: one message is one packet of at most NETD_MESSAGE_MAX bytes. All numbers are little endian. A message is
 *
 *	u32 NETD_MAGIC   u16 version   u16 type   then the type's fields, exactly; no byte may be left over
 *
 * A text is u16 length and bytes: UTF-8 without control characters (but newlines, where it is said to be lines), shorter
 * than its array below. A list is u16 count and its entries. There is one way only to write a message: what netd_get()
 * accepts, netd_put_*() writes again byte by byte.
 *
 * Encoding a list that is too long is a programming error; decoding it fails. A text is encoded with `?` for every byte that
 * may not be in one: texts for people come from anywhere, and the client has to be able to read them.
 *
 * The client asks, the keeper answers each request with one message, in order: NETD_R_* of its kind, or NETD_R_ERROR.
 */
#ifndef TART_PROTO_NETD_H
#define TART_PROTO_NETD_H

#include "base/err.h"
#include "base/str.h"
#include "base/vec.h"
#include "net/ipv4.h"
#include "net/mac.h"
#include "net/policy.h"

#define NETD_MAGIC       0x444e4154u /* "TAND" */
#define NETD_VERSION     1
#define NETD_MESSAGE_MAX 65536
#define NETD_FDS_MAX     2 /* with NETD_R_ATTACHED: the tap, and vhost-net if there is one */

#define NETD_VM_SIZE       256 /* a VM's name */
#define NETD_IF_SIZE       16  /* an interface's name */
#define NETD_TEXT_SIZE     1024
#define NETD_WARNINGS_SIZE 4096
#define NETD_NICS_MAX      4 /* of one connection */

/* Where keeper and clients meet, and what the keeper keeps. `tart-netd --dir` puts all of it elsewhere (rootless). */
#define NETD_RUNTIME_DIR "/run/tart"
#define NETD_SOCKET      "netd.sock" /* below it */
#define NETD_STATE_DIR   "/var/lib/tart"
#define NETD_CONF        "/etc/tart/network.conf"
#define NETD_GROUP       "tart"
#define NETD_USER        "tart-netd"
#define NETD_TAP_PREFIX  "tart-" /* and eight random hex digits */

enum netd_type {
	/* Requests. */
	NETD_ATTACH = 1, /* a NIC for a VM; the connection is the VM's life from then on */
	NETD_REATTACH,   /* the same for a VM whose keeper has died: by tap name */
	NETD_LIST,       /* the caller's VMs (root: all) */
	NETD_STATUS,
	NETD_POLICY,  /* change what a running VM may reach; or only tell */
	NETD_STATS,   /* what was refused and dropped */
	NETD_CONNECT, /* a TCP connection to a VM's port, as a descriptor */
	NETD_FORWARD, /* the rootless forwarder registers: it is told of VMs by NETD_R_FORWARDS whenever they change */
	NETD_RELOAD, /* read network.conf anew */
	NETD_ALIAS,  /* the forwarder tells on which loopback address it listens for a VM */

	/* Answers. */
	NETD_R_ERROR = 0x100,
	NETD_R_ATTACHED, /* with descriptors */
	NETD_R_LIST,
	NETD_R_STATUS,
	NETD_R_POLICY,
	NETD_R_STATS,
	NETD_R_CONNECTED, /* with a descriptor */
	NETD_R_FORWARDS,
	NETD_R_DONE,
};

enum netd_mode { NETD_NAT, NETD_SOFTNET, NETD_HOST, NETD_BRIDGED };

struct netd_attach {
	enum netd_mode mode;
	struct mac mac;
	char vm[NETD_VM_SIZE];
	char interface[NETD_IF_SIZE]; /* bridged only, else "" */
	struct policy policy;         /* softnet only */
	expose_list expose;           /* softnet only */
};

struct netd_attached {
	enum netd_mode mode;
	char tap[NETD_IF_SIZE];
	ipv4 address, gateway; /* 0 when bridged */
	uint8_t prefix;
	uint16_t mtu;
	bool macvtap;                 /* the host cannot reach the guest */
	bool vhost;                   /* the second descriptor is vhost-net */
	char warning[NETD_TEXT_SIZE]; /* for the user, lines; "" = none */
};

enum netd_error {
	NETD_E_INVALID = 1, /* the request makes no sense */
	NETD_E_DENIED,      /* not for this user */
	NETD_E_LIMIT,       /* too many or too fast */
	NETD_E_EXHAUSTED,   /* all addresses are in use */
	NETD_E_MAC_IN_USE,  /* by another running VM: take another */
	NETD_E_PORT_IN_USE, /* expose */
	NETD_E_MISSING,     /* no such VM, interface */
	NETD_E_CONFIG,      /* network.conf, or a subnet that collides */
	NETD_E_KERNEL,      /* the kernel refused */
};

struct netd_failure {
	enum netd_error code;
	char text[NETD_TEXT_SIZE]; /* one line for the user */
};

struct netd_nic {
	char vm[NETD_VM_SIZE];
	char tap[NETD_IF_SIZE];
	uint32_t uid; /* who runs it */
	struct mac mac;
	ipv4 address; /* reserved, or seen (bridged); 0 = none yet */
	ipv4 forward; /* rootless: the loopback alias that stands for it; 0 = none */
	enum netd_mode mode;
	int64_t bound_at_s; /* when a DHCPACK went out (bridged: was seen) in this run; 0 = not yet */
	int64_t expires_s;  /* 0 = no lease */
	int64_t seen_arp_s; /* bridged: ARP was seen from it; 0 = never */
};

struct netd_list {
	VEC(struct netd_nic) nics;
};
#define NETD_LIST_MAX 128 /* NICs in one packet; ask again with `after` */

struct netd_list_request {
	char after
		[NETD_IF_SIZE]; /* tap of the last entry of the page before; "" = from the start */
	bool has_mac;
	struct mac mac; /* only NICs with it */
};

struct netd_status {
	uint32_t pid;
	char version[32];
	bool rootless;
	struct cidr subnet;
	ipv4 gateway;
	uint32_t nics, addresses; /* in use, in all */
	uint32_t lease_s;
	uint16_t mtu;
	bool isolate_vms;
	bool persistent_tables; /* survive `nft flush ruleset` */
	bool dns_running;
	ipv4 dns[3];                       /* what guests are told */
	char warnings[NETD_WARNINGS_SIZE]; /* lines: foreign firewalls and the like */
};

struct netd_policy {
	char tap[NETD_IF_SIZE];
	bool set_allow, set_block, set_expose; /* in a request: replace that list */
	struct policy policy;
	expose_list expose;
};

/* Packets and bytes of one VM by why they did not pass, in the order of network.md's matrix. */
enum netd_counter {
	NETD_C_SPOOFED, /* not its MAC or IP address, IPv6, VLAN, other protocols */
	NETD_C_ARP,     /* ARP that is not its own or asks for others */
	NETD_C_SERVER,  /* DHCP server's */
	NETD_C_REFUSED, /* destination not allowed: told by ICMP */
	NETD_C_DROPPED, /* the same beyond the rate of answers, and broadcasts */
	NETD_C_PEER,    /* to another VM */
	NETD_C_INBOUND, /* to it, unsolicited */
	NETD_C_FORGED,  /* from outside, with its address as their source */
	NETD_COUNTERS
};
extern const char *const netd_counter_names[NETD_COUNTERS]; /* "spoofed", … */

struct netd_stats {
	char tap[NETD_IF_SIZE];
	struct netd_count {
		uint64_t packets, bytes;
	} counts[NETD_COUNTERS];
};

struct netd_connect {
	char tap[NETD_IF_SIZE];
	uint16_t port;
};

struct netd_forward {
	char tap[NETD_IF_SIZE];
	ipv4 address; /* in the namespace */
	ipv4 alias;   /* to listen on, outside */
	expose_list
		ports; /* external → internal, exposed ones; the usual ports are the forwarder's own knowledge */
};
/*
 * All VMs that there are, in as many packets as they need: every one but the last says `more`. What is not in them is gone.
 */
#define NETD_FORWARDS_MAX 32 /* VMs in one packet */
struct netd_forwards {
	bool more;
	VEC(struct netd_forward) vms;
};

struct netd_alias {
	char tap[NETD_IF_SIZE];
	ipv4 alias; /* in 127.0.0.0/8; 0 = no address could be had */
};

/* Appends a whole message. */
void netd_put_attach(const struct netd_attach *m, struct str *out);
void netd_put_reattach(const char *tap, struct str *out);
void netd_put_list_request(const struct netd_list_request *m, struct str *out);
/* STATUS, FORWARD, RELOAD, R_CONNECTED, R_DONE */
void netd_put_empty(enum netd_type type, struct str *out);
/* POLICY has the lists whose set_* is true; R_POLICY has all of them, and decoding sets all three. */
void netd_put_policy(enum netd_type type, const struct netd_policy *m, struct str *out);
void netd_put_stats_request(const char *tap, struct str *out);
void netd_put_connect(const struct netd_connect *m, struct str *out);
void netd_put_alias(const struct netd_alias *m, struct str *out);
void netd_put_error(const struct netd_failure *m, struct str *out);
void netd_put_attached(const struct netd_attached *m, struct str *out);
void netd_put_list(const struct netd_list *m, struct str *out);
void netd_put_status(const struct netd_status *m, struct str *out);
void netd_put_stats(const struct netd_stats *m, struct str *out);
void netd_put_forwards(const struct netd_forwards *m, struct str *out);

/* Any message. Decoded into one struct whose `type` says which member counts; every byte is checked. */
struct netd_message {
	enum netd_type type;
	struct netd_attach attach;
	char tap[NETD_IF_SIZE]; /* REATTACH, STATS */
	struct netd_list_request list_request;
	struct netd_policy policy;
	struct netd_connect connect;
	struct netd_alias alias;
	struct netd_failure failure;
	struct netd_attached attached;
	struct netd_list list;
	struct netd_status status;
	struct netd_stats stats;
	struct netd_forwards forwards;
};
void netd_message_done(struct netd_message *message); /* fits CLEANUP(); accepts a zeroed one */

/*
 * False with ERR_GENERAL naming what is wrong. `ret` needs no initialising and owns what it holds on success. Takes time and
 * memory in proportion to the packet, whatever is in it.
 */
bool netd_get(struct span packet, struct netd_message *ret, struct err *err);

/* "ATTACH", "R_LIST", …, for messages and logs; "?" for another number. */
const char *netd_type_name(enum netd_type type);

/* A tap's name as the keeper makes them: the prefix and eight hex digits, lower case. */
bool netd_is_tap_name(const char *text);

#endif
