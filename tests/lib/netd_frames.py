# SPDX-License-Identifier: Apache-2.0
"""Ethernet frames for tests of the network: making them, also wrong ones, and reading what comes back.

Addresses are texts. A maker's payload is bytes; makers nest: eth(MAC_B, MAC_A, ipv4(A, B, udp(1, 2, b"hello", A, B))).
"""
import ipaddress
import struct

BROADCAST = "ff:ff:ff:ff:ff:ff"
GATEWAY_MAC = "02:74:61:72:74:01"  # on every tap, network.md 4.1
NO_MAC = "00:00:00:00:00:00"

IP, ARP, IP6, VLAN, QINQ, LLDP = 0x0800, 0x0806, 0x86DD, 0x8100, 0x88A8, 0x88CC
ICMP, TCP, UDP, ICMP6 = 1, 6, 17, 58
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16


def mac_bytes(text):
    return bytes(int(part, 16) for part in text.split(":"))


def mac_text(data):
    return ":".join(f"{octet:02x}" for octet in data)


def ip_bytes(text):
    return ipaddress.ip_address(text).packed


def ip_text(data):
    return str(ipaddress.ip_address(data))


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


# --- making ------------------------------------------------------------------------------------------------------------

def eth(dst, src, payload, kind=IP):
    """At least 60 bytes, as on a wire."""
    return (mac_bytes(dst) + mac_bytes(src) + struct.pack(">H", kind) + payload).ljust(60, b"\0")


def tagged(frame, *tags):
    """The frame with VLAN tags in it; a tag is (kind, id), outermost first."""
    return frame[:12] + b"".join(struct.pack(">HH", kind, vlan) for kind, vlan in tags) + frame[12:]


def arp(operation, sender_mac, sender, target_mac, target):
    return struct.pack(">HHBBH", 1, IP, 6, 4, operation) + mac_bytes(sender_mac) + ip_bytes(sender) + \
        mac_bytes(target_mac) + ip_bytes(target)


def arp_request(mac, sender, target, source=None, to=BROADCAST):
    return eth(to, source or mac, arp(1, mac, sender, NO_MAC, target), ARP)


def arp_reply(mac, sender, target_mac, target, source=None):
    return eth(target_mac, source or mac, arp(2, mac, sender, target_mac, target), ARP)


def ipv4(src, dst, payload, protocol, ttl=64, ident=0, flags=0, options=b""):
    length = 20 + len(options)
    header = struct.pack(">BBHHHBBH4s4s", 0x40 | length // 4, 0, length + len(payload), ident, flags, ttl, protocol, 0,
                         ip_bytes(src), ip_bytes(dst)) + options
    return header[:10] + struct.pack(">H", checksum(header)) + header[12:] + payload


def ipv6(src, dst, payload, protocol, hops=255):
    return struct.pack(">IHBB", 6 << 28, len(payload), protocol, hops) + ip_bytes(src) + ip_bytes(dst) + payload


def sum_of(src, dst, protocol, segment):
    """The checksum of TCP, UDP and ICMPv6, over the pseudo header."""
    return checksum(ip_bytes(src) + ip_bytes(dst) + struct.pack(">II", len(segment), protocol) + segment)


def udp(sport, dport, payload, src, dst):
    segment = struct.pack(">HHHH", sport, dport, 8 + len(payload), 0) + payload
    return segment[:6] + struct.pack(">H", sum_of(src, dst, UDP, segment) or 0xFFFF) + segment[8:]


def tcp(sport, dport, flags, src, dst, seq=1, ack=0, payload=b"", window=65535):
    segment = struct.pack(">HHIIBBHHH", sport, dport, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF, 0x50, flags, window, 0, 0) + payload
    return segment[:16] + struct.pack(">H", sum_of(src, dst, TCP, segment)) + segment[18:]


def icmp(kind, code, rest, payload=b""):
    message = struct.pack(">BBHI", kind, code, 0, rest) + payload
    return message[:2] + struct.pack(">H", checksum(message)) + message[4:]


def ping(ident, seq, payload=b""):
    return icmp(8, 0, ident << 16 | seq, payload)


def udp_frame(dst_mac, src_mac, src, dst, sport, dport, payload, **header):
    return eth(dst_mac, src_mac, ipv4(src, dst, udp(sport, dport, payload, src, dst), UDP, **header))


def tcp_frame(dst_mac, src_mac, src, dst, sport, dport, flags, **segment):
    return eth(dst_mac, src_mac, ipv4(src, dst, tcp(sport, dport, flags, src, dst, **segment), TCP))


def udp6_frame(dst_mac, src_mac, src, dst, sport, dport, payload):
    return eth(dst_mac, src_mac, ipv6(src, dst, udp(sport, dport, payload, src, dst), UDP), IP6)


def router_advertisement(src_mac, src="fe80::bad", prefix="fd66::"):
    """That we are everybody's router, and what addresses they shall have. RFC 4861."""
    option = struct.pack(">BBBBIII16s", 3, 4, 64, 0xC0, 86400, 14400, 0, ip_bytes(prefix)) + \
        struct.pack(">BB6s", 1, 1, mac_bytes(src_mac))
    body = struct.pack(">BBHBBHII", 134, 0, 0, 64, 0, 1800, 0, 0) + option
    body = body[:2] + struct.pack(">H", sum_of(src, "ff02::1", ICMP6, body)) + body[4:]
    return eth("33:33:00:00:00:01", src_mac, ipv6(src, "ff02::1", body, ICMP6), IP6)


