/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKPLAT_LAPIC_H__
#define __UKPLAT_LAPIC_H__

/* Local APIC: interrupts between CPUs, timer
 *
 * How
 *   x2APIC (registers are MSRs, 32 bit ids) if the CPU has it and accepts to
 *   switch to it; otherwise xAPIC (registers in memory, 8 bit ids). All CPUs
 *   use the same mode.
 *
 * Source
 *   SDM 3A chapter 11 (APIC), 11.12 (x2APIC)
 */

#include <uk/arch/types.h>
#include <uk/essentials.h>

#include "madt.h"

/* Vectors of this platform; what is below belongs to devices */
#define LAPIC_VECTOR_SCI      0xef
#define LAPIC_VECTOR_TLB      0xf0
#define LAPIC_VECTOR_WAKE     0xf1
#define LAPIC_VECTOR_TIMER    0xf3
#define LAPIC_VECTOR_ERROR    0xfe
#define LAPIC_VECTOR_SPURIOUS 0xff

/**
 * Chooses the mode and enables the local APIC of the bootstrap processor.
 *
 * @return
 *   - (0): Enabled
 *   - (-ENOTSUP): This CPU has none
 *   - (-ENOMEM): The registers cannot be mapped
 */
int lapic_init(void);

/** Enables the local APIC of the calling CPU in the mode of the first one. */
void lapic_cpu_init(void);

/**
 * Wires the NMI pins of the calling CPU as the firmware says.
 *
 * @param madt
 *   The table
 * @param acpi_uid
 *   Processor UID of the calling CPU
 */
void lapic_nmi_wire(const struct madt *madt, __u32 acpi_uid);

/** Tells whether lapic_init() was successful. */
int lapic_is_enabled(void);

/** Tells whether registers are MSRs. */
int lapic_is_x2apic(void);

/** Highest APIC id that interrupts can be sent to in this mode. */
__u32 lapic_id_max(void);

/** Id of the calling CPU, from CPUID: works before lapic_init(). */
__u32 lapic_cpu_id(void);

/** Physical address of the registers, as the calling CPU has it. */
__paddr_t lapic_paddr(void);

/** Ends the interrupt in service. Not for NMI, spurious and ExtINT. */
void lapic_eoi(void);

/**
 * Raises interrupts anew that are in service on the calling CPU, although no
 * handler of them runs: the processor had accepted them, and could not write
 * their frame. Interrupts disabled, not in a handler.
 *
 * @param apic_id
 *   Of the calling CPU
 */
void lapic_lost_raise(__u32 apic_id);

/** Sends an interrupt. Any context. */
void lapic_ipi_send(__u32 apic_id, __u8 vector);

/** Sends an NMI to one CPU. Any context. */
void lapic_nmi_send(__u32 apic_id);

/** Sends an NMI to all other CPUs. Any context. */
void lapic_nmi_send_others(void);

/** Puts a CPU into the state that waits for a start-up interrupt. */
void lapic_init_send(__u32 apic_id);

/**
 * Starts a CPU that waits.
 *
 * @param apic_id
 *   The CPU
 * @param page
 *   Physical address of the code, page aligned, below 1 MiB
 */
void lapic_startup_send(__u32 apic_id, __paddr_t page);

/** Reads and clears the error register of the calling CPU. */
__u32 lapic_error_read(void);

/**
 * Starts the timer of the calling CPU.
 *
 * @param ticks
 *   Until the interrupt, in ticks of the undivided clock; at least 1. More
 *   than the counter can hold becomes the maximum.
 * @param periodic
 *   Again and again
 */
void lapic_timer_start(__u64 ticks, int periodic);

/** Stops the timer of the calling CPU. */
void lapic_timer_stop(void);

/** Undivided ticks left of a one-shot run of at most 2^32 - 1 ticks. */
__u32 lapic_timer_left(void);

#endif /* __UKPLAT_LAPIC_H__ */
