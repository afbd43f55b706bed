/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/*
 * What the parts of the glue, and the core (src/), have in common. The core is Rust and the same
 * for every kernel; all that a kernel's version changes is in these files.
 */
#ifndef SAKER_H
#define SAKER_H

#include <linux/atomic.h>
#include <linux/irq_work.h>
#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/wait.h>

struct pt_regs;
struct file_operations;

/* Tracepoints, as a reader needs them: bits. src/entries.rs has the same. */
#define SAKER_CALLS 1
#define SAKER_STARTS 2
#define SAKER_ENDS 4
#define SAKER_FORKS 8
#define SAKER_SIGNALS 16
#define SAKER_USER_FAULTS 32
#define SAKER_KERNEL_FAULTS 64
#define SAKER_SWITCHES 128
#define SAKER_POINTS 8

/* The parameter max_readers may say up to here. */
#define SAKER_READERS_MAX 16
#define SAKER_LANES 2

/* An offset that is private to the kernel: device::UNKNOWN. */
#define SAKER_UNKNOWN 0xfffffffeu

/* For whom, where and in whose time something happens. src/entries.rs has the same. */
struct saker_moment {
	void *reader;
	void *cpu;
	unsigned long task;
	u64 id;
};

struct saker_ring {
	/* A page with the reader's position, one with ours, the data. */
	void *memory;
	unsigned long bytes;
};

/* One open file. */
struct saker_reader {
	/* The core's part, and its part on each CPU that there may be. */
	void *core;
	void **cpus;
	/* Two for each CPU, once they are made. */
	struct saker_ring *rings;
	/* One command at a time. */
	struct mutex lock;
	/* Tracepoints that it needs now; what the handlers look at. */
	u32 points;
	/* What has been set so far. */
	bool has_offsets;
	bool has_settings;
	wait_queue_head_t wait;
	struct irq_work wake;
	atomic64_t wakes;
};

/* glue.c */
extern struct saker_reader *saker_readers[SAKER_READERS_MAX];
extern unsigned int saker_max_readers;
extern unsigned int saker_max_ring_bytes;
extern atomic64_t saker_refused;
extern bool saker_verbose;
int saker_enter(struct saker_reader *reader);
u32 saker_need(struct saker_reader *reader, u32 points);
void saker_leave(struct saker_reader *reader);
unsigned int saker_count(void);

/* device.c */
extern const struct file_operations saker_operations;

/* commands.c */
long saker_command(struct saker_reader *reader, unsigned int command, unsigned long argument);
void saker_free_rings(struct saker_reader *reader);

/* points.c: follow the tracepoints of these bits, and no others; which could not be had. */
int saker_find_points(void);
u32 saker_follow(u32 points);
u32 saker_followed(void);

/* offsets.c */
u32 saker_offset(unsigned int which);
const char *saker_offset_name(unsigned int which);

/* The core, src/entries.rs and src/control.rs. */
size_t saker_core_reader_bytes(void);
size_t saker_core_cpu_bytes(void);
size_t saker_core_sieve_bytes(void);
u32 saker_core_version(void);
u32 saker_core_codes(void);
u32 saker_core_offsets(void);
void saker_core_ring(void *cpu, u32 number, u32 lane, void *memory, u64 bytes);
void *saker_core_sieve(void *reader, void *sieve);
u32 saker_core_points(void *reader);
s64 saker_core_control(const struct saker_moment *moment, u32 number, void *data, size_t bytes,
		       void **cpus, size_t count);
void saker_core_returned(const struct saker_moment *moment, const struct pt_regs *regs, s64 ret);
void saker_core_started(const struct saker_moment *moment, unsigned long bprm);
void saker_core_ended(const struct saker_moment *moment);
void saker_core_forked(const struct saker_moment *moment, u32 maker, u32 made, u64 boot_ns);
void saker_core_signalled(const struct saker_moment *moment, u32 signal, unsigned long info);
void saker_core_faulted(const struct saker_moment *moment, u64 at, u64 instruction, u64 error);
void saker_core_switched(const struct saker_moment *moment, u32 next);

/* What the core calls: memory.c, and points.c for the last. src/glue.rs has the same. */
int saker_copy_kernel(void *to, unsigned long from, size_t bytes);
int saker_copy_user(void *to, unsigned long from, size_t bytes);
s64 saker_string_kernel(u8 *to, unsigned long from, size_t most);
s64 saker_string_user(u8 *to, unsigned long from, size_t most);
u64 saker_boot_ns(void);
unsigned long saker_interrupts_off(void);
void saker_interrupts_back(unsigned long before);
bool saker_is_unmaskable(void);
void saker_wake(const void *core);

#endif
