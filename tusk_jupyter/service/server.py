"""The core's Flight endpoint: the token's gate, the table of actions, and `GetFlightInfo` for runs."""

from __future__ import annotations

import hmac
import logging
import time
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
import pyarrow.flight as flight

from tusk_jupyter import errors
from tusk_jupyter.protocol import codec, control
from tusk_jupyter.protocol.calls import SENT_AT
from tusk_jupyter.protocol.errors import to_extra_info
from tusk_jupyter.protocol.message import Change
from tusk_jupyter.protocol.scenarios import RECEIVED_LATE
from tusk_jupyter.protocol.version import PROTOCOL_VERSION
from tusk_jupyter.service.core import Core
from tusk_jupyter.service.dispatch import Accepted
from tusk_jupyter.system.quiet_grpc import quiet
from tusk_jupyter.system.sockets import bound_address
from tusk_jupyter.version import __version__

_LOG = logging.getLogger(__name__)
_NO_SCHEMA = pa.schema([])
_TO_THE_LAST = (control.Ping, control.StopCore, control.WaitRun, control.WatchRun, control.CancelRun)
"""What a core answers that goes down: how the runs end that it has."""
LATE_S = 6.0
"""Age at which a call is not carried out any more: it was reported as failed after `client.pulse.PATIENCE_S` and more."""


class CoreServer(flight.FlightServerBase):  # type: ignore[misc]
    """Serves one core."""

    def __init__(self, core: Core, address: str, token: str) -> None:
        """Listen at `address`; serving happens on Flight's own threads."""
        with quiet():
            super().__init__(address, middleware={"token": _TokenGate(token)})
        self.address = bound_address(address, self.port)
        self._core = core
        self._leaving = False
        self._replies: dict[type, Callable[[Any], object]] = {
            control.GetCoreStatus: core.status,
            control.Ping: lambda _: control.Pong(),
            control.StopCore: core.stop_core,
            control.ForgetVariables: core.forget_variables,
            control.Doctor: core.doctor,
            control.SaveConnection: core.save_connection,
            control.ListConnections: core.list_connections,
            control.TestConnection: core.test_connection,
            control.UseConnection: core.use_connection,
            control.GetCurrentConnection: core.current_connection,
            control.RemoveConnection: core.remove_connection,
            control.Disconnect: core.disconnect,
            control.ListDrivers: core.list_drivers,
            control.ListCredentials: core.list_credentials,
            control.SetCredential: core.set_credential,
            control.DeleteCredential: core.delete_credential,
            control.UnlockVault: core.unlock_vault,
            control.ListPreferences: core.list_preferences,
            control.SetPreference: core.set_preference,
            control.SplitRequest: core.split,
            control.ListRuns: core.list_runs,
            control.WaitRun: core.wait_run,
            control.CancelRun: core.cancel_run,
            control.TellEnds: core.note_ends,
            control.ReadLog: core.read_log,
            control.DeleteLog: core.delete_log,
            control.GetConnection: core.get_connection,
            control.TryConnection: core.try_connection,
            control.DuplicateConnection: core.duplicate_connection,
            control.ListQueries: core.list_queries,
            control.SaveQuery: core.save_query,
            control.DeleteQuery: core.delete_query,
            control.ListBranch: core.list_branch,
            control.DescribeTable: core.describe_table,
            control.GetSchema: core.get_schema,
        }

    def do_action(self, context: flight.ServerCallContext, action: flight.Action) -> Iterator[flight.Result]:
        """Answer one action with its reply, or a stream of them."""
        repeatable = True
        try:
            request = _decode(action)
            repeatable = not isinstance(request, (Change, *_TO_THE_LAST))
            self._be_staying(request)
            self._be_awaited(context, request)
            if not isinstance(request, control.AwaitChanges | control.Ping):  # an open page does not keep the core
                self._core.note_call()
            for reply in self._answers(request, context):
                yield flight.Result(codec.encode(reply))
        except flight.FlightError:
            raise  # in Flight's own words; raised from itself it would be its own cause
        except Exception as exc:
            raise self._on_the_wire(exc, action.type, repeatable=repeatable) from exc

    def get_flight_info(
        self, context: flight.ServerCallContext, descriptor: flight.FlightDescriptor
    ) -> flight.FlightInfo:
        """Take a run in and say where its data will be."""
        try:
            command = codec.decode(control.RunCommand, descriptor.command)
            self._be_staying(command)
            self._core.note_call()
            return _info(descriptor, self._accept(command))
        except flight.FlightError:
            raise  # in Flight's own words; raised from itself it would be its own cause
        except Exception as exc:  # nobody has a ticket, so nothing of it is executed
            raise self._on_the_wire(exc, "run", repeatable=True) from exc

    def leave(self) -> None:
        """Take nothing in any more: the core goes down, and whoever calls is to go to the next one."""
        self._leaving = True

    def _be_staying(self, request: object) -> None:
        if self._leaving and not isinstance(request, _TO_THE_LAST):
            raise _gone()

    def _be_awaited(self, context: flight.ServerCallContext, request: object) -> None:
        """Refuse what waited here while this process stood still: its caller may have been told that it failed.

        Raises:
            CoreError: the call is older than LATE_S.
        """
        call: _Call = context.get_middleware("token")
        age_s = 0.0 if call.sent_at is None else time.monotonic() - call.sent_at
        if age_s > LATE_S and not isinstance(request, _TO_THE_LAST):
            raise errors.CoreError(
                f"The core service received this call {age_s:.0f} s after it was sent, and did nothing.",
                hint="Do it again.",
                scenario=RECEIVED_LATE,
            )

    def _on_the_wire(self, exc: Exception, action: str, *, repeatable: bool) -> flight.FlightError:
        """Return an error for the client; what fails because the core goes down is asked again at the next one."""
        if not isinstance(exc, errors.TuskError):
            _LOG.error("action %s failed", action, exc_info=exc)
        if self._leaving and repeatable:
            return _gone()
        return flight.FlightServerError(str(exc)[:500], extra_info=to_extra_info(exc))

    def _answers(self, request: object, context: flight.ServerCallContext) -> Iterator[object]:
        if isinstance(request, control.Attach):
            yield from self._core.attach(request, context.is_cancelled)
        elif isinstance(request, control.AwaitChanges):
            yield self._core.changes.wait(request, context.is_cancelled)
        elif isinstance(request, control.WatchRun):
            yield from self._core.watch_run(request)
        else:
            yield self._replies[type(request)](request)

    def _accept(self, command: control.RunCommand) -> Accepted:
        if command.run is not None:
            return self._core.run(command.run)
        if command.upload is not None:
            return self._core.upload(command.upload)
        raise errors.ProtocolError("A run command holds neither a run nor an upload.")


