"""A client session: what a kernel, a script or a command line holds of the core, which is next to nothing."""

from __future__ import annotations

import collections
import contextlib
import os
import sys
import threading
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from tusk_jupyter import errors
from tusk_jupyter.client.held import Held
from tusk_jupyter.client.interrupts import Task
from tusk_jupyter.client.link import Link
from tusk_jupyter.client.pulse import attended
from tusk_jupyter.protocol import control
from tusk_jupyter.protocol.message import replace
from tusk_jupyter.protocol.scenarios import FILE_GONE
from tusk_jupyter.system import threads
from tusk_jupyter.system.places import Places
from tusk_jupyter.system.working_folder import working_folder

if TYPE_CHECKING:
    import pyarrow as pa

    from tusk_jupyter.client.driver_link import Drivers
    from tusk_jupyter.client.files import Sink
    from tusk_jupyter.client.runs import Fetch, Progress, RunResult
    from tusk_jupyter.protocol.calls import Request

Asked = TypeVar("Asked", control.RunRequest, control.UploadRequest)

SETTLE_S = 2.0
"""How long a look at the log waits for the client's own last run to be complete in it."""
TELL_S = 10.0

TOLD = 32
"""Runs whose ends are kept for a core that did not see them; a core knows of an end within milliseconds."""

_AFTER_THE_LAST_RUN = (control.ReadLog, control.DeleteLog, control.GetSchema, control.ListRuns, control.Disconnect)
"""What is to see all that this client has run: its last run's end reaches the core some milliseconds after its data came."""


