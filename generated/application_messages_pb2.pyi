from generated import meta_messages_pb2 as _meta_messages_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class HelmParameter(_message.Message):
    __slots__ = ("name", "value", "forceString")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    FORCESTRING_FIELD_NUMBER: _ClassVar[int]
    name: str
    value: str
    forceString: bool
    def __init__(self, name: _Optional[str] = ..., value: _Optional[str] = ..., forceString: _Optional[bool] = ...) -> None: ...

class ApplicationSourceHelm(_message.Message):
    __slots__ = ("valueFiles", "parameters")
    VALUEFILES_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    valueFiles: _containers.RepeatedScalarFieldContainer[str]
    parameters: _containers.RepeatedCompositeFieldContainer[HelmParameter]
    def __init__(self, valueFiles: _Optional[_Iterable[str]] = ..., parameters: _Optional[_Iterable[_Union[HelmParameter, _Mapping]]] = ...) -> None: ...

class ApplicationSourceKustomize(_message.Message):
    __slots__ = ("images",)
    IMAGES_FIELD_NUMBER: _ClassVar[int]
    images: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, images: _Optional[_Iterable[str]] = ...) -> None: ...

class EnvEntry(_message.Message):
    __slots__ = ("name", "value")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    name: str
    value: str
    def __init__(self, name: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...

class ApplicationSourcePlugin(_message.Message):
    __slots__ = ("name", "env")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ENV_FIELD_NUMBER: _ClassVar[int]
    name: str
    env: _containers.RepeatedCompositeFieldContainer[EnvEntry]
    def __init__(self, name: _Optional[str] = ..., env: _Optional[_Iterable[_Union[EnvEntry, _Mapping]]] = ...) -> None: ...

class ApplicationSource(_message.Message):
    __slots__ = ("repoURL", "path", "targetRevision", "helm", "kustomize", "plugin", "chart", "ref", "name")
    REPOURL_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    TARGETREVISION_FIELD_NUMBER: _ClassVar[int]
    HELM_FIELD_NUMBER: _ClassVar[int]
    KUSTOMIZE_FIELD_NUMBER: _ClassVar[int]
    PLUGIN_FIELD_NUMBER: _ClassVar[int]
    CHART_FIELD_NUMBER: _ClassVar[int]
    REF_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    repoURL: str
    path: str
    targetRevision: str
    helm: ApplicationSourceHelm
    kustomize: ApplicationSourceKustomize
    plugin: ApplicationSourcePlugin
    chart: str
    ref: str
    name: str
    def __init__(self, repoURL: _Optional[str] = ..., path: _Optional[str] = ..., targetRevision: _Optional[str] = ..., helm: _Optional[_Union[ApplicationSourceHelm, _Mapping]] = ..., kustomize: _Optional[_Union[ApplicationSourceKustomize, _Mapping]] = ..., plugin: _Optional[_Union[ApplicationSourcePlugin, _Mapping]] = ..., chart: _Optional[str] = ..., ref: _Optional[str] = ..., name: _Optional[str] = ...) -> None: ...

class DrySource(_message.Message):
    __slots__ = ("repoURL", "targetRevision", "path", "helm", "kustomize", "plugin")
    REPOURL_FIELD_NUMBER: _ClassVar[int]
    TARGETREVISION_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    HELM_FIELD_NUMBER: _ClassVar[int]
    KUSTOMIZE_FIELD_NUMBER: _ClassVar[int]
    PLUGIN_FIELD_NUMBER: _ClassVar[int]
    repoURL: str
    targetRevision: str
    path: str
    helm: ApplicationSourceHelm
    kustomize: ApplicationSourceKustomize
    plugin: ApplicationSourcePlugin
    def __init__(self, repoURL: _Optional[str] = ..., targetRevision: _Optional[str] = ..., path: _Optional[str] = ..., helm: _Optional[_Union[ApplicationSourceHelm, _Mapping]] = ..., kustomize: _Optional[_Union[ApplicationSourceKustomize, _Mapping]] = ..., plugin: _Optional[_Union[ApplicationSourcePlugin, _Mapping]] = ...) -> None: ...

class SourceHydrator(_message.Message):
    __slots__ = ("drySource",)
    DRYSOURCE_FIELD_NUMBER: _ClassVar[int]
    drySource: DrySource
    def __init__(self, drySource: _Optional[_Union[DrySource, _Mapping]] = ...) -> None: ...

class SyncPolicyAutomated(_message.Message):
    __slots__ = ("prune", "selfHeal", "allowEmpty", "enabled")
    PRUNE_FIELD_NUMBER: _ClassVar[int]
    SELFHEAL_FIELD_NUMBER: _ClassVar[int]
    ALLOWEMPTY_FIELD_NUMBER: _ClassVar[int]
    ENABLED_FIELD_NUMBER: _ClassVar[int]
    prune: bool
    selfHeal: bool
    allowEmpty: bool
    enabled: bool
    def __init__(self, prune: _Optional[bool] = ..., selfHeal: _Optional[bool] = ..., allowEmpty: _Optional[bool] = ..., enabled: _Optional[bool] = ...) -> None: ...

class SyncPolicy(_message.Message):
    __slots__ = ("automated",)
    AUTOMATED_FIELD_NUMBER: _ClassVar[int]
    automated: SyncPolicyAutomated
    def __init__(self, automated: _Optional[_Union[SyncPolicyAutomated, _Mapping]] = ...) -> None: ...

class ApplicationSpec(_message.Message):
    __slots__ = ("source", "project", "syncPolicy", "revisionHistoryLimit", "sources", "sourceHydrator")
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    SYNCPOLICY_FIELD_NUMBER: _ClassVar[int]
    REVISIONHISTORYLIMIT_FIELD_NUMBER: _ClassVar[int]
    SOURCES_FIELD_NUMBER: _ClassVar[int]
    SOURCEHYDRATOR_FIELD_NUMBER: _ClassVar[int]
    source: ApplicationSource
    project: str
    syncPolicy: SyncPolicy
    revisionHistoryLimit: int
    sources: _containers.RepeatedCompositeFieldContainer[ApplicationSource]
    sourceHydrator: SourceHydrator
    def __init__(self, source: _Optional[_Union[ApplicationSource, _Mapping]] = ..., project: _Optional[str] = ..., syncPolicy: _Optional[_Union[SyncPolicy, _Mapping]] = ..., revisionHistoryLimit: _Optional[int] = ..., sources: _Optional[_Iterable[_Union[ApplicationSource, _Mapping]]] = ..., sourceHydrator: _Optional[_Union[SourceHydrator, _Mapping]] = ...) -> None: ...

class SyncStatus(_message.Message):
    __slots__ = ("status",)
    STATUS_FIELD_NUMBER: _ClassVar[int]
    status: str
    def __init__(self, status: _Optional[str] = ...) -> None: ...

class HealthStatus(_message.Message):
    __slots__ = ("status",)
    STATUS_FIELD_NUMBER: _ClassVar[int]
    status: str
    def __init__(self, status: _Optional[str] = ...) -> None: ...

class ApplicationSummary(_message.Message):
    __slots__ = ("images",)
    IMAGES_FIELD_NUMBER: _ClassVar[int]
    images: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, images: _Optional[_Iterable[str]] = ...) -> None: ...

