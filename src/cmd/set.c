/* SPDX-License-Identifier: Apache-2.0 */
/* tart set: changing the configuration and the disk of a VM. */
#include "base/size.h"
#include "cmd/command.h"
#include "storage/config.h"
#include "storage/disk_change.h"
#include "storage/local.h"

#define BYTES_PER_GB     1000000000ULL
#define MEMORY_MIN_BYTES ((uint64_t)128 << 20)

struct set_args {
	const char *name;
	struct maybe_u16 cpu;
	struct maybe_u64 memory_mib;
	const char *display;
	enum tristate display_refit;
	bool random_mac;
	bool random_serial;
	const char *disk;
	struct maybe_u16 disk_gb;
};

static const struct operand set_operands[] = {
	OPERAND(struct set_args, name, "name", "VM name", .completes = COMPLETES_LOCAL),
	OPERAND_END,
};

static const struct opt set_opts[] = {
	OPT_MAYBE_U16(struct set_args, cpu, 0, "cpu", NULL, "Number of CPUs"),
	OPT_MAYBE_U64(struct set_args, memory_mib, 0, "memory", NULL, "Memory in MiB"),
	OPT_TEXT(
		struct set_args, display, 0, "display", NULL,
		"Size of the display: WIDTHxHEIGHT, with pt or px behind it if you like. One of the "
		"two alone changes only that one"),
	OPT_FLAG_PAIR(struct set_args, display_refit, "display-refit",
		      "Whether the display follows the size of its window"),
	OPT_FLAG(struct set_args, random_mac, 0, "random-mac",
		 "Give the VM a new random MAC address"),
	OPT_FLAG(
		struct set_args, random_serial, 0, "random-serial",
		"Give a macOS VM a new serial number (only on Apple hardware); nothing else has one"),
	OPT_TEXT(struct set_args, disk, 0, "disk", "path",
		 "Put a copy of this raw disk image in the place of the VM's disk",
		 .completes = COMPLETES_FILES),
	OPT_MAYBE_U16(struct set_args, disk_gb, 0, "disk-size", NULL,
		      "Grow the VM's disk to so many GB; a disk never shrinks",
		      .discussion = "The guest sees a larger disk at its next start. Cloud images "
				    "usually grow their root file system by themselves then; "
				    "elsewhere growpart and resize2fs do it."),
	OPT_END,
};

static bool set_validate(struct tart *tart, void *args, struct err *err)
{
	const struct set_args *a = args;
	struct display_size size;

	(void)tart;
	if (a->display && !display_parse(span_of(a->display), &size))
		return err_set(err, ERR_USAGE,
			       "'%s' is no display size, expected WIDTHxHEIGHT[pt|px]", a->display);
	return true;
}

/* A guest's saved state fits only the machine and the disk it was saved from. */
static bool check_suspended(const struct set_args *a, struct err *err)
{
	const char *option = a->cpu.set        ? "--cpu" :
			     a->memory_mib.set ? "--memory" :
			     a->random_mac     ? "--random-mac" :
			     a->disk           ? "--disk" :
			     a->disk_gb.set    ? "--disk-size" :
						 NULL;

	if (!option)
		return true;
	return err_set(err, ERR_GENERAL,
		       "VM \"%s\" is suspended, and %s would not fit its saved state: run it, or "
		       "discard the state with \"tart stop %s\"",
		       a->name, option, a->name);
}

static bool check_state(const struct set_args *a, int bundle_fd, struct err *err)
{
	switch (bundle_state(bundle_fd, NULL)) {
	case VM_RUNNING:
		return (!a->disk && !a->disk_gb.set) || err_vm_running(err, a->name);
	case VM_SUSPENDED:
		return check_suspended(a, err);
	case VM_STOPPED:
		break;
	}
	return true;
}

static bool set_cpu(const struct set_args *a, struct config *config, struct err *err)
{
	uint64_t least = config->os == OS_DARWIN ? config->cpu_count_min : 1;

	if (!a->cpu.set)
		return true;
	if (a->cpu.value < least)
		return err_set(err, ERR_RESOURCES,
			       "VM should have %llu CPU cores at minimum (requested %u)",
			       (unsigned long long)least, a->cpu.value);
	config_set_cpu_count(config, a->cpu.value);
	return true;
}

