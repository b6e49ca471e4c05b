/* SPDX-License-Identifier: Apache-2.0 */
/* Gathering what there is on this host; the report made of it is host_report.c's. */
#include "machine/host_report.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/program.h"
#include "image/copy.h"
#include "machine/accel.h"
#include "machine/io_uring.h"
#include "machine/virtiofsd.h"

static void gather_arch(const struct host_sources *sources, enum guest_arch arch,
			enum guest_arch host, struct host_arch_facts *ret)
{
	if (qemu_find(arch, host, sources->path_env, &ret->qemu_path, &ret->qemu_err) &&
	    qemu_version_read(ret->qemu_path, &ret->version, &ret->qemu_err))
		(void)qemu_version_check(&ret->version, &ret->qemu_err);
	(void)firmware_find(sources->firmware, arch, &ret->firmware, &ret->firmware_err);
}

/* VMs lie in ROOT/vms, which may be a link to another file system and does not exist before the first VM. */
static void gather_home(const struct home *home, struct host_facts *facts)
{
	CLEANUP_CLOSE int vms_fd = openat(home->root_fd, "vms", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fd = vms_fd >= 0 ? vms_fd : home->root_fd;
	struct err ignored = { 0 };
	struct statvfs st;

	facts->home_path = xstrdup(home->path);
	if (fstatvfs(fd, &st) < 0 || faccessat(fd, ".", W_OK, AT_EACCESS) < 0)
		(void)err_sys(&facts->home_err, errno, "cannot use '%s'", home->path);
	else
		facts->free_bytes = (uint64_t)st.f_bavail * st.f_frsize;
	/* Where it cannot be tried it does not work either. */
	(void)copy_can_reflink(fd, &facts->reflink, &ignored);
}

void host_facts_gather(const struct host_sources *sources, struct host_facts *ret)
{
	struct host_facts facts = { .host = guest_arch_of_host() };
	struct err ignored = { 0 };

	accel_probe_again(sources->home ? sources->home->cache_fd : -1, sources->identity,
			  &facts.kvm);
	facts.nestable = kvm_is_nestable();
	gather_arch(sources, ARCH_AMD64, facts.host, &facts.archs[ARCH_AMD64]);
	gather_arch(sources, ARCH_ARM64, facts.host, &facts.archs[ARCH_ARM64]);
	facts.qemu_img = executable_find("qemu-img", sources->path_env);
	facts.virtiofsd = virtiofsd_find(VIRTIOFSD_DESCRIPTOR_DIR, sources->path_env);
	network_facts_gather(sources->home, sources->network_wish, sources->path_env,
			     &facts.network);
	facts.io_uring = io_uring_works();
	facts.has_memory = host_memory_read(&facts.memory, &ignored);
	if (sources->home)
		gather_home(sources->home, &facts);
	else
		facts.home_err = *sources->home_err;
	*ret = facts;
}

void host_facts_done(struct host_facts *facts)
{
	for (size_t i = 0; i < ARRAY_LEN(facts->archs); i++) {
		free(facts->archs[i].qemu_path);
		firmware_done(&facts->archs[i].firmware);
	}
	free(facts->qemu_img);
	free(facts->virtiofsd);
	network_facts_done(&facts->network);
	free(facts->home_path);
	*facts = (struct host_facts){ 0 };
}
