/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the codecs of agent.c and guest.c share: protobuf-c over memory that has a cap and is freed at once. For them only.
 *
 * protobuf-c allocates for what the bytes really hold, but two bytes can ask for a hundred: an empty element of a list costs
 * a struct. Hence the cap, beyond which a message is refused.
 */
#ifndef TART_PROTO_MESSAGE_H
#define TART_PROTO_MESSAGE_H

#include <protobuf-c/protobuf-c.h>

#include "proto/agent.h"

struct agent_memory *agent_memory_new(void);
void agent_memory_free(struct agent_memory *memory);
void agent_memory_cleanup(struct agent_memory **slot);

/* Zeroed, or NULL when the cap is reached. */
void *agent_memory_take(struct agent_memory *memory, size_t n, size_t size);

/* A message in `memory`; NULL with `err` set when these are not its bytes. `what` names it in the error. */
void *message_unpack(const ProtobufCMessageDescriptor *type, const char *what, struct span bytes,
		     struct agent_memory *memory, struct err *err);
void message_pack(const ProtobufCMessage *message, struct str *out);

/* A text of a message that was decoded: copied, never NULL. False: it holds a NUL, or takes too much memory. */
bool message_text(ProtobufCBinaryData in, struct agent_memory *memory, const char **ret,
		  struct err *err);
bool message_texts(const ProtobufCBinaryData *in, size_t n, struct agent_memory *memory,
		   const char *const **ret, struct err *err);
struct span message_bytes(ProtobufCBinaryData in);

/* For encoding: borrowed bytes as protobuf-c wants them; NULL is "". The list is freed by the caller, its elements are not. */
ProtobufCBinaryData message_borrow(struct span bytes);
ProtobufCBinaryData message_borrow_text(const char *text);
ProtobufCBinaryData *message_borrow_texts(const char *const *texts, size_t n);

#endif
