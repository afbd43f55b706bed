// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * Memory that may be missing, and time, for the core. All of it is called with page faults
 * disabled, in any context.
 */
#include <linux/hardirq.h>
#include <linux/irqflags.h>
#include <linux/string.h>
#include <linux/timekeeping.h>
#include <linux/uaccess.h>

#include "saker.h"

/* What could not be read is zeros, as with the probe. */
int saker_copy_kernel(void *to, unsigned long from, size_t bytes)
{
	int failed = copy_from_kernel_nofault(to, (const void *)from, bytes);

	if (failed)
		memset(to, 0, bytes);
	return failed;
}

int saker_copy_user(void *to, unsigned long from, size_t bytes)
{
	int failed = copy_from_user_nofault(to, (const void __user *)from, bytes);

	if (failed)
		memset(to, 0, bytes);
	return failed;
}

/* Bytes that are read at once: none of them crosses into a page that the string may not have. */
#define PIECE 64

s64 saker_string_kernel(u8 *to, unsigned long from, size_t most)
{
	size_t done = 0;

	while (done < most) {
		size_t piece = PIECE - ((from + done) & (PIECE - 1));
		u8 *end;

		if (piece > most - done)
			piece = most - done;
		if (copy_from_kernel_nofault(to + done, (const void *)(from + done), piece)) {
			memset(to, 0, most);
			return -EFAULT;
		}
		end = memchr(to + done, 0, piece);
		if (end)
			return end - to + 1;
		done += piece;
	}
	if (most)
		to[most - 1] = 0;
	return most;
}

s64 saker_string_user(u8 *to, unsigned long from, size_t most)
{
	/* With page faults disabled it fails rather than sleeps. */
	long bytes = strncpy_from_user(to, (const char __user *)from, most);

	if (bytes < 0) {
		memset(to, 0, most);
		return bytes;
	}
	if (bytes < most)
		return bytes + 1;
	if (most)
		to[most - 1] = 0;
	return most;
}

u64 saker_boot_ns(void)
{
	return ktime_get_boot_fast_ns();
}

unsigned long saker_interrupts_off(void)
{
	unsigned long before;

	local_irq_save(before);
	return before;
}

void saker_interrupts_back(unsigned long before)
{
	local_irq_restore(before);
}

bool saker_is_unmaskable(void)
{
	return in_nmi();
}
