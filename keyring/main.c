/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tart-keyring get|store|erase: the desktop's secret service in the protocol of Docker's credential helpers
 * (proto/keyring.h). A program of its own, so that tart starts fast and never loads D-Bus.
 *
 * It bothers nobody: no daemon is started for it, no prompt is shown, nothing that is locked gets unlocked. Its parent
 * kills it when the daemon does not answer.
 */
#include <stdio.h>
#include <unistd.h>

#include "base/json.h"
#include "base/secret.h"
#include "keyring/vault.h"
#include "proto/keyring.h"

static bool read_input(struct str *out)
{
	char buf[4096];
	ssize_t n;

	while ((n = read(STDIN_FILENO, buf, sizeof(buf))) > 0) {
		secret_reserve(out, (size_t)n);
		str_add_span(out, span_make(buf, (size_t)n));
	}
	explicit_bzero(buf, sizeof(buf));
	return n == 0 && !out->overflow;
}

static enum keyring_exit refuse(const char *why)
{
	puts(why);
	return KEYRING_EXIT_FAILED;
}

/* Without its newline; NULL for what is no host. */
static const char *host_of(struct str *input)
{
	struct span line = str_span(input);

	str_truncate(input, span_find(line, '\n'));
	return input->len > 0 && !memchr(input->ptr, '\0', input->len) ? input->ptr : NULL;
}

static enum keyring_exit get(struct str *input)
{
	CLEANUP(vault_secret_done) struct vault_secret found = { 0 };
	CLEANUP_SECRET_JSON struct json *answer = NULL;
	CLEANUP_SECRET_STR struct str text = { 0 };
	const char *host = host_of(input);
	enum keyring_exit result;

	if (!host)
		return refuse("no host was given");
	result = vault_get(host, &found);
	if (result != KEYRING_EXIT_DONE)
		return result;
	answer = json_object();
	json_set(answer, "ServerURL", json_string(host));
	json_set(answer, "Username", json_string(found.user));
	json_set(answer, "Secret", json_string(found.password));
	json_print(answer, JSON_COMPACT, &text);
	puts(str_text(&text));
	return result;
}

static enum keyring_exit store(struct str *input)
{
	CLEANUP_SECRET_JSON struct json *message = NULL;
	struct err err = { 0 };
	const char *host;
	const char *user;
	const char *password;

	if (!json_parse(str_span(input), &message, &err))
		return refuse("the input is no JSON");
	host = json_member_text(message, "ServerURL");
	user = json_member_text(message, "Username");
	password = json_member_text(message, "Secret");
	if (!host || !*host || !user || !password)
		return refuse("ServerURL, Username and Secret are needed");
	return vault_store(host, user, password);
}

static enum keyring_exit erase(struct str *input)
{
	const char *host = host_of(input);

	return host ? vault_erase(host) : refuse("no host was given");
}

int main(int argc, char **argv)
{
	static const struct {
		const char *verb;
		enum keyring_exit (*run)(struct str *input);
	} verbs[] = { { "get", get }, { "store", store }, { "erase", erase } };
	CLEANUP_SECRET_STR struct str input = STR_CAPPED(KEYRING_INPUT_MAX);

	for (size_t i = 0; argc == 2 && i < ARRAY_LEN(verbs); i++) {
		if (strcmp(argv[1], verbs[i].verb) != 0)
			continue;
		if (!read_input(&input))
			return (int)refuse("the input is too long");
		return (int)verbs[i].run(&input);
	}
	fprintf(stderr, "usage: %s get|store|erase\n", KEYRING_PROGRAM);
	return (int)KEYRING_EXIT_FAILED;
}
