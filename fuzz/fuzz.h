/* SPDX-License-Identifier: Apache-2.0 */
/* What fuzz targets share: the entry point and a check that counts as a crash. */
#ifndef TART_FUZZ_H
#define TART_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* The target: any input may be refused, none may crash, leak or break a property. Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Not assert(): a build without assertions must not turn a property off. */
#define fuzz_check(property)                                                                     \
	do {                                                                                     \
		if (!(property)) {                                                               \
			fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #property); \
			abort();                                                                 \
		}                                                                                \
	} while (0)

#endif