class Client:
    """One client session of the core; thread-safe.

    Attributes:
        session: this client's id, made fresh for each process.
        source: where its runs come from, for the log: a notebook's path, a script's path, `ipython`, `cli`.
    """

    def __init__(self, places: Places, *, source: str, stays: bool = True) -> None:
        """Begin a session; the core is not touched before the first call.

        Args:
            places: the state folder.
            source: see above.
            stays: whether its runs hold the session, and so the core, for as long as this process lives; otherwise its
                database sessions close after a minute without a word.
        """
        self.session = uuid.uuid4().hex
        self.source = source
        self._stays = stays
        self.link = Link(places)
        self._attached_to = 0
        self._held = Held()
        self._last_run: str | None = None
        self._used: str | None = None
        self._chosen: str | None = None
        self._completed: collections.deque[control.RunEnded] = collections.deque(maxlen=TOLD)
        """For a core that is started when the one that took them in has died: it cannot know how they ended."""
        self._told_epoch = 0
        self._drivers: Drivers | None = None
        self._lock = threading.Lock()

    @property
    def last_connection(self) -> str | None:
        """Name of the current connection, for a core that was started since: the one chosen, else the one used last."""
        return self._chosen or self._used

    @property
    def last_was_chosen(self) -> bool:
        """Whether `last_connection` was chosen on purpose."""
        return self._chosen is not None

    def call(self, request: Request, *, timeout_s: float | None = 60.0) -> Any:  # noqa: ANN401  # the request's REPLY says which
        """Send a request to the core and return its reply, an instance of `request.REPLY`. Ctrl-C breaks the wait off.

        Raises:
            TuskError: what the core answered; CoreError when it cannot be reached or started, or does not answer any more.
        """
        given_up = threading.Event()
        task: Task[Any] = Task(lambda: self._call(request, timeout_s, lambda: not given_up.is_set()))
        try:
            attended(self.link, task)
        except BaseException:
            given_up.set()  # it was told as failed, so it is not done later
            raise
        return task.result()

    def run(
        self, request: control.RunRequest, *, sink: Sink | None = None, on_progress: Progress | None = None
    ) -> RunResult:
        """Run SQL and fetch its last result.

        Args:
            request: what to run; `session` is filled in by this client when empty.
            sink: a file to stream the result into, instead of memory.
            on_progress: called about four times a second once the run has taken half a second.

        Raises:
            Cancelled: Ctrl-C, or a cancel from elsewhere. TuskError: whatever else stopped the run.
        """
        from tusk_jupyter.client.runs import Fetch

        folder = request.folder if request.folder is not None or request.kind == "tool" else working_folder()
        command = control.RunCommand(run=replace(self._signed(request), folder=folder))
        return self._finish(Fetch(self.link, self._driver_links(), command, sink=sink), on_progress)

    def upload(
        self, request: control.UploadRequest, data: pa.Table, *, on_progress: Progress | None = None
    ) -> RunResult:
        """Write a table into the database; raises as `run`."""
        from tusk_jupyter.client.runs import Fetch

        command = control.RunCommand(upload=self._signed(request))
        return self._finish(Fetch(self.link, self._driver_links(), command).with_upload(data), on_progress)

    def disconnect(self, connection: str | None) -> control.Disconnected:
        """Close this client's session on a connection (None: the current one); the next run opens another.

        Raises:
            UsageError: a run is under way in it.
        """
        reply: control.Disconnected = self.call(
            control.Disconnect(
                session=self.session,
                connection=connection,
                last_connection=self.last_connection,
                last_was_chosen=self.last_was_chosen,
            )
        )
        self._held.let_go(reply.connection_id)
        return reply

    def split(self, sql: str, connection: str | None) -> control.SplitReply:
        """Return where the statements and their `:name` parameters stand, by the rules of the connection's dialect."""
        reply: control.SplitReply = self.call(
            control.SplitRequest(
                session=self.session,
                connection=connection,
                sql=sql,
                last_connection=self.last_connection,
                last_was_chosen=self.last_was_chosen,
            )
        )
        return reply

    def _signed(self, request: Asked) -> Asked:
        """Return a request with what every run of this client says of itself."""
        return replace(
            request,
            session=self.session,
            source=request.source or self.source,
            kernel=_kernel_id(),
            last_connection=self.last_connection,
            last_was_chosen=self.last_was_chosen,
            held=self._held.claims(),
        )

    def _driver_links(self) -> Drivers:
        from tusk_jupyter.client.driver_link import Drivers

        if self._drivers is None:
            self._drivers = Drivers()
        return self._drivers

    def _finish(self, fetch: Fetch, on_progress: Progress | None) -> RunResult:
        self._attach()
        is_new: list[bool] = []
        fetch.on_accepted = lambda accepted: is_new.append(self._held.begun(accepted))
        try:
            result: RunResult = fetch.run(on_progress)
        except errors.SessionLost as exc:
            self._held.lost(exc.sessions)
            raise
        except errors.ConnectError as exc:
            if exc.scenario == FILE_GONE and fetch.accepted is not None:  # a refusal too, which has told what is gone
                self._held.lost([fetch.accepted.session_id])
            raise
        finally:
            if fetch.accepted is not None:
                self._last_run, self._used = fetch.accepted.run, fetch.accepted.connection
        self._attach()  # to the core that the run may have started
        self._completed.append(_ended(result))
        self._held.ended(result.accepted, result.transaction)
        if any(is_new):
            result.accepted = replace(result.accepted, session_lost=True)
        return result

    def _call(self, request: Request, timeout_s: float | None, is_awaited: Callable[[], bool]) -> Any:  # noqa: ANN401  # the request's REPLY says which
        if isinstance(request, _AFTER_THE_LAST_RUN) and self._last_run is not None:
            run, self._last_run = self._last_run, None
            with contextlib.suppress(errors.UsageError):  # a core started since does not know it; its row is complete
                self.link.call(control.WaitRun(run=run, timeout_s=SETTLE_S))
        reply = self.link.call(request, timeout_s=timeout_s, is_awaited=is_awaited)
        if isinstance(request, control.UseConnection | control.SaveConnection):
            self._note_choice(request)
            self._attach()  # the choice is the session's, which is forgotten after a minute when nobody holds it
        if isinstance(reply, control.ConnectionRemoved):  # as `disconnect`: what was in the session went knowingly
            self._held.let_go(reply.connection_id)
        return reply

    def _note_choice(self, request: control.UseConnection | control.SaveConnection) -> None:
        """Remember by name what is current, for a core that is started later."""
        if isinstance(request, control.UseConnection):
            self._used = self._chosen = request.name
            return
        if request.use or (self._used and self._used == request.rename_from):
            self._used = request.name
        if self._chosen and self._chosen == request.rename_from:
            self._chosen = request.name

    def _attach(self) -> None:
        """Hold the session open on a thread of its own, once per core."""
        if not self._stays:
            return
        with self._lock:
            if self._attached_to and self._attached_to == self.link.epoch:
                return
            self._attached_to = max(self.link.epoch, 1)
        try:
            threading.Thread(target=self._hold, name="tusk-attach", daemon=True).start()
        except BaseException as exc:  # Ctrl-C may come here: the next run attaches then
            self._attached_to = 0
            if not isinstance(exc, RuntimeError) or (told := threads.told(exc)) is None:
                raise
            raise told from exc

    def _hold(self) -> None:
        try:
            hello = control.Attach(session=self.session, source=self.source, pid=os.getpid(), kernel=_kernel_id())
            for _ in self.link.stream(hello, starts=False):
                self._attached_to = self.link.epoch
                self._tell_ends()
        except errors.TuskError:
            pass  # the core has gone: the call that needs one reports it
        finally:
            self._attached_to = 0

    def _tell_ends(self) -> None:
        """Tell a core that is another one than before how this client's last runs ended."""
        before, self._told_epoch = self._told_epoch, self.link.epoch
        if before and before != self.link.epoch and self._completed:
            peer = self.link.connected  # none is started for it
            with contextlib.suppress(errors.TuskError):  # one of an earlier version, or one that has gone
                if peer is not None:
                    peer.call(control.TellEnds(runs=tuple(self._completed)), timeout_s=TELL_S)


