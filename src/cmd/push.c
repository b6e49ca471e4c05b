/* SPDX-License-Identifier: Apache-2.0 */
/* tart push: a VM into registries. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/checked.h"
#include "base/number.h"
#include "base/utf8.h"
#include "base/vec.h"
#include "cmd/command.h"
#include "cmd/transfer.h"
#include "registry/push.h"
#include "registry/user_agent.h"

#define BYTES_PER_MB 1000000ULL

/* 9999-12-31T23:59:59Z: what follows does not fit the form of a date. */
#define EPOCH_MAX 253402300799ULL

struct push_args {
	const char *local_name;
	struct text_list remote_names;
	bool insecure;
	uint64_t concurrency;
	int64_t chunk_size_mb;
	struct text_list labels;
	bool populate_cache;
};

static const struct operand push_operands[] = {
	OPERAND(struct push_args, local_name, "local-name", "local VM or cached image",
		.completes = COMPLETES_ALL),
	OPERAND_LIST(struct push_args, remote_names, "remote-names",
		     "where to, as host/namespace:tag; without a tag, latest"),
	OPERAND_END,
};

static const struct opt push_opts[] = {
	OPT_FLAG(struct push_args, insecure, 0, "insecure", "Talk plain HTTP to the registry"),
	OPT_U64(struct push_args, concurrency, 0, "concurrency", NULL, 4,
		"Layers compressed and sent at a time"),
	OPT_I64(struct push_args, chunk_size_mb, 0, "chunk-size", "chunk-size", 0,
		"Send blobs in chunks of this many MB (10^6 bytes); 0 sends each in one piece",
		.discussion =
			"For registries that limit the size of a request: GHCR wants less than 4 "
			"MB, ECR more than 5 MB. A registry that asks for larger chunks gets "
			"them."),
	OPT_TEXTS(struct push_args, labels, 0, "label", "label",
		  "Put a label into the image, as key=value; may be repeated",
		  .discussion = "Of several with one key the last counts. The label "
				"org.cirruslabs.tart.disk.format is always set by tart."),
	OPT_FLAG(struct push_args, populate_cache, 0, "populate-cache",
		 "Store the image in the local cache too, as if it had been pulled"),
	OPT_END,
};

static bool is_utf8(const char *text)
{
	struct span rest = span_of(text);

	while (rest.len > 0) {
		size_t n = utf8_len(rest);

		if (n == 0)
			return false;
		rest = span_from(rest, n);
	}
	return true;
}

static bool push_validate(struct tart *tart, void *args, struct err *err)
{
	const struct push_args *a = args;

	(void)tart;
	if (a->concurrency < 1)
		return err_set(err, ERR_USAGE, "network concurrency cannot be less than 1");
	if (a->chunk_size_mb < 0)
		return err_set(err, ERR_USAGE, "chunk size cannot be negative");
	vec_each(&a->labels, label) {
		if (!is_utf8(*label))
			return err_set(err, ERR_USAGE, "a label has to be UTF-8");
	}
	return true;
}

/* What the arguments mean, in memory of its own. */
struct meaning {
	VEC(struct remote_name) targets;
	VEC(struct manifest_label) labels;
	VEC(char *) texts; /* what they point into */
};

static void meaning_done(struct meaning *meaning)
{
	vec_each(&meaning->targets, name)
		remote_name_done(name);
	vec_each(&meaning->texts, text)
		free(*text);
	vec_done(&meaning->targets);
	vec_done(&meaning->labels);
	vec_done(&meaning->texts);
}

static bool read_target(const char *text, struct meaning *meaning, struct err *err)
{
	struct remote_name name;

	if (!remote_name_parse(span_of(text), &name, err))
		return false;
	*vec_push(&meaning->targets) = name;
	if (name.by_digest)
		return err_set(err, ERR_REMOTE_NAME,
			       "failed to parse remote name: '%s' names a digest, which is not for "
			       "the sender to choose; push to a tag",
			       text);
	return true;
}

static char *trimmed(const char *text)
{
	size_t len;

	while (isspace((unsigned char)*text))
		text++;
	len = strlen(text);
	while (len > 0 && isspace((unsigned char)text[len - 1]))
		len--;
	return xstrndup(text, len);
}

/* The later of two with one key wins; one without a key is none. */
static void read_label(const char *text, struct meaning *meaning)
{
	char *key = *vec_push(&meaning->texts) = trimmed(text);
	char *separator = strchr(key, '=');
	const char *value = separator ? separator + 1 : key + strlen(key);
	struct manifest_label *slot = NULL;

	if (separator)
		*separator = '\0';
	if (!*key)
		return;
	vec_each(&meaning->labels, known) {
		if (strcmp(known->key, key) == 0)
			slot = known;
	}
	if (!slot)
		slot = vec_push(&meaning->labels);
	*slot = (struct manifest_label){ .key = key, .value = value };
}

static bool read_meaning(const struct push_args *a, struct meaning *meaning, struct err *err)
{
	vec_each(&a->remote_names, text) {
		if (!read_target(*text, meaning, err))
			return false;
	}
	vec_each(&a->labels, text)
		read_label(*text, meaning);
	return true;
}

/* $SOURCE_DATE_EPOCH is for builds whose results are to be the same tomorrow. */
static bool read_time(struct push_request *request, struct err *err)
{
	const char *epoch = getenv("SOURCE_DATE_EPOCH");
	uint64_t seconds;

	request->now = (int64_t)time(NULL);
	if (!epoch || !epoch[0])
		return true;
	if (!number_parse_u64(span_of(epoch), EPOCH_MAX, &seconds))
		return err_set(err, ERR_GENERAL,
			       "SOURCE_DATE_EPOCH must be a number of seconds since 1970, not '%s'",
			       epoch);
	request->now = (int64_t)seconds;
	request->is_time_fixed = true;
	return true;
}

static bool push_run(struct tart *tart, void *args, struct err *err)
{
	const struct push_args *a = args;
	CLEANUP(meaning_done) struct meaning meaning = { .targets.n = 0 };
	CLEANUP(transfer_end) struct transfer transfer;
	CLEANUP_FREE char *user_agent = registry_user_agent();
	struct push_request request = {
		.source = a->local_name,
		.is_insecure = a->insecure,
		.concurrency = a->concurrency,
		.populate_cache = a->populate_cache,
	};

	transfer_start(&transfer);
	if (ckd_mul(&request.chunk_bytes, (uint64_t)a->chunk_size_mb, BYTES_PER_MB))
		request.chunk_bytes = UINT64_MAX;
	if (!read_meaning(a, &meaning, err) || !read_time(&request, err))
		return false;
	request.targets = meaning.targets.v;
	request.n_targets = meaning.targets.n;
	request.labels = meaning.labels.v;
	request.n_labels = meaning.labels.n;
	request.user_agent = user_agent;
	request.notice = transfer_notice(&transfer);
	request.progress = transfer_progress(&transfer);
	return image_push(tart->home, &request, err);
}

const struct command cmd_push = {
	.name = "push",
	.summary = "Send a VM to a registry",
	.discussion =
		"What the registry has is not sent again, and what has not changed since it was "
		"pulled or pushed is not even read. The VM must not be running.",
	.operands = push_operands,
	.opts = push_opts,
	.args_size = sizeof(struct push_args),
	.needs = NEEDS_HOME,
	.validate = push_validate,
	.run = push_run,
};
