// What kind of program a path names, by its base name. A program that does what its caller says is
// no reason to excuse anything: who started it is. The tables err on the side of telling more.

export type ProgramKind =
  /** Does what its arguments or its input say: shells, interpreters, cp, tar, curl … */
  | "general"
  /** A person's session begins here. */
  | "session"
  /** Listens to others: what it starts, an intruder may have it start. */
  | "server"
  /** Starts whatever it was told to: cron, systemd, container runtimes. */
  | "launcher"
  /** Has one purpose, as far as the name says. */
  | "own";

const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));

const GENERAL = words(`
  sh ash bash csh dash fish ksh ksh93 mksh rbash tcsh yash zsh busybox toybox awk gawk mawk nawk
  bun deno expect gdb irb java jjs julia jrunscript lua luajit node nodejs npm npx perl php pypy
  pypy3 python python2 python3 R Rscript ruby scala swift tclsh wish guile octave ar base32
  base64 basenc bzip2 cat chattr chgrp chmod chown cmp column comm cp cpio csplit cut dd diff ed
  egrep emacs ex expand fgrep file find fmt fold grep gunzip gzip head hexdump install iconv
  join jq less link ln look lz4 md5sum mc mkdir mkfifo mknod mktemp more mv nano nl od openssl
  paste patch pax pico pr ptx rename rev rg rm rmdir rsync scp sed sftp shred shuf sort split
  strings sha1sum sha224sum sha256sum sha384sum sha512sum sum sync tac tail tar tee touch tr
  truncate uniq unlink unxz unzip uudecode uuencode vi view vim vimdiff vim.basic vim.tiny wc
  xargs xxd xz yq zcat zip zstd 7z 7za aria2c axel curl ftp ftpget httpie lftp nc ncat netcat
  nc.openbsd nc.traditional openbsd-nc socat ssh telnet tftp wget wget2 lwp-download rclone
  s3cmd aws gsutil az chroot chrt cpulimit doas env flock ionice ltrace nice nohup nsenter
  parallel pkexec runuser script setarch setpriv setsid stdbuf strace su-exec gosu sudo su
  sudoedit taskset time timeout tini unshare watch systemd-run start-stop-daemon run-parts bwrap
  firejail fakeroot faketime dumb-init catatonit at batch crontab make gmake cmake ninja ansible
  ansible-playbook chef-client puppet salt-call git hg svn pip pip3 gem cargo go rustc gcc g++
  cc c++ clang ld as tcc composer mvn gradle ant bundle rake apt apt-get aptitude dnf dpkg
  dpkg-deb rpm yum apk pacman zypper snap flatpak docker podman nerdctl ctr crictl kubectl helm
  runc crun buildah skopeo lxc-attach machinectl mount umount losetup fusermount debugfs mysql
  psql sqlite3 redis-cli mongosh ldapsearch smbclient tcpdump tshark nmap setcap getcap capsh
  insmod modprobe kmod ip iptables nft bpftool perf bpftrace useradd usermod userdel groupadd
  groupmod groupdel gpasswd passwd chpasswd chage chsh chfn newusers adduser deluser addgroup
  delgroup vipw vigr visudo systemctl service update-rc.d loginctl busctl dbus-send hostnamectl
  setfacl chcon restorecon semanage ssh-keygen ssh-copy-id ssh-add gpg getent ld.bfd ld.gold
  ld.lld lld mold collect2 cc1 cc1plus lto1 lto-wrapper rust-lld readelf objdump nm objcopy size
  cksum b2sum diffstat ld.so ld-linux-x86-64.so.2 ld-linux.so.2 ld-musl-x86_64.so.1
`);
const SESSION = words(`
  sshd sshd-session sshd-auth dropbear login agetty getty mingetty telnetd in.telnetd rlogind su
  sudo doas pkexec tmux screen byobu mosh-server gnome-terminal gnome-terminal-server konsole
  xterm urxvt kitty alacritty foot terminator tilix lightdm gdm gdm3 sddm xrdp xrdp-sesman code
  code-server gnome-shell plasmashell machinectl ttyd wetty sftp-server amazon-ssm-agent
  ssm-agent-worker ssm-session-worker ssm-document-worker teleport tailscaled qemu-ga vmtoolsd
  x11vnc Xvnc vncserver gvfsd nautilus thunar dolphin
`);
const SERVER = words(`
  apache apache2 httpd nginx lighttpd caddy traefik haproxy envoy varnishd squid tomcat jetty
  catalina php-fpm php-cgi gunicorn uwsgi puma unicorn passenger thin mysqld mariadbd postgres
  postmaster mongod mongos redis-server valkey-server memcached cassandra elasticsearch
  opensearch influxd clickhouse rabbitmq-server beam.smp erl kafka zookeeper etcd vault consul
  exim exim4 master sendmail dovecot cyrus-master named unbound dnsmasq smbd nmbd vsftpd proftpd
  pure-ftpd rsyncd slapd cupsd snmpd ntpd chronyd oracle sqlservr db2sysc asterisk jenkins
  gitlab-workhorse gitea minio prometheus grafana grafana-server node java dotnet w3wp openvpn
  zabbix_agentd zabbix_agent2 nrpe salt-minion webhook telegraf collectd fluentd logstash
  filebeat nats-server mosquitto ollama jupyter rsyslogd syslog-ng auditd dbus-daemon
  dbus-broker polkitd NetworkManager udisksd accounts-daemon avahi-daemon wpa_supplicant
`);
const LAUNCHER = words(`
  cron crond anacron atd fcron systemd init initd openrc openrc-init runit runsvdir runsv
  s6-svscan s6-supervise supervisord supervise launchd upstart upstartd monit inetd xinetd
  busybox-init containerd containerd-shim containerd-shim-runc-v2 dockerd docker-init conmon
  crio crun runc podman buildkitd kubelet docker-containerd-shim tini dumb-init catatonit
  systemd-executor incrond udevd systemd-udevd
`);

/** Whatever the table lacks: such words say that it starts what it was told to. */
const LAUNCHES = /cron|sched|runner|launch|supervis|watchdog/;

export function kindOf(path: string): ProgramKind {
  const names = namesOf(path);
  const isIn = (set: ReadonlySet<string>) => names.some((name) => set.has(name));
  if (isIn(SESSION)) return "session";
  if (isIn(LAUNCHER)) return "launcher";
  if (isIn(SERVER)) return "server";
  if (isIn(GENERAL)) return "general";
  return LAUNCHES.test(names[0]!) ? "launcher" : "own";
}

/** Whether it does what its caller says, whatever else it is. */
export function isGeneral(path: string): boolean {
  return namesOf(path).some((name) => GENERAL.has(name));
}

/** python3.11, php-fpm8.2, x86_64-linux-gnu-gcc-12: version and target say nothing of what a
 * program does. */
function namesOf(path: string): string[] {
  const base = path.slice(path.lastIndexOf("/") + 1);
  const plain = base.replace(/^\w+-linux-(gnu|musl)\w*-/, "");
  return [base, plain, plain.replace(/[-_]?\d+(\.\d+)*$/, "")];
}

/** Whether the tables have it: a name that a program of somebody else's is not likely to have. */
export function isKnown(path: string): boolean {
  const sets = [GENERAL, SESSION, SERVER, LAUNCHER];
  return namesOf(path).some((name) => sets.some((set) => set.has(name)));
}