def _decode(action: flight.Action) -> object:
    try:
        kind = control.REQUESTS[action.type]
    except KeyError:
        raise errors.ProtocolError(
            f"This core ({__version__}, protocol {PROTOCOL_VERSION}) knows no action {action.type!r}.",
            hint="Client and core are of different versions: `tusk core stop`, then run the cell again.",
        ) from None
    return codec.decode(kind, action.body.to_pybytes())


def _info(descriptor: flight.FlightDescriptor, accepted: Accepted) -> flight.FlightInfo:
    endpoint = flight.FlightEndpoint(accepted.ticket.encode(), [accepted.address])
    return flight.FlightInfo(_NO_SCHEMA, descriptor, [endpoint], app_metadata=codec.encode(accepted.reply))


def _gone() -> flight.FlightUnavailableError:
    """Return what a call gets where no core listens."""
    return flight.FlightUnavailableError("This core is going down.")


class _Call(flight.ServerMiddleware):  # type: ignore[misc]
    """What a call's headers say."""

    def __init__(self, sent_at: float | None) -> None:
        super().__init__()
        self.sent_at = sent_at


class _TokenGate(flight.ServerMiddlewareFactory):  # type: ignore[misc]
    """Refuses every call without this start's token, and reads the others' headers."""

    def __init__(self, token: str) -> None:
        super().__init__()
        self._expected = f"Bearer {token}"

    def start_call(self, info: flight.CallInfo, headers: dict[str, list[str]]) -> _Call:
        given = headers.get("authorization", [""])[0]
        if not hmac.compare_digest(given, self._expected):
            raise flight.FlightUnauthenticatedError("This call needs the core's token.")
        sent_at = headers.get(SENT_AT)
        return _Call(float(sent_at[0]) if sent_at else None)
