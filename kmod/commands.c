// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * The commands of readers (probe-rs/src/device.rs): what needs memory or the kernel is done here,
 * the rest by the core.
 */
#include <linux/cpumask.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "saker.h"
#include "version.h"

struct buffer {
	u64 at;
	u64 bytes;
};

struct about {
	u32 version, offsets, codes, cpus, readers, readers_max, ring_bytes_max, pad;
	char saker[32];
};

struct ring_bytes {
	u32 lanes[SAKER_LANES];
};

struct statistics {
	u64 busy, panics, refused, wakes;
	u32 points, followed;
};

/* The numbers of device.rs. */
enum {
	ABOUT = 1,
	OFFSETS_OF,
	SET_OFFSETS,
	SET_SETTINGS,
	MAKE_RINGS,
	SET_INTEREST,
	SET_SIEVE,
	SIFTED,
	LOST,
	COUNTERS,
	STATISTICS,
	TAKE_EXCESS,
	PUT_NAME,
	PUT_MOUNT,
	SET_HOST,
	LOOK,
	COMMANDS,
};

#define GOES_IN(number) (1u << (number))
static const u32 that_go_in = GOES_IN(SET_OFFSETS) | GOES_IN(SET_SETTINGS) | GOES_IN(MAKE_RINGS) |
	GOES_IN(SET_INTEREST) | GOES_IN(SET_SIEVE) | GOES_IN(PUT_NAME) | GOES_IN(PUT_MOUNT) |
	GOES_IN(SET_HOST) | GOES_IN(LOOK);

/* The sieve is the longest. */
#define BYTES_MAX (8ul << 20)
/* All rings of a reader together, as a part of the machine's memory. */
#define RINGS_SHARE 2

void saker_free_rings(struct saker_reader *reader)
{
	unsigned int i;

	if (reader->rings)
		for (i = 0; i < nr_cpu_ids * SAKER_LANES; i++)
			vfree(reader->rings[i].memory);
	kfree(reader->rings);
	reader->rings = NULL;
}

static bool can_be(u32 bytes)
{
	return is_power_of_2(bytes) && bytes >= PAGE_SIZE && bytes <= saker_max_ring_bytes &&
	       bytes <= 1u << 29;
}

static long make_rings(struct saker_reader *reader, const struct ring_bytes *asked)
{
	u64 pages = (u64)num_possible_cpus() * (asked->lanes[0] + (u64)asked->lanes[1]);
	struct saker_ring *rings;
	int cpu, lane;

	if (reader->rings)
		return -EEXIST;
	if (!can_be(asked->lanes[0]) || !can_be(asked->lanes[1]))
		return -EINVAL;
	if (pages >> PAGE_SHIFT > totalram_pages() / RINGS_SHARE)
		return -ENOMEM;
	rings = kcalloc(nr_cpu_ids * SAKER_LANES, sizeof(*rings), GFP_KERNEL);
	if (!rings)
		return -ENOMEM;
	for_each_possible_cpu(cpu) {
		for (lane = 0; lane < SAKER_LANES; lane++) {
			struct saker_ring *ring = &rings[cpu * SAKER_LANES + lane];

			ring->bytes = asked->lanes[lane];
			ring->memory = vmalloc_user(2 * PAGE_SIZE + ring->bytes);
			if (!ring->memory)
				goto failed;
			saker_core_ring(reader->cpus[cpu], cpu, lane, ring->memory, ring->bytes);
		}
	}
	smp_store_release(&reader->rings, rings);
	return 0;
failed:
	for (cpu = 0; cpu < nr_cpu_ids * SAKER_LANES; cpu++)
		vfree(rings[cpu].memory);
	kfree(rings);
	return -ENOMEM;
}

static long tell_about(void *data, size_t bytes)
{
	struct about about = {
		.version = saker_core_version(),
		.offsets = saker_core_offsets(),
		.codes = saker_core_codes(),
		.cpus = nr_cpu_ids,
		.readers = saker_count(),
		.readers_max = saker_max_readers,
		.ring_bytes_max = saker_max_ring_bytes,
	};

	if (bytes < sizeof(about))
		return -EINVAL;
	strscpy(about.saker, SAKER_VERSION, sizeof(about.saker));
	memcpy(data, &about, sizeof(about));
	return sizeof(about);
}

static long tell_offsets(u32 *data, size_t bytes)
{
	unsigned int i, count = saker_core_offsets();

	if (bytes < count * sizeof(u32))
		return -EINVAL;
	for (i = 0; i < count; i++)
		data[i] = saker_offset(i);
	return count * sizeof(u32);
}

