{{- define "fleet.name" -}}
{{- default .root.Chart.Name .root.Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "fleet.fullname" -}}
{{- printf "%s-%s-%d" .root.Release.Name .name (.copy | int) | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "fleet.selector" -}}
app.kubernetes.io/name: {{ include "fleet.name" . }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .name }}
copy: {{ .copy | quote }}
{{- end -}}

{{- define "fleet.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{ include "fleet.selector" . }}
{{- with .root.Chart.AppVersion }}
app.kubernetes.io/version: {{ . | quote }}
{{- end }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
{{- with .root.Values.commonLabels }}
{{ tpl (toYaml .) $.root }}
{{- end }}
{{- end -}}

{{- define "fleet.image" -}}
{{- $image := .service.image -}}
{{- printf "%s/%s:%s" (.root.Values.image.registry | default "docker.io") $image.repository (toString $image.tag) -}}
{{- end -}}
