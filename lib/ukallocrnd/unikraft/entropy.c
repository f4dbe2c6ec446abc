/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <string.h>

#include <uk/essentials.h>

#include "../chacha.h"
#include "../config.h"
#include "../port.h"
#include "../report.h"
#include "../rng.h"
#include "draw.h"

/* Entropy: what the processor has
 *
 * This runs before Unikraft's own generator, which comes after the heap. The
 * words of the hardware, and time stamps around them, become the key of
 * ChaCha20, whose output is handed out.
 */

#define CPUID_FEATURES	   1
#define CPUID_FEATURES_EXT 7
#define CPUID_ECX_RDRAND   (1U << 30)
#define CPUID_EBX_RDSEED   (1U << 18)

/* Successes are rare only when somebody drains the source (Intel: 10) */
#define TRIES 16

/* Time stamps that go into one word of the key when there is no hardware */
#define JITTER_SAMPLES 256

struct source {
	__bool has_rdrand;
	__bool has_rdseed;
};

static void cpuid(__u32 leaf, __u32 *eax, __u32 *ebx, __u32 *ecx)
{
	__u32 edx;

	__asm__ __volatile__("cpuid"
			     : "=a"(*eax), "=b"(*ebx), "=c"(*ecx), "=d"(edx)
			     : "a"(leaf), "c"(0));
}

static struct source source_find(void)
{
	struct source src = { 0, 0 };
	__u32 eax, ebx, ecx, max;

	cpuid(0, &max, &ebx, &ecx);
	cpuid(CPUID_FEATURES, &eax, &ebx, &ecx);
	src.has_rdrand = !!(ecx & CPUID_ECX_RDRAND);
	if (max >= CPUID_FEATURES_EXT) {
		cpuid(CPUID_FEATURES_EXT, &eax, &ebx, &ecx);
		src.has_rdseed = !!(ebx & CPUID_EBX_RDSEED);
	}
	return src;
}

static __bool rdseed(__u64 *word)
{
	__u8 ok;

	__asm__ __volatile__("rdseed %0; setc %1" : "=r"(*word), "=qm"(ok));
	return ok;
}

static __bool rdrand(__u64 *word)
{
	__u8 ok;

	__asm__ __volatile__("rdrand %0; setc %1" : "=r"(*word), "=qm"(ok));
	return ok;
}

static __u64 tsc(void)
{
	return __builtin_ia32_rdtsc();
}

static __bool word_hardware(const struct source *src, __u64 *word)
{
	unsigned int i;

	for (i = 0; i < TRIES; i++) {
		if (src->has_rdseed && rdseed(word))
			return 1;
		if (src->has_rdrand && rdrand(word))
			return 1;
	}
	return 0;
}

/* CPUID serialises, and leaves to a hypervisor: it takes a varying time */
static __u64 word_jitter(void)
{
	__u32 a, b, c;
	__u64 mix = 0;
	unsigned int i;

	for (i = 0; i < JITTER_SAMPLES; i++) {
		mix = (mix << 7 | mix >> 57) ^ tsc();
		mix *= 0x9e3779b97f4a7c15UL;
		cpuid(0, &a, &b, &c);
	}
	return mix;
}

static void warn_once(void)
{
	static __bool is_warned;

	if (__atomic_exchange_n(&is_warned, 1, __ATOMIC_RELAXED))
		return;
	rnd_print("ukallocrnd: WARNING: this CPU has neither RDRAND nor "
		  "RDSEED: addresses can be guessed by whoever knows its "
		  "clock. Boot with -cpu max, or another CPU model.\n");
}

void rnd_port_entropy(void *buf, __sz len)
{
	struct source src = source_find();
	__u64 key[RND_CHACHA_KEY_LEN / 8];
	struct rnd_rng rng;
	unsigned int i;

	for (i = 0; i < RND_CHACHA_KEY_LEN / 8; i++) {
		if (!word_hardware(&src, &key[i])) {
			warn_once();
			key[i] = word_jitter();
		}
		key[i] ^= tsc();
	}
	rnd_rng_init(&rng, (const __u8 *)key);
	rnd_rng_bytes(&rng, buf, len);
	memset(&rng, 0, sizeof(rng));
	memset(key, 0, sizeof(key));
	barrier();
}

__u32 rnd_draw32(void)
{
	static struct rnd_rng rng;
	static __bool is_seeded;

	if (unlikely(!is_seeded)) {
		rnd_rng_start(&rng);
		is_seeded = 1;
	}
	return rnd_rng_u32(&rng);
}
