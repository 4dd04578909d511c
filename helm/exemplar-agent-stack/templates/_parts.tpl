{{- /* Arguments: (list $ "collector"). Names of one part. */ -}}
{{- define "stack.name" -}}
{{- $top := index . 0 -}}
{{- printf "%s-%s" ($top.Release.Name | trunc 50 | trimSuffix "-") (index . 1) -}}
{{- end -}}

{{- define "stack.selector" -}}
{{- $top := index . 0 -}}
app.kubernetes.io/name: {{ index . 1 }}
app.kubernetes.io/instance: {{ $top.Release.Name }}
{{- end -}}

{{- define "stack.labels" -}}
{{- $top := index . 0 -}}
{{ include "stack.selector" . }}
app.kubernetes.io/part-of: {{ $top.Chart.Name }}
app.kubernetes.io/managed-by: {{ $top.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $top.Chart.Name $top.Chart.Version | quote }}
{{- end -}}

{{- define "stack.metadata" -}}
name: {{ include "stack.name" . }}
labels: {{- include "stack.labels" . | nindent 2 }}
{{- end -}}

{{- /* Arguments: (list $ "prometheus" user). What every pod has; nothing here needs a right. */ -}}
{{- define "stack.pod" -}}
{{- $top := index . 0 -}}
{{- with $top.Values.imagePullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
automountServiceAccountToken: false
# Variables of other services look like settings to some of these programs.
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: {{ index . 2 }}
  runAsGroup: {{ index . 2 }}
  fsGroup: {{ index . 2 }}
  seccompProfile: {type: RuntimeDefault}
{{- with $top.Values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $top.Values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "stack.container" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end -}}

{{- /* Arguments: (list $ "tempo" "10Gi"). A claim, or a folder that ends with the pod. */ -}}
{{- define "stack.volume" -}}
{{- if index . 2 -}}
persistentVolumeClaim: {claimName: {{ include "stack.name" . }}}
{{- else -}}
emptyDir: {}
{{- end -}}
{{- end -}}

{{- define "stack.claim" -}}
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {{- include "stack.metadata" . | nindent 2 }}
spec:
  accessModes: [ReadWriteOnce]
  resources: {requests: {storage: {{ index . 2 }}}}
{{- end -}}

{{- /* The data sources of files/, without those of parts that are not installed and what points there. */ -}}
{{- define "stack.datasources" -}}
{{- $file := .Files.Get "files/grafana/datasources.yaml" -}}
{{- if and .Values.tempo.enabled .Values.jaeger.enabled -}}
{{- $file -}}
{{- else -}}
{{- $backend := ternary "tempo" "jaeger" .Values.tempo.enabled -}}
{{- $title := title $backend -}}
{{- $all := fromYaml $file -}}
{{- $sources := list -}}
{{- range $source := $all.datasources -}}
{{- range .jsonData.exemplarTraceIdDestinations -}}
{{- $_ := mergeOverwrite . (dict "datasourceUid" $backend "urlDisplayLabel" (printf "Open in %s" $title)) -}}
{{- end -}}
{{- with .jsonData.exemplarTraceIdDestinations -}}
{{- $_ := set $source.jsonData "exemplarTraceIdDestinations" (uniq .) -}}
{{- end -}}
{{- if has .uid (list "prometheus" $backend) -}}
{{- $sources = append $sources . -}}
{{- end -}}
{{- end -}}
{{- toYaml (set $all "datasources" $sources) -}}
{{- end -}}
{{- end -}}

{{- /* Arguments: (list $ path). A dashboard of files/; its panels of TraceQL are for Tempo only. */ -}}
{{- define "stack.dashboard" -}}
{{- $top := index . 0 -}}
{{- $file := $top.Files.Get (index . 1) -}}
{{- if $top.Values.tempo.enabled -}}
{{- $file -}}
{{- else -}}
{{- $board := fromJson $file -}}
{{- $panels := list -}}
{{- range $board.panels -}}
{{- if not (or (eq (.datasource | default dict).type "tempo") (eq .title "Traces")) -}}
{{- $panels = append $panels . -}}
{{- end -}}
{{- end -}}
{{- toPrettyJson (set $board "panels" $panels) -}}
{{- end -}}
{{- end -}}
