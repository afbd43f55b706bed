// For tests: the series of the Grafana dashboard that Falco's chart publishes (charts/falco/
// dashboards/falco-dashboard.json of falcosecurity/charts, 2026-09).

/** What the dashboard asks for that Falco's chart publishes, with the labels of its queries. */
export const DASHBOARD: readonly (readonly [series: string, labels: Record<string, string>])[] = [
  ["falcosecurity_falco_rules_matches_total", { source: "syscall" }],
  ["falcosecurity_scap_n_evts_total", {}],
  ["falcosecurity_falco_n_evts_total", {}],
  ["falcosecurity_falco_memory_rss_bytes", {}],
  ["falcosecurity_falco_memory_vsz_bytes", {}],
  ["falcosecurity_falco_cpu_usage_ratio", {}],
  ["falcosecurity_scap_n_drops_total", {}],
  ["falcosecurity_falco_outputs_queue_num_drops_total", {}],
  ...["clone_fork", "connect", "dir_file", "execve", "open", "other_interest"].flatMap((drop) =>
    ["enter", "exit"].map((dir) =>
      ["falcosecurity_scap_n_drops_buffer_total", { dir, drop }] as const
    )
  ),
  ["falcosecurity_scap_n_drops_cpu_total", {}],
  ["falcosecurity_scap_n_drops_full_threadtable_total", {}],
  ["falcosecurity_scap_n_drops_scratch_map_total", {}],
  ["falcosecurity_falco_version_info", {}],
  ["falcosecurity_scap_engine_name_info", {}],
];
