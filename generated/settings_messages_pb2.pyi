from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class SettingsQuery(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Settings(_message.Message):
    __slots__ = ("url", "trackingMethod", "controllerNamespace", "appsInAnyNamespaceEnabled", "installationID", "hydratorEnabled")
    URL_FIELD_NUMBER: _ClassVar[int]
    TRACKINGMETHOD_FIELD_NUMBER: _ClassVar[int]
    CONTROLLERNAMESPACE_FIELD_NUMBER: _ClassVar[int]
    APPSINANYNAMESPACEENABLED_FIELD_NUMBER: _ClassVar[int]
    INSTALLATIONID_FIELD_NUMBER: _ClassVar[int]
    HYDRATORENABLED_FIELD_NUMBER: _ClassVar[int]
    url: str
    trackingMethod: str
    controllerNamespace: str
    appsInAnyNamespaceEnabled: bool
    installationID: str
    hydratorEnabled: bool
    def __init__(self, url: _Optional[str] = ..., trackingMethod: _Optional[str] = ..., controllerNamespace: _Optional[str] = ..., appsInAnyNamespaceEnabled: _Optional[bool] = ..., installationID: _Optional[str] = ..., hydratorEnabled: _Optional[bool] = ...) -> None: ...
