// Changes files below "protected/" by names that do not say so: links, /proc/self/root and cwd, a
// descriptor, a renamed directory, a root of its own. In: a directory of its own, a marker that is
// only shown. Each change succeeds; the number of changes is printed.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int changes;

static void changed(int result) {
  changes++;
  if (result == 0) return;
  fprintf(stderr, "change %d failed: %m\n", changes);
  exit(1);
}

static void must(int result) {
  if (result >= 0) return;
  perror("names");
  exit(1);
}

static char text[2][4096];

static const char *below(int which, const char *before, const char *home, const char *name) {
  snprintf(text[which], sizeof text[which], "%s%s/%s", before, home, name);
  return text[which];
}

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  const char *home = argv[1];
  must(chdir(home));
  must(mkdir("protected", 0755));
  must(symlink("protected", "d"));
  must(close(open("protected/file", O_CREAT | O_WRONLY, 0644)));
  must(close(open("new", O_CREAT | O_WRONLY, 0644)));
  must(symlink("d/file", "link"));

  changed(chmod("d/file", 0640));
  changed(chmod("link", 0600));
  changed(chmod(below(0, "/proc/self/root", home, "d/file"), 0640));
  changed(chmod("/proc/self/cwd/protected/../d/file", 0600));
  changed(chown("link", 0, 0));
  changed(lchown("d/file", 0, 0));
  changed(truncate("link", 1));
  changed(utimensat(AT_FDCWD, "link", NULL, 0));
  changed(rename("new", "d/moved"));
  changed(rename("d/moved", below(0, "/proc/self/root", home, "protected/again")));
  changed(link("d/file", "d/hard"));
  changed(symlink("nowhere", "d/sym"));
  changed(mkdir("d/dir", 0700));
  changed(rmdir("/proc/thread-self/cwd/d/dir"));
  must(mknod("d/pipe", S_IFIFO | 0600, 0));

  int fd = open("d", O_RDONLY | O_DIRECTORY);
  must(fd);
  changed(fchmodat(fd, "../link", 0640, 0));
  changed(unlinkat(fd, "pipe", 0));
  changed(unlinkat(fd, "../d/sym", 0));
  changed(unlink("d/hard"));

  // The directory gets its name only after the process went there.
  must(rename("protected", "elsewhere"));
  must(chdir("elsewhere"));
  must(rename("../elsewhere", "../protected"));
  changed(chmod("again", 0600));
  changed(unlink("again"));

  must(chroot(".."));
  changed(chmod("/d/file", 0600));
  printf("%d\n", changes);
  return 0;
}
