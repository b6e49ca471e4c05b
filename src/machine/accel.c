/* SPDX-License-Identifier: Apache-2.0 */
/* Choosing between KVM and software emulation. */
#include "machine/accel.h"

#include <stdio.h>
#include <unistd.h>

#include "machine/kvm_cache.h"

static const struct {
	const char *text;
	enum accel_wish wish;
} wishes[] = {
	{ "auto", ACCEL_AUTO },
	{ "kvm", ACCEL_FORCE_KVM },
	{ "tcg", ACCEL_FORCE_TCG },
};

bool accel_wish_parse(struct span text, enum accel_wish *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(wishes); i++) {
		if (!span_is(text, wishes[i].text))
			continue;
		*ret = wishes[i].wish;
		return true;
	}
	return false;
}

bool accel_wish_from_env(const char *text, enum accel_wish *ret, struct err *err)
{
	if (!text || text[0] == '\0') {
		*ret = ACCEL_AUTO;
		return true;
	}
	return accel_wish_parse(span_of(text), ret) ||
	       err_set(err, ERR_GENERAL, "TART_ACCEL is '%s', it must be 'auto', 'kvm' or 'tcg'",
		       text);
}

void accel_fallback_notice(const char *reason, char *ret, size_t size)
{
	(void)snprintf(ret, size,
		       "KVM unusable: %s; using software emulation, which is no security boundary",
		       reason);
}

bool accel_needs_probe(enum accel_wish wish, enum guest_arch guest, enum guest_arch host)
{
	return wish != ACCEL_FORCE_TCG && guest == host;
}

static void explain(enum guest_arch guest, enum guest_arch host, const struct kvm_probe *probe,
		    struct str *out)
{
	if (guest != host)
		str_addf(out, "the guest is %s and this host %s", guest_arch_text(guest),
			 guest_arch_text(host));
	else
		kvm_probe_explain(probe, out);
}

bool accel_decide(enum accel_wish wish, enum guest_arch guest, enum guest_arch host,
		  const struct kvm_probe *probe, struct accel_choice *ret, struct err *err)
{
	CLEANUP_STR struct str reason = { 0 };
	struct accel_choice choice = { .kind = ACCEL_TCG };

	if (wish == ACCEL_FORCE_TCG) {
		*ret = choice;
		return true;
	}
	if (guest == host && probe->verdict == KVM_OK) {
		choice.kind = ACCEL_KVM;
		*ret = choice;
		return true;
	}
	explain(guest, host, probe, &reason);
	if (wish == ACCEL_FORCE_KVM)
		return err_set(err, ERR_GENERAL, "KVM unusable: %s", str_text(&reason));
	accel_fallback_notice(str_text(&reason), choice.notice, sizeof(choice.notice));
	*ret = choice;
	return true;
}

static bool key_of(const struct child_identity *identity, struct kvm_key *ret)
{
	return kvm_key_now(identity ? identity->uid : geteuid(), ret);
}

void accel_probe_again(int cache_dirfd, const struct child_identity *identity,
		       struct kvm_probe *ret)
{
	struct err ignored = { 0 };
	struct kvm_key key;

	kvm_probe(identity, ret);
	if (key_of(identity, &key))
		(void)kvm_cache_write(cache_dirfd, &key, ret, &ignored);
}

static void find_out(const struct accel_request *request, struct kvm_probe *ret)
{
	struct kvm_key key;

	if (!key_of(request->identity, &key) || !kvm_cache_read(request->cache_dirfd, &key, ret))
		accel_probe_again(request->cache_dirfd, request->identity, ret);
}

bool accel_choose(const struct accel_request *request, struct accel_choice *ret, struct err *err)
{
	struct kvm_probe probe = { 0 };

	if (accel_needs_probe(request->wish, request->guest, request->host))
		find_out(request, &probe);
	return accel_decide(request->wish, request->guest, request->host, &probe, ret, err);
}
