// Opens the file argv[1] through io_uring: no open system call is made. With an argument behind the
// marker argv[2], a thread of the ring takes the request up. Exit code 2: no io_uring.
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/io_uring.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv) {
    struct io_uring_params params;
    if (argc < 2) return 1;
    memset(&params, 0, sizeof params);
    if (argc > 3) {
        params.flags = IORING_SETUP_SQPOLL;
        params.sq_thread_idle = 100;
    }
    int ring = syscall(SYS_io_uring_setup, 4, &params);
    if (ring < 0) return 2;
    size_t queue_bytes = params.sq_off.array + params.sq_entries * sizeof(uint32_t);
    size_t answer_bytes = params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe);
    int both = PROT_READ | PROT_WRITE;
    char *queue = mmap(NULL, queue_bytes, both, MAP_SHARED, ring, IORING_OFF_SQ_RING);
    char *answers = mmap(NULL, answer_bytes, both, MAP_SHARED, ring, IORING_OFF_CQ_RING);
    struct io_uring_sqe *entries = mmap(NULL, params.sq_entries * sizeof *entries, both,
                                        MAP_SHARED, ring, IORING_OFF_SQES);
    if (queue == MAP_FAILED || answers == MAP_FAILED || entries == MAP_FAILED) return 1;
    memset(entries, 0, sizeof *entries);
    entries->opcode = IORING_OP_OPENAT;
    entries->fd = AT_FDCWD;
    entries->addr = (uint64_t)(uintptr_t)argv[1];
    entries->open_flags = O_RDONLY;
    *(uint32_t *)(queue + params.sq_off.array) = 0;
    __atomic_store_n((uint32_t *)(queue + params.sq_off.tail), 1, __ATOMIC_RELEASE);
    unsigned how = IORING_ENTER_GETEVENTS | IORING_ENTER_SQ_WAKEUP;
    if (syscall(SYS_io_uring_enter, ring, 1, 1, how, NULL, 0) < 0) return 1;
    struct io_uring_cqe *answer = (struct io_uring_cqe *)(answers + params.cq_off.cqes);
    if (answer->res < 0) {
        fprintf(stderr, "openat: %d\n", answer->res);
        return 1;
    }
    return 0;
}
