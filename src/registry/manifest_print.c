/* SPDX-License-Identifier: Apache-2.0 */
/* Our own manifests and OCI configs. */
#include <inttypes.h>
#include <stdio.h>

#include "image/layer_index.h"
#include "registry/manifest_json.h"

static void print_sorted(struct json *tree, struct str *out)
{
	json_sort(tree);
	json_print(tree, JSON_COMPACT, out);
}

static void set_number(struct json *annotations, const char *key, uint64_t value)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%" PRIu64, value);
	json_set(annotations, key, json_string(text));
}

static struct json *descriptor(const struct descriptor *from, const char *media_type)
{
	struct json *node = json_object();

	json_set(node, "mediaType", json_string(media_type));
	json_set(node, "digest", json_string(from->digest));
	json_set(node, "size", json_u64(from->size_bytes));
	return node;
}

/* With annotations, as Tart writes them, be there any or not. */
static struct json *add_layer(struct json *layers, const struct descriptor *from,
			      const char *media_type)
{
	struct json *node = json_append(layers, descriptor(from, media_type));

	return json_set(node, "annotations", json_object());
}

static struct json *layers_of(const struct manifest_draft *draft)
{
	struct json *layers = json_array();

	add_layer(layers, &draft->vm_config, MEDIA_TART_CONFIG);
	for (size_t i = 0; i < draft->n_disk; i++) {
		const struct descriptor *disk = &draft->disk[i];
		struct json *annotations = add_layer(layers, disk, MEDIA_TART_DISK);

		set_number(annotations, TART_DATA_BYTES, disk->data_bytes);
		json_set(annotations, TART_DATA_DIGEST, json_string(disk->data_digest));
	}
	add_layer(layers, &draft->nvram, MEDIA_TART_NVRAM);
	if (draft->index.size_bytes > 0)
		add_layer(layers, &draft->index, LAYER_INDEX_MEDIA_TYPE);
	return layers;
}

void manifest_print(const struct manifest_draft *draft, struct str *out)
{
	CLEANUP_JSON struct json *tree = json_object();
	struct json *annotations = json_set(tree, "annotations", json_object());

	set_number(annotations, TART_DISK_BYTES, draft->disk_bytes);
	if (draft->upload_time)
		json_set(annotations, TART_UPLOAD_TIME, json_string(draft->upload_time));
	json_set(tree, "config", descriptor(&draft->config, MEDIA_OCI_CONFIG));
	json_set(tree, "layers", layers_of(draft));
	json_set(tree, "mediaType", json_string(MEDIA_OCI_MANIFEST));
	json_set(tree, "schemaVersion", json_u64(2));
	print_sorted(tree, out);
}

void image_config_print(enum guest_arch arch, enum guest_os os, const struct manifest_label *labels,
			size_t n_labels, const char *disk_format, struct str *out)
{
	CLEANUP_JSON struct json *tree = json_object();
	struct json *config = json_set(tree, "config", json_object());
	struct json *texts = json_set(config, "Labels", json_object());

	json_set(tree, "architecture", json_string(guest_arch_text(arch)));
	json_set(tree, "os", json_string(guest_os_text(os)));
	for (size_t i = 0; i < n_labels; i++)
		json_set(texts, labels[i].key, json_string(labels[i].value));
	json_set(texts, TART_DISK_FORMAT, json_string(disk_format));
	print_sorted(tree, out);
}
