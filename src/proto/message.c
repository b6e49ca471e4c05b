/* SPDX-License-Identifier: Apache-2.0 */
/* protobuf-c over memory that has a cap and is freed at once. */
#include "proto/message.h"

#include "base/mem.h"
#include "base/vec.h"

/* What malloc adds, so that millions of tiny blocks count as what they are. */
#define BLOCK_COST ((size_t)32)

struct agent_memory {
	VEC(void *) blocks;
	size_t used;
};

struct agent_memory *agent_memory_new(void)
{
	return xcalloc(1, sizeof(struct agent_memory));
}

void agent_memory_free(struct agent_memory *memory)
{
	if (!memory)
		return;
	vec_each(&memory->blocks, block)
		free(*block);
	vec_done(&memory->blocks);
	free(memory);
}

void agent_memory_cleanup(struct agent_memory **slot)
{
	agent_memory_free(*slot);
}

static void *take(void *ctx, size_t size)
{
	struct agent_memory *memory = ctx;

	if (size > AGENT_DECODE_MEMORY_MAX ||
	    memory->used + size + BLOCK_COST > AGENT_DECODE_MEMORY_MAX)
		return NULL;
	memory->used += size + BLOCK_COST;
	return *vec_push(&memory->blocks) = xcalloc(1, size > 0 ? size : 1);
}

/* Everything goes at once, with the memory. */
static void keep(void *ctx, void *block)
{
	(void)ctx;
	(void)block;
}

void *agent_memory_take(struct agent_memory *memory, size_t n, size_t size)
{
	return n > AGENT_DECODE_MEMORY_MAX / size ? NULL : take(memory, n * size);
}

void *message_unpack(const ProtobufCMessageDescriptor *type, const char *what, struct span bytes,
		     struct agent_memory *memory, struct err *err)
{
	ProtobufCAllocator allocator = { .alloc = take, .free = keep, .allocator_data = memory };
	void *message = protobuf_c_message_unpack(type, &allocator, bytes.len,
						  (const uint8_t *)bytes.ptr);

	if (!message)
		(void)err_set(err, ERR_GENERAL, "malformed message: %s", what);
	return message;
}

struct sink {
	ProtobufCBuffer base; /* first: protobuf-c hands back a pointer to it */
	struct str *out;
};

static void append(ProtobufCBuffer *buffer, size_t len, const uint8_t *data)
{
	struct sink *sink = (struct sink *)buffer;

	str_add_span(sink->out, span_make((const char *)data, len));
}

void message_pack(const ProtobufCMessage *message, struct str *out)
{
	struct sink sink = { .base = { .append = append }, .out = out };

	(void)protobuf_c_message_pack_to_buffer(message, &sink.base);
}

bool message_text(ProtobufCBinaryData in, struct agent_memory *memory, const char **ret,
		  struct err *err)
{
	char *text;

	if (in.len > 0 && memchr(in.data, '\0', in.len))
		return err_set(err, ERR_GENERAL, "malformed message: a NUL inside a text");
	text = agent_memory_take(memory, in.len + 1, 1);
	if (!text)
		return err_set(err, ERR_GENERAL, "malformed message: too large");
	if (in.len > 0)
		memcpy(text, in.data, in.len);
	*ret = text;
	return true;
}

bool message_texts(const ProtobufCBinaryData *in, size_t n, struct agent_memory *memory,
		   const char *const **ret, struct err *err)
{
	const char **texts = agent_memory_take(memory, n + 1, sizeof(*texts));

	if (!texts)
		return err_set(err, ERR_GENERAL, "malformed message: too large");
	for (size_t i = 0; i < n; i++) {
		if (!message_text(in[i], memory, &texts[i], err))
			return false;
	}
	*ret = texts;
	return true;
}

struct span message_bytes(ProtobufCBinaryData in)
{
	return span_make(in.len > 0 ? (const char *)in.data : "", in.len);
}

ProtobufCBinaryData message_borrow(struct span bytes)
{
	return (ProtobufCBinaryData){ .len = bytes.len, .data = span_lend(bytes) };
}

ProtobufCBinaryData message_borrow_text(const char *text)
{
	return message_borrow(span_of(text ? text : ""));
}

ProtobufCBinaryData *message_borrow_texts(const char *const *texts, size_t n)
{
	ProtobufCBinaryData *list = xcalloc(n > 0 ? n : 1, sizeof(*list));

	for (size_t i = 0; i < n; i++)
		list[i] = message_borrow_text(texts[i]);
	return list;
}
