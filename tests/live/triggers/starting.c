// Processes that begin, open a file, become another program, open another file and end, one after
// the other, until standard input ends. In: a directory, a marker, the other program. Child number
// N opens DIRECTORY/pre-N, executes the other program, which opens DIRECTORY/post-N and lives on
// for a while. Out: how many there were.
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LIVING_MAX = 60, LIVES_MS = 150, PAUSE_MS = 4 };

static void opens(const char *directory, const char *kind, const char *number) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s-%s", directory, kind, number);
  close(open(path, O_CREAT | O_WRONLY, 0600));
}

int main(int argc, char **argv) {
  if (argc < 4) return 64;
  if (strcmp(argv[3], "last") == 0) {
    opens(argv[1], "post", argv[4]);
    usleep(LIVES_MS * 1000);
    return 0;
  }
  struct pollfd input = {0, POLLIN, 0};
  int number = 0, living = 0;
  while (poll(&input, 1, PAUSE_MS) == 0) {
    char text[16];
    snprintf(text, sizeof text, "%d", ++number);
    if (fork() == 0) {
      opens(argv[1], "pre", text);
      execl(argv[3], argv[3], argv[1], argv[2], "last", text, NULL);
      _exit(66);
    }
    living++;
    while (living > 0 && waitpid(-1, NULL, living >= LIVING_MAX ? 0 : WNOHANG) > 0) living--;
  }
  while (wait(NULL) > 0) {
  }
  printf("%d\n", number);
  return 0;
}