class ApplicationStatus(_message.Message):
    __slots__ = ("sync", "health", "sourceType", "summary", "sourceTypes", "controllerNamespace")
    SYNC_FIELD_NUMBER: _ClassVar[int]
    HEALTH_FIELD_NUMBER: _ClassVar[int]
    SOURCETYPE_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    SOURCETYPES_FIELD_NUMBER: _ClassVar[int]
    CONTROLLERNAMESPACE_FIELD_NUMBER: _ClassVar[int]
    sync: SyncStatus
    health: HealthStatus
    sourceType: str
    summary: ApplicationSummary
    sourceTypes: _containers.RepeatedScalarFieldContainer[str]
    controllerNamespace: str
    def __init__(self, sync: _Optional[_Union[SyncStatus, _Mapping]] = ..., health: _Optional[_Union[HealthStatus, _Mapping]] = ..., sourceType: _Optional[str] = ..., summary: _Optional[_Union[ApplicationSummary, _Mapping]] = ..., sourceTypes: _Optional[_Iterable[str]] = ..., controllerNamespace: _Optional[str] = ...) -> None: ...

class Application(_message.Message):
    __slots__ = ("metadata", "spec", "status")
    METADATA_FIELD_NUMBER: _ClassVar[int]
    SPEC_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    metadata: _meta_messages_pb2.ObjectMeta
    spec: ApplicationSpec
    status: ApplicationStatus
    def __init__(self, metadata: _Optional[_Union[_meta_messages_pb2.ObjectMeta, _Mapping]] = ..., spec: _Optional[_Union[ApplicationSpec, _Mapping]] = ..., status: _Optional[_Union[ApplicationStatus, _Mapping]] = ...) -> None: ...

