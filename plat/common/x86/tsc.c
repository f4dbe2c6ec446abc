/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Calibration
 *
 * How
 *   In this order: CPUID leaf 0x15; the hypervisor's leaf 0x40000010; against
 *   the APIC timer, where the hypervisor is known to run it at 1 GHz (QEMU's
 *   TCG, KVM); against channel 2 of the PIT; CPUID leaf 0x16; a guess, which
 *   is reported. A measured rate has to be plausible: microvm has no port
 *   0x61, and a wait that is over at once would give some kHz.
 *
 *   With QEMU's -icount the TSC counts instructions at 1 GHz by definition.
 *   A short measurement shows it, and a long one would cost seconds.
 */

#include <string.h>
#include <uk/arch/lcpu.h>
#include <uk/essentials.h>

#include "lapic.h"
#include "pio.h"
#include "tsc.h"

#define CPUID1_ECX_HYPERVISOR (1U << 31)
#define CPUID_HYPERVISOR      0x40000000U
#define CPUID_HV_TIMING	      0x40000010U
#define CPUID_TSC	      0x15U
#define CPUID_FREQUENCY	      0x16U

#define GHZ    1000000000UL
#define HZ_MIN 100000000UL
#define HZ_MAX 10000000000UL

/* Ticks of a 1 GHz timer: 100 us and 10 ms */
#define LAPIC_TICKS_SHORT 100000U
#define LAPIC_TICKS_LONG  10000000U

/* Looks at two clocks at once; the host may take the CPU away in between */
#define SAMPLE_TRIES 8

/* The PIT runs at 1193182 Hz; this many ticks are 10 ms */
#define PIT_TICKS     11932U
#define PIT_PER_SEC   100U
#define PIT_CH2_DATA  0x42
#define PIT_CMD	      0x43
#define PIT_CMD_CH2   0xb0 /* Channel 2, both bytes, mode 0 */
#define PORT_B	      0x61
#define PORT_B_GATE   0x01
#define PORT_B_SPEAK  0x02
#define PORT_B_OUT    0x20
#define PIT_RUNS      3
#define PIT_READS_MIN 100U
#define PIT_READS_MAX 10000000U

static int is_plausible(__u64 hz)
{
	return hz >= HZ_MIN && hz <= HZ_MAX;
}

static int has_hypervisor(void)
{
	return (ukarch_cpuid(1, 0).ecx & CPUID1_ECX_HYPERVISOR) != 0;
}

static int hypervisor_is(const char *name)
{
	struct ukarch_cpuid r;
	char sig[12];

	if (!has_hypervisor())
		return 0;
	r = ukarch_cpuid(CPUID_HYPERVISOR, 0);
	memcpy(sig, &r.ebx, sizeof(r.ebx));
	memcpy(sig + 4, &r.ecx, sizeof(r.ecx));
	memcpy(sig + 8, &r.edx, sizeof(r.edx));
	return memcmp(sig, name, sizeof(sig)) == 0;
}

static __u64 hz_from_cpuid(void)
{
	struct ukarch_cpuid r;

	if (ukarch_cpuid(0, 0).eax < CPUID_TSC)
		return 0;
	r = ukarch_cpuid(CPUID_TSC, 0);
	if (!r.eax || !r.ebx || !r.ecx)
		return 0;
	return (__u64)r.ecx * r.ebx / r.eax;
}

static __u64 hz_from_hypervisor(void)
{
	if (!has_hypervisor() ||
	    ukarch_cpuid(CPUID_HYPERVISOR, 0).eax < CPUID_HV_TIMING)
		return 0;
	return (__u64)ukarch_cpuid(CPUID_HV_TIMING, 0).eax * 1000;
}

static __u64 hz_from_base_frequency(void)
{
	if (ukarch_cpuid(0, 0).eax < CPUID_FREQUENCY)
		return 0;
	return (__u64)(ukarch_cpuid(CPUID_FREQUENCY, 0).eax & 0xffff) * 1000000;
}

/* TSC and APIC timer at the same moment, as well as possible */
static __u32 both_read(__u64 *tsc)
{
	__u64 best = __U64_MAX;
	__u32 best_left = 0;
	int i;

	*tsc = 0;
	for (i = 0; i < SAMPLE_TRIES; i++) {
		__u64 before = ukarch_rdtsc();
		__u32 left = lapic_timer_left();
		__u64 after = ukarch_rdtsc();

		if (after - before < best) {
			best = after - before;
			best_left = left;
			*tsc = before + best / 2;
		}
	}
	return best_left;
}

