/* SPDX-License-Identifier: Apache-2.0 */
/* The fields behind the option tables: defaults, reading values, freeing lists. */
#include "cmd/options.h"

#include <string.h>
#include <strings.h>

#include "base/number.h"
#include "base/vec.h"

void opt_set_default(const struct opt *opt, void *args)
{
	void *field = args_field(args, opt->offset);

	switch (opt->kind) {
	case OPT_KIND_FLAG_PAIR:
		*(enum tristate *)field = UNSET;
		break;
	case OPT_KIND_TEXT:
		*(const char **)field = opt->fallback.text;
		break;
	case OPT_KIND_U16:
		*(uint16_t *)field = (uint16_t)opt->fallback.u64;
		break;
	case OPT_KIND_U64:
		*(uint64_t *)field = opt->fallback.u64;
		break;
	case OPT_KIND_I64:
		*(int64_t *)field = opt->fallback.i64;
		break;
	case OPT_KIND_ENUM:
		*(int *)field = opt->fallback.value;
		break;
	case OPT_KIND_FLAG:
	case OPT_KIND_TEXTS:
	case OPT_KIND_MAYBE_U16:
	case OPT_KIND_MAYBE_U64:
	case OPT_KIND_END:
		break;
	}
}

/* An optional sign and digits. */
static bool parse_magnitude(const char *text, bool *ret_negative, uint64_t *ret)
{
	struct span digits = span_of(text);

	*ret_negative = text[0] == '-';
	if (text[0] == '-' || text[0] == '+')
		digits = span_from(digits, 1);
	return number_parse_u64(digits, UINT64_MAX, ret);
}

static bool parse_unsigned(const char *text, uint64_t max, uint64_t *ret)
{
	bool negative;
	uint64_t value;

	if (!parse_magnitude(text, &negative, &value) || value > max || (negative && value > 0))
		return false;
	*ret = value;
	return true;
}

static bool parse_signed(const char *text, int64_t *ret)
{
	bool negative;
	uint64_t value;

	if (!parse_magnitude(text, &negative, &value))
		return false;
	if (negative ? value > (uint64_t)INT64_MAX + 1 : value > INT64_MAX)
		return false;
	*ret = negative ? -(int64_t)(value / 2) - (int64_t)(value - value / 2) : (int64_t)value;
	return true;
}

static bool store_number(const struct opt *opt, void *field, const char *text)
{
	bool is_16_bit = opt->kind == OPT_KIND_U16 || opt->kind == OPT_KIND_MAYBE_U16;
	uint64_t value;

	if (opt->kind == OPT_KIND_I64)
		return parse_signed(text, field);
	if (!parse_unsigned(text, is_16_bit ? UINT16_MAX : UINT64_MAX, &value))
		return false;
	if (opt->kind == OPT_KIND_U16)
		*(uint16_t *)field = (uint16_t)value;
	else if (opt->kind == OPT_KIND_U64)
		*(uint64_t *)field = value;
	else if (opt->kind == OPT_KIND_MAYBE_U16)
		*(struct maybe_u16 *)field = (struct maybe_u16){ true, (uint16_t)value };
	else
		*(struct maybe_u64 *)field = (struct maybe_u64){ true, value };
	return true;
}

static bool store_word(const struct opt *opt, int *field, const char *text)
{
	for (const struct opt_value *v = opt->values; v->word; v++) {
		if (opt->ignore_case ? strcasecmp(v->word, text) == 0 :
				       strcmp(v->word, text) == 0) {
			*field = v->value;
			return true;
		}
	}
	return false;
}

bool opt_store(const struct opt *opt, void *args, const char *text)
{
	void *field = args_field(args, opt->offset);

	switch (opt->kind) {
	case OPT_KIND_TEXT:
		*(const char **)field = text;
		return true;
	case OPT_KIND_TEXTS:
		*vec_push((struct text_list *)field) = text;
		return true;
	case OPT_KIND_ENUM:
		return store_word(opt, field, text);
	default:
		return store_number(opt, field, text);
	}
}

void args_done(const struct operand *operands, const struct opt *opts, void *args)
{
	each_opt(opts, opt)
	{
		if (opt->kind == OPT_KIND_TEXTS)
			vec_done((struct text_list *)args_field(args, opt->offset));
	}
	each_operand(operands, operand)
	{
		if (operand_takes_many(operand))
			vec_done((struct text_list *)args_field(args, operand->offset));
	}
}
