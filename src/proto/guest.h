/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The messages of our extension service tart.agent.v1.Guest (guest-agent.md 7.1), but for Exec: its messages are struct
 * agent_request and struct agent_response of proto/agent.h, whose rules hold here, too. Requests that are not listed are empty.
 */
#ifndef TART_PROTO_GUEST_H
#define TART_PROTO_GUEST_H

#include "proto/agent.h"

#define GUEST_INFO_PATH       "/tart.agent.v1.Guest/Info"
#define GUEST_EXEC_PATH       "/tart.agent.v1.Guest/Exec"
#define GUEST_INTERFACES_PATH "/tart.agent.v1.Guest/Interfaces"
#define GUEST_SET_TIME_PATH   "/tart.agent.v1.Guest/SetTime"
#define GUEST_SHUTDOWN_PATH   "/tart.agent.v1.Guest/Shutdown"
#define GUEST_FORWARD_PATH    "/tart.agent.v1.Guest/Forward"

/* Info: {} -> this. Lists are n long, then NULL when decoded; texts are never NULL when decoded. */
struct guest_info {
	const char *version, *boot_id, *os_name, *kernel;
	const char *const *features;
	size_t n_features;
	uint64_t time_ns;
	const char *exec_user;
	struct agent_memory *memory;
};

void guest_info_encode(const struct guest_info *info, struct str *out);
bool guest_info_decode(struct span bytes, struct guest_info *ret, struct err *err);
void guest_info_done(struct guest_info *info);

/* Interfaces: {} -> this. */
struct guest_interface {
	const char *name, *mac;
	const char *const *cidrs; /* "192.168.64.2/24" */
	size_t n_cidrs;
	bool default_route;
};

struct guest_interfaces {
	const struct guest_interface *list;
	size_t n;
	struct agent_memory *memory;
};

void guest_interfaces_encode(const struct guest_interfaces *interfaces, struct str *out);
bool guest_interfaces_decode(struct span bytes, struct guest_interfaces *ret, struct err *err);
void guest_interfaces_done(struct guest_interfaces *interfaces);

/* SetTime: the host's time -> by how much the guest's clock was stepped (0: it was right within a second). */
void guest_time_encode(uint64_t unix_ns, struct str *out);
bool guest_time_decode(struct span bytes, uint64_t *ret_unix_ns, struct err *err);
void guest_step_encode(int64_t step_ns, struct str *out);
bool guest_step_decode(struct span bytes, int64_t *ret_step_ns, struct err *err);

/* Shutdown: how -> {}. An unknown how is refused. */
enum guest_shutdown { GUEST_POWEROFF = 0, GUEST_REBOOT = 1 };

void guest_shutdown_encode(enum guest_shutdown how, struct str *out);
bool guest_shutdown_decode(struct span bytes, enum guest_shutdown *ret, struct err *err);

/* Forward, both directions: the client opens once, the agent answers with opened or an error, then bytes and end of file. */
enum guest_forward_kind {
	GUEST_FORWARD_OTHER,
	GUEST_OPEN,   /* to the agent: network and address */
	GUEST_OPENED, /* from the agent */
	GUEST_DATA,
	GUEST_EOF,
	GUEST_ERROR, /* from the agent: text */
};

struct guest_forward {
	enum guest_forward_kind kind;
	const char *network, *address; /* "tcp" and "host:port", or "unix" and a path */
	struct span data;
	const char *text;
	struct agent_memory *memory;
};

/* Requests: GUEST_OPEN, GUEST_DATA, GUEST_EOF. Responses: GUEST_OPENED, GUEST_DATA, GUEST_EOF, GUEST_ERROR. */
void guest_forward_request_encode(const struct guest_forward *message, struct str *out);
bool guest_forward_request_decode(struct span bytes, struct guest_forward *ret, struct err *err);
void guest_forward_response_encode(const struct guest_forward *message, struct str *out);
bool guest_forward_response_decode(struct span bytes, struct guest_forward *ret, struct err *err);
void guest_forward_done(struct guest_forward *message);

#endif
