// What dpkg runs when the package comes, is exchanged and goes. The service is enabled and started
// as Debian does it: through deb-systemd-helper, which knows what an administrator decided, and
// deb-systemd-invoke, which obeys policy-rc.d. Where systemd does not run, nothing is started.

const HEAD = "#!/bin/sh\n# Of the package saker; dpkg runs it.\nset -e\n\nunit=saker.service\n\n";

/** What a first start, an upgrade and a downgrade have in common. */
const POSTINST = `case "$1" in
  configure | abort-upgrade | abort-deconfigure | abort-remove)
    # Masked since a removal that was no purge.
    deb-systemd-helper unmask $unit >/dev/null || true
    if deb-systemd-helper --quiet was-enabled $unit; then
      deb-systemd-helper enable $unit >/dev/null || true
    else
      # Disabled by an administrator, and stays so; links of an older unit go.
      deb-systemd-helper update-state $unit >/dev/null || true
    fi
    if [ -e /etc/systemd/system/$unit ] && [ ! -L /etc/systemd/system/$unit ]; then
      echo "saker: /etc/systemd/system/$unit stands before the package's own unit" \\
        "(\\"saker uninstall\\" of the earlier program removes it)" >&2
    fi
    if [ -d /run/systemd/system ]; then
      systemctl --system daemon-reload >/dev/null || true
      # Where it ran before, it runs the new program now.
      if [ -n "$2" ]; then action=restart; else action=start; fi
      deb-systemd-invoke $action $unit >/dev/null || true
    fi
    ;;
esac
`;

const PRERM = `if [ "$1" = remove ]; then
  if [ -d /run/systemd/system ]; then
    deb-systemd-invoke stop $unit >/dev/null || true
  fi
  # What "saker driver" left on this host, which nobody could remove without the program.
  if [ -e /etc/modules-load.d/saker.conf ] || [ -d /sys/module/saker ]; then
    saker driver unload >/dev/null 2>&1 || true
    saker driver uninstall || true
  fi
fi
`;

const POSTRM = `if [ "$1" = remove ]; then
  if [ -d /run/systemd/system ]; then
    systemctl --system daemon-reload >/dev/null || true
  fi
  if command -v deb-systemd-helper >/dev/null; then
    deb-systemd-helper mask $unit >/dev/null || true
  fi
fi

if [ "$1" = purge ]; then
  if command -v deb-systemd-helper >/dev/null; then
    deb-systemd-helper purge $unit >/dev/null || true
    deb-systemd-helper unmask $unit >/dev/null || true
  fi
  # Alerts that no output took, modules that were built, and what was set for this host alone.
  rm -rf /var/lib/saker /var/cache/saker /etc/saker /etc/systemd/system/$unit.d
fi
`;

export const MAINTAINER_SCRIPTS: Readonly<Record<string, string>> = {
  postinst: HEAD + POSTINST,
  prerm: HEAD + PRERM,
  postrm: HEAD + POSTRM,
};
