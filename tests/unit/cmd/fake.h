/* SPDX-License-Identifier: Apache-2.0 */
/* A program with one option and operand of every kind, for tests of what the tables drive. */
#ifndef TART_TESTS_CMD_FAKE_H
#define TART_TESTS_CMD_FAKE_H

#include "cmd/command.h"

enum color { RED, GREEN, BLUE };

struct fake_args {
	const char *name;
	const char *path;
	bool quiet;
	bool insecure;
	bool secret;
	bool hidden;
	enum tristate refit;
	const char *disk;
	const char *options;
	struct text_list labels;
	uint16_t wait_s;
	uint64_t budget;
	int64_t chunk;
	struct maybe_u16 cpu;
	struct maybe_u64 memory;
	enum color color;
	int shape;
};

struct exec_args {
	bool interactive;
	bool tty;
	const char *name;
	struct text_list command;
};

struct push_args {
	const char *with;
	const char *from;
	struct text_list to;
};

struct help_args {
	struct text_list topics;
};

static const struct opt_value colors[] = {
	{ "red", RED }, { "green", GREEN }, { "blue", BLUE }, { NULL, 0 }
};
static const struct opt_value shapes[] = { { "round", 1 }, { "square", 2 }, { NULL, 0 } };
static const char *const disk_choices[] = { "small", "big", NULL };

static const struct operand paint_operands[] = {
	OPERAND(struct fake_args, name, "name", "VM name", .completes = COMPLETES_LOCAL),
	OPERAND_OPTIONAL(struct fake_args, path, "path", "Where to", .completes = COMPLETES_FILES),
	OPERAND_END,
};

static const struct opt paint_opts[] = {
	OPT_FLAG(struct fake_args, quiet, 'q', "quiet", "Say less"),
	OPT_FLAG(struct fake_args, insecure, 0, "insecure", "Use plain HTTP"),
	OPT_FLAG(struct fake_args, hidden, 0, "arcane", "For experts", .show = SHOW_HIDDEN),
	OPT_FLAG(struct fake_args, secret, 0, "classified", "For nobody", .show = SHOW_NEVER),
	OPT_FLAG_PAIR(struct fake_args, refit, "display-refit", "Follow the window"),
	OPT_TEXT(struct fake_args, disk, 0, "disk", "path", "Disk to use", .choices = disk_choices),
	OPT_TEXT(struct fake_args, options, 0, "options", NULL, "Disk options",
		 .fallback.text = "ro",
		 .discussion = "Options are separated by commas:\n* ro: read-only"),
	OPT_TEXTS(struct fake_args, labels, 0, "label", NULL, "Label to add"),
	OPT_U16(struct fake_args, wait_s, 't', "wait", NULL, 0, "Seconds to wait"),
	OPT_U64(struct fake_args, budget, 0, "budget", "n", 100, "GiB to keep"),
	OPT_I64(struct fake_args, chunk, 0, "chunk-size", NULL, -1, "Size of a chunk"),
	OPT_MAYBE_U16(struct fake_args, cpu, 0, "cpu", NULL, "Number of CPUs"),
	OPT_MAYBE_U64(struct fake_args, memory, 0, "memory", NULL, "Memory in MiB"),
	OPT_ENUM(struct fake_args, color, 0, "color", NULL, colors, GREEN, "Color of the paint"),
	OPT_ENUM(struct fake_args, shape, 0, "shape", NULL, shapes, 1, "Shape",
		 .ignore_case = true),
	OPT_END,
};

static const struct command fake_paint = {
	.name = "paint",
	.summary = "Paint a VM",
	.discussion = "The color is kept.",
	.operands = paint_operands,
	.opts = paint_opts,
	.args_size = sizeof(struct fake_args),
};

static const struct operand exec_operands[] = {
	OPERAND(struct exec_args, name, "name", "VM name", .completes = COMPLETES_RUNNING),
	OPERAND_REST(struct exec_args, command, "command", "Command to run"),
	OPERAND_END,
};

static const struct opt exec_opts[] = {
	OPT_FLAG(struct exec_args, interactive, 'i', NULL, "Forward stdin"),
	OPT_FLAG(struct exec_args, tty, 't', NULL, "Allocate a terminal"),
	OPT_END,
};

static const struct command fake_exec = {
	.name = "exec",
	.summary = "Run a command in a VM",
	.operands = exec_operands,
	.opts = exec_opts,
	.args_size = sizeof(struct exec_args),
};

static const struct operand push_operands[] = {
	OPERAND(struct push_args, from, "local-name", "VM to push", .completes = COMPLETES_ALL),
	OPERAND_LIST(struct push_args, to, "remote-names", "Where to push it"),
	OPERAND_END,
};

static const struct opt mix_opts[] = {
	OPT_TEXT(struct push_args, with, 'w', "with", NULL, "What to mix it with",
		 .choices = disk_choices),
	OPT_END,
};

static const struct command fake_push = {
	.name = "push",
	.summary = "Push a VM",
	.operands = push_operands,
	.args_size = sizeof(struct push_args),
};

static const struct command fake_quit = {
	.name = "quit",
	.summary = "Do nothing, with a summary that is too long for one line of a terminal",
	.hidden = true,
};

static const struct command fake_lab;

static const struct command fake_lab_mix = {
	.name = "mix",
	.group = &fake_lab,
	.summary = "Mix a color",
	.operands = push_operands,
	.opts = mix_opts,
	.args_size = sizeof(struct push_args),
};

static const struct command fake_lab_pour = {
	.name = "pour",
	.group = &fake_lab,
	.summary = "Pour it away",
	.hidden = true,
};

static const struct command fake_lab_tidy = {
	.name = "tidy",
	.group = &fake_lab,
	.summary = "Tidy up",
	.operands = paint_operands,
	.args_size = sizeof(struct fake_args),
};

static const struct command *const lab_verbs[] = { &fake_lab_mix, &fake_lab_pour, &fake_lab_tidy,
						   NULL };

static const struct command fake_lab = {
	.name = "lab",
	.summary = "Make colors",
	.verbs = lab_verbs,
};

static const struct operand help_operands[] = {
	OPERAND_ANY(struct help_args, topics, "topics", "What about",
		    .completes = COMPLETES_COMMANDS),
	OPERAND_END,
};

static const struct command fake_help = {
	.name = "help",
	.summary = "Explain",
	.operands = help_operands,
	.args_size = sizeof(struct help_args),
	.hidden = true,
};

static const struct command *const fake_commands[] = { &fake_paint, &fake_push, &fake_exec,
						       &fake_lab,   &fake_quit, &fake_help,
						       NULL };

static const struct program fake_program = {
	.name = "fake",
	.version = "1.2.3",
	.commands = fake_commands,
};

#endif
