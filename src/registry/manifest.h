/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Manifests and image indexes: image-format.md 5, 10 and 11. Pure; the bytes are from a registry and not trusted.
 *
 * What is parsed is for reading only. The digest of a manifest is that of its bytes as they came, which are kept and
 * sent again as they are; nothing here prints a parsed manifest. Our own come from manifest_print().
 */
#ifndef TART_REGISTRY_MANIFEST_H
#define TART_REGISTRY_MANIFEST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"
#include "base/str.h"
#include "base/vec.h"
#include "storage/config.h"
#include "storage/name.h"

#define MANIFEST_MAX        ((size_t)4 << 20)
#define MANIFEST_LAYERS_MAX 65536
#define IMAGE_CONFIG_MAX    ((size_t)1 << 20)
#define NVRAM_MAX           ((uint64_t)256 << 20)

#define MEDIA_OCI_MANIFEST    "application/vnd.oci.image.manifest.v1+json"
#define MEDIA_OCI_INDEX       "application/vnd.oci.image.index.v1+json"
#define MEDIA_DOCKER_MANIFEST "application/vnd.docker.distribution.manifest.v2+json"
#define MEDIA_DOCKER_LIST     "application/vnd.docker.distribution.manifest.list.v2+json"
#define MEDIA_OCI_CONFIG      "application/vnd.oci.image.config.v1+json"
#define MEDIA_TART_PREFIX     "application/vnd.cirruslabs.tart."
#define MEDIA_TART_CONFIG     "application/vnd.cirruslabs.tart.config.v1"
#define MEDIA_TART_DISK       "application/vnd.cirruslabs.tart.disk.v2"
#define MEDIA_TART_DISK_V1    "application/vnd.cirruslabs.tart.disk.v1"
#define MEDIA_TART_NVRAM      "application/vnd.cirruslabs.tart.nvram.v1"
#define MEDIA_VETU_CONFIG     "application/vnd.cirruslabs.vetu.config.v1"
#define MEDIA_VETU_KERNEL     "application/vnd.cirruslabs.vetu.kernel.v1"
#define MEDIA_VETU_INITRAMFS  "application/vnd.cirruslabs.vetu.initramfs.v1"
#define MEDIA_VETU_DISK       "application/vnd.cirruslabs.vetu.disk.v1"

/* "sha256:" and 64 lower-case hex digits. */
typedef char blob_digest[NAME_DIGEST_LEN + 1];

enum layer_kind {
	LAYER_OTHER, /* unknown to us: skipped */
	LAYER_TART_CONFIG,
	LAYER_TART_DISK,
	LAYER_TART_DISK_V1,
	LAYER_TART_NVRAM,
	LAYER_DISK_INDEX, /* image/layer_index.h; at most one that is not too large, else they are LAYER_OTHER */
	LAYER_VETU_CONFIG,
	LAYER_VETU_KERNEL,
	LAYER_VETU_INITRAMFS,
	LAYER_VETU_DISK,
	LAYER_TAR, /* of a container image: plain, gzip or zstd, see tar_codec */
};

enum tar_codec { TAR_PLAIN, TAR_GZIP, TAR_ZSTD };

struct descriptor {
	enum layer_kind kind;
	enum tar_codec tar_codec;
	blob_digest digest;
	uint64_t size_bytes;
	/* Disk layers of Tart and Vetu images. */
	uint64_t data_bytes;     /* decoded */
	blob_digest data_digest; /* of the decoded bytes */
	char *disk_name;         /* Vetu only, as written and not checked; owned, else NULL */
};

enum image_kind { IMAGE_TART, IMAGE_VETU, IMAGE_CONTAINER };

struct manifest {
	enum image_kind kind;
	struct descriptor config; /* the OCI config */
	VEC(struct descriptor) layers;
	uint64_t disk_bytes; /* sum over the disk layers, for Vetu of all its disks; below 2^63 */
	uint64_t
		hint_bytes; /* annotation uncompressed-disk-size, 0 when there is none that can be read */
	char *upload_time; /* annotation; owned, NULL = none */
};

void manifest_done(struct manifest *manifest); /* fits CLEANUP() */

/*
 * Reads a manifest and checks everything that can be checked without the blobs: counts of layers, digests, sizes,
 * annotations, limits, duplicate keys. What is no VM image, or one whose disk this version cannot read (old layers of
 * type disk.v1, layers of Tart that may change what the disk is and that we do not know), is an error that says what to
 * do. A container image stays IMAGE_CONTAINER whether or not there is a disk in its layers.
 *
 * Texts from the manifest in errors are not escaped.
 */
bool manifest_parse(struct span text, struct manifest *ret, struct err *err);

/* The only layer of a kind; NULL when there is none. */
const struct descriptor *manifest_layer(const struct manifest *manifest, enum layer_kind kind);

/* Whether these bytes are an index (or Docker manifest list), by media type if it is known (NULL = is not), else by
 * content. */
bool manifest_is_index(struct span text, const char *media_type);

/* The digest and size of the manifest in an index that suits this architecture, for linux or darwin alike; the first, if
 * several do. An index with one entry that says nothing of its architecture is that entry. An error lists what there
 * is. */
bool index_choose(struct span text, enum guest_arch arch, blob_digest ret_digest,
		  uint64_t *ret_size, struct err *err);

struct manifest_label {
	const char *key;
	const char *value;
};

/* What our writer puts into a manifest. Digests and sizes of all descriptors, and data_* of the disk layers, are set;
 * their kinds follow from where they stand. */
struct manifest_draft {
	struct descriptor config; /* OCI config */
	struct descriptor vm_config;
	const struct descriptor *disk;
	size_t n_disk;
	struct descriptor nvram;
	struct descriptor index; /* size_bytes 0 = none */
	uint64_t disk_bytes;
	const char *upload_time; /* NULL = none */
};

/* Compact, keys sorted. */
void manifest_print(const struct manifest_draft *draft, struct str *out);

/* The OCI config of our images. Labels are sorted; the disk format is added last, so that it wins. */
void image_config_print(enum guest_arch arch, enum guest_os os, const struct manifest_label *labels,
			size_t n_labels, const char *disk_format, struct str *out);

#endif
