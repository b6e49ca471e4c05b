/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The messages of the guest's agent; the first byte says of which kind. What was understood, is written in one way, which is
 * understood as the same.
 */
#include "fuzz.h"
#include "proto/agent.h"
#include "proto/guest.h"

/* Decodes `bytes`, encodes it to `out`; false: refused. */
typedef bool again_fn(struct span bytes, struct str *out, struct err *err);

#define AGAIN(name, type, decode, encode, done)                               \
	static bool name(struct span bytes, struct str *out, struct err *err) \
	{                                                                     \
		CLEANUP(done) struct type message = { 0 };                    \
                                                                              \
		if (!decode(bytes, &message, err))                            \
			return false;                                         \
		encode(&message, out);                                        \
		return true;                                                  \
	}

AGAIN(request, agent_request, agent_request_decode, agent_request_encode, agent_request_done)
AGAIN(response, agent_response, agent_response_decode, agent_response_encode, agent_response_done)
AGAIN(ip, agent_ip, agent_ip_decode, agent_ip_encode, agent_ip_done)
AGAIN(info, guest_info, guest_info_decode, guest_info_encode, guest_info_done)
AGAIN(interfaces, guest_interfaces, guest_interfaces_decode, guest_interfaces_encode,
      guest_interfaces_done)
AGAIN(forward_request, guest_forward, guest_forward_request_decode, guest_forward_request_encode,
      guest_forward_done)
AGAIN(forward_response, guest_forward, guest_forward_response_decode, guest_forward_response_encode,
      guest_forward_done)

static bool time_again(struct span bytes, struct str *out, struct err *err)
{
	uint64_t unix_ns;

	if (!guest_time_decode(bytes, &unix_ns, err))
		return false;
	guest_time_encode(unix_ns, out);
	return true;
}

static bool step_again(struct span bytes, struct str *out, struct err *err)
{
	int64_t step_ns;

	if (!guest_step_decode(bytes, &step_ns, err))
		return false;
	guest_step_encode(step_ns, out);
	return true;
}

static bool shutdown_again(struct span bytes, struct str *out, struct err *err)
{
	enum guest_shutdown how;

	if (!guest_shutdown_decode(bytes, &how, err))
		return false;
	guest_shutdown_encode(how, out);
	return true;
}

static bool empty_again(struct span bytes, struct str *out, struct err *err)
{
	(void)out;
	return agent_empty_decode(bytes, err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static again_fn *const kinds[] = {
		request,         response,         ip,         info,       interfaces,
		forward_request, forward_response, time_again, step_again, shutdown_again,
		empty_again,
	};
	CLEANUP_STR struct str once = { 0 };
	CLEANUP_STR struct str twice = { 0 };
	struct err err = { 0 };
	again_fn *again;

	if (size == 0)
		return 0;
	again = kinds[data[0] % ARRAY_LEN(kinds)];
	if (!again(span_make((const char *)data + 1, size - 1), &once, &err)) {
		fuzz_check(err.kind == ERR_GENERAL && err.text[0] && once.len == 0);
		return 0;
	}
	fuzz_check(again(str_span(&once), &twice, &err));
	fuzz_check(span_equal(str_span(&once), str_span(&twice)));
	return 0;
}
