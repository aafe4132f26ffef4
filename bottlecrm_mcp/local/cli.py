"""Command line of `bcrm-mcp`: an MCP server on stdin and stdout for one CRM and one token.

It passes everything on to the CRM's /mcp endpoint where there is one, and else serves the same
tools itself over the REST API.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

import anyio
from anyio.to_thread import run_sync

from bottlecrm_mcp.gateway.base import GatewayError
from bottlecrm_mcp.local.environment import (
    ENTITIES,
    MODE,
    TOKEN,
    WHERE_TOKENS_ARE,
    Environment,
    SettingsError,
    read_environment,
)
from bottlecrm_mcp.local.jsonrpc_stdio import ClientLeft
from bottlecrm_mcp.one_line import one_line

if TYPE_CHECKING:
    from bottlecrm_mcp.catalogue.model import Catalogue
    from bottlecrm_mcp.local.proxy import Endpoint
    from bottlecrm_mcp.local.rest_server import RestBackedServer
    from bottlecrm_mcp.local.waiting_room import WaitingRoom

PROGRAM = "bcrm-mcp"
Task = Callable[[Environment], Awaitable[None]]
SETTINGS = """\
environment:
  BCRM_BASE_URL    the CRM's API host, such as https://api.bottlecrm.io
  BCRM_TOKEN       a personal access token, from Settings → API Tokens; not needed after a login
  BCRM_MODE        auto (default): the CRM's own /mcp if it has one, else its REST API;
                   mcp or rest: only that
  BCRM_ENTITIES    kinds of record to serve beyond the usual ones, such as estimates,products;
                   for the REST API only: an endpoint of the CRM knows its own
  BCRM_ALLOW_HTTP  1 to send the token over plain http to another machine
"""
BY_ENDPOINT = "its own MCP endpoint"
BY_REST = "its REST API"


def main() -> NoReturn:
    """The console script. Does not wait for threads that wait for the CRM."""
    status = command()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def command(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit status is 0, 1 for a fault that was told, 2 for bad arguments."""
    options = _options().parse_args(arguments)
    if options.version:
        from bottlecrm_mcp.protocol.metadata import package_version

        print(PROGRAM, package_version())
        return 0
    # Libraries' warnings go to stderr; none of them tells a header, and so the token.
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format=f"{PROGRAM}: %(message)s")
    try:
        environment = read_environment(os.environ)
        for warning in environment.warnings:
            _say(warning)
        anyio.run(_task(options, environment), environment)
    except ClientLeft:
        return 1
    except (SettingsError, GatewayError) as problem:
        _say(str(problem))
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _task(options: argparse.Namespace, environment: Environment) -> Task:
    from bottlecrm_mcp.local.logins import load

    if options.action:
        return _login if options.action == "login" else _logout
    if not environment.token and load(environment.base_url) is None:
        raise SettingsError(
            f"Set {TOKEN} to a personal access token, or sign in with `{PROGRAM} login`. "
            f"{WHERE_TOKENS_ARE}"
        )
    if not environment.token and environment.mode == "rest":
        raise SettingsError(f"{MODE}=rest needs {TOKEN}: a login is good for the MCP endpoint.")
    return _check if options.check else _serve


async def _login(environment: Environment) -> None:
    from bottlecrm_mcp.local.login import sign_in

    await sign_in(environment.base_url)
    _say(f"signed in to {environment.base_url}; {PROGRAM} needs no {TOKEN} for it now.")


async def _logout(environment: Environment) -> None:
    from bottlecrm_mcp.local.logins import end, forget, load

    login = load(environment.base_url)
    if login is None:
        _say(f"nobody is signed in to {environment.base_url} here.")
        return
    is_ended = await end(login)
    forget(environment.base_url)
    if is_ended:
        _say("the connection is ended, and its tokens are removed here.")
    else:
        _say(
            "the tokens are removed here, but the CRM did not answer. To end the connection: "
            "Settings → API Tokens, Disconnect."
        )


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        PROGRAM,
        description="An MCP server for BottleCRM, started by an MCP client.",
        epilog=SETTINGS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "action",
        nargs="?",
        choices=("login", "logout"),
        help="sign in with a browser, and keep what comes of it; or end and remove that",
    )
    parser.add_argument(
        "--check", action="store_true", help="test the settings and say who you are"
    )
    parser.add_argument("--version", action="store_true", help="show the version")
    return parser


