/* SPDX-License-Identifier: Apache-2.0 */
/* Reading what the kernel answers: attributes of nf_tables' messages. Pure; what is malformed ends the reading. */
#ifndef TART_NETD_RULES_ATTR_H
#define TART_NETD_RULES_ATTR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "proto/netd.h"

/* The attributes of a message, one after the other; false at the end or at what is malformed. */
bool rules_next_attr(struct span *rest, uint16_t *ret_type, struct span *ret_value);
/* One of them; an empty one when it is not there. */
struct span rules_attr(struct span attrs, uint16_t type);
uint32_t rules_attr_u32(struct span attrs, uint16_t type); /* 0 when absent */
uint64_t rules_attr_u64(struct span attrs, uint16_t type);

/* Each element in an answer about a set; `key` and `data` are bytes, `attrs` all of it. */
typedef void rules_element_fn(void *ctx, struct span key, struct span data, struct span attrs);
void rules_each_element(struct span answer, rules_element_fn *fn, void *ctx);
/* What an element has counted. */
struct netd_count rules_element_count(struct span attrs);

#endif
