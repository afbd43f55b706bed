/* What tracers get wrong, one each, by the first argument. Prints what it found, for the test to
   compare with the same without a tracer. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t got, from;

static void take(int signal, siginfo_t *info, void *context) {
	(void)context;
	got = signal;
	from = info->si_code;
}

static void on(int signal, int flags) {
	struct sigaction action = {.sa_sigaction = take, .sa_flags = SA_SIGINFO | flags};
	sigaction(signal, &action, NULL);
}

static char *const *program;

static void *execute(void *none) {
	(void)none;
	execv(program[0], program);
	return NULL;
}

/* A thread that is not the first one becomes another program; others sleep meanwhile. */
static int exec_of_thread(char **rest) {
	pthread_t other;
	program = rest;
	pthread_create(&other, NULL, execute, NULL);
	pause();
	return 1;
}

static int own_trap(void) {
	on(SIGTRAP, 0);
	__asm__ volatile("int3");
	printf("trap %d code %d\n", got, from);
	got = 0;
	raise(SIGTRAP);
	printf("raised %d\n", got);
	return 0;
}

static char stack[65536];

static void on_stack(int signal) {
	char here;
	(void)signal;
	printf("alternate %d\n", &here >= stack && &here < stack + sizeof stack);
}

static int alternate_stack(void) {
	stack_t other = {.ss_sp = stack, .ss_size = sizeof stack};
	struct sigaction action = {.sa_handler = on_stack, .sa_flags = SA_ONSTACK};
	sigaltstack(&other, NULL);
	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);
	return 0;
}

/* A child is stopped and continued by its parent, which is told of both. */
static int stop_and_go(void) {
	int status;
	pid_t child = fork();
	if (child == 0) {
		raise(SIGSTOP);
		_exit(9);
	}
	waitpid(child, &status, WUNTRACED);
	printf("stopped %d by %d\n", WIFSTOPPED(status), WSTOPSIG(status));
	kill(child, SIGCONT);
	waitpid(child, &status, WCONTINUED);
	if (WIFCONTINUED(status)) {
		printf("continued\n");
		waitpid(child, &status, 0);
	} else {
		printf("continued\n");
	}
	printf("code %d\n", WEXITSTATUS(status));
	return 0;
}

static int untraced_child(char **rest) {
	int status;
	pid_t child = syscall(SYS_clone, CLONE_UNTRACED | SIGCHLD, 0, 0, 0, 0);
	if (child == 0) {
		execv(rest[0], rest);
		_exit(1);
	}
	waitpid(child, &status, 0);
	struct { uint64_t words[11]; } how = {.words = {CLONE_UNTRACED, 0, 0, 0, SIGCHLD}};
	child = syscall(SYS_clone3, &how, 64);
	if (child == 0) {
		execv(rest[0], rest);
		_exit(1);
	}
	waitpid(child, &status, 0);
	printf("flags %d\n", (how.words[0] & CLONE_UNTRACED) != 0);
	return 0;
}

static int trace_me(void) {
	long done = ptrace(PTRACE_TRACEME, 0, 0, 0);
	printf("traceme %d\n", done == 0 ? 0 : errno);
	return 0;
}

/* Sleeps with a signal pending whose handler lets it go on. */
static int slept(void) {
	struct timespec time = {.tv_nsec = 200000000}, rest = {0};
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	on(SIGALRM, SA_RESTART);
	alarm(1);
	int done = nanosleep(&time, &rest);
	printf("slept %d\n", done);
	return 0;
}

/* Threads and children that come and go. */
static void *nothing(void *none) {
	return none;
}

static int churn(void) {
	for (int round = 0; round < 50; round++) {
		pthread_t threads[4];
		for (int at = 0; at < 4; at++)
			pthread_create(&threads[at], NULL, nothing, NULL);
		pid_t child = vfork();
		if (child == 0)
			_exit(round & 63);
		int status;
		waitpid(child, &status, 0);
		if (WEXITSTATUS(status) != (round & 63))
			return 1;
		for (int at = 0; at < 4; at++)
			pthread_join(threads[at], NULL);
	}
	printf("churned\n");
	return 0;
}

/* A child that is killed in the middle of calls, again and again. */
static int killed(void) {
	for (int round = 0; round < 30; round++) {
		int status;
		pid_t child = fork();
		if (child == 0)
			for (;;)
				close(open("/etc/passwd", O_RDONLY));
		usleep(1000 * (round % 5));
		kill(child, SIGKILL);
		waitpid(child, &status, 0);
		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
			return 1;
	}
	printf("killed\n");
	return 0;
}

int main(int count, char **words) {
	const char *what = count > 1 ? words[1] : "";
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!strcmp(what, "exec")) return exec_of_thread(words + 2);
	if (!strcmp(what, "trap")) return own_trap();
	if (!strcmp(what, "stack")) return alternate_stack();
	if (!strcmp(what, "stop")) return stop_and_go();
	if (!strcmp(what, "untraced")) return untraced_child(words + 2);
	if (!strcmp(what, "traceme")) return trace_me();
	if (!strcmp(what, "sleep")) return slept();
	if (!strcmp(what, "churn")) return churn();
	if (!strcmp(what, "killed")) return killed();
	return 2;
}
