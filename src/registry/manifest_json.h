/* SPDX-License-Identifier: Apache-2.0 */
/* What manifests and indexes are made of: for the files manifest*.c only. */
#ifndef TART_REGISTRY_MANIFEST_JSON_H
#define TART_REGISTRY_MANIFEST_JSON_H

#include "base/json.h"
#include "registry/manifest.h"

/* Annotations: image-format.md 5.1 and 10. */
#define TART_DISK_BYTES  "org.cirruslabs.tart.uncompressed-disk-size"
#define TART_UPLOAD_TIME "org.cirruslabs.tart.upload-time"
#define TART_DATA_BYTES  "org.cirruslabs.tart.uncompressed-size"
#define TART_DATA_DIGEST "org.cirruslabs.tart.uncompressed-content-digest"
#define TART_DISK_FORMAT "org.cirruslabs.tart.disk.format" /* a label */
#define VETU_DATA_BYTES  "org.cirruslabs.vetu.uncompressed-size"
#define VETU_DATA_DIGEST "org.cirruslabs.vetu.uncompressed-digest"
#define VETU_NAME        "org.cirruslabs.vetu.name"

/* An object under MANIFEST_MAX bytes with schemaVersion 2; *ret_media_type is NULL when it says none, and borrowed from
 * the tree. */
bool manifest_open(struct span text, struct json **ret, const char **ret_media_type,
		   struct err *err);

/* False when it is none, or NULL. */
bool manifest_read_digest(const char *text, blob_digest ret);

/* Digest and size of a descriptor. */
bool manifest_read_descriptor(const struct json *node, struct descriptor *ret, struct err *err);

#endif
