/* SPDX-License-Identifier: Apache-2.0 */
/* A NIC as JSON, and back. */
#include "netd/saved_nic.h"

#include <string.h>

#include "base/json.h"

static const char *const mode_names[] = {
	[NETD_NAT] = "nat",
	[NETD_SOFTNET] = "softnet",
	[NETD_HOST] = "host",
	[NETD_BRIDGED] = "bridged",
};

static void set_list(struct json *object, const char *key, const policy_list *list)
{
	CLEANUP_STR struct str text = { 0 };

	policy_list_print(list, &text);
	json_set(object, key, json_string(str_text(&text)));
}

static void set_expose(struct json *object, const expose_list *list)
{
	CLEANUP_STR struct str text = { 0 };

	expose_list_print(list, &text);
	json_set(object, "expose", json_string(str_text(&text)));
}

void saved_nic_print(const struct nic *nic, struct str *out)
{
	CLEANUP_JSON struct json *object = json_object();
	char mac[MAC_TEXT_SIZE];
	char address[IPV4_TEXT_SIZE];

	mac_print(&nic->mac, mac);
	ipv4_print(nic->address, address);
	json_set(object, "tap", json_string(nic->tap));
	json_set(object, "vm", json_string(nic->vm));
	json_set(object, "uid", json_u64(nic->uid));
	json_set(object, "mac", json_string(mac));
	json_set(object, "mode", json_string(mode_names[nic->mode]));
	json_set(object, "interface", json_string(nic->interface));
	json_set(object, "macvtap", json_bool(nic->macvtap));
	json_set(object, "address", json_string(address));
	set_list(object, "allow", &nic->policy.allow);
	set_list(object, "block", &nic->policy.block);
	set_expose(object, &nic->expose);
	json_set(object, "boundAt", json_i64(nic->bound_at_s));
	json_set(object, "expires", json_i64(nic->expires_s));
	json_set(object, "seenArp", json_i64(nic->seen_arp_s));
	json_print(object, JSON_PRETTY, out);
	str_add_char(out, '\n');
}

static bool get_text(const struct json *object, const char *key, char *ret, size_t size)
{
	const char *text = json_member_text(object, key);
	size_t len = text ? strlen(text) : 0;

	if (!text || len >= size)
		return false;
	memcpy(ret, text, len + 1);
	return true;
}

static bool get_time(const struct json *object, const char *key, int64_t *ret)
{
	uint64_t value;

	if (!json_get_u64(json_member(object, key), &value) || value > INT64_MAX)
		return false;
	*ret = (int64_t)value;
	return true;
}

static bool get_uid(const struct json *object, uint32_t *ret)
{
	uint64_t value;

	if (!json_get_u64(json_member(object, "uid"), &value) || value >= UINT32_MAX)
		return false;
	*ret = (uint32_t)value;
	return true;
}

static bool get_mode(const struct json *object, enum netd_mode *ret)
{
	const char *text = json_member_text(object, "mode");

	for (unsigned i = 0; text && i < ARRAY_LEN(mode_names); i++) {
		if (strcmp(text, mode_names[i]) == 0) {
			*ret = (enum netd_mode)i;
			return true;
		}
	}
	return false;
}

static bool get_mac(const struct json *object, struct mac *ret)
{
	const char *text = json_member_text(object, "mac");

	return text && mac_parse(span_of(text), ret);
}

static bool get_address(const struct json *object, ipv4 *ret)
{
	const char *text = json_member_text(object, "address");

	return text && ipv4_parse(span_of(text), ret);
}

/* "" is the empty list here, though not on a command line. */
static bool get_list(const struct json *object, const char *key, policy_list *list, struct err *err)
{
	const char *text = json_member_text(object, key);

	if (!text)
		return err_set(err, ERR_GENERAL, "no '%s'", key);
	return !*text || policy_list_parse(span_of(text), key, list, err);
}

static bool get_expose(const struct json *object, expose_list *list, struct err *err)
{
	const char *text = json_member_text(object, "expose");

	if (!text)
		return err_set(err, ERR_GENERAL, "no 'expose'");
	return !*text || expose_list_parse(span_of(text), "expose", list, err);
}

/* The name of the first member that is not as it should be, or NULL. */
static const char *read_plain(const struct json *object, struct nic *nic)
{
	if (!get_text(object, "tap", nic->tap, sizeof(nic->tap)) || !netd_is_tap_name(nic->tap))
		return "tap";
	if (!get_text(object, "vm", nic->vm, sizeof(nic->vm)))
		return "vm";
	if (!get_uid(object, &nic->uid))
		return "uid";
	if (!get_mac(object, &nic->mac))
		return "mac";
	if (!get_mode(object, &nic->mode))
		return "mode";
	if (!get_text(object, "interface", nic->interface, sizeof(nic->interface)))
		return "interface";
	if (!json_get_bool(json_member(object, "macvtap"), &nic->macvtap) ||
	    (nic->macvtap && nic->mode != NETD_BRIDGED))
		return "macvtap";
	if (!get_address(object, &nic->address))
		return "address";
	if (!get_time(object, "boundAt", &nic->bound_at_s))
		return "boundAt";
	if (!get_time(object, "expires", &nic->expires_s))
		return "expires";
	return get_time(object, "seenArp", &nic->seen_arp_s) ? NULL : "seenArp";
}

bool saved_nic_parse(struct span text, struct nic *ret, struct err *err)
{
	CLEANUP_JSON struct json *object = NULL;
	CLEANUP(nic_done) struct nic nic = { .uid = 0 };
	const char *wrong;

	if (text.len > SAVED_NIC_MAX)
		return err_set(err, ERR_GENERAL, "too long");
	if (!json_parse(text, &object, err))
		return false;
	wrong = read_plain(object, &nic);
	if (wrong)
		return err_set(err, ERR_GENERAL, "'%s' is missing or wrong", wrong);
	if (!get_list(object, "allow", &nic.policy.allow, err) ||
	    !get_list(object, "block", &nic.policy.block, err) ||
	    !get_expose(object, &nic.expose, err) || !nic_check(&nic, err))
		return false;
	*ret = nic;
	nic = (struct nic){ .uid = 0 };
	return true;
}
