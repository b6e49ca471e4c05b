/* SPDX-License-Identifier: Apache-2.0 */
/* The messages of the extension service tart.agent.v1.Guest, but for Exec. */
#include "proto/guest.h"

#include <guest.pb-c.h> /* generated */

#include "base/mem.h"
#include "proto/message.h"

void guest_info_encode(const struct guest_info *info, struct str *out)
{
	CLEANUP_FREE ProtobufCBinaryData *features = message_borrow_texts(info->features,
									  info->n_features);
	Wire__Guest__InfoResponse wire = WIRE__GUEST__INFO_RESPONSE__INIT;

	wire.version = message_borrow_text(info->version);
	wire.boot_id = message_borrow_text(info->boot_id);
	wire.os_name = message_borrow_text(info->os_name);
	wire.kernel = message_borrow_text(info->kernel);
	wire.features = features;
	wire.n_features = info->n_features;
	wire.time_ns = info->time_ns;
	wire.exec_user = message_borrow_text(info->exec_user);
	message_pack(&wire.base, out);
}

bool guest_info_decode(struct span bytes, struct guest_info *ret, struct err *err)
{
	CLEANUP(agent_memory_cleanup) struct agent_memory *memory = agent_memory_new();
	const Wire__Guest__InfoResponse *wire = message_unpack(
		&wire__guest__info_response__descriptor, "InfoResponse", bytes, memory, err);
	struct guest_info info = { 0 };

	if (!wire || !message_text(wire->version, memory, &info.version, err) ||
	    !message_text(wire->boot_id, memory, &info.boot_id, err) ||
	    !message_text(wire->os_name, memory, &info.os_name, err) ||
	    !message_text(wire->kernel, memory, &info.kernel, err) ||
	    !message_texts(wire->features, wire->n_features, memory, &info.features, err) ||
	    !message_text(wire->exec_user, memory, &info.exec_user, err))
		return false;
	info.n_features = wire->n_features;
	info.time_ns = wire->time_ns;
	info.memory = TAKE_PTR(memory);
	*ret = info;
	return true;
}

void guest_info_done(struct guest_info *info)
{
	agent_memory_free(info->memory);
	*info = (struct guest_info){ 0 };
}

static void put_interface(const struct guest_interface *interface,
			  Wire__Guest__InterfacesResponse__Interface *wire)
{
	wire__guest__interfaces_response__interface__init(wire);
	wire->name = message_borrow_text(interface->name);
	wire->mac = message_borrow_text(interface->mac);
	wire->cidr = message_borrow_texts(interface->cidrs, interface->n_cidrs);
	wire->n_cidr = interface->n_cidrs;
	wire->default_route = interface->default_route;
}

void guest_interfaces_encode(const struct guest_interfaces *interfaces, struct str *out)
{
	size_t n = interfaces->n;
	CLEANUP_FREE Wire__Guest__InterfacesResponse__Interface *list = xcalloc(n + 1,
										sizeof(*list));
	CLEANUP_FREE Wire__Guest__InterfacesResponse__Interface **pointers =
		xcalloc(n + 1, sizeof(*pointers));
	Wire__Guest__InterfacesResponse wire = WIRE__GUEST__INTERFACES_RESPONSE__INIT;

	for (size_t i = 0; i < n; i++) {
		put_interface(&interfaces->list[i], &list[i]);
		pointers[i] = &list[i];
	}
	wire.interfaces = pointers;
	wire.n_interfaces = n;
	message_pack(&wire.base, out);
	for (size_t i = 0; i < n; i++)
		free(list[i].cidr);
}

static bool get_interface(const Wire__Guest__InterfacesResponse__Interface *wire,
			  struct agent_memory *memory, struct guest_interface *ret, struct err *err)
{
	ret->n_cidrs = wire->n_cidr;
	ret->default_route = wire->default_route;
	return message_text(wire->name, memory, &ret->name, err) &&
	       message_text(wire->mac, memory, &ret->mac, err) &&
	       message_texts(wire->cidr, wire->n_cidr, memory, &ret->cidrs, err);
}

