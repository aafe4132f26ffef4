"""Official client of a program that speaks over its standard streams; prints what it saw as JSON.

`python -m tests.clients.stdio_client TOOL ARGUMENTS COMMAND…`. Its person agrees in each form.
"""

import asyncio
import json
import os
import signal
import sys
from typing import Any

import mcp_types as types
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client


async def agree(context: Any, params: types.ElicitRequestParams) -> types.ElicitResult:
    return types.ElicitResult(action="accept", content={"confirm": True})


async def main(tool: str, given: str, command: str, *arguments: str) -> None:
    # The program is in a session of its own, and has to be ended by the one that started it.
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    program = StdioServerParameters(command=command, args=list(arguments), env=dict(os.environ))
    async with Client(stdio_client(program), elicitation_callback=agree) as client:
        tools = [each.name for each in (await client.list_tools()).tools]
        result = await client.call_tool(tool, json.loads(given))
        print(json.dumps({"tools": tools, "result": result.content[0].model_dump_json()}))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
