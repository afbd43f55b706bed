// Load for scripts/bench live: one thing each, done often.
//
//   load open FILE N     opens and closes the file N times
//   load spawn N         starts /bin/true N times, one after the other
//   load rate N SECONDS  starts /bin/true N times a second
//   load visit FILE MARK opens and closes the file once; the mark is for its command line
//   load tick FILE MS    opens and closes the file every MS milliseconds until it is ended
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
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

int main(int argc, char **argv) {
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
