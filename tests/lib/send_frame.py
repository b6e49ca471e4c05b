#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sends a frame on an interface: send_frame.py INTERFACE EXPRESSION [TIMES]. The expression makes it of what netd_frames.py has.

    send_frame.py guest1 'arp_request("52:54:00:aa:00:01", "192.168.64.2", "192.168.64.1")'
"""
import socket
import sys

import netd_frames

interface, expression = sys.argv[1:3]
frame = eval(expression, vars(netd_frames))  # pylint: disable=eval-used
with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as packets:
    packets.bind((interface, 0))
    for _ in range(int(sys.argv[3]) if len(sys.argv) > 3 else 1):
        packets.send(frame)
