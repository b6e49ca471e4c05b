/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of exposed ports. */
#include "net/expose.h"

#include "net/port.h"

static bool parse_item(struct span item, struct expose *ret)
{
	size_t colon = span_find(item, ':');

	return colon < item.len && port_parse(span_first(item, colon), &ret->external) &&
	       port_parse(span_from(item, colon + 1), &ret->internal);
}

static bool is_taken(const expose_list *list, uint16_t external)
{
	vec_each(list, expose) {
		if (expose->external == external)
			return true;
	}
	return false;
}

static bool add_item(struct span item, const char *option, expose_list *list, struct err *err)
{
	struct expose expose;

	if (!parse_item(item, &expose))
		return err_set(
			err, ERR_USAGE,
			"%s: '%.*s' is not of the form EXTERNAL:INTERNAL (TCP ports, 1 to 65535)",
			option, SPAN_ARG(item));
	if (is_taken(list, expose.external))
		return err_set(err, ERR_USAGE, "%s: '%.*s': port %u is exposed twice", option,
			       SPAN_ARG(item), expose.external);
	if (list->n == EXPOSE_MAX)
		return err_set(err, ERR_USAGE, "%s: more than %d ports", option, EXPOSE_MAX);
	*vec_push(list) = expose;
	return true;
}

bool expose_list_parse(struct span text, const char *option, expose_list *list, struct err *err)
{
	size_t n = list->n;
	struct span item;

	while (span_next(&text, ',', &item)) {
		if (!add_item(item, option, list, err)) {
			list->n = n;
			return false;
		}
	}
	return true;
}

void expose_list_print(const expose_list *list, struct str *out)
{
	vec_each(list, expose)
		str_addf(out, "%s%u:%u", expose == list->v ? "" : ",", expose->external,
			 expose->internal);
}
