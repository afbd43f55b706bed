// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * /dev/saker: opened, mapped, waited for, closed. In and out: what probe-rs/src/device.rs says.
 */
#include <linux/capability.h>
#include <linux/cpumask.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/version.h>
#include <linux/vmalloc.h>

#include "saker.h"

/* Where a ring is mapped from: device::ring_at. */
#define RING_SHIFT 31

static void wake_up_reader(struct irq_work *work)
{
	struct saker_reader *reader = container_of(work, struct saker_reader, wake);

	atomic64_inc(&reader->wakes);
	wake_up_all(&reader->wait);
}

/*
 * For the core, in any context: a switch of threads holds locks that a wake-up takes, so it is an
 * interrupt's work.
 */
void saker_wake(const void *core)
{
	int i;

	for (i = 0; i < SAKER_READERS_MAX; i++) {
		struct saker_reader *reader = READ_ONCE(saker_readers[i]);

		if (reader && reader->core == core)
			irq_work_queue(&reader->wake);
	}
}

static void free_reader(struct saker_reader *reader)
{
	int cpu;

	saker_free_rings(reader);
	if (reader->cpus)
		for (cpu = 0; cpu < nr_cpu_ids; cpu++)
			vfree(reader->cpus[cpu]);
	kfree(reader->cpus);
	if (reader->core)
		vfree(saker_core_sieve(reader->core, NULL));
	vfree(reader->core);
	kfree(reader);
}

static struct saker_reader *make_reader(void)
{
	struct saker_reader *reader = kzalloc(sizeof(*reader), GFP_KERNEL);
	int cpu;

	if (!reader)
		return NULL;
	mutex_init(&reader->lock);
	init_waitqueue_head(&reader->wait);
	init_irq_work(&reader->wake, wake_up_reader);
	reader->core = vzalloc(saker_core_reader_bytes());
	reader->cpus = kcalloc(nr_cpu_ids, sizeof(*reader->cpus), GFP_KERNEL);
	if (!reader->core || !reader->cpus)
		goto failed;
	for_each_possible_cpu(cpu) {
		reader->cpus[cpu] = vzalloc(saker_core_cpu_bytes());
		if (!reader->cpus[cpu])
			goto failed;
	}
	return reader;
failed:
	free_reader(reader);
	return NULL;
}

/* Whoever reads this reads all that the probe would show: the same capabilities as for that. */
static bool may_read(void)
{
	return capable(CAP_SYS_ADMIN) || (capable(CAP_BPF) && capable(CAP_PERFMON));
}

static int saker_open(struct inode *inode, struct file *file)
{
	struct saker_reader *reader;
	int failed;

	if (!may_read())
		return -EPERM;
	failed = saker_enter(NULL);
	if (failed)
		return failed;
	reader = make_reader();
	if (!reader) {
		saker_leave(NULL);
		return -ENOMEM;
	}
	file->private_data = reader;
	if (saker_verbose)
		pr_info("saker: process %d reads\n", task_tgid_nr(current));
	return nonseekable_open(inode, file);
}

static int saker_release(struct inode *inode, struct file *file)
{
	struct saker_reader *reader = file->private_data;

	saker_leave(reader);
	irq_work_sync(&reader->wake);
	free_reader(reader);
	if (saker_verbose)
		pr_info("saker: a reader is gone\n");
	return 0;
}

/* Pages of a ring, one after the other, behind what is mapped already. */
static int map_pages(struct vm_area_struct *vma, unsigned long *at, void *from, unsigned long bytes)
{
	unsigned long done;

	for (done = 0; done < bytes; done += PAGE_SIZE, *at += PAGE_SIZE) {
		int failed = vm_insert_page(vma, *at, vmalloc_to_page(from + done));

		if (failed)
			return failed;
	}
	return 0;
}

static void forbid(struct vm_area_struct *vma, unsigned long flags)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	vm_flags_clear(vma, flags);
#else
	vma->vm_flags &= ~flags;
#endif
}

static int map_ring(struct saker_reader *reader, struct vm_area_struct *vma)
{
	unsigned long bytes = vma->vm_end - vma->vm_start, at = vma->vm_start;
	u64 offset = (u64)vma->vm_pgoff << PAGE_SHIFT;
	u64 index = offset >> RING_SHIFT, from = offset & ((1ul << RING_SHIFT) - 1);
	struct saker_ring *ring;
	int failed;

	if (!reader->rings || index >= (u64)nr_cpu_ids * SAKER_LANES)
		return -EINVAL;
	ring = &reader->rings[index];
	if (!ring->memory || !(vma->vm_flags & VM_SHARED) || (vma->vm_flags & VM_EXEC))
		return -EINVAL;
	forbid(vma, VM_MAYEXEC);
	if (from == 0 && bytes == PAGE_SIZE)
		return map_pages(vma, &at, ring->memory, PAGE_SIZE);
	if (from != PAGE_SIZE || bytes != PAGE_SIZE + 2 * ring->bytes)
		return -EINVAL;
	if (vma->vm_flags & VM_WRITE)
		return -EPERM;
	forbid(vma, VM_MAYWRITE);
	failed = map_pages(vma, &at, ring->memory + PAGE_SIZE, PAGE_SIZE + ring->bytes);
	/* Once more, so that no record is cut. */
	return failed ? failed : map_pages(vma, &at, ring->memory + 2 * PAGE_SIZE, ring->bytes);
}

/*
 * Without the reader's lock, which commands hold while they copy from the memory that this may be
 * called about: rings are made once, and are there as long as the file.
 */
static int saker_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct saker_reader *reader = file->private_data;

	if (!smp_load_acquire(&reader->rings))
		return -EINVAL;
	return map_ring(reader, vma);
}

static bool has_something(struct saker_reader *reader)
{
	struct saker_ring *rings = smp_load_acquire(&reader->rings);
	unsigned int i;

	if (!rings)
		return false;
	for (i = 0; i < nr_cpu_ids * SAKER_LANES; i++) {
		const u64 *read = rings[i].memory, *written = rings[i].memory + PAGE_SIZE;

		if (rings[i].memory && READ_ONCE(*read) != READ_ONCE(*written))
			return true;
	}
	return false;
}

static __poll_t saker_poll(struct file *file, struct poll_table_struct *table)
{
	struct saker_reader *reader = file->private_data;

	poll_wait(file, &reader->wait, table);
	return has_something(reader) ? EPOLLIN | EPOLLRDNORM : 0;
}

static long saker_ioctl(struct file *file, unsigned int command, unsigned long argument)
{
	struct saker_reader *reader = file->private_data;
	long result;

	mutex_lock(&reader->lock);
	result = saker_command(reader, command, argument);
	mutex_unlock(&reader->lock);
	return result;
}

const struct file_operations saker_operations = {
	.owner = THIS_MODULE,
	.open = saker_open,
	.release = saker_release,
	.mmap = saker_mmap,
	.poll = saker_poll,
	.unlocked_ioctl = saker_ioctl,
};
