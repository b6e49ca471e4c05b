/* SPDX-License-Identifier: Apache-2.0 */
/* Socket pairs, listeners and messages with descriptors. */
#include "base/sock.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static bool set_nonblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0;
}

bool sock_pair(int *ret_ours, int *ret_theirs, struct err *err)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return err_sys(err, errno, "cannot create a socket pair");
	if (!set_nonblocking(fds[0])) {
		int why = errno;

		(void)close(fds[0]);
		(void)close(fds[1]);
		return err_sys(err, why, "cannot create a socket pair");
	}
	*ret_ours = fds[0];
	*ret_theirs = fds[1];
	return true;
}

static bool address_below(int dirfd, const char *name, struct sockaddr_un *ret, struct err *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int n = snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%s", dirfd,
			 name);

	if (n < 0 || (size_t)n >= sizeof(address.sun_path))
		return err_sys(err, ENAMETOOLONG, "cannot use socket '%s'", name);
	*ret = address;
	return true;
}

static bool remove_stale(int dirfd, const char *name, struct err *err)
{
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno == ENOENT)
			return true;
		return err_sys(err, errno, "cannot look at '%s'", name);
	}
	if (!S_ISSOCK(st.st_mode))
		return err_set(err, ERR_GENERAL, "'%s' is in the way: it is no socket", name);
	if (unlinkat(dirfd, name, 0) < 0 && errno != ENOENT)
		return err_sys(err, errno, "cannot remove the old socket '%s'", name);
	return true;
}

static bool listen_below(int dirfd, const char *name, int type, mode_t mode, int *ret_fd,
			 struct err *err)
{
	CLEANUP_CLOSE int fd = -1;
	struct sockaddr_un address;

	if (!address_below(dirfd, name, &address, err) || !remove_stale(dirfd, name, err))
		return false;
	fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_sys(err, errno, "cannot create a socket");
	/* bind(2) gives the file the mode of the socket (less the umask), so there is no moment of 0777. */
	if (fchmod(fd, mode) < 0 ||
	    bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return err_sys(err, errno, "cannot create socket '%s'", name);
	if (listen(fd, SOMAXCONN) < 0) {
		int why = errno;

		(void)unlinkat(dirfd, name, 0);
		return err_sys(err, why, "cannot listen on socket '%s'", name);
	}
	*ret_fd = TAKE_FD(fd);
	return true;
}

bool sock_listen_unix(int dirfd, const char *name, int *ret_fd, struct err *err)
{
	return listen_below(dirfd, name, SOCK_STREAM, 0600, ret_fd, err);
}

bool sock_listen_packets(int dirfd, const char *name, mode_t mode, int *ret_fd, struct err *err)
{
	return listen_below(dirfd, name, SOCK_SEQPACKET, mode, ret_fd, err);
}

static bool connect_below(int dirfd, const char *name, int type, int *ret_fd, struct err *err)
{
	CLEANUP_CLOSE int fd = -1;
	struct sockaddr_un address;

	if (!address_below(dirfd, name, &address, err))
		return false;
	fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_sys(err, errno, "cannot create a socket");
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return err_sys(err, errno, "cannot connect to socket '%s'", name);
	if (!set_nonblocking(fd))
		return err_sys(err, errno, "cannot use socket '%s'", name);
	*ret_fd = TAKE_FD(fd);
	return true;
}

bool sock_connect_unix(int dirfd, const char *name, int *ret_fd, struct err *err)
{
	return connect_below(dirfd, name, SOCK_STREAM, ret_fd, err);
}

bool sock_connect_packets(int dirfd, const char *name, int *ret_fd, struct err *err)
{
	return connect_below(dirfd, name, SOCK_SEQPACKET | SOCK_NONBLOCK, ret_fd, err);
}

bool sock_listen_local_tcp(int *ret_fd, uint16_t *ret_port, struct err *err)
{
	CLEANUP_CLOSE int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);

	if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(fd, SOMAXCONN) < 0 || getsockname(fd, (struct sockaddr *)&address, &len) < 0)
		return err_sys(err, errno, "cannot listen on 127.0.0.1");
	*ret_fd = TAKE_FD(fd);
	*ret_port = ntohs(address.sin_port);
	return true;
}

