/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKALLOCRND_APP_H__
#define __UKALLOCRND_APP_H__

/* What the application can do. Each function gets the value of its argument
 * and returns 0 if all was as it should be.
 */
int app_tour(void);
int app_crime(const char *which);
int app_pairs(const char *cnt);
int app_objects(const char *cnt);
int app_largest(const char *unused);
int app_stress(const char *cnt);
int app_burn(const char *cnt);
int app_irq(const char *cnt);
int app_shootdown(const char *rounds);
int app_faults(const char *rounds);
int app_maps(const char *cnt);

#endif /* __UKALLOCRND_APP_H__ */
