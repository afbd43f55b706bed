// Load for scripts/bench live: one thing each, done often.
//
//   load open FILE N     opens and closes the file N times
//   load spawn N         starts /bin/true N times, one after the other
//   load tick FILE MS    opens and closes the file every MS milliseconds until it is ended
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int visit(const char *file) {
    int fd = open(file, O_RDONLY);
    if (fd < 0) return 1;
    close(fd);
    return 0;
}

int main(int argc, char **argv) {
    if (argc == 4 && strcmp(argv[1], "open") == 0) {
        for (int left = atoi(argv[3]); left > 0; left--)
            if (visit(argv[2])) return 1;
        return 0;
    }
    if (argc == 3 && strcmp(argv[1], "spawn") == 0) {
        char *arguments[] = {"true", NULL}, *environment[] = {NULL};
        for (int left = atoi(argv[2]); left > 0; left--) {
            pid_t pid;
            int status;
            if (posix_spawn(&pid, "/bin/true", NULL, NULL, arguments, environment)) return 1;
            if (waitpid(pid, &status, 0) != pid || status != 0) return 1;
        }
        return 0;
    }
    if (argc == 4 && strcmp(argv[1], "tick") == 0) {
        for (;;) {
            visit(argv[2]);
            usleep(atoi(argv[3]) * 1000);
        }
    }
    return 1;
}
