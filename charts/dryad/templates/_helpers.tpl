{{/* The name of the chart in labels. */}}
{{- define "dryad.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* The name of every object: the release's, unless it says "dryad" already. Short enough for a suffix. */}}
{{- define "dryad.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "dryad.selectorLabels" -}}
app.kubernetes.io/name: {{ include "dryad.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "dryad.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{ include "dryad.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: dryad
{{- end -}}

{{- define "dryad.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "dryad.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- required "serviceAccount.create is false: serviceAccount.name has to name the one to use" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "dryad.image" -}}
{{- $image := .Values.image -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $image.repository $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $image.repository (default .Chart.AppVersion $image.tag) -}}
{{- end -}}
{{- end -}}

{{/* What the operator does with its own objects, wherever these are. Exactly the verbs it uses: a test compares both
     ways with the requests of a whole suite of deploys. */}}
{{- define "dryad.rules" -}}
- apiGroups: [dryad.dev]
  resources: [environments]
  verbs: [get, list, watch, patch]
- apiGroups: [dryad.dev]
  resources: [deployments]
  verbs: [create, get, list, watch, patch, delete]
- apiGroups: [dryad.dev]
  resources: [environments/status, deployments/status]
  verbs: [update]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create]
{{- if .Values.rbac.secrets.read }}
# What `source.secretName` of an Environment names: read by its name when a branch is resolved, never listed.
- apiGroups: [""]
  resources: [secrets]
  {{- with .Values.rbac.secrets.names }}
  resourceNames: {{ toJson . }}
  {{- end }}
  verbs: [get]
{{- end }}
{{- end -}}
