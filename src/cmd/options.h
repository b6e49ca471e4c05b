/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables that say what a command accepts: its operands and its options.
 *
 * Everything that concerns arguments comes from them: parsing (parse.h), help and usage (help.h, usage.h),
 * completion (complete.h), the JSON description (dump.h) and the OPTIONS part of the man pages.
 *
 *	struct stop_args { const char *name; uint64_t timeout_s; };
 *
 *	static const struct operand stop_operands[] = {
 *		OPERAND(struct stop_args, name, "name", "VM name", .completes = COMPLETES_RUNNING),
 *		OPERAND_END,
 *	};
 *
 *	static const struct opt stop_opts[] = {
 *		OPT_U64(struct stop_args, timeout_s, 't', "timeout", "timeout", 30, "seconds to wait"),
 *		OPT_END,
 *	};
 *
 * Each macro names the args struct and the field it fills, and does not compile when the field has another type
 * than the macro's kind. Its last argument is the help text; any further members of the struct may follow it as
 * designated initialisers, such as `.show = SHOW_HIDDEN` or `.completes = COMPLETES_FILES`.
 *
 *	macro           field                        given as
 *	OPT_FLAG        bool                         --quiet
 *	OPT_FLAG_PAIR   enum tristate                --refit or --no-refit, the last one counts; else UNSET
 *	OPT_TEXT        const char * (borrowed)      --disk PATH; NULL when absent unless .fallback.text is set
 *	OPT_TEXTS       struct text_list             --disk A --disk B
 *	OPT_U16 _U64    uint16_t, uint64_t           --wait 5, with a default
 *	OPT_I64         int64_t                      --chunk-size=-1, with a default
 *	OPT_MAYBE_U16 _U64  struct maybe_u16 _u64    --cpu 4; absent is told from any value
 *	OPT_ENUM        an enum (or int)             --format json: one of a list of words, with a default
 *
 *	OPERAND             const char *             <name>
 *	OPERAND_OPTIONAL    const char *             [<path>], NULL when absent
 *	OPERAND_LIST        struct text_list         <name> ..., one or more; last in its table
 *	OPERAND_ANY         struct text_list         [<name> ...], none or more; last in its table
 *	OPERAND_REST        struct text_list         <command> ..., one or more: everything after the operand before
 *	                                             it, as it is, options included; last in its table
 *
 * Texts and lists point into argv. Lists are freed by the caller of the command, not by the command.
 */
#ifndef TART_CMD_OPTIONS_H
#define TART_CMD_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/tristate.h"

/* Works with vec_each(). */
struct text_list {
	const char **v;
	size_t n;
	size_t cap;
};

struct maybe_u16 {
	bool set;
	uint16_t value;
};

struct maybe_u64 {
	bool set;
	uint64_t value;
};

enum opt_kind {
	OPT_KIND_END,
	OPT_KIND_FLAG,
	OPT_KIND_FLAG_PAIR,
	OPT_KIND_TEXT,
	OPT_KIND_TEXTS,
	OPT_KIND_U16,
	OPT_KIND_U64,
	OPT_KIND_I64,
	OPT_KIND_MAYBE_U16,
	OPT_KIND_MAYBE_U64,
	OPT_KIND_ENUM,
};

enum opt_show {
	SHOW_ALWAYS,
	SHOW_HIDDEN, /* only in --help-hidden */
	SHOW_NEVER,  /* works, and no text mentions it */
};

/* What a shell offers in this place. Enumerations and `choices` are offered without being asked for. */
enum completes {
	COMPLETES_NOTHING,
	COMPLETES_FILES,
	COMPLETES_DIRS,
	COMPLETES_ALL,      /* local VMs, then cached remote names */
	COMPLETES_LOCAL,    /* local VMs */
	COMPLETES_RUNNING,  /* running local VMs */
	COMPLETES_COMMANDS, /* of the program, or verbs of the group that the operands so far name */
	COMPLETES_NETWORK_KEYS, /* of network.conf */
	COMPLETES_COUNT
};

