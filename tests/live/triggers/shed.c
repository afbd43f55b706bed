// Ways to get rid of one's parent. In: the way, a program and its arguments. The program is
// executed at the end of it, and waited for. Out: 0, or 77 where this kernel has no such way.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// What is held open tells who is still there.
static int held[2];

static void run(char **argv) {
  execv(argv[0], argv);
  _exit(66);
}

// Waits until everybody who holds the pipe's other end has gone.
static void until_all_ended(void) {
  char byte;
  close(held[1]);
  while (read(held[0], &byte, 1) > 0 || errno == EINTR) errno = 0;
  while (wait(NULL) > 0) {
  }
}

static void until_adopted(pid_t maker) {
  while (getppid() == maker) usleep(1000);
}

static void double_fork(char **argv, int session) {
  pid_t middle = fork();
  if (middle == 0) {
    if (session) setsid();
    pid_t self = getpid();
    if (fork() == 0) {
      until_adopted(self);
      run(argv);
    }
    _exit(0);
  }
  waitpid(middle, NULL, 0);
}

static void many_forks(char **argv, int left) {
  pid_t child = fork();
  if (child != 0) {
    if (left < 100) _exit(0);
    waitpid(child, NULL, 0);
    return;
  }
  if (left > 1) many_forks(argv, left - 1);
  run(argv);
}

static void clone_parent(char **argv) {
  // The caller of a CLONE_PARENT must not be the first of its namespace.
  pid_t middle = fork();
  if (middle == 0) {
    long child = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
    if (child == 0) run(argv);
    _exit(child < 0 ? 77 : 0);
  }
  int status;
  waitpid(middle, &status, 0);
  if (WEXITSTATUS(status) != 0) exit(WEXITSTATUS(status));
}

int main(int argc, char **argv) {
  if (argc < 3 || pipe(held) != 0) return 64;
  char **program = argv + 2;
  const char *way = argv[1];
  if (strcmp(way, "subreaper") == 0) {
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    double_fork(program, 0);
  } else if (strcmp(way, "double-fork") == 0) {
    double_fork(program, 0);
  } else if (strcmp(way, "setsid") == 0) {
    double_fork(program, 1);
  } else if (strcmp(way, "clone-parent") == 0) {
    clone_parent(program);
  } else if (strcmp(way, "many-forks") == 0) {
    many_forks(program, 100);
  } else if (strcmp(way, "vfork") == 0) {
    if (fork() == 0) {
      pid_t child = vfork();
      if (child == 0) run(program);
      _exit(0);
    }
  } else if (strcmp(way, "another-program") == 0) {
    // The maker runs another program by the time that its child does something.
    pid_t child = fork();
    if (child == 0) {
      usleep(200000);
      run(program);
    }
    close(held[0]);
    char *other[] = {"/bin/sleep", "0.5", NULL};
    run(other);
  } else {
    return 64;
  }
  until_all_ended();
  return 0;
}
