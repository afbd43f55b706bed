// Makes each call that rules ask parameters of, in the directory argv[1]; the marker is argv[2].
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 4096, FIRST = 50, SECOND, DIRECTORY, READ_END, WRITE_END, BAD = 900 };

static void put(int fd, int number) {
    dup2(fd, number);
    close(fd);
}

static void data(void) {
    char back[16] = {0};
    struct iovec parts[] = {{"vec", 3}, {"", 0}, {"tor", 3}};
    struct iovec into = {back, 6};
    write(FIRST, "hello", 5);
    pwrite(FIRST, "jelly", 5, 0);
    writev(FIRST, parts, 3);
    pwritev(FIRST, parts, 3, 20);
    lseek(FIRST, 2, SEEK_SET);
    read(FIRST, back, 3);
    pread(FIRST, back, 4, 1);
    lseek(FIRST, 5, SEEK_SET);
    readv(FIRST, &into, 1);
    preadv(FIRST, &into, 1, 20);
    write(BAD, "nobody", 6);
    off_t from = 0;
    loff_t in = 0, out = 10;
    sendfile(SECOND, FIRST, &from, 4);
    syscall(SYS_copy_file_range, FIRST, &in, SECOND, &out, 4, 0);
    in = 0;
    splice(FIRST, &in, WRITE_END, NULL, 4, SPLICE_F_MOVE);
}

static void memory(void) {
    char *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE, FIRST, 0);
    mlock(page, PAGE);
    munlock(page, PAGE);
    pid_t other = fork();
    if (other == 0) {
        pause();
        _exit(0);
    }
    char text[] = "abc";
    struct iovec mine = {text, 3}, its = {page, 3};
    process_vm_writev(other, &mine, 1, &its, 1, 0);
    process_vm_readv(other, &mine, 1, &its, 1, 0);
    kill(other, SIGKILL);
    waitpid(other, NULL, 0);
    mprotect(page, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC);
    munmap(page, PAGE);
}

static void questions(const char *marker) {
    struct stat stat;
    char entries[512];
    syscall(SYS_fstat, FIRST, &stat);
    flock(FIRST, LOCK_EX | LOCK_NB);
    syscall(SYS_getdents64, DIRECTORY, entries, sizeof entries);
    int waiting;
    ioctl(READ_END, FIONREAD, &waiting);
    struct pollfd polled = {READ_END, POLLIN, 0};
    syscall(SYS_poll, &polled, 1, 7);
    struct timespec time = {0, 1000};
    syscall(SYS_nanosleep, &time, NULL);
    uint32_t word = 5;
    syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 3, NULL, NULL, 0);
    struct rlimit limit;
    syscall(SYS_getrlimit, RLIMIT_CORE, &limit);
    syscall(SYS_keyctl, 1, marker, 0, 0, 0);
    syscall(SYS_seccomp, 1, 77, NULL);
    int set = semget(IPC_PRIVATE, 3, IPC_CREAT | 0600);
    semctl(set, 0, IPC_RMID);
    syscall(SYS_quotactl, 0x80000700, marker, 1000, entries);
    syscall(SYS_io_uring_enter, BAD, 3, 2, 1, NULL, 0);
    syscall(SYS_fsconfig, BAD, 1, marker, "value", 0);
    syscall(SYS_getresuid, &word, &word, &word);
    syscall(SYS_getcwd, entries, sizeof entries);
}

int main(int argc, char **argv) {
    if (argc < 3 || chdir(argv[1]) != 0) return 1;
    put(open("first", O_RDWR | O_CREAT, 0700), FIRST);
    put(open("second", O_RDWR | O_CREAT, 0600), SECOND);
    put(open(".", O_RDONLY | O_DIRECTORY), DIRECTORY);
    int ends[2];
    if (pipe(ends) != 0) return 1;
    put(ends[0], READ_END);
    put(ends[1], WRITE_END);
    data();
    memory();
    questions(argv[2]);
    return 0;
}
