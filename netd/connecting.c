/* SPDX-License-Identifier: Apache-2.0 */
/* connect(2) that ends in the loop. */
#include "netd/connecting.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"

struct connecting {
	struct loop_source *source, *deadline;
	int fd;
	connecting_done_fn *fn;
	void *ctx;
};

void connecting_free(struct connecting *connecting)
{
	if (!connecting)
		return;
	loop_remove(&connecting->source);
	loop_remove(&connecting->deadline);
	cleanup_close(&connecting->fd);
	free(connecting);
}

static void finish(struct connecting *connecting, int errnum)
{
	connecting_done_fn *fn = connecting->fn;
	void *ctx = connecting->ctx;
	int fd = -1;

	loop_remove(&connecting->source);
	if (errnum == 0)
		fd = TAKE_FD(connecting->fd);
	connecting_free(connecting);
	fn(ctx, fd, errnum);
}

static void connecting_on_ready(void *ctx, uint32_t events)
{
	struct connecting *connecting = ctx;
	int errnum = 0;
	socklen_t len = sizeof(errnum);

	(void)events;
	if (getsockopt(connecting->fd, SOL_SOCKET, SO_ERROR, &errnum, &len) < 0)
		errnum = errno;
	finish(connecting, errnum);
}

static void connecting_on_deadline(void *ctx)
{
	finish(ctx, ETIMEDOUT);
}

bool connecting_start(struct loop *loop, ipv4 address, uint16_t port, connecting_done_fn *fn,
		      void *ctx, struct connecting **ret, struct err *err)
{
	const struct sockaddr_in to = { .sin_family = AF_INET,
					.sin_port = htons(port),
					.sin_addr.s_addr = htonl(address) };
	struct connecting *connecting = xcalloc(1, sizeof(*connecting));

	connecting->fn = fn;
	connecting->ctx = ctx;
	connecting->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* Writable says that it is decided, at once or later. */
	if (connecting->fd < 0 ||
	    (connect(connecting->fd, (const struct sockaddr *)&to, sizeof(to)) < 0 &&
	     errno != EINPROGRESS)) {
		int why = errno;

		connecting_free(connecting);
		return err_sys(err, why, "cannot connect");
	}
	if (!loop_add_fd(loop, connecting->fd, EPOLLOUT, connecting_on_ready, connecting,
			 &connecting->source, err)) {
		connecting_free(connecting);
		return false;
	}
	connecting->deadline = loop_add_deadline(loop, connecting_on_deadline, connecting);
	loop_arm(connecting->deadline, CONNECTING_MS);
	*ret = connecting;
	return true;
}