/* A word of an enumeration. A table of them ends with a NULL word. */
struct opt_value {
	const char *word;
	int value;
};

struct opt {
	enum opt_kind kind;
	enum opt_show show;
	char short_name;        /* 0 = none */
	const char *name;       /* long name without dashes, NULL = none */
	const char *value_name; /* without brackets; NULL = the long name */
	const char *help;       /* one line, no full stop needed */
	const char *discussion; /* longer text for --help, NULL = none */
	size_t offset;          /* of the field in the args struct */
	enum completes completes;
	const char *const
		*choices; /* for OPT_TEXT: offered by completion, NULL-terminated; not enforced */
	const struct opt_value *values;
	bool ignore_case; /* words of `values` match in any case */
	union {
		uint64_t u64; /* OPT_U16 too */
		int64_t i64;
		int value; /* OPT_ENUM */
		const char *text;
	} fallback;
};

enum operand_kind {
	OPERAND_KIND_END,
	OPERAND_KIND_ONE,
	OPERAND_KIND_OPTIONAL,
	OPERAND_KIND_LIST,
	OPERAND_KIND_ANY,
	OPERAND_KIND_REST,
};

struct operand {
	enum operand_kind kind;
	const char *name; /* without brackets */
	const char *help;
	const char *discussion;
	size_t offset;
	enum completes completes;
};

/* The field's offset, if it has the wanted type. */
#define FIELD_OF_(args, field, type) _Generic(&((args *)0)->field, type * : offsetof(args, field))
#define ENUM_FIELD_OF_(args, field) \
	_Generic(((args *)0)->field, int : offsetof(args, field), unsigned : offsetof(args, field))

#define OPT_(kind_, offset_, short_, name_, ...)                                       \
	.kind = (kind_), .offset = (offset_), .short_name = (short_), .name = (name_), \
	.help = __VA_ARGS__

#define OPT_FLAG(args, field, short_, name_, ...)                                             \
	{                                                                                     \
		OPT_(OPT_KIND_FLAG, FIELD_OF_(args, field, bool), short_, name_, __VA_ARGS__) \
	}

#define OPT_FLAG_PAIR(args, field, name_, ...)                                            \
	{                                                                                 \
		OPT_(OPT_KIND_FLAG_PAIR, FIELD_OF_(args, field, enum tristate), 0, name_, \
		     __VA_ARGS__)                                                         \
	}

#define OPT_TEXT(args, field, short_, name_, value_, ...)                                         \
	{                                                                                         \
		.value_name = (value_), OPT_(OPT_KIND_TEXT, FIELD_OF_(args, field, const char *), \
					     short_, name_, __VA_ARGS__)                          \
	}

#define OPT_TEXTS(args, field, short_, name_, value_, ...)                                    \
	{                                                                                     \
		.value_name = (value_),                                                       \
		OPT_(OPT_KIND_TEXTS, FIELD_OF_(args, field, struct text_list), short_, name_, \
		     __VA_ARGS__)                                                             \
	}

#define OPT_NUMBER_(kind_, args, field, type, member, short_, name_, value_, default_, ...) \
	{                                                                                   \
		.value_name = (value_), .fallback.member = (default_),                      \
		OPT_(kind_, FIELD_OF_(args, field, type), short_, name_, __VA_ARGS__)       \
	}

#define OPT_U16(args, field, short_, name_, value_, default_, ...)                             \
	OPT_NUMBER_(OPT_KIND_U16, args, field, uint16_t, u64, short_, name_, value_, default_, \
		    __VA_ARGS__)

#define OPT_U64(args, field, short_, name_, value_, default_, ...)                             \
	OPT_NUMBER_(OPT_KIND_U64, args, field, uint64_t, u64, short_, name_, value_, default_, \
		    __VA_ARGS__)

