// A number that led to one thing is used again by something that no open makes. In: the way, a
// file of the test's own, a marker (unused: it stands in the command line). Does one call on the
// number, so that an event tells of it. Ends with 77 where this kernel or sandbox has no such way.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { UNSUPPORTED = 77 };

static void check(int result, const char *what) {
  if (result < 0) err(1, "%s", what);
}

static void send_fd(int by, int fd) {
  char room[CMSG_SPACE(sizeof fd)] = {0}, byte = 'x';
  struct iovec data = {&byte, 1};
  struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = room,
                           .msg_controllen = sizeof room};
  struct cmsghdr *head = CMSG_FIRSTHDR(&message);
  head->cmsg_level = SOL_SOCKET;
  head->cmsg_type = SCM_RIGHTS;
  head->cmsg_len = CMSG_LEN(sizeof fd);
  memcpy(CMSG_DATA(head), &fd, sizeof fd);
  check(sendmsg(by, &message, 0), "sendmsg");
}

static int receive_fd(int by) {
  char room[CMSG_SPACE(sizeof(int))], byte;
  struct iovec data = {&byte, 1};
  struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = room,
                           .msg_controllen = sizeof room};
  check(recvmsg(by, &message, 0), "recvmsg");
  int fd;
  memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
  return fd;
}

// One end of a TCP connection of the loopback to ourselves.
static int connected(void) {
  int waits = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in at = {.sin_family = AF_INET};
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof at;
  check(bind(waits, (void *)&at, sizeof at), "bind");
  check(listen(waits, 1), "listen");
  check(getsockname(waits, (void *)&at, &length), "getsockname");
  int socket_fd = socket(AF_INET, SOCK_STREAM, 0);
  check(connect(socket_fd, (void *)&at, sizeof at), "connect");
  return socket_fd;
}

// Gives a number, closed, that led to the file.
static int was_file(const char *path) {
  int fd = open(path, O_RDONLY);
  check(fd, "open");
  close(fd);
  return fd;
}

static int was_socket(void) {
  int fd = connected();
  close(fd);
  return fd;
}

static void expect(int got, int wanted) {
  if (got < 0) {
    perror("not here");
    exit(UNSUPPORTED);
  }
  if (got != wanted) errx(1, "got %d instead of %d", got, wanted);
}

int main(int count, char **arguments) {
  if (count < 4) return 2;
  const char *way = arguments[1], *path = arguments[2];
  int pair[2];
  check(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), "socketpair");
  if (strcmp(way, "socket") == 0) {
    send_fd(pair[0], connected());
    int fd = was_file(path);
    expect(receive_fd(pair[1]), fd);
    check(dup2(fd, 0), "dup2");
    check(dup2(fd, 1), "dup2");
  } else if (strcmp(way, "file") == 0) {
    int source = open(path, O_RDWR);
    check(source, "open");
    send_fd(pair[0], source);
    int fd = was_socket();
    expect(receive_fd(pair[1]), fd);
    check(dup2(fd, 0), "dup2");
    check(fchmod(fd, 0644), "fchmod");
  } else if (strcmp(way, "directory") == 0) {
    int source = open("/usr/bin", O_PATH | O_DIRECTORY);
    check(source, "open");
    send_fd(pair[0], source);
    int fd = was_file("/usr");
    expect(receive_fd(pair[1]), fd);
    check(fchdir(fd), "fchdir");
    check(mkdirat(fd, path, 0700), "mkdirat");
    check(chdir("."), "chdir");
  } else if (strcmp(way, "nothing") == 0) {
    int fd = was_file(path);
    if (fchmod(fd, 0644) == 0) errx(1, "the number leads somewhere");
  } else {
    int fd = was_file(path), made = -1;
    if (strcmp(way, "fsopen") == 0) made = syscall(SYS_fsopen, "tmpfs", 0);
    if (strcmp(way, "open_tree") == 0) made = syscall(SYS_open_tree, AT_FDCWD, "/usr", 0);
    if (strcmp(way, "fanotify_init") == 0) made = syscall(SYS_fanotify_init, 0, O_RDONLY);
    if (strcmp(way, "memfd_secret") == 0) made = syscall(SYS_memfd_secret, 0);
    if (strcmp(way, "landlock") == 0) {
      unsigned long rights = 1;
      made = syscall(SYS_landlock_create_ruleset, &rights, sizeof rights, 0);
    }
    if (strcmp(way, "bpf") == 0) {
      unsigned map[8] = {2, 4, 4, 1};
      made = syscall(SYS_bpf, 0, map, sizeof map);
    }
    if (strcmp(way, "perf_event_open") == 0) {
      struct perf_event_attr about = {.type = PERF_TYPE_SOFTWARE, .size = sizeof about};
      about.exclude_kernel = 1;
      made = syscall(SYS_perf_event_open, &about, 0, -1, -1, 0);
    }
    expect(made, fd);
    check(dup2(fd, 90), "dup2");
  }
  return 0;
}
