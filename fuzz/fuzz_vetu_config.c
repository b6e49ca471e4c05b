/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration of a Vetu image: what is accepted becomes a VM's configuration that our own parser takes. */
#include "registry/vetu_config.h"

#include "fuzz.h"
#include "storage/extras.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	CLEANUP(vetu_config_done) struct vetu_config vetu = { 0 };
	CLEANUP(config_done) struct config made = { 0 };
	CLEANUP(config_done) struct config config = { 0 };
	CLEANUP(extras_done) struct extras extras = { 0 };
	CLEANUP_STR struct str printed = { 0 };
	struct err err = { 0 };

	if (!vetu_config_parse(span_make((const char *)bytes, size), &vetu, &err)) {
		fuzz_check(err.kind != ERR_NONE && err.text[0]);
		return 0;
	}
	vetu_config_convert(&vetu, size % 2 == 0, &made);
	config_print(&made, &printed);
	fuzz_check(config_parse(str_span(&printed), &config, &err));
	fuzz_check(extras_read(&config, &extras, &err));
	fuzz_check(extras.boots_kernel && extras.disks.n == vetu.disks.n - 1);
	return 0;
}
