{{ define "web.image" }}{{ printf "%s:%s" .Values.image.repository .Values.image.tag }}{{ end }}