#define OPT_I64(args, field, short_, name_, value_, default_, ...)                            \
	OPT_NUMBER_(OPT_KIND_I64, args, field, int64_t, i64, short_, name_, value_, default_, \
		    __VA_ARGS__)

#define OPT_MAYBE_U16(args, field, short_, name_, value_, ...)                                     \
	OPT_NUMBER_(OPT_KIND_MAYBE_U16, args, field, struct maybe_u16, u64, short_, name_, value_, \
		    0, __VA_ARGS__)

#define OPT_MAYBE_U64(args, field, short_, name_, value_, ...)                                     \
	OPT_NUMBER_(OPT_KIND_MAYBE_U64, args, field, struct maybe_u64, u64, short_, name_, value_, \
		    0, __VA_ARGS__)

/* An enum's constants must not be negative. A default that is none of the words is not shown: it means "not given". */
#define OPT_ENUM(args, field, short_, name_, value_, values_, default_, ...)                 \
	{                                                                                    \
		.value_name = (value_), .values = (values_), .fallback.value = (default_),   \
		OPT_(OPT_KIND_ENUM, ENUM_FIELD_OF_(args, field), short_, name_, __VA_ARGS__) \
	}

#define OPT_END                      \
	{                            \
		.kind = OPT_KIND_END \
	}

#define OPERAND_(kind_, args, field, type, name_, ...)                                    \
	{                                                                                 \
		.kind = (kind_), .offset = FIELD_OF_(args, field, type), .name = (name_), \
		.help = __VA_ARGS__                                                       \
	}

#define OPERAND(args, field, name_, ...) \
	OPERAND_(OPERAND_KIND_ONE, args, field, const char *, name_, __VA_ARGS__)

#define OPERAND_OPTIONAL(args, field, name_, ...) \
	OPERAND_(OPERAND_KIND_OPTIONAL, args, field, const char *, name_, __VA_ARGS__)

#define OPERAND_LIST(args, field, name_, ...) \
	OPERAND_(OPERAND_KIND_LIST, args, field, struct text_list, name_, __VA_ARGS__)

#define OPERAND_ANY(args, field, name_, ...) \
	OPERAND_(OPERAND_KIND_ANY, args, field, struct text_list, name_, __VA_ARGS__)

#define OPERAND_REST(args, field, name_, ...) \
	OPERAND_(OPERAND_KIND_REST, args, field, struct text_list, name_, __VA_ARGS__)

#define OPERAND_END                      \
	{                                \
		.kind = OPERAND_KIND_END \
	}

/* Iteration over tables that may be NULL. */
#define each_opt(table, opt) \
	for (const struct opt *opt = (table); opt && opt->kind != OPT_KIND_END; opt++)
#define each_operand(table, operand)                  \
	for (const struct operand *operand = (table); \
	     operand && operand->kind != OPERAND_KIND_END; operand++)

static inline bool opt_is_flag(const struct opt *opt)
{
	return opt->kind == OPT_KIND_FLAG || opt->kind == OPT_KIND_FLAG_PAIR;
}

static inline const char *opt_value_name(const struct opt *opt)
{
	return opt->value_name ? opt->value_name : opt->name;
}

static inline bool operand_takes_many(const struct operand *operand)
{
	return operand->kind >= OPERAND_KIND_LIST;
}

static inline bool operand_is_required(const struct operand *operand)
{
	return operand->kind != OPERAND_KIND_OPTIONAL && operand->kind != OPERAND_KIND_ANY;
}

/* Puts the default into the field of a zeroed args struct. */
void opt_set_default(const struct opt *opt, void *args);

/* Reads `text` into the option's field; false when it is no value for this option. Not for flags. */
bool opt_store(const struct opt *opt, void *args, const char *text);

/* Frees what lists in the args struct hold. */
void args_done(const struct operand *operands, const struct opt *opts, void *args);

static inline void *args_field(void *args, size_t offset)
{
	return (char *)args + offset;
}

#endif
