/* SPDX-License-Identifier: Apache-2.0 */
/* The forwarder as a process: `tart-netd --forwarder DIR`, which `--rootless DIR` starts outside of the namespaces. */
#ifndef TART_NETD_FORWARDING_H
#define TART_NETD_FORWARDING_H

#include "base/err.h"

/* Until the keeper in `dir` has ended. False: it does not answer, or something is wrong with this process. */
bool forwarding_main(const char *dir, struct err *err);

#endif
