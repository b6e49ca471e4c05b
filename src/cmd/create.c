/* SPDX-License-Identifier: Apache-2.0 */
/* tart create: a new Linux VM with an empty disk. */
#include "storage/create.h"
#include "cmd/command.h"
#include "cmd/host_firmware.h"
#include "cmd/new_name.h"
#include "machine/nvram.h"
#include "storage/bundle.h"

#define BYTES_PER_GB 1000000000ULL

enum wanted_arch { WANT_ARM64, WANT_AMD64, WANT_HOST };

struct create_args {
	const char *name;
	const char *from_ipsw;
	bool is_linux;
	uint16_t disk_gb;
	enum disk_format disk_format;
	enum wanted_arch arch;
};

static const struct operand create_operands[] = {
	OPERAND(struct create_args, name, "name", "VM name"),
	OPERAND_END,
};

static const struct opt_value disk_formats[] = {
	{ "raw", DISK_RAW },
	{ "asif", DISK_ASIF },
	{ NULL, 0 },
};

static const struct opt_value archs[] = {
	{ "arm64", WANT_ARM64 },
	{ "amd64", WANT_AMD64 },
	{ NULL, 0 },
};

static const struct opt create_opts[] = {
	OPT_TEXT(struct create_args, from_ipsw, 0, "from-ipsw", "path",
		 "For macOS VMs, which cannot be created on Linux hosts",
		 .completes = COMPLETES_FILES),
	OPT_FLAG(struct create_args, is_linux, 0, "linux", "Create a VM for Linux"),
	OPT_U16(struct create_args, disk_gb, 0, "disk-size", NULL, 50, "Disk size in GB"),
	OPT_ENUM(struct create_args, disk_format, 0, "disk-format", NULL, disk_formats, DISK_RAW,
		 "Disk image format", .ignore_case = true),
	OPT_ENUM(struct create_args, arch, 0, "arch", NULL, archs, WANT_HOST,
		 "Architecture of the VM, by default that of this host"),
	OPT_END,
};

static bool create_validate(struct tart *tart, void *args, struct err *err)
{
	const struct create_args *a = args;

	(void)tart;
	if (a->from_ipsw)
		return err_set(err, ERR_USAGE, "macOS VMs cannot be created on Linux hosts");
	if (!a->is_linux)
		return err_set(err, ERR_USAGE,
			       "Please specify either a --from-ipsw or --linux option!");
	if (a->disk_format == DISK_ASIF)
		return err_set(err, ERR_USAGE,
			       "Disk format 'asif' is not supported on this system.");
	return new_name_check("name", a->name, err);
}

static bool make_nvram(void *ctx, int bundle_fd, struct err *err)
{
	return nvram_create(bundle_fd, BUNDLE_NVRAM, ctx, err);
}

static enum guest_arch arch_of(enum wanted_arch wanted)
{
	switch (wanted) {
	case WANT_ARM64:
		return ARCH_ARM64;
	case WANT_AMD64:
		return ARCH_AMD64;
	case WANT_HOST:
		break;
	}
	return guest_arch_of_host();
}

static bool create_run(struct tart *tart, void *args, struct err *err)
{
	const struct create_args *a = args;
	CLEANUP(firmware_done) struct firmware firmware = { 0 };
	struct create_request request = {
		.name = a->name,
		.arch = arch_of(a->arch),
		.disk_bytes = a->disk_gb * BYTES_PER_GB,
		.make_nvram = make_nvram,
		.ctx = &firmware,
	};

	return host_firmware_find(request.arch, &firmware, err) &&
	       create_linux(tart->home, &request, err);
}

const struct command cmd_create = {
	.name = "create",
	.summary = "Create a VM with an empty disk",
	.operands = create_operands,
	.opts = create_opts,
	.args_size = sizeof(struct create_args),
	.needs = NEEDS_HOME,
	.validate = create_validate,
	.run = create_run,
};
