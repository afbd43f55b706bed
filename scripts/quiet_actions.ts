// Ordinary actions of a Debian host, each a shell script that runs as root in an empty directory
// of its own below /tmp. Those that change the host are in quiet_host_actions.ts.

export interface Action {
  readonly name: string;
  readonly script: string;
  /** Programs without which it cannot be tried. */
  readonly needs?: readonly string[];
  /** Seconds after which it is ended; 30. */
  readonly seconds?: number;
}

/** Lays an empty directory over one of the host's, which only the action sees. */
function over(directory: string): string {
  return `mount -t tmpfs -o mode=755 none ${directory}`;
}

/** An /etc that only the action sees. */
const OWN_ETC = over("/etc") +
  "; mkdir -p /etc/cron.d /etc/profile.d /etc/ssh /etc/systemd/system/multi-user.target.wants";

const FAKE_KEY = `mkdir -p home/.ssh && echo key > home/.ssh/id_ed25519`;

const READING: readonly Action[] = [
  { name: "tar of /etc", script: "tar cf etc.tar /etc" },
  { name: "cp -a of /etc", script: "cp -a /etc copy" },
  { name: "grep -r over /etc", script: "grep -r quiet-nothing /etc || true" },
  {
    name: "grep -rl over /etc by xargs",
    script: "find /etc -type f | xargs grep -l quiet-no || :",
  },
  { name: "md5sum over /etc by find", script: "find /etc -type f -exec md5sum {} + > sums" },
  { name: "sha256sum /etc/*", script: "sha256sum /etc/* > sums 2>&1 || true" },
  { name: "diff -r of /etc and a copy", script: "cp -a /etc copy; diff -r /etc copy || true" },
  { name: "cpio of /etc", needs: ["/usr/bin/cpio"], script: "find /etc | cpio -o > etc.cpio" },
  { name: "tar of a home with keys", script: `${FAKE_KEY}; tar cf home.tar home` },
  { name: "cp -a of a home with keys", script: `${FAKE_KEY}; cp -a home copy` },
  { name: "grep -r over a home with keys", script: `${FAKE_KEY}; grep -r quiet-no home || true` },
  {
    name: "ls, du, stat, find over /etc and /root",
    script: "ls -lR /etc /root; du -s /etc /root; find /etc -type f -exec stat {} + > /dev/null",
  },
  { name: "find / -perm", script: "find /usr /etc -xdev -perm -4000 -type f" },
  {
    name: "a monitoring agent's look at /proc and /etc",
    script: "cat /proc/[0-9]*/stat /proc/[0-9]*/status /proc/meminfo /proc/net/dev 2>&1 | wc -l;" +
      "cat /etc/passwd /etc/group /etc/hosts /etc/fstab; who; last -n1; df; ps aux; ss -tan",
  },
];

const USERS: readonly Action[] = [
  { name: "getent shadow", script: "getent shadow root" },
  { name: "getent passwd and group", script: "getent passwd root; getent group root" },
  { name: "perl asks for a user", script: `perl -e 'print((getpwnam("root"))[7])'` },
  { name: "perl script asks for its user", script: "echo 'print getpwuid($<);' > a.pl; perl a.pl" },
  { name: "python asks for a user", script: `python3 -c 'import pwd; pwd.getpwnam("root")'` },
  {
    name: "debconf-show",
    needs: ["/usr/bin/debconf-show"],
    script: "debconf-show debconf",
  },
  { name: "passwd -S, chage -l, id", script: "passwd -S root; chage -l root; id root" },
  { name: "su to an account", script: `su -s /bin/sh -c 'id; true' daemon` },
  { name: "sudo to an account", needs: ["/usr/bin/sudo"], script: "sudo -u daemon id; sudo -n id" },
];

