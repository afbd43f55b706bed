// Load for scripts/bench live: one thing each, done often.
//
//   load open FILE N     opens and closes the file N times
//   load spawn N         starts /bin/true N times, one after the other
//   load rate N SECONDS  starts /bin/true N times a second
//   load visit FILE MARK opens and closes the file once; the mark is for its command line
//   load calls WHAT FILE N  does one thing of `calls` N times
//   load tick FILE MS    opens and closes the file every MS milliseconds until it is ended
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static int visit(const char *file) {
    int fd = open(file, O_RDONLY);
    if (fd < 0) return 1;
    close(fd);
    return 0;
}

static int start(void) {
    char *arguments[] = {"true", NULL}, *environment[] = {NULL};
    pid_t pid;
    int status;
    if (posix_spawn(&pid, "/bin/true", NULL, NULL, arguments, environment)) return 1;
    return waitpid(pid, &status, 0) != pid || status != 0;
}

// One thing, so often; what it needs is made before it begins.
static int calls(const char *what, const char *file, int left) {
    char folder[4096];
    int fd = open(file, O_RDWR), udp = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in nobody = {.sin_family = AF_INET, .sin_port = htons(9)};
    struct iovec parts[] = {{"ab", 2}, {"cd", 2}};
    nobody.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || udp < 0 || strlen(file) > 4000) return 1;
    strcat(strcpy(folder, file), ".d");
    for (; left > 0; left--) {
        if (strcmp(what, "getppid") == 0) syscall(SYS_getppid);
        else if (strcmp(what, "open") == 0) close(open(file, O_RDONLY));
        else if (strcmp(what, "open-write") == 0) close(open(file, O_WRONLY));
        else if (strcmp(what, "open-fails") == 0) open("/nothing/here", O_RDONLY);
        else if (strcmp(what, "write") == 0) pwrite(fd, "abcd", 4, 0);
        else if (strcmp(what, "writev") == 0) pwritev(fd, parts, 2, 0);
        else if (strcmp(what, "read") == 0) pread(fd, folder + 4090, 4, 0);
        else if (strcmp(what, "fcntl") == 0) fcntl(fd, F_GETFD);
        else if (strcmp(what, "dup") == 0) close(dup(fd));
        else if (strcmp(what, "chmod") == 0) chmod(file, 0600);
        else if (strcmp(what, "mkdir") == 0) mkdir(folder, 0700), rmdir(folder);
        else if (strcmp(what, "mmap") == 0)
            munmap(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0), 4096);
        else if (strcmp(what, "connect") == 0) connect(udp, (void *)&nobody, sizeof nobody);
        else if (strcmp(what, "sendto") == 0)
            sendto(udp, "abcd", 4, 0, (void *)&nobody, sizeof nobody);
        else if (strcmp(what, "fork") == 0) {
            pid_t pid = fork();
            if (pid == 0) _exit(0);
            waitpid(pid, NULL, 0);
        } else if (strcmp(what, "execve") == 0) start();
        else return 1;
    }
    return 0;
}

int main(int argc, char **argv) {
    if (argc == 5 && strcmp(argv[1], "calls") == 0) return calls(argv[2], argv[3], atoi(argv[4]));
    if (argc == 4 && strcmp(argv[1], "open") == 0) {
        for (int left = atoi(argv[3]); left > 0; left--)
            if (visit(argv[2])) return 1;
        return 0;
    }
    if (argc == 3 && strcmp(argv[1], "spawn") == 0) {
        for (int left = atoi(argv[2]); left > 0; left--)
            if (start()) return 1;
        return 0;
    }
    if (argc == 4 && strcmp(argv[1], "rate") == 0) {
        long rate = atol(argv[2]), starts = rate * atol(argv[3]);
        struct timespec due;
        clock_gettime(CLOCK_MONOTONIC, &due);
        for (; starts > 0; starts--) {
            if (start()) return 1;
            due.tv_nsec += 1000000000 / rate;
            if (due.tv_nsec >= 1000000000) due.tv_nsec -= 1000000000, due.tv_sec++;
            clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
        }
        return 0;
    }
    if (argc == 4 && strcmp(argv[1], "visit") == 0) return visit(argv[2]);
    if (argc == 4 && strcmp(argv[1], "tick") == 0) {
        for (;;) {
            visit(argv[2]);
            usleep(atoi(argv[3]) * 1000);
        }
    }
    return 1;
}
