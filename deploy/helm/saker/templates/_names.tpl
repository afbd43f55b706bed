{{- define "saker.name" -}}
{{ .Values.fullnameOverride | default .Release.Name }}
{{- end -}}

{{- define "saker.account" -}}
{{- if .Values.serviceAccount.create -}}
{{ .Values.serviceAccount.name | default (include "saker.name" .) }}
{{- else -}}
{{ .Values.serviceAccount.name | default "default" }}
{{- end -}}
{{- end -}}

{{- define "saker.labels" -}}
app.kubernetes.io/name: saker
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "saker.image" -}}
{{- with .Values.image -}}
{{- with .registry }}{{ . }}/{{ end }}{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{- /* AppArmor's profile of a container stands in an annotation before Kubernetes 1.30. */ -}}
{{- define "saker.annotatesAppArmor" -}}
{{- $isBefore := semverCompare "<1.30.0-0" .Capabilities.KubeVersion.Version -}}
{{- if and $isBefore (not .Values.privileged) -}}
true
{{- end -}}
{{- end -}}

{{- /* falco.yaml, with what other values make of it. */ -}}
{{- define "saker.config" -}}
{{- $config := deepCopy .Values.config }}
{{- $web := $config.webserver | default dict }}
{{- if .Values.tokenSecret }}
{{- $_ := set $web "token_file" "/etc/saker-token/token" }}
{{- end }}
{{- if .Values.serviceMonitor.enabled }}
{{- $_ := set $web "prometheus_metrics_enabled" true }}
{{- $metrics := mergeOverwrite (dict "enabled" true) ($config.metrics | default dict) }}
{{- $_ := set $config "metrics" $metrics }}
{{- end }}
{{- $_ := set $config "webserver" $web }}
{{- if .Values.podMetadata.enabled }}
{{- $own := dict "name" "k8smeta" "library_path" "libk8smeta.so" }}
{{- $_ := set $config "plugins" (append ($config.plugins | default list) $own) }}
{{- if $config.load_plugins }}
{{- $_ := set $config "load_plugins" (append $config.load_plugins "k8smeta") }}
{{- end }}
{{- end }}
{{- toYaml $config }}
{{- end -}}