/* TSC ticks in at least some ticks of the APIC timer, and how many these
 * were. The timer interrupt stays masked. 0 if the timer does not run.
 */
static __u64 lapic_measure(__u32 ticks, __u32 *elapsed)
{
	__u64 start, end, give_up = HZ_MAX / PIT_PER_SEC * 10;
	__u32 first;

	lapic_timer_start(__U32_MAX, 0);
	first = both_read(&start);
	do {
		ukarch_spinwait();
	} while (first - lapic_timer_left() < ticks &&
		 ukarch_rdtsc() - start < give_up);
	*elapsed = first - both_read(&end);
	lapic_timer_stop();
	return *elapsed >= ticks ? end - start : 0;
}

static __u64 hz_from_lapic(const char **source)
{
	__u64 tsc, hz;
	__u32 elapsed;

	tsc = lapic_measure(LAPIC_TICKS_SHORT, &elapsed);
	if (!tsc)
		return 0;
	hz = tsc * GHZ / elapsed;
	if (hypervisor_is("TCGTCGTCGTCG") && hz > GHZ - GHZ / 100 &&
	    hz < GHZ + GHZ / 100) {
		*source = "instruction count";
		return GHZ;
	}
	tsc = lapic_measure(LAPIC_TICKS_LONG, &elapsed);
	*source = "APIC timer";
	return tsc ? tsc * GHZ / elapsed : 0;
}

/* TSC ticks in PIT_TICKS, or 0 if the PIT does not behave like one */
static __u64 pit_measure(void)
{
	__u8 port_b = (__u8)(pio_read8(PORT_B) & ~(PORT_B_SPEAK | PORT_B_GATE));
	unsigned int reads = 0;
	__u64 start, end;

	pio_write8(PORT_B, port_b);
	pio_write8(PIT_CMD, PIT_CMD_CH2);
	pio_write8(PIT_CH2_DATA, PIT_TICKS & 0xff);
	pio_write8(PIT_CH2_DATA, PIT_TICKS >> 8);
	pio_write8(PORT_B, port_b | PORT_B_GATE);
	start = ukarch_rdtsc();
	while (!(pio_read8(PORT_B) & PORT_B_OUT) && reads < PIT_READS_MAX)
		reads++;
	end = ukarch_rdtsc();
	pio_write8(PORT_B, port_b);
	if (reads < PIT_READS_MIN || reads == PIT_READS_MAX)
		return 0;
	return end - start;
}

static __u64 hz_from_pit(void)
{
	__u64 best = __U64_MAX;
	int i;

	/* The host can only make a run longer */
	for (i = 0; i < PIT_RUNS; i++) {
		__u64 tsc = pit_measure();

		if (!tsc)
			return 0;
		best = MIN(best, tsc);
	}
	return best * PIT_PER_SEC;
}

static __u64 tsc_hz_find(int lapic_is_1ghz, const char **source)
{
	__u64 hz;

	*source = "CPUID";
	hz = hz_from_cpuid();
	if (is_plausible(hz))
		return hz;
	*source = "hypervisor";
	hz = hz_from_hypervisor();
	if (is_plausible(hz))
		return hz;
	if (lapic_is_1ghz) {
		hz = hz_from_lapic(source);
		if (is_plausible(hz))
			return hz;
	}
	*source = "PIT";
	hz = hz_from_pit();
	if (is_plausible(hz))
		return hz;
	*source = "CPUID base frequency";
	hz = hz_from_base_frequency();
	if (is_plausible(hz))
		return hz;
	*source = "guess";
	return GHZ;
}

void tsc_calibrate(struct tsc_rates *rates)
{
	int lapic_is_1ghz = lapic_is_enabled() &&
			    (hypervisor_is("TCGTCGTCGTCG") ||
			     hypervisor_is("KVMKVMKVM\0\0\0"));
	__u32 elapsed;
	__u64 tsc;

	rates->tsc_hz = tsc_hz_find(lapic_is_1ghz, &rates->source);
	rates->lapic_hz = 0;
	if (lapic_is_1ghz) {
		rates->lapic_hz = GHZ;
	} else if (lapic_is_enabled()) {
		tsc = lapic_measure(LAPIC_TICKS_SHORT, &elapsed);
		if (tsc)
			rates->lapic_hz =
				rates->tsc_hz / 1000 * elapsed / tsc * 1000;
	}
}