def _say(line: str) -> None:
    print(f"{PROGRAM}: {one_line(line)}", file=sys.stderr, flush=True)


async def _serve(environment: Environment) -> None:
    from bottlecrm_mcp.local.jsonrpc_stdio import JsonRpcStdio
    from bottlecrm_mcp.local.waiting_room import WaitingRoom

    if sys.stdin.isatty():
        _say("waiting for MCP messages on stdin. An MCP client starts this; --check tests it.")
    room = WaitingRoom(JsonRpcStdio(), _say)
    problem: Exception | None = None
    async with room.open():
        try:
            await _serve_client(environment, room)
        except (ClientLeft, GatewayError, SettingsError) as raised:
            # Told outside of the room, whose tasks would make a group of it.
            problem = raised
    if problem is not None:
        raise problem


async def _serve_client(environment: Environment, room: WaitingRoom) -> None:
    from bottlecrm_mcp.local.proxy import Proxy, open_endpoint

    async with open_endpoint(environment) as endpoint:

        async def connect() -> Callable[[], Awaitable[None]]:
            if environment.mode != "rest" and await _exists(environment, endpoint):
                return Proxy(endpoint, room).serve
            server = await run_sync(_rest_server, environment, abandon_on_cancel=True)
            return partial(server.serve, room)

        serve = await room.until_reached(connect)
        await serve()


def _rest_server(environment: Environment) -> RestBackedServer:
    from bottlecrm_mcp.gateway.rest.connection import Connection
    from bottlecrm_mcp.local.identity import who_am_i
    from bottlecrm_mcp.local.rest_server import RestBackedServer

    catalogue = _catalogue(environment)
    connection = Connection(environment.base_url, environment.token)
    caller = who_am_i(connection, catalogue)
    return RestBackedServer(catalogue, caller, connection, environment.token)


def _catalogue(environment: Environment) -> Catalogue:
    from bottlecrm_mcp.catalogue.bottlecrm import CATALOGUE
    from bottlecrm_mcp.catalogue.model import UnknownEntities

    try:
        return CATALOGUE.with_entities(environment.entities)
    except UnknownEntities as unknown:
        raise SettingsError(f"{ENTITIES}: {unknown}.") from unknown


async def _exists(environment: Environment, endpoint: Endpoint) -> bool:
    if await endpoint.exists():
        return True
    if not environment.token:
        raise GatewayError(
            "no_endpoint",
            f"{endpoint.url} is no MCP endpoint, and a login is good for that alone. Set {TOKEN}, "
            "and the REST API is used.",
        )
    if environment.mode == "mcp":
        raise GatewayError(
            "no_endpoint",
            f"{endpoint.url} is no MCP endpoint. Unset {MODE}, and the REST API is used.",
        )
    return False


async def _check(environment: Environment) -> None:
    """Say who the token acts as and with which scopes."""
    from bottlecrm_mcp.local.proxy import open_endpoint

    if environment.mode != "rest":
        async with open_endpoint(environment) as endpoint:
            if await _exists(environment, endpoint):
                answer = await endpoint.call("resources/read", {"uri": "crm://me"})
                _tell(environment, BY_ENDPOINT, json.loads(answer["contents"][0]["text"]))
                return
    _tell(environment, BY_REST, _me_over_rest(environment))


def _me_over_rest(environment: Environment) -> dict[str, Any]:
    from bottlecrm_mcp.gateway.rest.connection import Connection
    from bottlecrm_mcp.local.identity import who_am_i
    from bottlecrm_mcp.protocol.resources import me

    connection = Connection(environment.base_url, environment.token)
    return me(who_am_i(connection, _catalogue(environment)))


def _tell(environment: Environment, way: str, person: dict[str, Any]) -> None:
    unknown = "not shown to this token"
    who = f"{person['name']} <{person['email']}>, {person['role']}" if person["id"] else unknown
    told = {
        "CRM": f"{environment.base_url}, through {way}",
        "Acting as": who,
        "Organisation": person["organisation"]["name"] or unknown,
        "Time zone": f"{person['timezone']}, where it is {person['today']}",
        "Scopes": ", ".join(person["scopes"]),
    }
    for name, value in told.items():
        print(f"{name + ':':<15}{one_line(value)}")
