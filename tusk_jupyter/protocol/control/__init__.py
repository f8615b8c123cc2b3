"""Client to core: one frozen dataclass per request and its reply; `ACTION` is the Flight action's name.

`RunRequest` and `UploadRequest` are no actions: they are the command of a `GetFlightInfo`, whose answer names the driver's
socket and a one-time ticket, with a `RunAccepted` as the info's `app_metadata`. No reply holds a secret.
"""

from __future__ import annotations

from tusk_jupyter.protocol.control.connections import (
    Connection,
    ConnectionList,
    ConnectionRemoved,
    ConnectionSaved,
    ConnectionTested,
    ListConnections,
    RemoveConnection,
    SaveConnection,
    TestConnection,
    UseConnection,
)
from tusk_jupyter.protocol.control.core import (
    Attach,
    AttachEvent,
    Check,
    Checks,
    CoreStatus,
    Doctor,
    GetCoreStatus,
    StopCore,
    Stopped,
)
from tusk_jupyter.protocol.control.credentials import (
    CredentialDeleted,
    CredentialInfo,
    CredentialList,
    CredentialStored,
    DeleteCredential,
    ListCredentials,
    SetCredential,
    TierInfo,
    UnlockVault,
)
from tusk_jupyter.protocol.control.drivers import (
    DriverInfo,
    DriverList,
    ListDrivers,
)
from tusk_jupyter.protocol.control.log import (
    LogEntry,
    LogPage,
    ReadLog,
)
from tusk_jupyter.protocol.control.preferences import (
    ListPreferences,
    Preference,
    PreferenceList,
    SetPreference,
)
from tusk_jupyter.protocol.control.runs import (
    CancelRun,
    ListRuns,
    RunAccepted,
    RunCommand,
    RunList,
    RunRequest,
    RunState,
    SplitReply,
    SplitRequest,
    UploadRequest,
    WaitRun,
    WatchRun,
)

__all__ = [
    "REQUESTS",
    "Attach",
    "AttachEvent",
    "CancelRun",
    "Check",
    "Checks",
    "Connection",
    "ConnectionList",
    "ConnectionRemoved",
    "ConnectionSaved",
    "ConnectionTested",
    "CoreStatus",
    "CredentialDeleted",
    "CredentialInfo",
    "CredentialList",
    "CredentialStored",
    "DeleteCredential",
    "Doctor",
    "DriverInfo",
    "DriverList",
    "GetCoreStatus",
    "ListConnections",
    "ListCredentials",
    "ListDrivers",
    "ListPreferences",
    "ListRuns",
    "LogEntry",
    "LogPage",
    "Preference",
    "PreferenceList",
    "ReadLog",
    "RemoveConnection",
    "RunAccepted",
    "RunCommand",
    "RunList",
    "RunRequest",
    "RunState",
    "SaveConnection",
    "SetCredential",
    "SetPreference",
    "SplitReply",
    "SplitRequest",
    "StopCore",
    "Stopped",
    "TestConnection",
    "TierInfo",
    "UnlockVault",
    "UploadRequest",
    "UseConnection",
    "WaitRun",
    "WatchRun",
]

REQUESTS: dict[str, type] = {
    cls.ACTION: cls
    for cls in (
        GetCoreStatus, StopCore, Attach, Doctor,
        SaveConnection, ListConnections, TestConnection, UseConnection, RemoveConnection,
        ListDrivers, ListCredentials, SetCredential, DeleteCredential, UnlockVault, ListPreferences, SetPreference,
        SplitRequest, ListRuns, WatchRun, WaitRun, CancelRun, ReadLog,
    )
}  # fmt: skip
"""Every action of the core, by name."""
