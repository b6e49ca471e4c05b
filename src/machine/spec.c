/* SPDX-License-Identifier: Apache-2.0 */
/* Releasing what a machine's description owns. */
#include "machine/spec.h"

#include <stdlib.h>
#include <unistd.h>

void nbd_target_done(struct nbd_target *nbd)
{
	free(nbd->unix_path);
	free(nbd->host);
	free(nbd->port);
	free(nbd->export_name);
	free(nbd->tls_dir);
	free(nbd->tls_hostname);
	*nbd = (struct nbd_target){ 0 };
}

void disk_spec_done(struct disk_spec *disk)
{
	if (disk->fd >= 0)
		(void)close(disk->fd);
	if (disk->overlay_fd >= 0)
		(void)close(disk->overlay_fd);
	nbd_target_done(&disk->nbd);
	*disk = (struct disk_spec)DISK_SPEC_INIT;
}
