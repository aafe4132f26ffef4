// The TypeScript SDK, which checks answers against the tools' output schemas.
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

const headers = { Authorization: `Bearer ${process.env.MCP_TOKEN}` };
const url = new URL(process.env.MCP_URL);
const transport = new StreamableHTTPClientTransport(url, { requestInit: { headers } });
const client = new Client({ name: "trial", version: "1" });
await client.connect(transport);
const { tools } = await client.listTools();
const calls = [
  ["crm_search", { entity: "leads", limit: 1 }],
  ["crm_describe", { entity: "leads" }],
];
const results = [];
for (const [name, args] of calls) {
  const answer = await client.callTool({ name, arguments: args });
  results.push(JSON.stringify(answer.structuredContent));
}
await client.close();
console.log(JSON.stringify({ tools: tools.map((each) => each.name), results }));
