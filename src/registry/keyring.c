/* SPDX-License-Identifier: Apache-2.0 */
/* Running tart-keyring. */
#include "registry/keyring.h"

#include <sys/wait.h>

#include "base/child.h"
#include "base/child_talk.h"
#include "base/mem.h"
#include "base/program.h"
#include "base/secret.h"
#include "registry/credential_helper.h"

static enum keyring_state failed(const struct child_answer *answer, struct err *err)
{
	CLEANUP_STR struct str reason = { 0 };
	struct span said = str_span(&answer->out);

	said = span_first(said, span_find(said, '\n'));
	if (said.len > 0) {
		str_add_escaped(&reason, said);
	} else {
		child_describe_status(answer->status, &reason);
		if (answer->complaint.len > 0)
			str_addf(&reason, ": %s", str_text(&answer->complaint));
	}
	(void)err_set(err, ERR_GENERAL, "%s: %s", KEYRING_PROGRAM, str_text(&reason));
	return KEYRING_FAILED;
}

static enum keyring_state state_of(const struct child_answer *answer, struct err *err)
{
	if (!WIFEXITED(answer->status))
		return failed(answer, err);
	switch (WEXITSTATUS(answer->status)) {
	case KEYRING_EXIT_DONE:
		return KEYRING_DONE;
	case KEYRING_EXIT_NO_BUS:
		return KEYRING_NO_BUS;
	case KEYRING_EXIT_NO_DAEMON:
		return KEYRING_NO_DAEMON;
	case KEYRING_EXIT_NO_COLLECTION:
		return KEYRING_NO_COLLECTION;
	case KEYRING_EXIT_LOCKED:
		return KEYRING_LOCKED;
	default:
		break;
	}
	if (strstr(str_text(&answer->out), KEYRING_NOT_FOUND_TEXT))
		return KEYRING_NOTHING;
	return failed(answer, err);
}

static enum keyring_state ask(const char *verb, struct span input, struct child_answer *ret,
			      struct err *err)
{
	CLEANUP_FREE char *program = program_path(KEYRING_PROGRAM);
	const char *const argv[] = { program, verb, NULL };
	const struct child_talk talk = {
		.argv = argv,
		.input = input,
		.timeout_ms = KEYRING_MS,
		.max_out = CREDENTIAL_HELPER_OUT_MAX,
	};

	if (!program)
		return KEYRING_ABSENT;
	switch (child_talk(&talk, ret, err)) {
	case CHILD_TALK_DONE:
		return state_of(ret, err);
	case CHILD_TALK_MISSING:
		err_clear(err);
		return KEYRING_ABSENT;
	case CHILD_TALK_SILENT:
		(void)err_set(err, ERR_GENERAL, "the keyring does not answer");
		return KEYRING_FAILED;
	default:
		return KEYRING_FAILED;
	}
}

enum keyring_state keyring_get(const char *host, struct credentials *ret, struct err *err)
{
	CLEANUP(child_answer_done) struct child_answer answer = { 0 };
	enum keyring_state state = ask("get", span_of(host), &answer, err);

	if (state == KEYRING_DONE && !credential_message_parse(str_span(&answer.out), ret, err)) {
		(void)err_context(err, "%s", KEYRING_PROGRAM);
		return KEYRING_FAILED;
	}
	return state;
}

enum keyring_state keyring_store(const char *host, const struct credentials *credentials,
				 struct err *err)
{
	CLEANUP(child_answer_done) struct child_answer answer = { 0 };
	CLEANUP_SECRET_STR struct str input = { 0 };

	credential_message_print(host, credentials, &input);
	return ask("store", str_span(&input), &answer, err);
}

enum keyring_state keyring_erase(const char *host, struct err *err)
{
	CLEANUP(child_answer_done) struct child_answer answer = { 0 };

	return ask("erase", span_of(host), &answer, err);
}

const char *keyring_state_text(enum keyring_state state)
{
	switch (state) {
	case KEYRING_ABSENT:
		return "this tart was built without support for keyrings";
	case KEYRING_NO_BUS:
		return "there is no desktop session with a keyring";
	case KEYRING_NO_DAEMON:
		return "no keyring is running";
	case KEYRING_NO_COLLECTION:
		return "there is no default keyring yet";
	case KEYRING_LOCKED:
		return "the keyring is locked";
	default:
		return NULL;
	}
}
