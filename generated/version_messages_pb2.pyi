from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class VersionMessage(_message.Message):
    __slots__ = ("Version", "BuildDate", "GitCommit")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    BUILDDATE_FIELD_NUMBER: _ClassVar[int]
    GITCOMMIT_FIELD_NUMBER: _ClassVar[int]
    Version: str
    BuildDate: str
    GitCommit: str
    def __init__(self, Version: _Optional[str] = ..., BuildDate: _Optional[str] = ..., GitCommit: _Optional[str] = ...) -> None: ...