bool guest_interfaces_decode(struct span bytes, struct guest_interfaces *ret, struct err *err)
{
	CLEANUP(agent_memory_cleanup) struct agent_memory *memory = agent_memory_new();
	const Wire__Guest__InterfacesResponse *wire =
		message_unpack(&wire__guest__interfaces_response__descriptor, "InterfacesResponse",
			       bytes, memory, err);
	struct guest_interface *list;
	size_t n;

	if (!wire)
		return false;
	n = wire->n_interfaces;
	list = agent_memory_take(memory, n + 1, sizeof(*list));
	if (!list)
		return err_set(err, ERR_GENERAL, "malformed message: too large");
	for (size_t i = 0; i < n; i++) {
		if (!get_interface(wire->interfaces[i], memory, &list[i], err))
			return false;
	}
	*ret = (struct guest_interfaces){ .list = list, .n = n, .memory = TAKE_PTR(memory) };
	return true;
}

void guest_interfaces_done(struct guest_interfaces *interfaces)
{
	agent_memory_free(interfaces->memory);
	*interfaces = (struct guest_interfaces){ 0 };
}

void guest_time_encode(uint64_t unix_ns, struct str *out)
{
	Wire__Guest__SetTimeRequest wire = WIRE__GUEST__SET_TIME_REQUEST__INIT;

	wire.unix_ns = unix_ns;
	message_pack(&wire.base, out);
}

bool guest_time_decode(struct span bytes, uint64_t *ret_unix_ns, struct err *err)
{
	CLEANUP(agent_memory_cleanup) struct agent_memory *memory = agent_memory_new();
	const Wire__Guest__SetTimeRequest *wire = message_unpack(
		&wire__guest__set_time_request__descriptor, "SetTimeRequest", bytes, memory, err);

	if (!wire)
		return false;
	*ret_unix_ns = wire->unix_ns;
	return true;
}

void guest_step_encode(int64_t step_ns, struct str *out)
{
	Wire__Guest__SetTimeResponse wire = WIRE__GUEST__SET_TIME_RESPONSE__INIT;

	wire.step_ns = step_ns;
	message_pack(&wire.base, out);
}

bool guest_step_decode(struct span bytes, int64_t *ret_step_ns, struct err *err)
{
	CLEANUP(agent_memory_cleanup) struct agent_memory *memory = agent_memory_new();
	const Wire__Guest__SetTimeResponse *wire = message_unpack(
		&wire__guest__set_time_response__descriptor, "SetTimeResponse", bytes, memory, err);

	if (!wire)
		return false;
	*ret_step_ns = wire->step_ns;
	return true;
}

void guest_shutdown_encode(enum guest_shutdown how, struct str *out)
{
	Wire__Guest__ShutdownRequest wire = WIRE__GUEST__SHUTDOWN_REQUEST__INIT;

	wire.how = how == GUEST_REBOOT ? WIRE__GUEST__SHUTDOWN_REQUEST__HOW__REBOOT :
					 WIRE__GUEST__SHUTDOWN_REQUEST__HOW__POWEROFF;
	message_pack(&wire.base, out);
}

bool guest_shutdown_decode(struct span bytes, enum guest_shutdown *ret, struct err *err)
{
	CLEANUP(agent_memory_cleanup) struct agent_memory *memory = agent_memory_new();
	const Wire__Guest__ShutdownRequest *wire = message_unpack(
		&wire__guest__shutdown_request__descriptor, "ShutdownRequest", bytes, memory, err);

	if (!wire)
		return false;
	switch (wire->how) {
	case WIRE__GUEST__SHUTDOWN_REQUEST__HOW__POWEROFF:
		*ret = GUEST_POWEROFF;
		return true;
	case WIRE__GUEST__SHUTDOWN_REQUEST__HOW__REBOOT:
		*ret = GUEST_REBOOT;
		return true;
	default:
		return err_set(err, ERR_GENERAL, "malformed message: unknown way to shut down");
	}
}

void guest_forward_request_encode(const struct guest_forward *message, struct str *out)
{
	Wire__Guest__ForwardRequest__Open open = WIRE__GUEST__FORWARD_REQUEST__OPEN__INIT;
	Wire__Guest__ForwardRequest__Eof eof = WIRE__GUEST__FORWARD_REQUEST__EOF__INIT;
	Wire__Guest__ForwardRequest wire = WIRE__GUEST__FORWARD_REQUEST__INIT;

	switch (message->kind) {
	case GUEST_OPEN:
		open.network = message_borrow_text(message->network);
		open.address = message_borrow_text(message->address);
		wire.type_case = WIRE__GUEST__FORWARD_REQUEST__TYPE_OPEN;
		wire.open = &open;
		break;
	case GUEST_DATA:
		wire.type_case = WIRE__GUEST__FORWARD_REQUEST__TYPE_DATA;
		wire.data = message_borrow(message->data);
		break;
	case GUEST_EOF:
		wire.type_case = WIRE__GUEST__FORWARD_REQUEST__TYPE_EOF;
		wire.eof = &eof;
		break;
	case GUEST_OPENED:
	case GUEST_ERROR:
	case GUEST_FORWARD_OTHER:
		break;
	}
	message_pack(&wire.base, out);
}