class ApplicationList(_message.Message):
    __slots__ = ("metadata", "items")
    METADATA_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    metadata: _meta_messages_pb2.ListMeta
    items: _containers.RepeatedCompositeFieldContainer[Application]
    def __init__(self, metadata: _Optional[_Union[_meta_messages_pb2.ListMeta, _Mapping]] = ..., items: _Optional[_Iterable[_Union[Application, _Mapping]]] = ...) -> None: ...

class ApplicationWatchEvent(_message.Message):
    __slots__ = ("type", "application")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    APPLICATION_FIELD_NUMBER: _ClassVar[int]
    type: str
    application: Application
    def __init__(self, type: _Optional[str] = ..., application: _Optional[_Union[Application, _Mapping]] = ...) -> None: ...

class ApplicationQuery(_message.Message):
    __slots__ = ("name", "refresh", "projects", "resourceVersion", "selector", "repo", "appNamespace")
    NAME_FIELD_NUMBER: _ClassVar[int]
    REFRESH_FIELD_NUMBER: _ClassVar[int]
    PROJECTS_FIELD_NUMBER: _ClassVar[int]
    RESOURCEVERSION_FIELD_NUMBER: _ClassVar[int]
    SELECTOR_FIELD_NUMBER: _ClassVar[int]
    REPO_FIELD_NUMBER: _ClassVar[int]
    APPNAMESPACE_FIELD_NUMBER: _ClassVar[int]
    name: str
    refresh: str
    projects: _containers.RepeatedScalarFieldContainer[str]
    resourceVersion: str
    selector: str
    repo: str
    appNamespace: str
    def __init__(self, name: _Optional[str] = ..., refresh: _Optional[str] = ..., projects: _Optional[_Iterable[str]] = ..., resourceVersion: _Optional[str] = ..., selector: _Optional[str] = ..., repo: _Optional[str] = ..., appNamespace: _Optional[str] = ...) -> None: ...

class ApplicationUpdateSpecRequest(_message.Message):
    __slots__ = ("name", "spec", "validate", "appNamespace", "project")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SPEC_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_FIELD_NUMBER: _ClassVar[int]
    APPNAMESPACE_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    name: str
    spec: ApplicationSpec
    validate: bool
    appNamespace: str
    project: str
    def __init__(self, name: _Optional[str] = ..., spec: _Optional[_Union[ApplicationSpec, _Mapping]] = ..., validate: _Optional[bool] = ..., appNamespace: _Optional[str] = ..., project: _Optional[str] = ...) -> None: ...

class ApplicationPatchRequest(_message.Message):
    __slots__ = ("name", "patch", "patchType", "appNamespace", "project")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PATCH_FIELD_NUMBER: _ClassVar[int]
    PATCHTYPE_FIELD_NUMBER: _ClassVar[int]
    APPNAMESPACE_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    name: str
    patch: str
    patchType: str
    appNamespace: str
    project: str
    def __init__(self, name: _Optional[str] = ..., patch: _Optional[str] = ..., patchType: _Optional[str] = ..., appNamespace: _Optional[str] = ..., project: _Optional[str] = ...) -> None: ...

