/* SPDX-License-Identifier: Apache-2.0 */
/* Filtered packet sockets. */
#include "netd/dhcp_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/attrs.h"
#include "net/dhcp_packet.h"

/* Offsets in a frame without a VLAN tag (the kernel takes a tag off before anybody sees the frame). */
#define AT_SOURCE    6
#define AT_ETHERTYPE 12
#define AT_IP        14
#define AT_FRAGMENT  20
#define AT_PROTOCOL  23
#define AT_PORT_TO   16 /* behind the IP header, which is as long as it says */
#define FRAGMENT     0x3fff

#define WHOLE_FRAME 0xffff

/* A dozen waiting requests are more than an honest client sends; a thousand guests must not fill memory. */
#define RECEIVE_BYTES 32768

#define PACKET_TYPE      ((uint32_t)(SKF_AD_OFF + SKF_AD_PKTTYPE))
#define VLAN_TAG_PRESENT ((uint32_t)(SKF_AD_OFF + SKF_AD_VLAN_TAG_PRESENT))

static int open_socket(int ifindex, uint16_t protocol, struct sock_filter *filter, size_t n)
{
	/* Protocol 0: nothing arrives before the filter is on. */
	CLEANUP_CLOSE int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sock_fprog program = { .len = (unsigned short)n, .filter = filter };
	struct sockaddr_ll address = { .sll_family = AF_PACKET,
				       .sll_protocol = htons(protocol),
				       .sll_ifindex = ifindex };
	int room = RECEIVE_BYTES;
	int on = 1;

	/* 0 would be all of them. */
	if (ifindex <= 0) {
		errno = ENODEV;
		return -1;
	}
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_LOCK_FILTER, &on, sizeof(on)) < 0 ||
	    bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return -1;
	return TAKE_FD(fd);
}

/* The last two numbers of a jump are how many instructions are skipped when it is so, and when it is not. */

/* Frames of a VLAN are told by being for another host: their tag has been taken off without a trace when sockets of one
 * protocol are asked. That of VLAN 0 is none (IEEE 802.1Q: only a priority). */
bool dhcp_socket_serve(int ifindex, int *ret_fd, struct err *err)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, PACKET_TYPE),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OTHERHOST, 10, 0),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, AT_ETHERTYPE),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IP, 0, 8),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, AT_PROTOCOL),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 0, 6),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, AT_FRAGMENT),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, FRAGMENT, 4, 0),
		BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, AT_IP),
		BPF_STMT(BPF_LD | BPF_H | BPF_IND, AT_PORT_TO),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, DHCP_SERVER_PORT, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, WHOLE_FRAME),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	int fd = open_socket(ifindex, ETH_P_IP, filter, ARRAY_LEN(filter));

	if (fd < 0)
		return err_sys(err, errno, "cannot open a packet socket for DHCP");
	*ret_fd = fd;
	return true;
}

/* ETH_P_ALL, as only such sockets see what goes out, too: on a TAP that is what goes to the guest, on a macvtap what comes
 * from it. And what comes in on a port of a bridge is taken away before sockets of one protocol are asked. */
bool dhcp_socket_snoop(int ifindex, const struct mac *mac, int *ret_fd, struct err *err)
{
	const uint8_t *m = mac->octets;
	uint32_t high = (uint32_t)m[0] << 24 | (uint32_t)m[1] << 16 | (uint32_t)m[2] << 8 | m[3];
	uint32_t low = (uint32_t)m[4] << 8 | m[5];
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, VLAN_TAG_PRESENT),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 16),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, AT_ETHERTYPE),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_ARP, 0, 5),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, AT_SOURCE),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, high, 0, 12),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, AT_SOURCE + 4),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, low, 0, 10),
		BPF_STMT(BPF_RET | BPF_K, WHOLE_FRAME),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IP, 0, 8),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, AT_PROTOCOL),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 0, 6),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, AT_FRAGMENT),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, FRAGMENT, 4, 0),
		BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, AT_IP),
		BPF_STMT(BPF_LD | BPF_H | BPF_IND, AT_PORT_TO),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, DHCP_CLIENT_PORT, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, WHOLE_FRAME),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	int fd = open_socket(ifindex, ETH_P_ALL, filter, ARRAY_LEN(filter));

	if (fd < 0)
		return err_sys(err, errno, "cannot open a packet socket to look for an address");
	*ret_fd = fd;
	return true;
}
