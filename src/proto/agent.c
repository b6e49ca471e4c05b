/* SPDX-License-Identifier: Apache-2.0 */
/* The messages of service Agent, and of the extension's Exec, which are the same and more. */
#include "proto/agent.h"

#include <agent.pb-c.h> /* generated */

#include "proto/message.h"

static void put_command(const struct agent_command *command, struct str *out)
{
	CLEANUP_FREE ProtobufCBinaryData *args = message_borrow_texts(command->args,
								      command->n_args);
	CLEANUP_FREE ProtobufCBinaryData *env = message_borrow_texts(command->env, command->n_env);
	Wire__TerminalSize size = WIRE__TERMINAL_SIZE__INIT;
	Wire__ExecRequest__Command wire = WIRE__EXEC_REQUEST__COMMAND__INIT;
	Wire__ExecRequest request = WIRE__EXEC_REQUEST__INIT;

	wire.name = message_borrow_text(command->name);
	wire.args = args;
	wire.n_args = command->n_args;
	wire.interactive = command->interactive;
	wire.tty = command->tty;
	size.rows = command->size.rows;
	size.cols = command->size.cols;
	wire.terminal_size = command->has_size ? &size : NULL;
	wire.env = env;
	wire.n_env = command->n_env;
	wire.cwd = message_borrow_text(command->cwd);
	wire.user = message_borrow_text(command->user);
	wire.clear_env = command->clear_env;
	request.type_case = WIRE__EXEC_REQUEST__TYPE_COMMAND;
	request.command = &wire;
	message_pack(&request.base, out);
}

void agent_request_encode(const struct agent_request *request, struct str *out)
{
	Wire__IOChunk chunk = WIRE__IOCHUNK__INIT;
	Wire__TerminalSize size = WIRE__TERMINAL_SIZE__INIT;
	Wire__ExecRequest__Signal signal = WIRE__EXEC_REQUEST__SIGNAL__INIT;
	Wire__ExecRequest wire = WIRE__EXEC_REQUEST__INIT;

	switch (request->kind) {
	case AGENT_COMMAND:
		put_command(&request->command, out);
		return;
	case AGENT_STDIN:
		chunk.data = message_borrow(request->data);
		wire.type_case = WIRE__EXEC_REQUEST__TYPE_STANDARD_INPUT;
		wire.standard_input = &chunk;
		break;
	case AGENT_RESIZE:
		size.rows = request->size.rows;
		size.cols = request->size.cols;
		wire.type_case = WIRE__EXEC_REQUEST__TYPE_TERMINAL_RESIZE;
		wire.terminal_resize = &size;
		break;
	case AGENT_SIGNAL:
		signal.number = request->signal;
		wire.type_case = WIRE__EXEC_REQUEST__TYPE_SIGNAL;
		wire.signal = &signal;
		break;
	case AGENT_REQUEST_OTHER:
		break;
	}
	message_pack(&wire.base, out);
}

static struct agent_size size_of(const Wire__TerminalSize *wire)
{
	return (struct agent_size){ .rows = wire->rows, .cols = wire->cols };
}

static bool get_command(const Wire__ExecRequest__Command *wire, struct agent_memory *memory,
			struct agent_command *ret, struct err *err)
{
	ret->n_args = wire->n_args;
	ret->n_env = wire->n_env;
	ret->interactive = wire->interactive;
	ret->tty = wire->tty;
	ret->clear_env = wire->clear_env;
	ret->has_size = wire->terminal_size;
	if (wire->terminal_size)
		ret->size = size_of(wire->terminal_size);
	return message_text(wire->name, memory, &ret->name, err) &&
	       message_texts(wire->args, wire->n_args, memory, &ret->args, err) &&
	       message_texts(wire->env, wire->n_env, memory, &ret->env, err) &&
	       message_text(wire->cwd, memory, &ret->cwd, err) &&
	       message_text(wire->user, memory, &ret->user, err);
}

bool agent_request_decode(struct span bytes, struct agent_request *ret, struct err *err)
{
	CLEANUP(agent_memory_cleanup) struct agent_memory *memory = agent_memory_new();
	const Wire__ExecRequest *wire = message_unpack(&wire__exec_request__descriptor,
						       "ExecRequest", bytes, memory, err);
	struct agent_request request = { .kind = AGENT_REQUEST_OTHER };

	if (!wire)
		return false;
	switch (wire->type_case) {
	case WIRE__EXEC_REQUEST__TYPE_COMMAND:
		request.kind = AGENT_COMMAND;
		if (!get_command(wire->command, memory, &request.command, err))
			return false;
		break;
	case WIRE__EXEC_REQUEST__TYPE_STANDARD_INPUT:
		request.kind = AGENT_STDIN;
		request.data = message_bytes(wire->standard_input->data);
		break;
	case WIRE__EXEC_REQUEST__TYPE_TERMINAL_RESIZE:
		request.kind = AGENT_RESIZE;
		request.size = size_of(wire->terminal_resize);
		break;
	case WIRE__EXEC_REQUEST__TYPE_SIGNAL:
		request.kind = AGENT_SIGNAL;
		request.signal = wire->signal->number;
		break;
	default:
		break;
	}
	request.memory = TAKE_PTR(memory);
	*ret = request;
	return true;
}