def lldp(src_mac, name=b"tart"):
    tlvs = [(1, b"\x04" + mac_bytes(src_mac)), (2, b"\x05" + name), (3, struct.pack(">H", 120)), (0, b"")]
    body = b"".join(struct.pack(">H", kind << 9 | len(value)) + value for kind, value in tlvs)
    return eth("01:80:c2:00:00:0e", src_mac, body, LLDP)


# --- DHCP, RFC 2131 ----------------------------------------------------------------------------------------------------

DISCOVER, OFFER, REQUEST, DECLINE, ACKNOWLEDGE, REFUSE, RELEASE, INFORM = range(1, 9)
COOKIE = bytes([99, 130, 83, 99])


def dhcp(operation, kind, xid, chaddr, ciaddr="0.0.0.0", yiaddr="0.0.0.0", siaddr="0.0.0.0", options=(), flags=0):
    """options: (number, bytes) after the message type."""
    head = struct.pack(">BBBBIHH4s4s4s4s", operation, 1, 6, 0, xid, 0, flags, ip_bytes(ciaddr), ip_bytes(yiaddr),
                       ip_bytes(siaddr), bytes(4)) + mac_bytes(chaddr).ljust(16, b"\0") + bytes(192) + COOKIE
    body = b"".join(bytes([number, len(value)]) + value for number, value in ((53, bytes([kind])), *options))
    return head + body + b"\xff"


def dhcp_client_frame(mac, kind, xid, src="0.0.0.0", dst="255.255.255.255", to=BROADCAST, ciaddr="0.0.0.0", options=()):
    return udp_frame(to, mac, src, dst, 68, 67, dhcp(1, kind, xid, mac, ciaddr=ciaddr, options=options))


def dhcp_server_frame(mac, src, kind, xid, client_mac, client, dst="255.255.255.255", to=BROADCAST):
    """What a guest that plays the server says."""
    options = [(54, ip_bytes(src)), (51, struct.pack(">I", 3600)), (1, ip_bytes("255.255.255.0")), (3, ip_bytes(src))]
    return udp_frame(to, mac, src, dst, 67, 68, dhcp(2, kind, xid, client_mac, yiaddr=client, siaddr=src, options=options))


class DhcpAnswer:
    """What a server has said: type, addresses, options by number."""

    def __init__(self, payload):
        if len(payload) < 240 or payload[236:240] != COOKIE:
            raise ValueError("not DHCP")
        self.operation, self.xid = payload[0], struct.unpack(">I", payload[4:8])[0]
        self.ciaddr, self.address, self.siaddr = (ip_text(payload[at:at + 4]) for at in (12, 16, 20))
        self.chaddr = mac_text(payload[28:34])
        self.options, at = {}, 240
        while at < len(payload) and payload[at] != 255:
            if payload[at] == 0:
                at += 1
                continue
            length = payload[at + 1]
            self.options[payload[at]] = payload[at + 2:at + 2 + length]
            at += 2 + length
        self.type = self.options[53][0]

    def address_of(self, option):
        """The first address in it, or None."""
        value = self.options.get(option)
        return ip_text(value[:4]) if value else None

    def seconds_of(self, option):
        return struct.unpack(">I", self.options[option])[0]


# --- reading -----------------------------------------------------------------------------------------------------------

class Frame:
    """A frame taken apart as far as it is sound; fields that it does not have are None."""

    def __init__(self, data):
        self.data = data
        self.dst_mac, self.src_mac = mac_text(data[:6]), mac_text(data[6:12])
        self.kind = struct.unpack(">H", data[12:14])[0]
        self.src = self.dst = self.protocol = self.sport = self.dport = self.flags = None
        self.seq = self.ack = self.icmp = None
        self.operation = self.sender_mac = None
        self.payload = data[14:]
        if self.kind == IP:
            self.read_ipv4(data[14:])
        elif self.kind == IP6 and len(data) >= 54:
            length, self.protocol = struct.unpack(">HB", data[18:21])
            self.src, self.dst = ip_text(data[22:38]), ip_text(data[38:54])
            self.read_transport(data[54:54 + length])
        elif self.kind == ARP and len(data) >= 42:
            self.operation = struct.unpack(">H", data[20:22])[0]
            self.sender_mac, self.src, self.dst = mac_text(data[22:28]), ip_text(data[28:32]), ip_text(data[38:42])

    def read_ipv4(self, packet):
        length = (packet[0] & 15) * 4
        total = struct.unpack(">H", packet[2:4])[0]
        self.protocol, self.src, self.dst = packet[9], ip_text(packet[12:16]), ip_text(packet[16:20])
        self.read_transport(packet[length:total])

    def read_transport(self, segment):
        self.payload = segment
        if self.protocol == UDP and len(segment) >= 8:
            self.sport, self.dport = struct.unpack(">HH", segment[:4])
            self.payload = segment[8:]
        elif self.protocol == TCP and len(segment) >= 20:
            self.sport, self.dport, self.seq, self.ack, offset, self.flags = struct.unpack(">HHIIBB", segment[:14])
            self.payload = segment[(offset >> 4) * 4:]
        elif self.protocol == ICMP and len(segment) >= 8:
            self.icmp = (segment[0], segment[1])
            self.payload = segment[8:]

    def dhcp(self):
        """A server's answer in it, or None."""
        try:
            return DhcpAnswer(self.payload) if self.sport == 67 else None
        except (ValueError, KeyError, IndexError):
            return None

    def __repr__(self):
        if self.kind == ARP:
            return f"<ARP {self.operation} {self.sender_mac} {self.src} for {self.dst}>"
        return f"<{self.src_mac} to {self.dst_mac} {self.kind:#06x} {self.src}:{self.sport} to {self.dst}:{self.dport} " \
            f"{self.protocol} {self.payload[:24]!r}>"
