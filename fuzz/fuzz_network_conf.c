/* SPDX-License-Identifier: Apache-2.0 */
/* network.conf: what is accepted prints and parses as the same, and any key of it can be set to what it is, or reset. */
#include "net/network_conf.h"

#include "fuzz.h"

static void print_all(const struct network_conf *conf, struct str *out)
{
	for (const struct network_key *key = network_keys; key->name; key++) {
		str_addf(out, "%s = ", key->name);
		network_conf_print(conf, key->name, out);
		str_add_char(out, '\n');
	}
}

static void check_conf(const struct network_conf *conf)
{
	fuzz_check(conf->lease_time_s >= 120 && conf->lease_time_s <= INT32_MAX);
	fuzz_check(conf->mtu >= 576 && conf->mtu <= 9000);
	fuzz_check(conf->auto_prefix >= 16 && conf->auto_prefix <= 29);
	fuzz_check(conf->dns_is_gateway || conf->dns[0]);
	if (conf->subnet_auto)
		return;
	fuzz_check(conf->subnet.prefix >= 16 && conf->subnet.prefix <= 29);
	fuzz_check(cidr_has(&conf->subnet, conf->gateway));
	fuzz_check(conf->gateway != conf->subnet.network &&
		   conf->gateway != cidr_last(&conf->subnet));
}

static void check_parses_as(struct span text, const struct str *want)
{
	CLEANUP_STR struct str printed = { 0 };
	struct network_conf conf;
	struct err err = { 0 };

	fuzz_check(network_conf_parse(text, "f", &conf, &err));
	print_all(&conf, &printed);
	fuzz_check(span_equal(str_span(&printed), str_span(want)));
	network_conf_done(&conf);
}

/* An added line may be one too many for the file, and a subnet without its netmask another one: refused, but in one piece. */
static void check_edits(struct span text, const struct network_conf *conf, const struct str *all)
{
	for (const struct network_key *key = network_keys; key->name; key++) {
		CLEANUP_STR struct str value = { 0 };
		CLEANUP_STR struct str set = { 0 };
		CLEANUP_STR struct str reset = { 0 };
		struct err err = { 0 };

		network_conf_print(conf, key->name, &value);
		if (network_conf_edit(text, "f", key->name, str_text(&value), &set, &err))
			check_parses_as(str_span(&set), all);
		else
			fuzz_check(text.len + value.len + 32 > NETWORK_CONF_MAX);
		if (!network_conf_edit(text, "f", key->name, NULL, &reset, &err))
			fuzz_check(err.text[0] && reset.len == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span input = span_make((const char *)data, size);
	CLEANUP_STR struct str all = { 0 };
	struct network_conf conf;
	struct err err = { 0 };

	if (!network_conf_parse(input, "f", &conf, &err)) {
		fuzz_check(err.kind == ERR_GENERAL && err.text[0]);
		return 0;
	}
	check_conf(&conf);
	print_all(&conf, &all);
	if (all.len <= NETWORK_CONF_MAX)
		check_parses_as(str_span(&all), &all);
	check_edits(input, &conf, &all);
	network_conf_done(&conf);
	return 0;
}
