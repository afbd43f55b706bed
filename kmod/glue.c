// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * The module: its parameters, its device, and who has it open. See docs/drivers.md.
 */
#include <linux/init.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/tracepoint.h>

#include "saker.h"
#include "version.h"

unsigned int saker_max_readers = 4;
module_param_named(max_readers, saker_max_readers, uint, 0444);
MODULE_PARM_DESC(max_readers, "How many may have /dev/saker open at once, 1 to 16 (4)");

unsigned int saker_max_ring_bytes = 64 << 20;
module_param_named(max_ring_bytes, saker_max_ring_bytes, uint, 0444);
MODULE_PARM_DESC(max_ring_bytes, "Largest ring, of which a reader has two for each CPU (64 MiB)");

bool saker_verbose;
module_param_named(verbose, saker_verbose, bool, 0644);
MODULE_PARM_DESC(verbose, "Tell the kernel's log of each reader that comes and goes (no)");

struct saker_reader *saker_readers[SAKER_READERS_MAX];
atomic64_t saker_refused;
/* Guards the list, and which tracepoints are followed. */
static DEFINE_MUTEX(readers_lock);
/* Opens that are under way count too. */
static unsigned int opened;

unsigned int saker_count(void)
{
	return READ_ONCE(opened);
}

/* The tracepoints that all readers together need. */
static u32 needed(void)
{
	u32 points = 0;
	int i;

	for (i = 0; i < SAKER_READERS_MAX; i++)
		if (saker_readers[i])
			points |= saker_readers[i]->points;
	return points;
}

/* A reader's place in the list, or NULL. */
static struct saker_reader **place_of(struct saker_reader *reader)
{
	int i;

	for (i = 0; i < SAKER_READERS_MAX; i++)
		if (saker_readers[i] == reader)
			return &saker_readers[i];
	return NULL;
}

/*
 * A reader begins, or needs other tracepoints than before; those that it needs and that cannot be
 * had.
 */
u32 saker_need(struct saker_reader *reader, u32 points)
{
	u32 missing;

	mutex_lock(&readers_lock);
	WRITE_ONCE(reader->points, points);
	if (!place_of(reader)) {
		struct saker_reader **free = place_of(NULL);

		/* There is one: max_readers is not more than there are places. */
		if (free)
			smp_store_release(free, reader);
	}
	missing = saker_follow(needed());
	mutex_unlock(&readers_lock);
	return missing & points;
}

int saker_enter(struct saker_reader *reader)
{
	int failed = 0;

	mutex_lock(&readers_lock);
	if (opened >= saker_max_readers) {
		atomic64_inc(&saker_refused);
		failed = -EBUSY;
	} else {
		WRITE_ONCE(opened, opened + 1);
	}
	mutex_unlock(&readers_lock);
	return failed;
}

/* When this returns, no handler looks at the reader any more. */
void saker_leave(struct saker_reader *reader)
{
	struct saker_reader **place;

	mutex_lock(&readers_lock);
	place = place_of(reader);
	if (place) {
		WRITE_ONCE(*place, NULL);
		saker_follow(needed());
		/* Handlers run with preemption disabled. */
		synchronize_rcu();
	}
	WRITE_ONCE(opened, opened - 1);
	mutex_unlock(&readers_lock);
}

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "saker",
	.fops = &saker_operations,
	.mode = 0600,
};

static int __init saker_begin(void)
{
	int failed;

	if (saker_max_readers < 1 || saker_max_readers > SAKER_READERS_MAX) {
		pr_err("saker: max_readers=%u: 1 to %d can be\n", saker_max_readers,
		       SAKER_READERS_MAX);
		return -EINVAL;
	}
	failed = saker_find_points();
	if (!failed)
		failed = misc_register(&device);
	if (failed)
		return failed;
	pr_info("saker: %s, interface %u\n", SAKER_VERSION, saker_core_version());
	return 0;
}

/* Nobody has it open: an open file holds the module. */
static void __exit saker_end(void)
{
	misc_deregister(&device);
	saker_follow(0);
	tracepoint_synchronize_unregister();
}

module_init(saker_begin);
module_exit(saker_end);
MODULE_DESCRIPTION("saker's events of system calls and processes");
MODULE_AUTHOR("The saker authors");
MODULE_VERSION(SAKER_VERSION);
/* The kernel hands tracepoints to GPL modules alone; the rest of saker is Apache-2.0. */
MODULE_LICENSE("Dual MIT/GPL");
