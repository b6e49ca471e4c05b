/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of exposed ports: no port twice, none 0, and they print and parse as the same. */
#include "net/expose.h"

#include "fuzz.h"

static void check_ports(const expose_list *list)
{
	vec_each(list, expose) {
		fuzz_check(expose->external > 0 && expose->internal > 0);
		for (const struct expose *other = list->v; other < expose; other++)
			fuzz_check(other->external != expose->external);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span input = span_make((const char *)data, size);
	CLEANUP_STR struct str printed = { 0 };
	expose_list list = { 0 };
	expose_list again = { 0 };
	struct err err = { 0 };

	if (!expose_list_parse(input, "list", &list, &err)) {
		fuzz_check(err.kind == ERR_USAGE && err.text[0] && list.n == 0);
	} else if (list.n > 0) {
		fuzz_check(list.n <= EXPOSE_MAX);
		check_ports(&list);
		expose_list_print(&list, &printed);
		fuzz_check(expose_list_parse(str_span(&printed), "list", &again, &err));
		fuzz_check(again.n == list.n &&
			   memcmp(again.v, list.v, list.n * sizeof(*list.v)) == 0);
	}
	vec_done(&list);
	vec_done(&again);
	return 0;
}
