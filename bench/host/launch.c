/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Runs a program with an allocator and says what it took
 *
 * usage: launch [-p LIBRARY] [-o FILE] [-t SECONDS] program [argument...]
 *
 * Why
 *   The peak of resident memory that the kernel reports for a process is at
 *   least that of the process which forked it. This one is linked statically
 *   and has a few hundred KiB. It also keeps the library out of everything
 *   but the measured program.
 *
 * How
 *   The program runs with LD_PRELOAD=LIBRARY and its output in FILE. One JSON
 *   line on standard output: exit status (or minus the signal), wall time, and
 *   user and system time, peak of resident memory and page faults of the
 *   program and all its descendants that were waited for.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host.h"

#define CANNOT_RUN 127

static volatile pid_t group;

/* Ends the program and what it has started */
static void on_alarm(int signal)
{
	(void)signal;
	if (group > 0)
		(void)kill(-group, SIGKILL);
}

static void run(const char *library, const char *output, char *argv[])
{
	int fd;

	(void)setpgid(0, 0);
	if (output) {
		fd = open(output, O_WRONLY | O_CREAT | O_TRUNC, 0644);
		if (fd < 0 || dup2(fd, STDOUT_FILENO) < 0)
			_exit(CANNOT_RUN);
		(void)close(fd);
	}
	if (library && setenv("LD_PRELOAD", library, 1))
		_exit(CANNOT_RUN);
	(void)execvp(argv[0], argv);
	(void)fprintf(stderr, "launch: %s: %s\n", argv[0], strerror(errno));
	_exit(CANNOT_RUN);
}

static double seconds(const struct timeval *time)
{
	return (double)time->tv_sec + (double)time->tv_usec * 1e-6;
}

static void report(int status, double wall, const struct rusage *use)
{
	printf("{\"status\":%d,\"wall\":%.6f,\"user\":%.6f,\"sys\":%.6f,"
	       "\"rss_kib\":%ld,\"minflt\":%ld}\n",
	       WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status),
	       wall, seconds(&use->ru_utime), seconds(&use->ru_stime),
	       use->ru_maxrss, use->ru_minflt);
}

int main(int argc, char *argv[])
{
	struct sigaction action = { .sa_handler = on_alarm,
				    .sa_flags = SA_RESTART };
	const char *library = NULL, *output = NULL;
	unsigned int limit = 0;
	struct rusage use;
	int option, status;
	double begun;

	/* + : the first word that is no option is the program */
	while ((option = getopt(argc, argv, "+p:o:t:")) != -1) {
		if (option == 'p')
			library = optarg;
		else if (option == 'o')
			output = optarg;
		else if (option == 't')
			limit = (unsigned int)strtoul(optarg, NULL, 10);
		else
			return EXIT_FAILURE;
	}
	if (optind == argc)
		host_fail("launch: which program?");

	(void)sigaction(SIGALRM, &action, NULL);
	begun = host_seconds();
	group = fork();
	if (group == 0)
		run(library, output, argv + optind);
	if (group < 0)
		host_fail("launch: cannot fork");
	(void)alarm(limit);
	if (wait4(group, &status, 0, &use) != group)
		host_fail("launch: cannot wait");
	report(status, host_seconds() - begun, &use);
	return EXIT_SUCCESS;
}