void agent_request_done(struct agent_request *request)
{
	agent_memory_free(request->memory);
	*request = (struct agent_request){ .kind = AGENT_REQUEST_OTHER };
}

void agent_response_encode(const struct agent_response *response, struct str *out)
{
	Wire__IOChunk chunk = WIRE__IOCHUNK__INIT;
	Wire__ExecResponse__Exit end = WIRE__EXEC_RESPONSE__EXIT__INIT;
	Wire__ExecResponse__Started started = WIRE__EXEC_RESPONSE__STARTED__INIT;
	Wire__ExecResponse__StartError error = WIRE__EXEC_RESPONSE__START_ERROR__INIT;
	Wire__ExecResponse wire = WIRE__EXEC_RESPONSE__INIT;

	chunk.data = message_borrow(response->data);
	switch (response->kind) {
	case AGENT_EXIT:
		end.code = response->code;
		end.signal = response->signal;
		wire.type_case = WIRE__EXEC_RESPONSE__TYPE_EXIT;
		wire.exit = &end;
		break;
	case AGENT_STDOUT:
		wire.type_case = WIRE__EXEC_RESPONSE__TYPE_STANDARD_OUTPUT;
		wire.standard_output = &chunk;
		break;
	case AGENT_STDERR:
		wire.type_case = WIRE__EXEC_RESPONSE__TYPE_STANDARD_ERROR;
		wire.standard_error = &chunk;
		break;
	case AGENT_STARTED:
		started.pid = response->pid;
		wire.type_case = WIRE__EXEC_RESPONSE__TYPE_STARTED;
		wire.started = &started;
		break;
	case AGENT_START_ERROR:
		error.number = response->error;
		error.message = message_borrow_text(response->error_text);
		wire.type_case = WIRE__EXEC_RESPONSE__TYPE_START_ERROR;
		wire.start_error = &error;
		break;
	case AGENT_RESPONSE_OTHER:
		break;
	}
	message_pack(&wire.base, out);
}

bool agent_response_decode(struct span bytes, struct agent_response *ret, struct err *err)
{
	CLEANUP(agent_memory_cleanup) struct agent_memory *memory = agent_memory_new();
	const Wire__ExecResponse *wire = message_unpack(&wire__exec_response__descriptor,
							"ExecResponse", bytes, memory, err);
	struct agent_response response = { .kind = AGENT_RESPONSE_OTHER };

	if (!wire)
		return false;
	switch (wire->type_case) {
	case WIRE__EXEC_RESPONSE__TYPE_EXIT:
		response.kind = AGENT_EXIT;
		response.code = wire->exit->code;
		response.signal = wire->exit->signal;
		break;
	case WIRE__EXEC_RESPONSE__TYPE_STANDARD_OUTPUT:
		response.kind = AGENT_STDOUT;
		response.data = message_bytes(wire->standard_output->data);
		break;
	case WIRE__EXEC_RESPONSE__TYPE_STANDARD_ERROR:
		response.kind = AGENT_STDERR;
		response.data = message_bytes(wire->standard_error->data);
		break;
	case WIRE__EXEC_RESPONSE__TYPE_STARTED:
		response.kind = AGENT_STARTED;
		response.pid = wire->started->pid;
		break;
	case WIRE__EXEC_RESPONSE__TYPE_START_ERROR:
		response.kind = AGENT_START_ERROR;
		response.error = wire->start_error->number;
		if (!message_text(wire->start_error->message, memory, &response.error_text, err))
			return false;
		break;
	default:
		break;
	}
	response.memory = TAKE_PTR(memory);
	*ret = response;
	return true;
}

void agent_response_done(struct agent_response *response)
{
	agent_memory_free(response->memory);
	*response = (struct agent_response){ .kind = AGENT_RESPONSE_OTHER };
}

void agent_ip_encode(const struct agent_ip *response, struct str *out)
{
	Wire__ResolveIPResponse wire = WIRE__RESOLVE_IPRESPONSE__INIT;

	wire.ip = message_borrow_text(response->ip);
	message_pack(&wire.base, out);
}

bool agent_ip_decode(struct span bytes, struct agent_ip *ret, struct err *err)
{
	CLEANUP(agent_memory_cleanup) struct agent_memory *memory = agent_memory_new();
	const Wire__ResolveIPResponse *wire = message_unpack(
		&wire__resolve_ipresponse__descriptor, "ResolveIPResponse", bytes, memory, err);
	const char *ip;

	if (!wire || !message_text(wire->ip, memory, &ip, err))
		return false;
	*ret = (struct agent_ip){ .ip = ip, .memory = TAKE_PTR(memory) };
	return true;
}

void agent_ip_done(struct agent_ip *response)
{
	agent_memory_free(response->memory);
	*response = (struct agent_ip){ .ip = NULL };
}

bool agent_empty_decode(struct span bytes, struct err *err)
{
	CLEANUP(agent_memory_cleanup) struct agent_memory *memory = agent_memory_new();

	return message_unpack(&wire__empty__descriptor, "an empty one", bytes, memory, err);
}
