/* SPDX-License-Identifier: Apache-2.0 */
/* The keeper's socket. */
#include "netd/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/number.h"
#include "base/sock.h"

static bool env_is_pid(const char *name)
{
	const char *text = getenv(name);
	uint64_t value;

	return text && number_parse_u64(span_of(text), INT32_MAX, &value) &&
	       value == (uint64_t)getpid();
}

int listener_n_passed(void)
{
	const char *text = getenv("LISTEN_FDS");
	uint64_t n;

	if (!env_is_pid("LISTEN_PID") || !text || !number_parse_u64(span_of(text), 64, &n))
		return 0;
	return (int)n;
}

static bool has_option(int fd, int option, int wanted)
{
	int value = 0;
	socklen_t len = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, option, &value, &len) == 0 && value == wanted;
}

static bool take_passed(int n, int *ret_fd, struct err *err)
{
	int fd = LISTENER_FIRST_FD;

	if (n != 1 || !has_option(fd, SO_DOMAIN, AF_UNIX) ||
	    !has_option(fd, SO_TYPE, SOCK_SEQPACKET) || !has_option(fd, SO_ACCEPTCONN, 1))
		return err_set(err, ERR_GENERAL,
			       "what was passed is not one listening Unix socket of packets: "
			       "ListenSequentialPacket= in the socket unit");
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 || fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
		return err_sys(err, errno, "cannot use the socket that was passed");
	*ret_fd = fd;
	return true;
}

static bool open_to_group(const struct state *state, struct err *err)
{
	const struct group *group = getgrnam(NETD_GROUP);

	if (!group)
		return true;
	if (fchownat(state->runtime_fd, NETD_SOCKET, 0, group->gr_gid, AT_SYMLINK_NOFOLLOW) < 0 ||
	    fchmodat(state->runtime_fd, NETD_SOCKET, 0660, 0) < 0)
		return err_sys(err, errno, "cannot open '" NETD_SOCKET "' to group " NETD_GROUP);
	return true;
}

static bool open_to_callers(const struct state *state, const struct settings *settings,
			    struct err *err)
{
	if (settings->conf.users.n == 0)
		return open_to_group(state, err);
	if (fchmodat(state->runtime_fd, NETD_SOCKET, 0666, 0) < 0)
		return err_sys(err, errno, "cannot open '" NETD_SOCKET "' to 'users'");
	return true;
}

bool listener_open(const struct state *state, const struct settings *settings, bool is_system,
		   struct listener *ret, struct err *err)
{
	int n_passed = listener_n_passed();

	*ret = (struct listener){ .fd = -1 };
	if (n_passed > 0)
		return take_passed(n_passed, &ret->fd, err);
	/* Nobody else's until it is known whose it is. */
	if (!sock_listen_packets(state->runtime_fd, NETD_SOCKET, 0600, &ret->fd, err))
		return false;
	ret->is_ours = true;
	return !is_system || open_to_callers(state, settings, err);
}

void listener_close(struct listener *listener, const struct state *state)
{
	if (listener->is_ours)
		(void)unlinkat(state->runtime_fd, NETD_SOCKET, 0);
	cleanup_close(&listener->fd);
	*listener = (struct listener){ .fd = -1 };
}
