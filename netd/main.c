/* SPDX-License-Identifier: Apache-2.0 */
/* tart-netd, the keeper of the VMs' network. */
#include <stdio.h>

int main(void)
{
	fputs("tart-netd: not there yet\n", stderr);
	return 1;
}