class SyncOptions(_message.Message):
    __slots__ = ("items",)
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, items: _Optional[_Iterable[str]] = ...) -> None: ...

class ApplicationSyncRequest(_message.Message):
    __slots__ = ("name", "revision", "dryRun", "prune", "syncOptions", "appNamespace", "project", "sourcePositions", "revisions")
    NAME_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    DRYRUN_FIELD_NUMBER: _ClassVar[int]
    PRUNE_FIELD_NUMBER: _ClassVar[int]
    SYNCOPTIONS_FIELD_NUMBER: _ClassVar[int]
    APPNAMESPACE_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    SOURCEPOSITIONS_FIELD_NUMBER: _ClassVar[int]
    REVISIONS_FIELD_NUMBER: _ClassVar[int]
    name: str
    revision: str
    dryRun: bool
    prune: bool
    syncOptions: SyncOptions
    appNamespace: str
    project: str
    sourcePositions: _containers.RepeatedScalarFieldContainer[int]
    revisions: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., revision: _Optional[str] = ..., dryRun: _Optional[bool] = ..., prune: _Optional[bool] = ..., syncOptions: _Optional[_Union[SyncOptions, _Mapping]] = ..., appNamespace: _Optional[str] = ..., project: _Optional[str] = ..., sourcePositions: _Optional[_Iterable[int]] = ..., revisions: _Optional[_Iterable[str]] = ...) -> None: ...

class ApplicationRollbackRequest(_message.Message):
    __slots__ = ("name", "id", "dryRun", "prune", "appNamespace", "project")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    DRYRUN_FIELD_NUMBER: _ClassVar[int]
    PRUNE_FIELD_NUMBER: _ClassVar[int]
    APPNAMESPACE_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    name: str
    id: int
    dryRun: bool
    prune: bool
    appNamespace: str
    project: str
    def __init__(self, name: _Optional[str] = ..., id: _Optional[int] = ..., dryRun: _Optional[bool] = ..., prune: _Optional[bool] = ..., appNamespace: _Optional[str] = ..., project: _Optional[str] = ...) -> None: ...

class ApplicationSyncWindowsQuery(_message.Message):
    __slots__ = ("name", "appNamespace", "project")
    NAME_FIELD_NUMBER: _ClassVar[int]
    APPNAMESPACE_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    name: str
    appNamespace: str
    project: str
    def __init__(self, name: _Optional[str] = ..., appNamespace: _Optional[str] = ..., project: _Optional[str] = ...) -> None: ...

class ApplicationSyncWindow(_message.Message):
    __slots__ = ("kind", "schedule", "duration", "manualSync")
    KIND_FIELD_NUMBER: _ClassVar[int]
    SCHEDULE_FIELD_NUMBER: _ClassVar[int]
    DURATION_FIELD_NUMBER: _ClassVar[int]
    MANUALSYNC_FIELD_NUMBER: _ClassVar[int]
    kind: str
    schedule: str
    duration: str
    manualSync: bool
    def __init__(self, kind: _Optional[str] = ..., schedule: _Optional[str] = ..., duration: _Optional[str] = ..., manualSync: _Optional[bool] = ...) -> None: ...

class ApplicationSyncWindowsResponse(_message.Message):
    __slots__ = ("activeWindows", "assignedWindows", "canSync")
    ACTIVEWINDOWS_FIELD_NUMBER: _ClassVar[int]
    ASSIGNEDWINDOWS_FIELD_NUMBER: _ClassVar[int]
    CANSYNC_FIELD_NUMBER: _ClassVar[int]
    activeWindows: _containers.RepeatedCompositeFieldContainer[ApplicationSyncWindow]
    assignedWindows: _containers.RepeatedCompositeFieldContainer[ApplicationSyncWindow]
    canSync: bool
    def __init__(self, activeWindows: _Optional[_Iterable[_Union[ApplicationSyncWindow, _Mapping]]] = ..., assignedWindows: _Optional[_Iterable[_Union[ApplicationSyncWindow, _Mapping]]] = ..., canSync: _Optional[bool] = ...) -> None: ...
