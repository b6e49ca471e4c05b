/* SPDX-License-Identifier: Apache-2.0 */
/* Running a helper and understanding how it ended. */
#include "registry/credential_helper.h"

#include <sys/wait.h>

#include "base/child.h"
#include "base/child_talk.h"
#include "base/mem.h"
#include "base/secret.h"

#define NOT_FOUND_TEXT "credentials not found in native keychain"
#define REASON_MAX     300 /* of what a helper says about its failure */

static bool is_name(const char *name)
{
	return *name && strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "0123456789-_") == strlen(name);
}

static struct span first_line(struct span text)
{
	struct span line = { 0 };

	while (span_next(&text, '\n', &line) && line.len == 0)
		;
	return span_first(line, line.len < REASON_MAX ? line.len : REASON_MAX);
}

/* By the protocol the reason is on stdout; scripts have it on stderr. One that repeats the password is kept to ourselves. */
static bool failed(const struct child_answer *answer, const char *secret, struct err *err)
{
	struct span said = first_line(str_span(&answer->out));
	CLEANUP_STR struct str status = { 0 };
	CLEANUP_STR struct str reason = { 0 };

	child_describe_status(answer->status, &status);
	if (said.len > 0)
		str_add_escaped(&reason, said);
	else
		str_add(&reason, str_text(&answer->complaint));
	if (reason.len == 0 || (secret && *secret && strstr(str_text(&reason), secret)))
		return err_set(err, ERR_GENERAL, "Docker helper failed! It %s", str_text(&status));
	return err_set(err, ERR_GENERAL, "Docker helper failed! It %s: %s", str_text(&status),
		       str_text(&reason));
}

static bool says_not_found(const struct child_answer *answer)
{
	return strstr(str_text(&answer->out), NOT_FOUND_TEXT) != NULL;
}

static enum helper_result run(const char *name, const char *verb, struct span input,
			      const char *secret, struct child_answer *ret, struct err *err)
{
	CLEANUP_FREE char *program = xasprintf("docker-credential-%s", name);
	const char *const argv[] = { program, verb, NULL };
	const struct child_talk talk = {
		.argv = argv,
		.input = input,
		.timeout_ms = CREDENTIAL_HELPER_MS,
		.max_out = CREDENTIAL_HELPER_OUT_MAX,
	};

	if (!is_name(name)) {
		(void)err_set(err, ERR_GENERAL, "'%s' is no name of a credential helper", name);
		return HELPER_FAILED;
	}
	switch (child_talk(&talk, ret, err)) {
	case CHILD_TALK_DONE:
		break;
	case CHILD_TALK_MISSING:
		(void)err_set(err, ERR_GENERAL, "%s not found in PATH", program);
		return HELPER_MISSING;
	default:
		return HELPER_FAILED;
	}
	if (WIFEXITED(ret->status) && WEXITSTATUS(ret->status) == 0)
		return HELPER_DONE;
	if (says_not_found(ret))
		return HELPER_NOT_FOUND;
	(void)failed(ret, secret, err);
	(void)err_context(err, "%s", program);
	return HELPER_FAILED;
}

enum helper_result credential_helper_get(const char *name, const char *host,
					 struct credentials *ret, struct err *err)
{
	CLEANUP(child_answer_done) struct child_answer answer = { 0 };
	CLEANUP(credentials_done) struct credentials got = { 0 };
	CLEANUP_FREE char *input = xasprintf("%s\n", host);
	enum helper_result result = run(name, "get", span_of(input), NULL, &answer, err);

	if (result != HELPER_DONE)
		return result;
	if (first_line(str_span(&answer.out)).len == 0) {
		(void)err_set(err, ERR_GENERAL,
			      "docker-credential-%s: Docker helper output is empty!", name);
		return HELPER_FAILED;
	}
	if (!credential_message_parse(str_span(&answer.out), &got, err)) {
		(void)err_context(err, "docker-credential-%s", name);
		return HELPER_FAILED;
	}
	if (!*got.user && !*got.password)
		return HELPER_NOT_FOUND;
	*ret = got;
	got = (struct credentials){ 0 };
	return HELPER_DONE;
}

enum helper_result credential_helper_store(const char *name, const char *host,
					   const struct credentials *credentials, struct err *err)
{
	CLEANUP(child_answer_done) struct child_answer answer = { 0 };
	CLEANUP_SECRET_STR struct str input = { 0 };

	credential_message_print(host, credentials, &input);
	return run(name, "store", str_span(&input), credentials->password, &answer, err);
}

enum helper_result credential_helper_erase(const char *name, const char *host, struct err *err)
{
	CLEANUP(child_answer_done) struct child_answer answer = { 0 };
	CLEANUP_FREE char *input = xasprintf("%s\n", host);

	return run(name, "erase", span_of(input), NULL, &answer, err);
}
