{{ define "web.host" }}{{ tpl .Values.ingress.template . }}{{ end }}
{{ define "web.hosts" }}{{ include "web.host" . }}{{ end }}
