{{- define "saker.labels" -}}
app.kubernetes.io/name: saker
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}
