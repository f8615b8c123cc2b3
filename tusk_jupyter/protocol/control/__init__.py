"""Client to core: one message per request and its reply; `ACTION` is the Flight action's name.

`RunRequest` and `UploadRequest` are no actions: they are the command of a `GetFlightInfo`, whose answer names the driver's
socket and a one-time ticket, with a `RunAccepted` as the info's `app_metadata`. No reply holds a secret.
"""

from __future__ import annotations

from tusk_jupyter.protocol.control.changes import (
    AwaitChanges,
    Changes,
)
from tusk_jupyter.protocol.control.connections import (
    Connection,
    ConnectionDetails,
    ConnectionList,
    ConnectionRemoved,
    ConnectionSaved,
    ConnectionTested,
    CurrentConnection,
    DuplicateConnection,
    GetConnection,
    GetCurrentConnection,
    ListConnections,
    RemoveConnection,
    SaveConnection,
    TestConnection,
    TryConnection,
    UseConnection,
)
from tusk_jupyter.protocol.control.core import (
    Attach,
    AttachEvent,
    Check,
    Checks,
    CoreStatus,
    Doctor,
    ForgetVariables,
    Forgotten,
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
    DeleteLog,
    LogDeleted,
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
from tusk_jupyter.protocol.control.queries import (
    DeleteQuery,
    ListQueries,
    QueryDeleted,
    SavedQuery,
    SavedQueryList,
    SaveQuery,
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
from tusk_jupyter.protocol.control.schema import (
    Branch,
    DescribeTable,
    GetSchema,
    ListBranch,
    SchemaSnapshot,
    TableDescription,
)

__all__ = [
    "REQUESTS",
    "Attach",
    "AttachEvent",
    "AwaitChanges",
    "Branch",
    "CancelRun",
    "Changes",
    "Check",
    "Checks",
    "Connection",
    "ConnectionDetails",
    "ConnectionList",
    "ConnectionRemoved",
    "ConnectionSaved",
    "ConnectionTested",
    "CoreStatus",
    "CredentialDeleted",
    "CredentialInfo",
    "CredentialList",
    "CredentialStored",
    "CurrentConnection",
    "DeleteCredential",
    "DeleteLog",
    "DeleteQuery",
    "DescribeTable",
    "Doctor",
    "DriverInfo",
    "DriverList",
    "DuplicateConnection",
    "ForgetVariables",
    "Forgotten",
    "GetConnection",
    "GetCoreStatus",
    "GetCurrentConnection",
    "GetSchema",
    "ListBranch",
    "ListConnections",
    "ListCredentials",
    "ListDrivers",
    "ListPreferences",
    "ListQueries",
    "ListRuns",
    "LogDeleted",
    "LogEntry",
    "LogPage",
    "Preference",
    "PreferenceList",
    "QueryDeleted",
    "ReadLog",
    "RemoveConnection",
    "RunAccepted",
    "RunCommand",
    "RunList",
    "RunRequest",
    "RunState",
    "SaveConnection",
    "SaveQuery",
    "SavedQuery",
    "SavedQueryList",
    "SchemaSnapshot",
    "SetCredential",
    "SetPreference",
    "SplitReply",
    "SplitRequest",
    "StopCore",
    "Stopped",
    "TableDescription",
    "TestConnection",
    "TierInfo",
    "TryConnection",
    "UnlockVault",
    "UploadRequest",
    "UseConnection",
    "WaitRun",
    "WatchRun",
]

REQUESTS: dict[str, type] = {
    cls.ACTION: cls
    for cls in (
        GetCoreStatus, StopCore, ForgetVariables, Attach, Doctor,
        SaveConnection, ListConnections, TestConnection, UseConnection, RemoveConnection,
        ListDrivers, ListCredentials, SetCredential, DeleteCredential, UnlockVault, ListPreferences, SetPreference,
        GetConnection, TryConnection, DuplicateConnection, GetCurrentConnection,
        SplitRequest, ListRuns, WatchRun, WaitRun, CancelRun, ReadLog, DeleteLog,
        ListBranch, DescribeTable, GetSchema, AwaitChanges, ListQueries, SaveQuery, DeleteQuery,
    )
}  # fmt: skip
"""Every action of the core, by name."""
