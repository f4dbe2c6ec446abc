# SPDX-License-Identifier: BSD-3-Clause
"""Planted mistakes of the platform's random numbers, and what finds each."""
from mutant import Mutant, Change

RANDOM = "plat/common/random.c"

MUTANTS = [
    Mutant("a new epoch wakes nobody", "a_new_epoch_reaches_every_cpu", [
        Change("plat/common/random_epoch.c",
               "\t\t\tlcpu_ipi_wake(lcpus[i]);\n", "\t\t\t(void)lcpus;\n")]),
    Mutant("who is woken does not look at the epoch",
           "a_new_epoch_reaches_every_cpu", [
               Change("plat/common/x86/ipi.c",
                      "\trandom_epoch_irq();\n", "")]),
    Mutant("generators ignore the epoch", "a_new_epoch_reaches_every_cpu", [
        Change(RANDOM, "g->rng.epoch != epoch_now() || ", "")]),
    Mutant("bytes are not counted", "generators_are_reseeded_in_time", [
        Change(RANDOM, "\t\tg->left -= MIN(len, g->left);\n", "")]),
]