bool guest_forward_request_decode(struct span bytes, struct guest_forward *ret, struct err *err)
{
	CLEANUP(agent_memory_cleanup) struct agent_memory *memory = agent_memory_new();
	const Wire__Guest__ForwardRequest *wire = message_unpack(
		&wire__guest__forward_request__descriptor, "ForwardRequest", bytes, memory, err);
	struct guest_forward message = { .kind = GUEST_FORWARD_OTHER };

	if (!wire)
		return false;
	switch (wire->type_case) {
	case WIRE__GUEST__FORWARD_REQUEST__TYPE_OPEN:
		message.kind = GUEST_OPEN;
		if (!message_text(wire->open->network, memory, &message.network, err) ||
		    !message_text(wire->open->address, memory, &message.address, err))
			return false;
		break;
	case WIRE__GUEST__FORWARD_REQUEST__TYPE_DATA:
		message.kind = GUEST_DATA;
		message.data = message_bytes(wire->data);
		break;
	case WIRE__GUEST__FORWARD_REQUEST__TYPE_EOF:
		message.kind = GUEST_EOF;
		break;
	default:
		break;
	}
	message.memory = TAKE_PTR(memory);
	*ret = message;
	return true;
}

void guest_forward_response_encode(const struct guest_forward *message, struct str *out)
{
	Wire__Guest__ForwardResponse__Opened opened = WIRE__GUEST__FORWARD_RESPONSE__OPENED__INIT;
	Wire__Guest__ForwardResponse__Eof eof = WIRE__GUEST__FORWARD_RESPONSE__EOF__INIT;
	Wire__Guest__ForwardResponse__Error error = WIRE__GUEST__FORWARD_RESPONSE__ERROR__INIT;
	Wire__Guest__ForwardResponse wire = WIRE__GUEST__FORWARD_RESPONSE__INIT;

	switch (message->kind) {
	case GUEST_OPENED:
		wire.type_case = WIRE__GUEST__FORWARD_RESPONSE__TYPE_OPENED;
		wire.opened = &opened;
		break;
	case GUEST_DATA:
		wire.type_case = WIRE__GUEST__FORWARD_RESPONSE__TYPE_DATA;
		wire.data = message_borrow(message->data);
		break;
	case GUEST_EOF:
		wire.type_case = WIRE__GUEST__FORWARD_RESPONSE__TYPE_EOF;
		wire.eof = &eof;
		break;
	case GUEST_ERROR:
		error.message = message_borrow_text(message->text);
		wire.type_case = WIRE__GUEST__FORWARD_RESPONSE__TYPE_ERROR;
		wire.error = &error;
		break;
	case GUEST_OPEN:
	case GUEST_FORWARD_OTHER:
		break;
	}
	message_pack(&wire.base, out);
}

bool guest_forward_response_decode(struct span bytes, struct guest_forward *ret, struct err *err)
{
	CLEANUP(agent_memory_cleanup) struct agent_memory *memory = agent_memory_new();
	const Wire__Guest__ForwardResponse *wire = message_unpack(
		&wire__guest__forward_response__descriptor, "ForwardResponse", bytes, memory, err);
	struct guest_forward message = { .kind = GUEST_FORWARD_OTHER };

	if (!wire)
		return false;
	switch (wire->type_case) {
	case WIRE__GUEST__FORWARD_RESPONSE__TYPE_OPENED:
		message.kind = GUEST_OPENED;
		break;
	case WIRE__GUEST__FORWARD_RESPONSE__TYPE_DATA:
		message.kind = GUEST_DATA;
		message.data = message_bytes(wire->data);
		break;
	case WIRE__GUEST__FORWARD_RESPONSE__TYPE_EOF:
		message.kind = GUEST_EOF;
		break;
	case WIRE__GUEST__FORWARD_RESPONSE__TYPE_ERROR:
		message.kind = GUEST_ERROR;
		if (!message_text(wire->error->message, memory, &message.text, err))
			return false;
		break;
	default:
		break;
	}
	message.memory = TAKE_PTR(memory);
	*ret = message;
	return true;
}

void guest_forward_done(struct guest_forward *message)
{
	agent_memory_free(message->memory);
	*message = (struct guest_forward){ .kind = GUEST_FORWARD_OTHER };
}
