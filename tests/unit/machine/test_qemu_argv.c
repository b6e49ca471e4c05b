/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of machine/qemu_argv.h: whole command lines against golden/<name>.argv, one option with its value a line.
 * TART_UPDATE_GOLDEN=1 rewrites the files; look at the difference before committing it.
 */
#include "machine/qemu_argv.h"

#include <fcntl.h>

#include "base/fs.h"
#include "base/str.h"
#include "machine_rows.h"

#include "unit.h"

static void print_argv(const struct qemu_argv *argv, struct str *out)
{
	vec_each(&argv->args, arg) {
		if (out->len > 0)
			str_add_char(out, (*arg)[0] == '-' ? '\n' : ' ');
		str_add(out, *arg);
	}
	str_add_char(out, '\n');
}

static void check_golden(const char *name, const struct str *got)
{
	CLEANUP_CLOSE int dir_fd = open(GOLDEN_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP_FREE char *file = xasprintf("%s.argv", name);
	CLEANUP_STR struct str want = { 0 };
	struct err err = { 0 };

	if (getenv("TART_UPDATE_GOLDEN")) {
		check(fs_replace_file(dir_fd, file, str_span(got), 0644, &err), "%s", err.text);
		return;
	}
	check(fs_read_file(dir_fd, file, 65536, &want, &err), "%s", err.text);
	check(span_equal(str_span(got), str_span(&want)), "%s differs: wanted\n%sgot\n%s", name,
	      str_text(&want), str_text(got));
}

static void matches_golden_files(void **state)
{
	(void)state;
	each_machine_row(row)
	{
		CLEANUP(qemu_argv_done) struct qemu_argv argv = { 0 };
		CLEANUP(machine_row_done) struct machine_spec spec;
		CLEANUP_STR struct str text = { 0 };

		machine_row_fill(row, &spec);
		qemu_argv_build("qemu", &spec, &argv);
		print_argv(&argv, &text);
		check_golden(row->name, &text);
		check(!argv.args.v[argv.args.n], "%s: no NULL at the end", row->name);
	}
}

static size_t count_fd(const struct qemu_argv *argv, int fd)
{
	size_t n = 0;

	vec_each(&argv->fds, item)
		n += *item == fd;
	return n;
}

/* How many descriptors the NICs take, each of which is inherited once. */
static size_t check_nics(const struct machine_row *row, const struct machine_spec *spec,
			 const struct qemu_argv *argv)
{
	size_t n = 0;

	if (spec->net_life_fd >= 0) {
		check(count_fd(argv, spec->net_life_fd) == 1, "%s: life of the taps", row->name);
		n++;
	}
	vec_each(&spec->nics, nic) {
		if (nic->backend != NET_TAP)
			continue;
		check(count_fd(argv, nic->fd) == 1, "%s: tap %d", row->name, nic->fd);
		n++;
		if (nic->vhost_fd < 0)
			continue;
		check(count_fd(argv, nic->vhost_fd) == 1, "%s: vhost %d", row->name, nic->vhost_fd);
		n++;
	}
	return n;
}

/* Everything named on the line is inherited, once, and what keeps taps alive; nothing else. */
static void lists_its_descriptors(void **state)
{
	(void)state;
	each_machine_row(row)
	{
		CLEANUP(qemu_argv_done) struct qemu_argv argv = { 0 };
		CLEANUP(machine_row_done) struct machine_spec spec;
		size_t want = 0;

		machine_row_fill(row, &spec);
		qemu_argv_build("qemu", &spec, &argv);
		for (int fd = FD_RAM; fd <= FD_ROOT; fd++) {
			bool is_firmware = fd == FD_CODE || fd == FD_VARS;
			bool is_there = !is_firmware || spec.kernel_fd < 0;

			check(count_fd(&argv, fd) == is_there, "%s: descriptor %d", row->name, fd);
			want += is_there;
		}
		check(count_fd(&argv, spec.qga_fd) == 1, "%s: port of qemu-ga", row->name);
		want++;
		if (spec.vsock_fd >= 0) {
			check(count_fd(&argv, spec.vsock_fd) == 1, "%s: vsock", row->name);
			want++;
		}
		if (spec.kernel_fd >= 0) {
			check(count_fd(&argv, spec.kernel_fd) == 1, "%s: kernel", row->name);
			want++;
		}
		if (spec.initramfs_fd >= 0) {
			check(count_fd(&argv, spec.initramfs_fd) == 1, "%s: initramfs", row->name);
			want++;
		}
		if (spec.root.overlay_fd >= 0) {
			check(count_fd(&argv, spec.root.overlay_fd) == 1, "%s: overlay", row->name);
			want++;
		}
		vec_each(&spec.disks, disk) {
			if (disk->fd < 0)
				continue;
			check(count_fd(&argv, disk->fd) == 1, "%s: disk %d", row->name, disk->fd);
			want++;
		}
		want += check_nics(row, &spec, &argv);
		check(argv.fds.n == want, "%s: %zu descriptors instead of %zu", row->name,
		      argv.fds.n, want);
	}
}

/* The value of property `key` in an option's value, or an empty span. */
static struct span property(struct span value, const char *key)
{
	struct span item;

	while (span_next(&value, ',', &item))
		if (span_starts_with(item, key))
			return span_from(item, strlen(key));
	return span_make(NULL, 0);
}

static void gives_each_slot_once(void **state)
{
	(void)state;
	each_machine_row(row)
	{
		CLEANUP(qemu_argv_done) struct qemu_argv argv = { 0 };
		CLEANUP(machine_row_done) struct machine_spec spec;
		VEC(struct span) taken = { 0 };

		machine_row_fill(row, &spec);
		qemu_argv_build("qemu", &spec, &argv);
		vec_each(&argv.args, arg) {
			struct span addr = property(span_of(*arg), "addr=");

			if (!addr.ptr)
				continue;
			vec_each(&taken, other)
				check(!span_equal(*other, addr), "%s: slot %.*s twice", row->name,
				      SPAN_ARG(addr));
			*vec_push(&taken) = addr;
		}
		check(taken.n >= 8, "%s: %zu slots", row->name, taken.n);
		vec_done(&taken);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(matches_golden_files),
		cmocka_unit_test(lists_its_descriptors),
		cmocka_unit_test(gives_each_slot_once),
	};

	return unit_main(tests);
}
