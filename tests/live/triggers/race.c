// Opens a path that another thread keeps changing between argv[1] and argv[2] (of one length),
// argv[3] times. Prints how often what was opened is the file argv[1]: what the kernel used, not
// what lay in the buffer before or after the call.
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char path[4096];
static const char *paths[2];
static atomic_int done;

// The two paths differ in whole strings; byte by byte is enough to race.
static void *change(void *unused) {
    (void)unused;
    size_t length = strlen(paths[0]);
    for (unsigned turn = 0; !atomic_load(&done); turn++)
        for (size_t at = 0; at < length; at++)
            *(volatile char *)&path[at] = paths[turn & 1][at];
    return NULL;
}

int main(int argc, char **argv) {
    struct stat wanted, opened;
    if (argc < 4 || strlen(argv[1]) != strlen(argv[2]) || strlen(argv[1]) >= sizeof path) return 1;
    if (stat(argv[1], &wanted) != 0) return 1;
    paths[0] = argv[1];
    paths[1] = argv[2];
    strcpy(path, argv[2]);
    pthread_t thread;
    if (pthread_create(&thread, NULL, change, NULL) != 0) return 1;
    int hits = 0;
    for (int turn = atoi(argv[3]); turn > 0; turn--) {
        int fd = open(path, O_RDONLY);
        if (fd < 0) continue;
        if (fstat(fd, &opened) == 0 && opened.st_ino == wanted.st_ino &&
            opened.st_dev == wanted.st_dev)
            hits++;
        close(fd);
    }
    atomic_store(&done, 1);
    pthread_join(thread, NULL);
    printf("%d\n", hits);
    return 0;
}
