// Takes the probe away from the process argv[1], from outside: first as the kernel offers it
// (BPF_LINK_DETACH on each of its links), then, where no link can be detached so, by making the
// process close its links and perf events itself (ptrace). Prints how, and how many.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <linux/bpf.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define LINKS_MAX 4096

static int numbers[LINKS_MAX];
static int count;

static int is_attachment(const char *target) {
    return strstr(target, "bpf-link") || strstr(target, "bpf_link") || strstr(target, "perf_event");
}

static void find(int pid) {
    char path[64], name[96], target[256];
    snprintf(path, sizeof path, "/proc/%d/fd", pid);
    DIR *directory = opendir(path);
    if (!directory) return;
    for (struct dirent *entry; (entry = readdir(directory)) && count < LINKS_MAX;) {
        int number = atoi(entry->d_name);
        snprintf(name, sizeof name, "%s/%d", path, number);
        ssize_t length = readlink(name, target, sizeof target - 1);
        if (entry->d_name[0] == '.' || length <= 0) continue;
        target[length] = 0;
        if (is_attachment(target)) numbers[count++] = number;
    }
    closedir(directory);
}

static int detach_links(int pid) {
    int process = syscall(SYS_pidfd_open, pid, 0);
    int detached = 0;
    for (int at = 0; at < count; at++) {
        int fd = syscall(SYS_pidfd_getfd, process, numbers[at], 0);
        union bpf_attr attributes;
        memset(&attributes, 0, sizeof attributes);
        attributes.link_detach.link_fd = fd;
        if (syscall(SYS_bpf, BPF_LINK_DETACH, &attributes, sizeof attributes) == 0) detached++;
        close(fd);
    }
    return detached;
}

#ifdef __x86_64__
#define ATTEMPTS 1000

// Stops the process where it waits in a system call: there the instruction is the one that we
// need. Returns 0 once it is stopped so.
static int stop_in_call(int pid, struct user_regs_struct *regs) {
    int status;
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        if (ptrace(PTRACE_INTERRUPT, pid, 0, 0) || waitpid(pid, &status, 0) != pid) return -1;
        if (!WIFSTOPPED(status)) return -1;
        ptrace(PTRACE_GETREGS, pid, 0, regs);
        errno = 0;
        long word = ptrace(PTRACE_PEEKTEXT, pid, regs->rip - 2, 0);
        int interrupted = status >> 16 == PTRACE_EVENT_STOP;
        if (interrupted && errno == 0 && (word & 0xffff) == 0x050f) return 0;
        ptrace(PTRACE_CONT, pid, 0, interrupted ? 0 : WSTOPSIG(status));
        usleep(1000);
    }
    return -1;
}

static int close_all(int pid) {
    struct user_regs_struct saved, regs;
    int status, closed = 0;
    if (ptrace(PTRACE_SEIZE, pid, 0, 0)) return -1;
    if (stop_in_call(pid, &saved) == 0) {
        for (int at = 0; at < count; at++) {
            regs = saved;
            regs.rip -= 2;
            regs.rax = SYS_close;
            regs.orig_rax = -1;
            regs.rdi = numbers[at];
            ptrace(PTRACE_SETREGS, pid, 0, &regs);
            ptrace(PTRACE_SINGLESTEP, pid, 0, 0);
            waitpid(pid, &status, 0);
            ptrace(PTRACE_GETREGS, pid, 0, &regs);
            if (regs.rax == 0) closed++;
        }
        ptrace(PTRACE_SETREGS, pid, 0, &saved);
    }
    ptrace(PTRACE_DETACH, pid, 0, 0);
    return closed;
}
#else
static int close_all(int pid) {
    (void)pid;
    return 0;
}
#endif

int main(int argc, char **argv) {
    if (argc < 2) return 1;
    int pid = atoi(argv[1]);
    find(pid);
    if (count == 0) {
        fprintf(stderr, "the process holds no link\n");
        return 1;
    }
    int detached = detach_links(pid);
    if (detached > 0) {
        printf("BPF_LINK_DETACH: %d of %d\n", detached, count);
        return 0;
    }
    detached = close_all(pid);
    printf("closed: %d of %d\n", detached, count);
    return detached > 0 ? 0 : 1;
}
