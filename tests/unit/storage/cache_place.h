/* SPDX-License-Identifier: Apache-2.0 */
/* Images in the cache of a test's home, and pictures of what lies there. */
#ifndef TART_TESTS_STORAGE_CACHE_PLACE_H
#define TART_TESTS_STORAGE_CACHE_PLACE_H

#include <ftw.h>

#include "place.h"
#include "storage/cache_store.h"

/* "sha256:" and 64 times the same digit. */
static inline const char *digest_text(char digit, char ret[NAME_DIGEST_LEN + 1])
{
	memcpy(ret, NAME_DIGEST_PREFIX, strlen(NAME_DIGEST_PREFIX));
	memset(ret + strlen(NAME_DIGEST_PREFIX), digit, 64);
	ret[NAME_DIGEST_LEN] = 0;
	return ret;
}

/* A name in which "@1" stands for the digest of ones. */
static inline struct remote_name name_of(const char *text)
{
	struct remote_name name = { 0 };
	char digest[NAME_DIGEST_LEN + 1];
	const char *at = strchr(text, '@');
	CLEANUP_FREE char *full = at ? xasprintf("%.*s@%s", (int)(at - text), text,
						 digest_text(at[1], digest)) :
				       xstrdup(text);
	struct err err = { 0 };

	check(remote_name_parse(span_of(full), &name, &err), "%s: %s", full, err.text);
	return name;
}

/* A bundle of an image that is to be installed. */
static inline void temp_of(const struct place *place, struct temp *ret)
{
	struct err err = { 0 };

	check(temp_make_image(&place->home, ret, &err), "%s", err.text);
	place_fill(ret->fd, "an image's disk");
}

/* As a pull does it: installs the bundle of a digest of that digit, and links or marks it. */
static inline void store_image(const struct place *place, const char *text, char digit)
{
	CLEANUP(remote_name_done) struct remote_name name = name_of(text);
	CLEANUP(temp_done) struct temp temp = TEMP_INIT;
	char digest[NAME_DIGEST_LEN + 1];
	struct err err = { 0 };

	temp_of(place, &temp);
	check(cache_install(&place->home, &name, digest_text(digit, digest), &temp, &err), "%s: %s",
	      text, err.text);
	check(cache_link(&place->home, &name, digest, &err), "%s: %s", text, err.text);
}

/* Of an image's folder below cache/OCIs. */
static inline int open_image(const struct place *place, const char *folder, char digit)
{
	char digest[NAME_DIGEST_LEN + 1];
	CLEANUP_FREE char *path = xasprintf("OCIs/%s/%s", folder, digest_text(digit, digest));

	return openat(place->home.cache_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* nftw() passes no context on. */
static struct str *picture;

static int draw(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	char target[4096] = "";

	(void)type;
	(void)ftw;
	if (S_ISLNK(st->st_mode) && readlink(path, target, sizeof(target) - 1) < 0)
		return -1;
	str_addf(picture, "%s %o %s\n", path, (unsigned)st->st_mode, target);
	return 0;
}

/* Every path below the home, what it is, and where links lead: two of them tell whether something has changed. */
static inline void take_picture(const struct place *place, struct str *ret)
{
	picture = ret;
	assert_int_equal(nftw(place->path, draw, 16, FTW_PHYS), 0);
}

#endif
