{{- define "argocd-image-updater.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "argocd-image-updater.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else if contains (include "argocd-image-updater.name" .) .Release.Name }}
{{- .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "argocd-image-updater.name" .) | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "argocd-image-updater.namespace" -}}
{{- default .Release.Namespace .Values.namespaceOverride }}
{{- end }}

{{- define "argocd-image-updater.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "argocd-image-updater.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "argocd-image-updater.selectorLabels" -}}
app.kubernetes.io/name: {{ include "argocd-image-updater.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "argocd-image-updater.labels" -}}
{{ include "argocd-image-updater.selectorLabels" . }}
app.kubernetes.io/part-of: argocd-image-updater
app.kubernetes.io/component: controller
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "argocd-image-updater.image" -}}
{{- if .Values.image.digest }}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) }}
{{- end }}
{{- end }}

{{- define "argocd-image-updater.rulesName" -}}
{{- printf "%s-rules" (include "argocd-image-updater.fullname" . | trunc 57 | trimSuffix "-") }}
{{- end }}

{{- define "argocd-image-updater.dualStack" -}}
{{- with .Values.dualStack.ipFamilyPolicy }}
ipFamilyPolicy: {{ . }}
{{- end }}
{{- with .Values.dualStack.ipFamilies }}
ipFamilies: {{ toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Variable and key of every setting in the ConfigMap; tests compare them with the program. */}}
{{- define "argocd-image-updater.settings" -}}
# Settings, written by `make docs`.
APPLICATIONS_API: applications_api
ARGOCD_SERVER: argocd.server_addr
ARGOCD_GRPC_WEB: argocd.grpc_web
ARGOCD_GRPC_WEB_ROOT_PATH: argocd.grpc_web_root_path
ARGOCD_INSECURE: argocd.insecure
ARGOCD_PLAINTEXT: argocd.plaintext
ARGOCD_SERVER_CRT: argocd.server_crt
ARGOCD_PROJECTS: argocd.projects
ARGOCD_VALIDATE: argocd.validate
ARGOCD_NAMESPACE: argocd.namespace
IMAGE_UPDATER_KUBE_EVENTS: kube.events
IMAGE_UPDATER_INTERVAL: interval
IMAGE_UPDATER_MAX_CONCURRENCY: max_concurrency
IMAGE_UPDATER_MODE: mode
IMAGE_UPDATER_SCHEDULE: schedule
IMAGE_UPDATER_COOLDOWN: cooldown
IMAGE_UPDATER_PER_REPO_CAP: per_repo_cap
IMAGE_UPDATER_LOGLEVEL: log.level
IMAGE_UPDATER_LOGFORMAT: log.format
IMAGE_UPDATER_METRICS_PER_APPLICATION: metrics.per_application
IMAGE_UPDATER_STATUS_ADDR: status.addr
GIT_COMMIT_USER: git.user
GIT_COMMIT_EMAIL: git.email
GIT_COMMIT_SIGNING_KEY: git.commit-signing-key
GIT_COMMIT_SIGNING_METHOD: git.commit-signing-method
GIT_COMMIT_SIGN_OFF: git.commit-sign-off
ENABLE_WEBHOOK: webhook.enable
WEBHOOK_PORT: webhook.port
WEBHOOK_REQUIRE_SECRET: webhook.require-secret
WEBHOOK_RATELIMIT_ALLOWED: webhook.ratelimit-allowed
DISABLE_TLS: disable-tls
TLS_MIN_VERSION: tls.min-version
TLS_MAX_VERSION: tls.max-version
TLS_CIPHERS: tls.ciphers
# End of settings.
{{- end }}

{{/* The same of what is secret; ARGOCD_TOKEN stands apart, because its Secret has a name of its own. */}}
{{- define "argocd-image-updater.secretSettings" -}}
# Settings, written by `make docs`.
DOCKER_WEBHOOK_SECRET: webhook.docker-secret
GHCR_WEBHOOK_SECRET: webhook.ghcr-secret
HARBOR_WEBHOOK_SECRET: webhook.harbor-secret
QUAY_WEBHOOK_SECRET: webhook.quay-secret
ACR_WEBHOOK_SECRET: webhook.acr-secret
ALIYUN_ACR_WEBHOOK_SECRET: webhook.aliyun-acr-secret
CLOUDEVENTS_WEBHOOK_SECRET: webhook.cloudevents-secret
REGISTRY_WEBHOOK_SECRET: webhook.registry-secret
GITLAB_WEBHOOK_SECRET: webhook.gitlab-secret
NATIVE_WEBHOOK_SECRET: webhook.native-secret
# End of settings.
{{- end }}

{{/* Every key of the ConfigMap that values ask for. */}}
{{- define "argocd-image-updater.keys" -}}
{{- $config := .Values.config }}
applications_api: argocd
argocd.grpc_web: {{ $config.argocd.grpcWeb | quote }}
argocd.insecure: {{ $config.argocd.insecure | quote }}
argocd.plaintext: {{ $config.argocd.plaintext | quote }}
{{- with $config.argocd.serverAddress }}
argocd.server_addr: {{ . | quote }}
{{- end }}
kube.events: {{ $config.disableKubeEvents | quote }}
log.level: {{ $config.logLevel | quote }}
{{- with $config.interval }}
interval: {{ . | quote }}
{{- end }}
{{- with $config.gitCommitUser }}
git.user: {{ . | quote }}
{{- end }}
{{- with $config.gitCommitMail }}
git.email: {{ . | quote }}
{{- end }}
{{- with $config.gitCommitTemplate }}
git.commit-message-template: {{ . | toJson }}
{{- end }}
{{- with $config.gitCommitSigningKey }}
git.commit-signing-key: {{ . | quote }}
{{- end }}
{{- with $config.gitCommitSigningMethod }}
git.commit-signing-method: {{ . | quote }}
{{- end }}
{{- if $config.gitCommitSignOff }}
git.commit-sign-off: "true"
{{- end }}
{{- if $config.webhook.enabled }}
webhook.enable: "true"
{{- end }}
{{- with $config.registries }}
registries.conf: {{ dict "registries" . | toYaml | toJson }}
{{- end }}
{{- end }}
