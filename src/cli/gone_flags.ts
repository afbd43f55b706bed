// Flags that Falco had and has no more: what does the same now. A message about an unknown option
// comes in, a hint goes out.

const INSTEAD: Readonly<Record<string, string>> = {
  "-A": "it is -o base_syscalls.all=true",
  "-b": "it is -o buffer_format_base64=true",
  "--print-base64": "it is -o buffer_format_base64=true",
  "-d": "a service manager does that: saker install",
  "--daemon": "a service manager does that: saker install",
  "-D": "it is -o 'rules[].disable.rule=NAME'",
  "-e": "it is saker replay FILE, or -o engine.kind=replay -o engine.replay.capture_file=FILE",
  "-S": "it is -o falco_libs.snaplen=BYTES",
  "--snaplen": "it is -o falco_libs.snaplen=BYTES",
  "-t": "it is -o 'rules[].disable.rule=*' -o 'rules[].enable.tag=TAG'",
  "-T": "it is -o 'rules[].disable.tag=TAG'",
  "-s": "it is -o metrics.enabled=true -o metrics.output_file=FILE",
  "--stats-interval": "it is -o metrics.interval=1m",
  "--modern-bpf": "it is what saker does anyway",
  "--nodriver": "it is -o engine.kind=nodriver",
  "--print-support": "it is --support",
  "--list-syscall-events": "it is --list-events",
};

/** Undefined where the message is about something else. */
export function goneFlag(message: string): string | undefined {
  const flag = /unknown option '(-\w|--[\w-]+)/.exec(message)?.[1];
  return flag === undefined || !Object.hasOwn(INSTEAD, flag) ? undefined : INSTEAD[flag];
}
