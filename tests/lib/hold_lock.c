/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Holds a lock for a test: `hold_lock record FILE` the record lock of a bundle's config.json, as a running VM does,
 * `hold_lock flock PATH` an flock. Prints "locked" once it has it, and keeps it until it is killed or its stdin ends
 * (with `-` as third argument).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <signal.h>

static int take(const char *kind, int fd)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if (strcmp(kind, "record") == 0)
		return fcntl(fd, F_SETLK, &whole);
	return flock(fd, LOCK_EX | LOCK_NB);
}

int main(int argc, char **argv)
{
	char c;
	int fd;

	if (argc < 3 || (strcmp(argv[1], "record") != 0 && strcmp(argv[1], "flock") != 0)) {
		fprintf(stderr, "usage: hold_lock record|flock PATH [-]\n");
		return 64;
	}
	/* A test that dies leaves no lock behind. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	fd = open(argv[2], (argv[1][0] == 'r' ? O_RDWR : O_RDONLY) | O_CLOEXEC);
	if (fd < 0 || take(argv[1], fd) < 0) {
		fprintf(stderr, "hold_lock: %s: %s\n", argv[2], strerror(errno));
		return 1;
	}
	printf("locked\n");
	(void)fflush(stdout);
	if (argc == 3)
		for (;;)
			(void)pause();
	while (read(STDIN_FILENO, &c, 1) > 0)
		;
	return 0;
}
