// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * The tracepoints. In: what the kernel hands over. Out: to the core, once for each reader that
 * needs it, with preemption and page faults disabled. A reader's memory is given back only when no
 * handler can be looking at it any more.
 */
#include <linux/binfmts.h>
#include <linux/preempt.h>
#include <linux/ptrace.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <linux/tracepoint.h>
#include <linux/uaccess.h>

#include <trace/events/sched.h>
#include <trace/events/signal.h>
#include <trace/events/syscalls.h>

#include "saker.h"

/* Runs ACT for each reader that needs POINT; `moment` is its moment. */
#define FOR_READERS(POINT, ACT) do {							\
	unsigned int saker_i;								\
	preempt_disable_notrace();							\
	pagefault_disable();								\
	for (saker_i = 0; saker_i < SAKER_READERS_MAX; saker_i++) {			\
		struct saker_reader *reader = READ_ONCE(saker_readers[saker_i]);	\
		struct saker_moment moment;						\
		if (!reader || !(READ_ONCE(reader->points) & (POINT)))			\
			continue;							\
		moment.reader = reader->core;						\
		moment.cpu = reader->cpus[raw_smp_processor_id()];			\
		moment.task = (unsigned long)current;					\
		moment.id = (u64)current->tgid << 32 | (u32)current->pid;		\
		ACT;									\
	}										\
	pagefault_enable();								\
	preempt_enable_notrace();							\
} while (0)

static void on_returned(void *data, struct pt_regs *regs, long ret)
{
	FOR_READERS(SAKER_CALLS, saker_core_returned(&moment, regs, ret));
}

static void on_started(void *data, struct task_struct *task, pid_t old, struct linux_binprm *bprm)
{
	FOR_READERS(SAKER_STARTS, saker_core_started(&moment, (unsigned long)bprm));
}

static void __maybe_unused on_ended(void *data, struct task_struct *task)
{
	FOR_READERS(SAKER_ENDS, saker_core_ended(&moment));
}

/* The tracepoint says more since Linux 6.16. */
static void __maybe_unused on_ended_of_group(void *data, struct task_struct *task, bool group)
{
	on_ended(data, task);
}

static void on_forked(void *data, struct task_struct *maker, struct task_struct *made)
{
	u64 now = saker_boot_ns();

	FOR_READERS(SAKER_FORKS, saker_core_forked(&moment, maker->tgid, made->tgid, now));
}

static void on_signalled(void *data, int signal, struct kernel_siginfo *info,
			 struct k_sigaction *action)
{
	FOR_READERS(SAKER_SIGNALS, saker_core_signalled(&moment, signal, (unsigned long)info));
}

static void on_user_fault(void *data, unsigned long at, struct pt_regs *regs, unsigned long error)
{
	FOR_READERS(SAKER_USER_FAULTS,
		    saker_core_faulted(&moment, at, instruction_pointer(regs), error));
}

static void on_kernel_fault(void *data, unsigned long at, struct pt_regs *regs,
			    unsigned long error)
{
	FOR_READERS(SAKER_KERNEL_FAULTS,
		    saker_core_faulted(&moment, at, instruction_pointer(regs), error));
}

static void on_switched(void *data, bool preempted, struct task_struct *from,
			struct task_struct *next, unsigned int state)
{
	FOR_READERS(SAKER_SWITCHES, saker_core_switched(&moment, next->pid));
}

/* Never called: whether the handlers have the types that this kernel's tracepoints ask for. */
static void __maybe_unused saker_check_types(void)
{
	check_trace_callback_type_sys_exit(on_returned);
	check_trace_callback_type_sched_process_exec(on_started);
	check_trace_callback_type_sched_process_fork(on_forked);
	check_trace_callback_type_signal_deliver(on_signalled);
	check_trace_callback_type_sched_switch(on_switched);
}

typedef void (*ended_plain_t)(void *data, struct task_struct *task);
#define ON_ENDED __builtin_choose_expr(							\
	__builtin_types_compatible_p(typeof(check_trace_callback_type_sched_process_exit),	\
				     void (ended_plain_t)),				\
	on_ended, on_ended_of_group)

struct point {
	const char *name;
	void *handler;
	struct tracepoint *found;
	bool followed;
};

/* In the order of the bits. */
static struct point points[SAKER_POINTS] = {
	{ "sys_exit", on_returned },
	{ "sched_process_exec", on_started },
	{ "sched_process_exit", ON_ENDED },
	{ "sched_process_fork", on_forked },
	{ "signal_deliver", on_signalled },
	{ "page_fault_user", on_user_fault },
	{ "page_fault_kernel", on_kernel_fault },
	{ "sched_switch", on_switched },
};

static void find(struct tracepoint *tracepoint, void *data)
{
	int i;

	for (i = 0; i < SAKER_POINTS; i++)
		if (!strcmp(tracepoint->name, points[i].name))
			points[i].found = tracepoint;
}

int saker_find_points(void)
{
	int i;

	for_each_kernel_tracepoint(find, NULL);
	for (i = 0; i < SAKER_POINTS; i++)
		if (!points[i].found)
			pr_warn("saker: this kernel has no tracepoint %s\n", points[i].name);
	/* Without calls there is nothing to tell. */
	return points[0].found ? 0 : -ENOENT;
}

u32 saker_follow(u32 wanted)
{
	u32 missing = 0;
	bool left = false;
	int i;

	for (i = 0; i < SAKER_POINTS; i++) {
		struct point *point = &points[i];
		bool want = wanted & (1u << i);
		int failed = 0;

		if (want && !point->followed) {
			failed = point->found ?
				tracepoint_probe_register(point->found, point->handler, NULL) :
				-ENOENT;
			point->followed = !failed;
			if (failed)
				pr_warn("saker: cannot follow %s: %d\n", point->name, failed);
		} else if (!want && point->followed) {
			tracepoint_probe_unregister(point->found, point->handler, NULL);
			point->followed = false;
			left = true;
		}
		if (want && failed)
			missing |= 1u << i;
	}
	if (left)
		tracepoint_synchronize_unregister();
	return missing;
}

u32 saker_followed(void)
{
	u32 followed = 0;
	int i;

	for (i = 0; i < SAKER_POINTS; i++)
		if (points[i].followed)
			followed |= 1u << i;
	return followed;
}