def _ended(result: RunResult) -> control.RunEnded:
    """Return what the log wants to know of a run, as far as its client knows it."""
    yields = [one.rows for one in result.statements if one.rows is not None]
    affected = [one.affected for one in result.statements if one.affected is not None]
    return control.RunEnded(
        run=result.accepted.run,
        elapsed_ms=round(result.elapsed_s * 1000, 3),
        rows=sum(yields) if yields else None,
        affected=sum(affected) if affected else None,
        statements=len(result.statements),
    )


_current: Client | None = None
_current_lock = threading.Lock()
_forked_in_use = False


def get_client(source: str | None = None) -> Client:
    """Return this process's client for the state folder of `TUSK_HOME`, made at the first call.

    Raises:
        UsageError: this process was forked from one that had used its client.
    """
    global _current
    if _forked_in_use:
        raise errors.UsageError(
            "This process was forked from one that talks to the core, and gRPC does not survive a fork.",
            hint="Start it with `multiprocessing.get_context('spawn')`, or query in the parent and hand the frame over.",
        )
    places = Places.of_environment()
    with _current_lock:
        if _current is None or _current.link.places != places:
            _current = Client(places, source=source or _script())
        elif source:
            _current.source = source
        return _current


def _kernel_id() -> str:
    """Return Jupyter's id of the kernel that this process is, which names its connection file; "" for others."""
    app: Any = getattr(sys.modules.get("ipykernel.kernelapp"), "IPKernelApp", None)
    file = app.instance().connection_file if app is not None and app.initialized() else ""
    name = Path(file).name
    return name.removeprefix("kernel-").removesuffix(".json") if name.startswith("kernel-") else ""


def _script() -> str:
    script = Path(sys.argv[0] if sys.argv else "")
    if not script.is_absolute():
        script = Path(working_folder()) / script
    return str(script) if script.is_absolute() and script.is_file() else "python"


def _forget() -> None:
    """In a forked child: the session is the parent's, and gRPC's threads are not there: a call would hang (seen)."""
    global _current, _current_lock, _forked_in_use
    _forked_in_use = _forked_in_use or (_current is not None and _current.link.epoch > 0)
    _current, _current_lock = None, threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
