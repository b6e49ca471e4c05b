/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 by libcrypto. */
#include "base/digest.h"

#include <errno.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/checked.h"
#include "base/mem.h"

struct digest {
	EVP_MD_CTX *ctx;
};

struct digest *digest_new(void)
{
	struct digest *d = xcalloc(1, sizeof(*d));

	d->ctx = EVP_MD_CTX_new();
	/* SHA-256 is in every provider OpenSSL can be built with: failing here means no memory. */
	if (!d->ctx || EVP_DigestInit_ex(d->ctx, EVP_sha256(), NULL) != 1)
		mem_exhausted();
	return d;
}

void digest_free(struct digest *d)
{
	if (!d)
		return;
	EVP_MD_CTX_free(d->ctx);
	free(d);
}

void digest_add(struct digest *d, const void *data, size_t len)
{
	if (EVP_DigestUpdate(d->ctx, data, len) != 1)
		mem_exhausted();
}

void digest_finish(struct digest *d, char ret_hex[DIGEST_HEX_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char raw[EVP_MAX_MD_SIZE];

	if (EVP_DigestFinal_ex(d->ctx, raw, NULL) != 1)
		mem_exhausted();
	for (size_t i = 0; i < (DIGEST_HEX_SIZE - 1) / 2; i++) {
		ret_hex[2 * i] = digits[raw[i] >> 4];
		ret_hex[2 * i + 1] = digits[raw[i] & 0x0f];
	}
	ret_hex[DIGEST_HEX_SIZE - 1] = '\0';
}

void digest_of(struct span data, char ret_hex[DIGEST_HEX_SIZE])
{
	CLEANUP(digest_cleanup) struct digest *d = digest_new();

	digest_add(d, data.ptr, data.len);
	digest_finish(d, ret_hex);
}

bool digest_of_range(int fd, uint64_t offset, uint64_t len, char ret_hex[DIGEST_HEX_SIZE],
		     struct err *err)
{
	CLEANUP(digest_cleanup) struct digest *d = digest_new();
	char buf[65536];
	struct stat st;
	uint64_t end;

	if (fstat(fd, &st) < 0)
		return err_sys(err, errno, "cannot stat");
	if (ckd_add(&end, offset, len) || end > (uint64_t)st.st_size)
		return err_set(err, ERR_GENERAL, "range ends past the end of the file");
	while (offset < end) {
		size_t want = end - offset < sizeof(buf) ? (size_t)(end - offset) : sizeof(buf);
		ssize_t n = pread(fd, buf, want, (off_t)offset);

		if (n < 0 && errno != EINTR)
			return err_sys(err, errno, "cannot read");
		if (n == 0)
			return err_set(err, ERR_GENERAL, "the file was cut while it was read");
		if (!cancel_check(err))
			return false;
		if (n > 0) {
			digest_add(d, buf, (size_t)n);
			offset += (size_t)n;
		}
	}
	digest_finish(d, ret_hex);
	return true;
}

bool digest_is_hex(struct span text)
{
	if (text.len != DIGEST_HEX_SIZE - 1)
		return false;
	for (size_t i = 0; i < text.len; i++)
		if (!((text.ptr[i] >= '0' && text.ptr[i] <= '9') ||
		      (text.ptr[i] >= 'a' && text.ptr[i] <= 'f')))
			return false;
	return true;
}
