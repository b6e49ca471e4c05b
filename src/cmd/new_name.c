/* SPDX-License-Identifier: Apache-2.0 */
/* Names for new VMs. */
#include "cmd/new_name.h"

#include "storage/name.h"

bool new_name_check(const char *operand, const char *name, struct err *err)
{
	const char *problem = name_local_problem(name);

	if (!problem)
		return true;
	if (name_has_slash(name))
		return err_set(err, ERR_USAGE, "<%s> should be a local name", operand);
	return err_set(err, ERR_USAGE, "<%s> should be a local name (it %s)", operand, problem);
}
