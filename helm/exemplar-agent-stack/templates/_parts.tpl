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

{{- /* Arguments: (list $ "prometheus" user [account]). What every pod has; only with an account of
its own has one rights in the cluster. */ -}}
{{- define "stack.pod" -}}
{{- $top := index . 0 -}}
{{- with $top.Values.imagePullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
automountServiceAccountToken: {{ gt (len .) 3 }}
{{- if gt (len .) 3 }}
serviceAccountName: {{ index . 3 }}
{{- end }}
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

{{- /* The configuration of files/, with the agents of this cluster when they are to be scraped. */ -}}
{{- define "stack.prometheus" -}}
{{- $file := .Files.Get "files/prometheus/prometheus.yaml" -}}
{{- if .Values.prometheus.discovery.enabled -}}
{{- $all := fromYaml $file -}}
{{- $job := fromYaml (include "stack.discovery" .) -}}
{{- toYaml (set $all "scrape_configs" (append $all.scrape_configs $job)) -}}
{{- else -}}
{{- $file -}}
{{- end -}}
{{- end -}}

{{- define "stack.discovery" -}}
job_name: exemplar-agent-pods
honor_labels: true
kubernetes_sd_configs:
  - role: pod
    namespaces: {names: [{{ .Values.prometheus.discovery.namespace | default .Release.Namespace }}]}
    selectors: [{role: pod, label: app.kubernetes.io/name=exemplar-agent}]
relabel_configs:
  - {source_labels: [__meta_kubernetes_pod_container_port_name], regex: metrics, action: keep}
  - {source_labels: [__meta_kubernetes_pod_phase], regex: Running, action: keep}
  - {source_labels: [__meta_kubernetes_pod_node_name], target_label: instance}
{{- end -}}
