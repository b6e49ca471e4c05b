/* SPDX-License-Identifier: Apache-2.0 */
/* Remembering what the KVM probe found. */
#include "machine/kvm_cache.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/json.h"

#define FILE_MAX 4096 /* bytes; ours has some 200 */

static bool is_kept(enum kvm_verdict verdict)
{
	return verdict == KVM_OK || verdict == KVM_EMULATED;
}

bool kvm_key_now(uid_t uid, struct kvm_key *ret)
{
	CLEANUP_STR struct str boot_id = { 0 };
	struct kvm_key key = { .uid = uid };
	struct err ignored = { 0 };
	struct stat st;

	if (stat("/dev/kvm", &st) < 0 ||
	    !fs_read_file(AT_FDCWD, "/proc/sys/kernel/random/boot_id", 64, &boot_id, &ignored))
		return false;
	if (boot_id.len != sizeof(key.boot_id) || boot_id.ptr[boot_id.len - 1] != '\n')
		return false;
	memcpy(key.boot_id, boot_id.ptr, boot_id.len - 1);
	key.device = st.st_dev;
	key.inode = st.st_ino;
	*ret = key;
	return true;
}

void kvm_cache_print(const struct kvm_key *key, const struct kvm_probe *probe, struct str *out)
{
	CLEANUP_JSON struct json *root = json_object();

	(void)json_set(root, "bootId", json_string(key->boot_id));
	(void)json_set(root, "uid", json_u64(key->uid));
	(void)json_set(root, "device", json_u64(key->device));
	(void)json_set(root, "inode", json_u64(key->inode));
	(void)json_set(root, "verdict", json_string(kvm_verdict_name(probe->verdict)));
	(void)json_set(root, "rate", json_u64(probe->rate));
	json_print(root, JSON_PRETTY, out);
	str_add_char(out, '\n');
}

static bool has_u64(const struct json *root, const char *name, uint64_t want)
{
	uint64_t value = 0;

	return json_get_u64(json_member(root, name), &value) && value == want;
}

bool kvm_cache_parse(struct span text, const struct kvm_key *key, struct kvm_probe *ret)
{
	CLEANUP_JSON struct json *root = NULL;
	struct kvm_probe probe = { 0 };
	struct err ignored = { 0 };
	const char *boot_id;
	const char *verdict;

	if (!json_parse(text, &root, &ignored))
		return false;
	boot_id = json_member_text(root, "bootId");
	verdict = json_member_text(root, "verdict");
	if (!boot_id || strcmp(boot_id, key->boot_id) != 0 || !has_u64(root, "uid", key->uid) ||
	    !has_u64(root, "device", key->device) || !has_u64(root, "inode", key->inode))
		return false;
	if (!verdict || !kvm_verdict_parse(span_of(verdict), &probe.verdict) ||
	    !is_kept(probe.verdict) || !json_get_u64(json_member(root, "rate"), &probe.rate))
		return false;
	*ret = probe;
	return true;
}

bool kvm_cache_read(int cache_dirfd, const struct kvm_key *key, struct kvm_probe *ret)
{
	CLEANUP_STR struct str text = { 0 };
	struct err ignored = { 0 };

	return fs_read_file(cache_dirfd, KVM_CACHE_FILE, FILE_MAX, &text, &ignored) &&
	       kvm_cache_parse(str_span(&text), key, ret);
}

bool kvm_cache_write(int cache_dirfd, const struct kvm_key *key, const struct kvm_probe *probe,
		     struct err *err)
{
	CLEANUP_STR struct str text = { 0 };

	if (!is_kept(probe->verdict))
		return true;
	kvm_cache_print(key, probe, &text);
	return fs_replace_file(cache_dirfd, KVM_CACHE_FILE, str_span(&text), 0644, err);
}