/* Whether the reader's offsets are those that this was compiled with, as far as it knows them. */
static long check_offsets(const u32 *data, size_t bytes)
{
	unsigned int i, count = saker_core_offsets();

	if (bytes != count * sizeof(u32))
		return -EINVAL;
	for (i = 0; i < count; i++) {
		u32 ours = saker_offset(i);

		if (ours != SAKER_UNKNOWN && ours != data[i]) {
			pr_warn("saker: %s is %u here and %u for the reader: another kernel's module\n",
				saker_offset_name(i), ours, data[i]);
			return -EINVAL;
		}
	}
	return 0;
}

/* The buffer itself becomes the sieve. */
static void exchange_sieve(struct saker_reader *reader, void **data, size_t bytes)
{
	void *before = saker_core_sieve(reader->core, bytes ? *data : NULL);

	if (bytes)
		*data = NULL;
	if (before)
		synchronize_rcu();
	vfree(before);
}

static s64 by_core(struct saker_reader *reader, u32 number, void *data, size_t bytes)
{
	struct saker_moment moment = {
		.reader = reader->core,
		.task = (unsigned long)current,
		.id = (u64)current->tgid << 32 | (u32)current->pid,
	};

	return saker_core_control(&moment, number, data, bytes, reader->cpus, nr_cpu_ids);
}

static long set_interest(struct saker_reader *reader, void *data, size_t bytes)
{
	u32 missing, points;
	long failed;

	if (!reader->has_offsets || !reader->has_settings || !reader->rings)
		return -ENODATA;
	failed = by_core(reader, SET_INTEREST, data, bytes);
	if (failed)
		return failed;
	points = saker_core_points(reader->core);
	missing = saker_need(reader, points);
	/* Without calls there is nothing to tell; what else cannot be followed, the statistics say. */
	return missing & SAKER_CALLS ? -ENOENT : 0;
}

static long statistics(struct saker_reader *reader, void *data, size_t bytes)
{
	s64 told = by_core(reader, STATISTICS, data, bytes);
	struct statistics *statistics = data;

	if (told < 0)
		return told;
	statistics->refused = atomic64_read(&saker_refused);
	statistics->wakes = atomic64_read(&reader->wakes);
	statistics->followed = hweight32(reader->points & saker_followed());
	return told;
}

static long run(struct saker_reader *reader, u32 number, void **data, size_t bytes)
{
	long result;

	switch (number) {
	case ABOUT:
		return tell_about(*data, bytes);
	case OFFSETS_OF:
		return tell_offsets(*data, bytes);
	case MAKE_RINGS:
		return bytes == sizeof(struct ring_bytes) ? make_rings(reader, *data) : -EINVAL;
	case SET_INTEREST:
		return set_interest(reader, *data, bytes);
	case SET_SIEVE:
		if (bytes && bytes != saker_core_sieve_bytes())
			return -EINVAL;
		exchange_sieve(reader, data, bytes);
		return 0;
	case STATISTICS:
		return statistics(reader, *data, bytes);
	case SET_OFFSETS:
		result = check_offsets(*data, bytes);
		if (result)
			return result;
		result = by_core(reader, number, *data, bytes);
		reader->has_offsets |= !result;
		return result;
	case SET_SETTINGS:
		result = by_core(reader, number, *data, bytes);
		reader->has_settings |= !result;
		return result;
	default:
		return by_core(reader, number, *data, bytes);
	}
}

long saker_command(struct saker_reader *reader, unsigned int command, unsigned long argument)
{
	u32 number = _IOC_NR(command);
	struct buffer buffer;
	void __user *at;
	void *data;
	long result;

	if (command != _IOC(_IOC_READ | _IOC_WRITE, 0xb5, number, sizeof(buffer)) ||
	    number < ABOUT || number >= COMMANDS)
		return -ENOTTY;
	if (copy_from_user(&buffer, (void __user *)argument, sizeof(buffer)))
		return -EFAULT;
	at = (void __user *)(unsigned long)buffer.at;
	if (buffer.bytes > BYTES_MAX)
		return -EINVAL;
	/* Never of no bytes at all, and zeros where nothing comes in. */
	data = vzalloc(buffer.bytes + 8);
	if (!data)
		return -ENOMEM;
	if ((that_go_in & GOES_IN(number)) && copy_from_user(data, at, buffer.bytes)) {
		vfree(data);
		return -EFAULT;
	}
	result = run(reader, number, &data, buffer.bytes);
	if (result > 0 && copy_to_user(at, data, result))
		result = -EFAULT;
	vfree(data);
	return result;
}
