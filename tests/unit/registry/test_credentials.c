/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of registry/credentials.h that need no other program. */
#include "registry/credentials.h"

#include "unit.h"

#define HINT ", make sure that it doesn't start with http:// or https://"

static const struct {
	const char *name; /* the host */
	bool ok;
	const char *hint;
} hosts[] = {
	{ "ghcr.io", true, "" },
	{ "localhost", true, "" },
	{ "127.0.0.1:5000", true, "" },
	{ "my-host.example.com:65535", true, "" },
	{ "GHCR.io", true, "" },
	{ "", false, "" },
	{ "https://ghcr.io", false, HINT },
	{ "http://ghcr.io", false, HINT },
	{ "ftp://ghcr.io", false, "" },
	{ "ghcr.io/", false, "" },
	{ "ghcr.io/a", false, "" },
	{ "ghcr.io/a/b", false, "" },
	{ " ghcr.io", false, "" },
	{ "ghcr.io ", false, "" },
	{ "ghcr io", false, "" },
	{ "ghcr.io\n", false, "" },
	{ "ghcr.io:", false, "" },
	{ "ghcr.io:0", false, "" },
	{ "ghcr.io:65536", false, "" },
	{ "ghcr.io:80:80", false, "" },
	{ "ghcr.io:http", false, "" },
	{ "user@ghcr.io", false, "" },
	{ "..", false, "" },
	{ "-a", false, "" },
};

static void checks_hosts(void **state)
{
	(void)state;
	each_row(hosts, row) {
		struct err err = { 0 };
		char want[200];

		check(credentials_check_host(row->name, &err) == row->ok, "%s: %s", row->name,
		      row->ok ? err.text : "accepted");
		if (row->ok)
			continue;
		(void)snprintf(want, sizeof(want),
			       "improperly formatted host \"%s\" was provided%s", row->name,
			       row->hint);
		check(err.kind == ERR_HOST && strcmp(err.text, want) == 0, "%s: %s", row->name,
		      err.text);
	}
}

static const struct {
	const char *name;
	const char *user, *password, *host;
	bool found;
} environments[] = {
	{ "nothing", NULL, NULL, NULL, false },
	{ "both", "u", "p", NULL, true },
	{ "user only", "u", NULL, NULL, false },
	{ "password only", NULL, "p", NULL, false },
	{ "empty values are values", "", "", NULL, true },
	{ "this host", "u", "p", "h:5000", true },
	{ "without its port", "u", "p", "h", false },
	{ "other host", "u", "p", "other:5000", false },
	{ "empty host", "u", "p", "", false },
};

static void set(const char *name, const char *value)
{
	if (value)
		(void)setenv(name, value, 1);
	else
		(void)unsetenv(name);
}

static void reads_the_environment(void **state)
{
	(void)state;
	set("HOME", "/nonexistent");
	set("XDG_CONFIG_HOME", NULL);
	set("DOCKER_CONFIG", NULL);
	each_row(environments, row) {
		CLEANUP(credentials_done) struct credentials got = { 0 };
		struct err err = { 0 };
		bool found = false;

		set("TART_REGISTRY_USERNAME", row->user);
		set("TART_REGISTRY_PASSWORD", row->password);
		set("TART_REGISTRY_HOSTNAME", row->host);
		check(credentials_find("h:5000", NULL, &got, &found, &err), "%s: %s", row->name,
		      err.text);
		check(found == row->found, "%s: found %d", row->name, found);
		if (found)
			check(strcmp(got.user, row->user) == 0 &&
				      strcmp(got.password, row->password) == 0,
			      "%s: %s", row->name, got.user);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(checks_hosts),
		cmocka_unit_test(reads_the_environment),
	};

	return unit_main(tests);
}
