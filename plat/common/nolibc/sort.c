/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <stdlib.h>

/* Moves the element at `i` down until the heap is in order again */
static void heap_sift(char *base, size_t i, size_t n, size_t size,
		      int (*cmp)(const void *, const void *))
{
	size_t child, k;
	char tmp;

	while ((child = 2 * i + 1) < n) {
		if (child + 1 < n &&
		    cmp(base + child * size, base + (child + 1) * size) < 0)
			child++;
		if (cmp(base + i * size, base + child * size) >= 0)
			return;
		for (k = 0; k < size; k++) {
			tmp = base[i * size + k];
			base[i * size + k] = base[child * size + k];
			base[child * size + k] = tmp;
		}
		i = child;
	}
}

/* Heap sort: no recursion, no memory, no bad inputs */
void qsort(void *base, size_t nmemb, size_t size,
	   int (*cmp)(const void *, const void *))
{
	char *b = base;
	size_t i, k;
	char tmp;

	for (i = nmemb / 2; i-- > 0;)
		heap_sift(b, i, nmemb, size, cmp);
	for (i = nmemb; i-- > 1;) {
		for (k = 0; k < size; k++) {
			tmp = b[k];
			b[k] = b[i * size + k];
			b[i * size + k] = tmp;
		}
		heap_sift(b, 0, i, size, cmp);
	}
}
