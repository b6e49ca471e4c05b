/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may see the guest's screen. QEMU's VNC server listens nowhere: we do, and hand it the connections we let in,
 * so that QEMU needs no right to any path or port.
 *
 * vnc.sock in the bundle is always there: file mode and peer decide who may connect, no password. A port on
 * 127.0.0.1, which every user of the host can reach, is there on demand: QEMU asks for the password, of which VNC
 * uses eight characters. That is little, so connections there are let in slowly once they come too fast.
 */
#ifndef TART_MACHINE_VNC_H
#define TART_MACHINE_VNC_H

#include "base/loop.h"
#include "machine/qmp.h"

struct vnc;

/* Makes vnc.sock, and with `local_port` the listener on 127.0.0.1. Nobody is let in before vnc_open(). The
 * caller, who holds the VM's lock, removes vnc.sock when QEMU has ended. */
bool vnc_new(struct loop *loop, int bundle_fd, bool local_port, struct vnc **ret, struct err *err);
void vnc_free(struct vnc *vnc);

/* 0 without one. */
uint16_t vnc_port(const struct vnc *vnc);

/* Hands connections to this QEMU from now on, those too that wait already. Its password is set before. */
void vnc_open(struct vnc *vnc, struct qmp *qmp);

/* QEMU has gone. */
void vnc_shut(struct vnc *vnc);

/* Whether anybody was let in since vnc_new(). */
bool vnc_had_client(const struct vnc *vnc);

#endif
