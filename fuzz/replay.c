/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs one fuzz target over the files of a corpus folder and prints TAP. Each seed is also tried cut off after
 * each of its bytes, the commonest damage of all. An input is copied to memory of exactly its size, so that
 * the address sanitizer sees a read past its end.
 */
#include <dirent.h>

#include "fuzz.h"

/* Prefixes of larger seeds would take too long; their whole is still run. */
#define CUT_SIZE_MAX 4096

static void run(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	if (!copy)
		abort();
	if (size)
		memcpy(copy, data, size);
	(void)LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

static uint8_t *read_seed(const char *folder, const char *name, size_t *ret_size)
{
	char path[4096];
	uint8_t *data = NULL;
	size_t size = 0;
	size_t n;
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "rbe");
	if (!file) {
		perror(path);
		exit(1);
	}
	do {
		data = realloc(data, size + 65536);
		if (!data)
			abort();
		n = fread(data + size, 1, 65536, file);
		size += n;
	} while (n > 0);
	(void)fclose(file);
	*ret_size = size;
	return data;
}

static void replay(const char *folder, const char *name)
{
	size_t size;
	uint8_t *data = read_seed(folder, name, &size);

	for (size_t cut = 0; size <= CUT_SIZE_MAX && cut < size; cut++)
		run(data, cut);
	run(data, size);
	free(data);
}

static int is_seed(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

int main(int argc, char **argv)
{
	struct dirent **seeds = NULL;
	int n = argc == 2 ? scandir(argv[1], &seeds, is_seed, alphasort) : -1;

	if (n < 0) {
		fprintf(stderr, "usage: %s CORPUS-FOLDER\n", argv[0]);
		return 64;
	}
	(void)setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
	printf("1..%d\n", n);
	for (int i = 0; i < n; i++) {
		printf("# %s\n", seeds[i]->d_name);
		replay(argv[1], seeds[i]->d_name);
		printf("ok %d - %s\n", i + 1, seeds[i]->d_name);
		free(seeds[i]);
	}
	free(seeds);
	return 0;
}