static bool set_memory(const struct set_args *a, struct config *config, struct err *err)
{
	uint64_t least = config->os == OS_DARWIN ? config->memory_min_bytes : MEMORY_MIN_BYTES;
	uint64_t bytes = a->memory_mib.value << 20;

	if (!a->memory_mib.set)
		return true;
	if (bytes >> 20 != a->memory_mib.value)
		return err_set(err, ERR_RESOURCES, "VM cannot have %llu MiB of memory",
			       (unsigned long long)a->memory_mib.value);
	if (bytes < least)
		return err_set(err, ERR_RESOURCES,
			       "VM should have %llu bytes of memory at minimum (requested %llu)",
			       (unsigned long long)least, (unsigned long long)bytes);
	config_set_memory(config, bytes);
	return true;
}

/* A dimension that was not given stays; the unit is always the given one. */
static void set_display(const struct set_args *a, struct config *config)
{
	struct display_size size;

	if (!a->display || !display_parse(span_of(a->display), &size))
		return;
	if (size.width == 0)
		size.width = config->display.width;
	if (size.height == 0)
		size.height = config->display.height;
	config_set_display(config, &size);
}

static bool set_serial(const struct set_args *a, const struct config *config, struct err *err)
{
	if (!a->random_serial || config->os != OS_DARWIN)
		return true;
	return err_set(err, ERR_GENERAL,
		       "the serial number of a macOS VM can only be changed on Apple hardware");
}

static bool change_config(const struct set_args *a, struct config *config, struct err *err)
{
	struct mac mac;

	if (!set_cpu(a, config, err) || !set_memory(a, config, err) || !set_serial(a, config, err))
		return false;
	set_display(a, config);
	if (a->display_refit != UNSET)
		config_set_display_refit(config, a->display_refit == ON);
	if (a->random_mac) {
		mac_random(&mac);
		config_set_mac(config, &mac);
	}
	return true;
}

static bool err_too_small(uint64_t wanted, uint64_t current, struct err *err)
{
	CLEANUP_STR struct str wanted_text = { 0 };
	CLEANUP_STR struct str current_text = { 0 };

	size_add_human(&wanted_text, wanted);
	size_add_human(&current_text, current);
	return err_set(err, ERR_DISK_SIZE,
		       "new disk size of %s should be larger than the current disk size of %s",
		       str_text(&wanted_text), str_text(&current_text));
}

static bool grow_disk(const struct home *home, const struct set_args *a, int bundle_fd,
		      const struct config *config, struct err *err)
{
	uint64_t wanted = a->disk_gb.value * BYTES_PER_GB;
	struct disk_info disk;

	if (config->disk_format != DISK_RAW)
		return err_set(err, ERR_GENERAL,
			       "Disks of format '%s' cannot be resized on this system.",
			       config->disk_format_text);
	if (!disk_inspect(bundle_fd, &disk, err))
		return false;
	if (wanted < disk.size_bytes)
		return err_too_small(wanted, disk.size_bytes, err);
	return wanted == disk.size_bytes || vm_grow_disk(home, a->name, bundle_fd, wanted, err);
}

static bool set_config(const struct set_args *a, int bundle_fd, struct config *config,
		       struct err *err)
{
	bool ok;

	if (!bundle_edit_lock(bundle_fd, err))
		return false;
	ok = config_read(bundle_fd, config, err) && change_config(a, config, err) &&
	     config_store(bundle_fd, config, err);
	bundle_edit_unlock(bundle_fd);
	return ok;
}

static bool set_run(struct tart *tart, void *args, struct err *err)
{
	const struct set_args *a = args;
	CLEANUP(config_done) struct config config = { 0 };
	CLEANUP_CLOSE int fd = -1;

	/* In the documented order; what was done before a failure stays. */
	return local_open(tart->home, a->name, &fd, err) && check_state(a, fd, err) &&
	       set_config(a, fd, &config, err) &&
	       (!a->disk || vm_replace_disk(tart->home, a->name, fd, a->disk, err)) &&
	       (!a->disk_gb.set || grow_disk(tart->home, a, fd, &config, err));
}

const struct command cmd_set = {
	.name = "set",
	.summary = "Change the configuration of a VM",
	.operands = set_operands,
	.opts = set_opts,
	.args_size = sizeof(struct set_args),
	.needs = NEEDS_HOME,
	.validate = set_validate,
	.run = set_run,
};
