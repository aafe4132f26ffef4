"""`bcrm-mcp` with the official client, in both of its modes and both protocol eras."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import mcp_types as types
import pytest
import uvicorn
from mcp.shared.exceptions import MCPError

from demo_crm.access.row_security import org_context
from pat_tokens.models import Token
from settings.asgi import application, django_application
from tests.agent import LEGACY, MODERN, Person, connected, prompt_text
from tests.bottlecrm_mcp.local.client import launched, run, variables
from tests.bottlecrm_mcp.population import populate
from tests.kept import kept
from tests.sample_data import sample_data
from tests.scenarios.test_sales_day import sales_day
from tests.scenarios.test_support_day import support_day

MODES = ("mcp", "rest")
ERAS = (MODERN, LEGACY)

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def served(app) -> Iterator[str]:
    config = uvicorn.Config(app, port=0, log_level="error", lifespan="auto")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


@pytest.fixture(scope="module")
def crm_url() -> Iterator[str]:
    with served(application) as url:
        yield url


@pytest.fixture(scope="module")
def plain_crm_url() -> Iterator[str]:
    """A CRM without our endpoint."""
    with served(django_application) as url:
        yield url


@pytest.fixture
def alpha(two_orgs):
    return kept(populate, two_orgs.alpha_admin, two_orgs.alpha_user)


def using(work, *connection, **options):
    """The result of `work` with an agent on a command that is launched for it."""

    async def through():
        async with launched(*connection, **options) as agent:
            return await work(agent)

    return asyncio.run(through())


@pytest.mark.parametrize("mode", MODES)
def test_everything_but_tools(crm_url, alpha, token_for, mode):
    async def look(agent):
        client = agent.client
        me = json.loads((await client.read_resource("crm://me")).contents[0].text)
        templates = await client.list_resource_templates()
        prompts = await client.list_prompts()
        prompt = await client.get_prompt("account_brief", {"account": "Acme"})
        completed = await client.complete(
            types.PromptReference(name="account_brief"), {"name": "account", "value": "name"}
        )
        with pytest.raises(MCPError) as unknown:
            await client.call_tool("nonsense", {})
        return SimpleNamespace(
            me=me,
            resources=len((await client.list_resources()).resources),
            templates=len(templates.resource_templates),
            prompts=len(prompts.prompts),
            text=prompt_text(prompt),
            completed=completed.completion.total,
            code=unknown.value.error.code,
            instructions=client.instructions,
        )

    for era in ERAS:
        seen = using(look, crm_url, token_for(alpha.user), era, BCRM_MODE=mode)
        assert seen.me["email"] == alpha.user.user.email
        assert seen.me["organisation"]["name"] == "Alpha"
        assert seen.me["scopes"] == ["*:read", "*:write"]
        assert (seen.resources, seen.templates, seen.prompts) == (13, 2, 8)
        assert "Acme" in seen.text
        assert seen.completed == 8
        assert seen.code == -32602
        # A client that is told which revision to speak does not ask for them.
        if era == LEGACY:
            assert "Alpha User" in seen.instructions
            assert "Asia/Kolkata" in seen.instructions


@pytest.mark.parametrize("scopes", [[], ["*:read"], ["tags:read"]])
def test_the_same_tools_in_every_mode(crm_url, plain_crm_url, two_orgs, token_for, scopes):
    secret = token_for(two_orgs.alpha_user, scopes=scopes)

    async def hosted(era):
        async with connected(application, secret, era) as agent:
            return await listed(agent)

    async def listed(agent):
        tools = (await agent.client.list_tools()).tools
        return [tool.model_dump(mode="json") for tool in tools]

    for era in ERAS:
        wanted = asyncio.run(hosted(era))
        assert wanted
        assert using(listed, crm_url, secret, era) == wanted
        assert using(listed, crm_url, secret, era, BCRM_MODE="rest") == wanted
        # Found by itself where there is no /mcp, also with scopes, which plain BottleCRM refuses
        # at any path outside its API.
        assert using(listed, plain_crm_url, secret, era) == wanted


@pytest.mark.parametrize(("mode", "era"), [("mcp", LEGACY), ("rest", MODERN)])
def test_sales_day(crm_url, transactional_db, token_for, mailoutbox, mode, era):
    people = {profile.user.name.split()[0].lower(): profile for profile in sample_data()}
    person = Person()
    secret = token_for(people["sam"])
    made = using(sales_day, crm_url, secret, era, person, BCRM_MODE=mode)
    assert made.carla
    outside = [mail.to for mail in mailoutbox if "bluebird" not in str(mail.to)]
    assert outside == [["eli@marsh.example"]]


@pytest.mark.parametrize(("mode", "era"), [("mcp", MODERN), ("rest", LEGACY)])
def test_support_day(crm_url, transactional_db, token_for, mode, era):
    people = {profile.user.name.split()[0].lower(): profile for profile in sample_data()}
    person = Person()
    made = using(support_day, crm_url, token_for(people["avery"]), era, person, BCRM_MODE=mode)
    assert made.article


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("mode", MODES)
def test_declined_form(crm_url, alpha, token_for, mode, era):
    async def decline(agent):
        lead = str(alpha.leads[1].pk)
        shown = await agent.declining("crm_delete", entity="leads", id=lead)
        return shown, await agent("crm_get", entity="leads", id=lead)

    shown, kept = using(decline, crm_url, token_for(alpha.admin), era, Person(), BCRM_MODE=mode)
    assert "delete the lead" in shown
    assert kept["record"]["id"]


@pytest.mark.parametrize("mode", MODES)
def test_older_client_that_fails_to_show_the_form(crm_url, alpha, token_for, mode):
    """Nothing is done, though the agent agrees: the person would have decided in the form."""

    async def fails(context, params):
        raise RuntimeError("no window")

    async def delete(agent):
        lead = {"entity": "leads", "id": str(alpha.leads[1].pk)}
        answer = await agent("crm_delete", **lead, confirm=True)
        return answer, await agent("crm_get", **lead)

    answer, kept = using(delete, crm_url, token_for(alpha.admin), LEGACY, fails, BCRM_MODE=mode)
    assert answer["declined"] is False
    assert kept["record"]["id"]


@pytest.mark.parametrize("mode", MODES)
def test_token_revoked_between_two_calls(crm_url, alpha, token_for, mode):
    async def revoke(agent):
        assert (await agent("crm_search", entity="leads"))["total"]
        await asyncio.to_thread(forget_tokens, alpha.org)
        return await agent.refused("crm_search", entity="leads")

    for era in ERAS:
        error = using(revoke, crm_url, token_for(alpha.admin), era, BCRM_MODE=mode)
        assert error["code"] == "unauthorized"
        assert "Settings → API Tokens" in json.dumps(error, ensure_ascii=False)


def forget_tokens(org):
    from django.db import connection

    with org_context(org):
        Token.objects.all().delete()
    connection.close()


@pytest.mark.parametrize("mode", MODES)
def test_progress_is_passed_on_and_calls_run_side_by_side(crm_url, alpha, token_for, mode):
    async def ask(agent):
        seen = []

        async def note(*progress):
            seen.append(progress)

        calls = [
            agent.client.call_tool("crm_search", {"entity": name}, progress_callback=note)
            for name in ("leads", "tasks", "cases", "accounts")
        ]
        return [result.is_error for result in await asyncio.gather(*calls)]

    assert using(ask, crm_url, token_for(alpha.admin), BCRM_MODE=mode) == [False] * 4


def test_check(crm_url, plain_crm_url, alpha, token_for):
    secret = token_for(alpha.user, scopes=["leads:read", "profile:read"])
    hosted = run("--check", **variables(crm_url, secret))
    rest = run("--check", **variables(plain_crm_url + "/api/", secret))
    for done, way in ((hosted, "its own MCP endpoint"), (rest, "its REST API")):
        assert done.returncode == 0, done.stderr
        assert way in done.stdout
        assert "Alpha User <alpha.user@example.com>, USER" in done.stdout
        assert "leads:read" in done.stdout
        assert secret not in done.stdout + done.stderr
    assert hosted.stderr == ""
    assert "should be http://127.0.0.1" in rest.stderr
    assert "Organisation:  not shown to this token" in rest.stdout
