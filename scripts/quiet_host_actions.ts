// Ordinary actions that change the host: packages, accounts, servers. For a Debian host that is
// thrown away afterwards. Servers listen on 127.0.0.1 only.
import type { Action } from "./quiet_actions.ts";

const PACKAGES = "openssh-server cron anacron at logrotate rsync sudo nginx-light php-fpm " +
  "postgresql borgbackup restic runc golang-go buildah crun man-db plocate needrestart " +
  "unattended-upgrades tmux screen prometheus-node-exporter adduser rsyslog etckeeper ruby " +
  "puppet apt-utils msmtp-mta cpio zip vim python3-venv mariadb-server " +
  "apache2-bin debsums ansible-core debootstrap chkrootkit podman strace gdb systemd";

const INSTALL = "apt-get install -y -q --no-install-recommends";

/** A query of a page by PHP itself. */
const FETCH = (url: string) =>
  `python3 -c 'import urllib.request; print(urllib.request.urlopen("${url}").read())'`;

export const HOST_ACTIONS: readonly Action[] = [
  { name: "apt-get update", seconds: 120, script: "apt-get update -q" },
  { name: "apt-get install of fifty packages", seconds: 590, script: `${INSTALL} ${PACKAGES}` },
  {
    name: "apt-get install, reinstall, remove, purge of one",
    seconds: 120,
    script: `${INSTALL} hello && ${INSTALL} --reinstall hello && apt-get remove -y hello &&
${INSTALL} hello && apt-get purge -y hello && apt-get autoremove -y -s`,
  },
  {
    name: "apt-get install of what asks questions",
    seconds: 120,
    script: `${INSTALL} --reinstall man-db tzdata openssh-server`,
  },
  { name: "apt-get upgrade -s and apt list", script: "apt-get upgrade -s; apt list --installed" },
  { name: "dpkg-reconfigure tzdata", script: "dpkg-reconfigure -f noninteractive tzdata" },
  {
    name: "dpkg --verify and debsums",
    seconds: 120,
    script: "dpkg --verify adduser; debsums cron",
  },
  {
    name: "adduser, passwd, chage, usermod, groups, deluser",
    script: `adduser --disabled-password --gecos q quietone && echo quietone:x | chpasswd &&
chage -M 90 quietone && chage -l quietone && addgroup quietgroup &&
adduser quietone quietgroup && usermod -s /bin/sh quietone && passwd -l quietone &&
gpasswd -d quietone quietgroup && su - quietone -c 'id; touch .bash_history' &&
deluser --remove-home quietone && delgroup quietgroup`,
  },
  {
    name: "useradd, chsh, userdel -r",
    script: `useradd -m quiettwo && chsh -s /bin/sh quiettwo && touch ~quiettwo/.bash_history &&
userdel -r quiettwo`,
  },
  {
    name: "crontab -l, -e, - and -r",
    script: `crontab -l; echo '#' | crontab - && EDITOR=true crontab -e && crontab -l;
printf '#!/bin/sh\\necho "# q" >> $1\\n' > /root/e; chmod +x /root/e; EDITOR=/root/e crontab -e
crontab -r; rm /root/e`,
  },
  { name: "at and atrm", script: "echo true | at now + 1 hour; atq; atrm $(atq | cut -f1)" },
  {
    name: "cron's jobs by hand",
    seconds: 300,
    // apt's own waits for up to half an hour first.
    script: `chmod -x /etc/cron.daily/apt-compat
run-parts /etc/cron.hourly; run-parts /etc/cron.daily; run-parts /etc/cron.weekly
chmod +x /etc/cron.daily/apt-compat`,
  },
  {
    name: "cron with a backup of /etc",
    seconds: 90,
    script: `cat > /etc/cron.d/quiet <<'END'
* * * * * root tar cf /root/quiet.tar /etc /root 2>/dev/null
END
cron -f & sleep 62; kill $!; rm /etc/cron.d/quiet /root/quiet.tar`,
  },
  { name: "logrotate -f of the whole host", script: "logrotate -f /etc/logrotate.conf" },
  {
    name: "sshd, ssh, scp and sftp on 127.0.0.1",
    seconds: 60,
    script: `mkdir -p /run/sshd /root/.ssh k; ssh-keygen -q -t ed25519 -N '' -f k/key
cp k/key.pub k/keys; chmod 755 .
A="-o ListenAddress=127.0.0.1 -o UsePAM=yes -o StrictModes=no -o AuthorizedKeysFile=$PWD/k/keys"
/usr/sbin/sshd -f /dev/null -D -p 20022 $A -h /etc/ssh/ssh_host_ed25519_key &
sleep 1; O="-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -i k/key"
ssh $O -p 20022 root@127.0.0.1 'id; tty; uptime' && ssh $O -tt -p 20022 root@127.0.0.1 'bash -lc id'
scp $O -P 20022 /etc/hostname root@127.0.0.1:/root/quiet-h && rm /root/quiet-h
echo 'get /etc/hostname h' | sftp $O -P 20022 root@127.0.0.1
rsync -e "ssh $O -p 20022" -a root@127.0.0.1:/etc/default/ d/; kill $!`,
  },
  {
    name: "nginx with php-fpm, and a page that sends mail",
    script: `V=$(ls /usr/sbin | grep -m1 ^php-fpm | tr -dc 0-9.)
cat > n.conf <<END
pid $PWD/n.pid; error_log $PWD/n.err; events {}
http { access_log off; server { listen 127.0.0.1:20080; root /var/www/html;
location ~ [.]php { include /etc/nginx/fastcgi_params; fastcgi_pass 127.0.0.1:20090;
fastcgi_param SCRIPT_FILENAME /var/www/html/q.php; } } }
END
cat > f.conf <<END
[global]
pid = $PWD/f.pid
error_log = $PWD/f.err
[www]
user = www-data
group = www-data
listen = 127.0.0.1:20090
pm = dynamic
pm.max_children = 4
pm.start_servers = 2
pm.min_spare_servers = 1
pm.max_spare_servers = 3
END
echo '<?php var_dump(mail("root", "s", "t"));' > /var/www/html/q.php
php-fpm$V -y $PWD/f.conf; nginx -c $PWD/n.conf; sleep 1
${FETCH("http://127.0.0.1:20080/q.php")}; nginx -c $PWD/n.conf -s stop; kill $(cat f.pid)
rm /var/www/html/q.php`,
  },
  {
    name: "postgresql: a cluster is made, started, asked, dumped, dropped",
    seconds: 90,
    script: `pg_createcluster 15 quiet -p 25432 && pg_ctlcluster 15 quiet start &&
su postgres -c 'psql -p 25432 -c "create table t(); select 1"; pg_dumpall -p 25432' > /dev/null
pg_ctlcluster 15 quiet stop; pg_dropcluster 15 quiet`,
  },
  {
    name: "mariadb: made, started, asked, stopped",
    seconds: 90,
    script: `mkdir m; chown mysql m; chmod 755 .
mariadb-install-db --user=mysql --datadir=$PWD/m > /dev/null
mariadbd-safe --no-defaults --user=mysql --datadir=$PWD/m --socket=$PWD/m/s --skip-networking &
sleep 8; mariadb -S $PWD/m/s -e 'select 1'; mariadb-dump -S $PWD/m/s mysql > d.sql
mariadb-admin -S $PWD/m/s shutdown; wait`,
  },
  { name: "mandb and updatedb", seconds: 120, script: "mandb -q; updatedb" },
  { name: "needrestart", seconds: 60, script: "needrestart -b -r l" },
  {
    name: "unattended-upgrade --dry-run",
    seconds: 180,
    script: "timeout 90 unattended-upgrade --dry-run; :",
  },
  {
    name: "etckeeper init and commit",
    script: "etckeeper init -q; etckeeper commit -q x || true; rm -rf /etc/.git",
  },
  {
    name: "rsyslogd, logger, node exporter",
    script: `rsyslogd -n -i $PWD/p & R=$!; sleep 1; logger quiet
prometheus-node-exporter --web.listen-address=127.0.0.1:29100 & N=$!; sleep 2
${FETCH("http://127.0.0.1:29100/metrics")} | wc -c; kill $R $N`,
  },
  {
    name: "puppet apply: a file, a job, a user",
    seconds: 90,
    script: `puppet apply -e 'file{"/etc/cron.d/quiet": content => "#\\n"}
user{"quietp": ensure => present} file{"/usr/local/bin/quiet": content => "x", mode => "0755"}'
puppet apply -e 'file{["/etc/cron.d/quiet","/usr/local/bin/quiet"]: ensure => absent}
user{"quietp": ensure => absent}'`,
  },
  {
    name: "ansible on localhost: a file, a job, a user",
    seconds: 120,
    script: `cd /root; P=ansible_python_interpreter=/usr/bin/python3
A="ansible -c local -i localhost, localhost -e $P"
echo x > /root/q; $A -m copy -a 'src=/root/q dest=/etc/cron.d/quiet'; $A -m user -a name=quieta
$A -m copy -a 'src=/root/q dest=/usr/local/bin/quiet mode=755'
$A -m lineinfile -a 'path=/etc/ssh/sshd_config line=#quiet'
$A -m user -a 'name=quieta state=absent'; rm /etc/cron.d/quiet /usr/local/bin/quiet /root/q`,
  },
  {
    name: "a source package: configure, make, make check, make install",
    seconds: 300,
    script: `cd /root; python3 - <<'END'
import urllib.request
u = "http://deb.debian.org/debian/pool/main/h/hello/hello_2.10.orig.tar.gz"
open("/root/hello.tgz", "wb").write(urllib.request.urlopen(u).read())
END
mkdir /tmp/hello; cd /tmp/hello; tar xzf /root/hello.tgz --strip-components=1
./configure > log 2>&1 && make >> log 2>&1 && make check >> log 2>&1; make install >> log 2>&1
make uninstall >> log 2>&1; rm -rf /tmp/hello /root/hello.tgz`,
  },
  {
    name: "npm, cargo and pip builds",
    seconds: 200,
    script:
      `mkdir -p n c && cd n && printf '{"name":"q","version":"1.0.0","bin":"b.js",' > package.json
printf '"scripts":{"test":"node -e 1","postinstall":"node -e 1"}}' >> package.json
printf '#!/usr/bin/env node\\n' > b.js; npm install; npm test; npm pack; cd ..
cd c && cargo init --name q . && printf 'fn main(){}' > build.rs && cargo run && cargo test; cd ..
python3 -m venv v && mkdir -p p/q && touch p/q/__init__.py &&
printf 'from setuptools import setup\\nsetup(name="q",packages=["q"])' > p/setup.py &&
v/bin/pip install --no-build-isolation ./p; true`,
  },
  {
    name: "a container is built and run",
    seconds: 120,
    script: `mkdir r; for f in /bin/sh /bin/true /usr/bin/id; do cp --parents $f r;
for l in $(ldd $f | grep -o '/[^ ]*'); do cp --parents -L $l r; done; done
mkdir -p r/etc r/proc r/dev r/sys r/tmp r/usr/local/bin; echo root:x:0:0::/:/bin/sh > r/etc/passwd
tar -C r -cf r.tar .; printf 'FROM scratch\\nADD r.tar /\\nRUN id\\n' > Containerfile
buildah --root $PWD/s --runroot $PWD/rr --storage-driver vfs bud --isolation chroot -t q . ; true
runc spec -b . && sed -i 's/"terminal": true/"terminal": false/; s/"rootfs"/"r"/' config.json &&
sed -i '0,/"sh"/s//"id"/' config.json && mv r rootfs
sed -i 's/"path": "r"/"path": "rootfs"/' config.json
runc run quietc; true`,
  },
  {
    name: "podman builds and runs",
    seconds: 90,
    script:
      `mkdir -p r/usr/bin r/etc r/proc r/sys r/dev r/tmp; echo root:x:0:0::/:/bin/sh > r/etc/passwd
for f in /bin/sh /bin/true; do cp --parents $f r
for l in $(ldd $f | grep -o '/[^ ]*'); do cp --parents -L $l r; done; done; tar -C r -cf r.tar .
printf 'FROM scratch\\nADD r.tar /\\nRUN echo x > /usr/bin/own\\n' > Containerfile
P="podman --root $PWD/s --runroot $PWD/rr --storage-driver vfs --cgroup-manager cgroupfs"
$P build --network none -q -t q .; $P run --rm --network none --cgroups disabled q /bin/true; :`,
  },
  {
    name: "docker's daemon starts, builds an image and runs containers",
    needs: ["/usr/sbin/dockerd"],
    seconds: 150,
    script: `mount -t tmpfs none /var/lib; mount -t tmpfs none /run; mount -t tmpfs none /root
dockerd --storage-driver vfs --iptables=false --ip6tables=false --bridge=none > log 2>&1 &
for n in $(seq 100); do [ -S /run/docker.sock ] && break; sleep 0.3; done
mkdir -p c r/etc r/tmp; for f in /bin/sh /bin/true /bin/chmod /bin/sleep /usr/bin/id; do
cp --parents $f r; for l in $(ldd $f | grep -o '/[^ ]*'); do cp --parents -L $l r; done; done
echo root:x:0:0::/:/bin/sh > r/etc/passwd; echo root:*:1:: > r/etc/shadow; tar -C r -cf c/r.tar .
printf 'FROM scratch\nADD r.tar /\nRUN id\nRUN echo x > /usr/bin/own; chmod 755 /usr/bin/own\n' \
> c/Dockerfile; export DOCKER_BUILDKIT=0; docker build -q --network none -t q c
docker run --rm --network none q /bin/true && docker run -d --name d --network none q /bin/sleep 60
docker exec d /usr/bin/id && docker logs d && docker cp d:/etc/passwd . && docker rm -f d
docker save q > q.tar && docker rmi -f q && docker load < q.tar && docker ps -a`,
  },
  {
    name: "systemd begins in a container of its own: units, timers, systemctl, systemd-run",
    needs: ["/lib/systemd/systemd", "/usr/bin/nsenter"],
    seconds: 120,
    script: `mount -t tmpfs -o size=600m none $PWD; mkdir up wk m
mount -t overlay -o lowerdir=/,upperdir=up,workdir=wk none m
mount -t tmpfs none m/run; mount -t tmpfs none m/tmp; mount -t sysfs -o ro none m/sys
mount -t tmpfs none m/dev; for n in null zero random urandom tty full; do touch m/dev/$n
mount --bind /dev/$n m/dev/$n; done
mount -t tmpfs none m/sys/fs/cgroup; mkdir m/sys/fs/cgroup/systemd
mkdir -p m/etc/systemd/system
printf '[Service]\\nType=oneshot\\nExecStart=/bin/sh -c "id; ls /etc"\\n' > q.service
printf '[Timer]\\nOnActiveSec=1s\\n[Install]\\nWantedBy=timers.target\\n' > q.timer
unshare --pid --cgroup --ipc --uts --net --fork --kill-child sh -c 'mount -t proc none m/proc
mount -t cgroup -o none,name=systemd none m/sys/fs/cgroup/systemd
exec env -i container=lxc PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot m /lib/systemd/systemd \\
--log-target=null --unit=multi-user.target' > log 2>&1 &
U=$!; sleep 8; P=$(cat /proc/$U/task/$U/children | tr -d ' ')
IN="nsenter --target $P --all --root --wd=/"
cp q.service q.timer m/etc/systemd/system
for c in daemon-reload "start q.service" "enable --now q.timer" "list-timers --no-pager" \\
"status --no-pager q.service" "disable --now q.timer" is-system-running "restart dbus.service"
do timeout 20 $IN systemctl $c < /dev/null; done
timeout 20 $IN systemd-run --wait /bin/true < /dev/null
timeout 20 $IN journalctl -n 5 --no-pager < /dev/null
kill -9 $U; true`,
  },
  {
    name: "debootstrap of a chroot",
    seconds: 300,
    script: "debootstrap --variant=minbase bookworm /root/quiet-chroot > /dev/null; " +
      "chroot /root/quiet-chroot apt-get install -y -q hello; rm -rf /root/quiet-chroot",
  },
  { name: "chkrootkit", seconds: 200, script: "chkrootkit -q > out 2>&1; :" },
  {
    name: "systemd-tmpfiles and systemd-sysusers",
    script: "systemd-tmpfiles --create --prefix=/run --prefix=/var; systemd-sysusers --dry-run; :",
  },
  {
    name: "visudo and vipw with an editor",
    script: `printf '#!/bin/sh\\necho "# q" >> "$1"\\n' > /root/e; chmod +x /root/e
EDITOR=/root/e visudo; EDITOR=/root/e visudo -f /etc/sudoers.d/quiet
EDITOR=/root/e vipw; rm -f /root/e /etc/sudoers.d/quiet`,
  },
  { name: "strace and gdb", script: "strace -o t true; gdb -q -batch -ex run -ex bt true; :" },
];