const BUILDING: readonly Action[] = [
  { name: "gcc and make", script: `echo 'int main(){return 0;}' > a.c; make a; ./a` },
  {
    name: "a configure script's test programs",
    script: `cat > configure <<'END'
#!/bin/sh
for i in 1 2 3; do
  echo 'int main(void){return 0;}' > conftest.c
  cc -o conftest conftest.c && ./conftest && rm -f conftest conftest.c
done
END
chmod +x configure; ./configure`,
  },
  {
    name: "make runs what it built",
    script: `printf 'all: t\\n\\t./t\\n\\t$(CURDIR)/t\\n' > Makefile
echo 'int main(){return 0;}' > t.c; make`,
  },
  {
    name: "make install into /usr/local",
    script: `${over("/usr/local/bin")}
printf 'install:\\n\\tinstall -m 755 tool /usr/local/bin/tool\\n' > Makefile
echo x > tool; make install; make install`,
  },
  {
    name: "cp, chmod and mv into /usr/local/bin",
    script: `${over("/usr/local/bin")}
echo x > tool; cp tool /usr/local/bin/.tool.new; chmod 755 /usr/local/bin/.tool.new
mv /usr/local/bin/.tool.new /usr/local/bin/tool`,
  },
  {
    name: "ln -sf in /usr/local/bin",
    script: `${over("/usr/local/bin")}; ln -s a /usr/local/bin/l; ln -sf b /usr/local/bin/l`,
  },
  {
    name: "sed -i on a script in /usr/local/bin",
    script: `${over("/usr/local/bin")}; echo x > /usr/local/bin/s; sed -i s/x/y/ /usr/local/bin/s`,
  },
  {
    name: "go run and go test",
    needs: ["/usr/bin/go"],
    seconds: 200,
    script: `export HOME=$PWD GOFLAGS=-mod=mod GO111MODULE=on GOTOOLCHAIN=local
echo 'module quiet' > go.mod
echo 'package main
func main() {}' > main.go
echo 'package main
import "testing"
func TestMain1(t *testing.T) {}' > main_test.go
go run . && go test .`,
  },
  {
    name: "cmake's test programs",
    needs: ["/usr/bin/cmake"],
    script: `printf 'project(q C)\\nadd_executable(q q.c)\\n' > CMakeLists.txt
echo 'int main(){return 0;}' > q.c; cmake -B build . && make -C build && build/q`,
  },
  {
    name: "a Python environment",
    script: 'python3 -m venv --without-pip v && v/bin/python -c 1 && "$PWD/v/bin/python3" -c 1',
  },
  {
    name: "git: init, commit, clone, gc, shared repository",
    script: `export HOME=$PWD; git config --global user.email a@b; git config --global user.name a
git init -q a; cd a; echo x > x; git add x; git commit -qm x; cd ..; git clone -q a b
git -C b gc -q; git init -q --bare --shared c; git -C b push -q ../c HEAD; git -C b status`,
  },
];

const EDITING: readonly Action[] = [
  {
    name: "vim on a file of /etc/profile.d",
    needs: ["/usr/bin/vim.basic"],
    script: `${OWN_ETC}; echo x > /etc/profile.d/q.sh
vim.basic -es '+s/x/y/' '+wq' /etc/profile.d/q.sh`,
  },
  {
    name: "vim on sshd_config",
    needs: ["/usr/bin/vim.basic"],
    script: `${OWN_ETC}; echo > /etc/ssh/sshd_config
vim.basic -es '+normal Ox' '+wq' /etc/ssh/sshd_config`,
  },
  {
    name: "sed -i on a job in /etc/cron.d",
    script: `${OWN_ETC}; echo x > /etc/cron.d/q; sed -i s/x/y/ /etc/cron.d/q`,
  },
  {
    name: "a service is written and enabled by a link",
    script: `${OWN_ETC}
cp /dev/null /etc/systemd/system/q.service
ln -s /etc/systemd/system/q.service /etc/systemd/system/multi-user.target.wants/q.service`,
  },
  {
    name: "configuration management: Python writes beside and renames",
    script: `${OWN_ETC}; cat > m.py <<'END'
import os, tempfile
fd, path = tempfile.mkstemp(prefix=".ansible_tmp", dir="/etc/cron.d")
os.write(fd, b"x")
os.chmod(path, 0o644)
os.rename(path, "/etc/cron.d/q")
END
python3 m.py`,
  },
];

const RUNNING: readonly Action[] = [
  {
    name: "a hidden program in one's own directory",
    script: `mkdir -p /root/.quiet; cd /root/.quiet; cp /bin/true .hid; ./.hid; cd; rm -r .quiet`,
  },
  { name: "run-parts of scripts", script: "mkdir d; cp /bin/true d/a; run-parts d" },
  {
    name: "rm -r of a home with a shell's history",
    script: "mkdir -p home; touch home/.bash_history; rm -rf home",
  },
  {
    name: "a home is copied twice over another",
    script: "mkdir -p home; touch home/.bash_history; cp -a home/. copy; cp -a home/. copy",
  },
  {
    name: "a directory with the setgid bit",
    script: "mkdir d; chmod 2775 d; install -d -m 2750 e",
  },
  {
    name: "logrotate on files of one's own",
    needs: ["/usr/sbin/logrotate"],
    script: `echo x > a.log; echo "$PWD/a.log { rotate 1
copytruncate }" > c; chmod 644 c; logrotate -f -s "$PWD/state" "$PWD/c"`,
  },
  { name: "screen and tmux", needs: ["/usr/bin/tmux"], script: "tmux -L q new -d true; sleep 1" },
  { name: "rsync of /etc", needs: ["/usr/bin/rsync"], script: "rsync -a /etc/ copy/" },
  {
    name: "borg of /etc",
    needs: ["/usr/bin/borg"],
    script: `export BORG_BASE_DIR=$PWD; borg init -e none r && borg create r::a /etc`,
  },
  {
    name: "restic of /etc",
    needs: ["/usr/bin/restic"],
    script: `export RESTIC_PASSWORD=x RESTIC_CACHE_DIR=$PWD/c; restic -q -r r init &&
restic -q -r r backup /etc`,
  },
];

export const ACTIONS: readonly Action[] = [
  ...READING,
  ...USERS,
  ...BUILDING,
  ...EDITING,
  ...RUNNING,
];
