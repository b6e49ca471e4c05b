/* SPDX-License-Identifier: Apache-2.0 */
/* What all TAPs have in common. */
#include "netd/nic.h"

const struct mac nic_gateway_mac = { { 0x02, 0x74, 0x61, 0x72, 0x74, 0x01 } };