/* accept(2): "treat them like EAGAIN by retrying": errors of the connection that was waiting, not of the listener. */
static bool is_passing(int errnum)
{
	switch (errnum) {
	case EAGAIN:
	case EINTR:
	case ECONNABORTED:
	case EPROTO:
	case ENETDOWN:
	case ENOPROTOOPT:
	case EHOSTDOWN:
	case ENONET:
	case EHOSTUNREACH:
	case ENETUNREACH:
		return true;
	default:
		return false;
	}
}

enum sock_result sock_accept(int listen_fd, int *ret_fd, struct err *err)
{
	int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd >= 0) {
		*ret_fd = fd;
		return SOCK_DONE;
	}
	if (is_passing(errno))
		return SOCK_LATER;
	(void)err_sys(err, errno, "cannot accept a connection");
	return SOCK_FAILED;
}

bool sock_peer_uid(int fd, uid_t *ret, struct err *err)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
		return err_sys(err, errno, "cannot tell who is at the other end of a socket");
	*ret = peer.uid;
	return true;
}

/* Room for the descriptors of one message, aligned as cmsg(3) wants it. */
union control {
	char bytes[CMSG_SPACE(SOCK_FDS_MAX * sizeof(int))];
	struct cmsghdr align;
};

static void attach_fds(struct msghdr *message, union control *control, const int *fds, size_t n_fds)
{
	struct cmsghdr *header = &control->align;

	memset(control, 0, sizeof(*control));
	message->msg_control = control->bytes;
	message->msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
	memcpy(CMSG_DATA(header), fds, n_fds * sizeof(int));
}

enum sock_result sock_send(int fd, struct span bytes, const int *fds, size_t n_fds,
			   size_t *ret_sent, struct err *err)
{
	union {
		const char *in;
		void *out;
	} base = { .in = bytes.ptr };
	struct iovec iov = { .iov_base = base.out, .iov_len = bytes.len };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };
	union control control;
	ssize_t n;

	if (n_fds > SOCK_FDS_MAX) {
		(void)err_set(err, ERR_GENERAL, "too many descriptors for one message");
		return SOCK_FAILED;
	}
	if (n_fds > 0)
		attach_fds(&message, &control, fds, n_fds);
	do
		n = sendmsg(fd, &message, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n >= 0) {
		*ret_sent = (size_t)n;
		return SOCK_DONE;
	}
	if (errno == EAGAIN)
		return SOCK_LATER;
	if (errno == EPIPE || errno == ECONNRESET)
		return SOCK_CLOSED;
	(void)err_sys(err, errno, "cannot send");
	return SOCK_FAILED;
}

static void close_all(const int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		(void)close(fds[i]);
}

/* All descriptors of a message; the kernel has put them into this process whether we like it or not. */
static size_t received_fds(struct msghdr *message, int fds[SOCK_FDS_MAX])
{
	size_t n = 0;

	for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header;
	     header = CMSG_NXTHDR(message, header)) {
		size_t here;

		if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
			continue;
		here = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < here; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof(int));
			if (n < SOCK_FDS_MAX)
				fds[n++] = fd;
			else
				(void)close(fd);
		}
	}
	return n;
}

enum sock_result sock_recv(int fd, void *buf, size_t room, size_t *ret_len, int *ret_fds,
			   size_t max_fds, size_t *ret_n_fds, struct err *err)
{
	struct iovec iov = { .iov_base = buf, .iov_len = room };
	union control control;
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };
	int fds[SOCK_FDS_MAX];
	size_t n_fds = 0;
	ssize_t n;

	if (max_fds > 0) {
		message.msg_control = control.bytes;
		message.msg_controllen = sizeof(control.bytes);
	}
	do
		n = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return SOCK_LATER;
	if (n == 0 || (n < 0 && errno == ECONNRESET))
		return SOCK_CLOSED;
	if (n < 0) {
		(void)err_sys(err, errno, "cannot receive");
		return SOCK_FAILED;
	}
	if (max_fds > 0)
		n_fds = received_fds(&message, fds);
	if (n_fds > max_fds || (max_fds > 0 && message.msg_flags & MSG_CTRUNC)) {
		close_all(fds, n_fds);
		(void)err_set(err, ERR_GENERAL, "received more descriptors than expected");
		return SOCK_FAILED;
	}
	if (n_fds > 0)
		memcpy(ret_fds, fds, n_fds * sizeof(int));
	if (max_fds > 0)
		*ret_n_fds = n_fds;
	*ret_len = (size_t)n;
	return SOCK_DONE;
}
