/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the KVM probe and says what it found; linked statically, so that it runs in a guest that has no libraries. */
#include <stdio.h>

#include "machine/kvm_probe.h"

/*
 * The processor here is an emulated one, at a few times the speed that the probe takes for emulation: whenever
 * something else gets the host's processor for a moment, it is too slow. One good answer shows that there is one.
 */
#define ATTEMPTS 50

int main(void)
{
	CLEANUP_STR struct str why = { 0 };
	struct kvm_probe probe;
	int left = ATTEMPTS;

	do
		kvm_probe(NULL, &probe);
	while (probe.verdict == KVM_EMULATED && --left > 0);
	kvm_probe_explain(&probe, &why);
	printf("PROBE-%s %s\n", kvm_verdict_name(probe.verdict), str_text(&why));
	return 0;
}
