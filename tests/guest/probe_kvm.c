/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the KVM probe and says what it found; linked statically, so that it runs in a guest that has no libraries. */
#include <stdio.h>

#include "machine/kvm_probe.h"

int main(void)
{
	CLEANUP_STR struct str why = { 0 };
	struct kvm_probe probe;

	kvm_probe(NULL, &probe);
	kvm_probe_explain(&probe, &why);
	printf("PROBE-%s %s\n", kvm_verdict_name(probe.verdict), str_text(&why));
	return 0;
}
