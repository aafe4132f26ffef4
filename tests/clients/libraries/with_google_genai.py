"""google-genai: a session as a tool, its schemas converted, its calls made by the SDK."""

import asyncio
import json
import os

import httpx
from google import genai
from google.genai import types
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client


async def main() -> None:
    headers = {"Authorization": f"Bearer {os.environ['MCP_TOKEN']}"}
    options = types.HttpOptions(base_url=os.environ["MODEL_URL"])
    model = genai.Client(api_key="none", http_options=options)
    async with (
        httpx.AsyncClient(headers=headers) as http,
        streamable_http_client(os.environ["MCP_URL"], http_client=http) as streams,
        ClientSession(*streams[:2]) as session,
    ):
        await session.initialize()
        listed = await session.list_tools()
        answer = await model.aio.models.generate_content(
            model="gemini-3-flash",
            contents="How many leads are there?",
            # The SDK copies a config object, and with it the session, which fails in itself.
            config={"tools": [session]},
        )
        history = answer.automatic_function_calling_history or []
        parts = [part for each in history for part in each.parts or []]
        results = [
            json.dumps(part.function_response.response, default=str)
            for part in parts
            if part.function_response
        ]
    print(json.dumps({"tools": [each.name for each in listed.tools], "results": results}))


asyncio.run(main())
