/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __TESTS_FUZZ_IMAGE_RUN_H__
#define __TESTS_FUZZ_IMAGE_RUN_H__

/* One image, hostile or not, the whole way that it goes in the loader
 *
 * How
 *   The file ends where memory ends, and so does the memory of the image: an
 *   access behind it ends the program. What was opened must have the
 *   invariants of image.h; what was relocated must have left alone what is
 *   between segments.
 */

#include <uk/arch/types.h>

/** Which function opens the file */
enum image_door {
	/** image_open(): header and digest are tested */
	IMAGE_DOOR_PAYLOAD,
	/** image_open_elf(), from behind the header */
	IMAGE_DOOR_ELF
};

/**
 * Opens, copies and relocates an image.
 *
 * @param data, len
 *   The file, with a header
 * @param seed
 *   Decides where the image runs
 *
 * @return
 *   What is wrong with the image, or NULL
 */
const char *image_run(const __u8 *data, __sz len, enum image_door door,
		      __u64 seed);

#endif /* __TESTS_FUZZ_IMAGE_RUN_H__ */
