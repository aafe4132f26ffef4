// The host of this card: JSON-RPC over postMessage, as MCP Apps has it.
const host = { context: {}, can: {} };
// What is for the card alone of the result that it shows.
let facts = {};
const open = new Map();
let last = 0;

const root = document.documentElement;
const find = selector => document.querySelector(selector);
const send = message => parent.postMessage({ jsonrpc: "2.0", ...message }, "*");
const tell = (method, params = {}) => send({ method, params });
const ask = (method, params) => new Promise((resolve, reject) => {
  open.set(++last, { resolve, reject });
  send({ id: last, method, params });
});

addEventListener("message", ({ source, data }) => {
  if (source !== parent || data?.jsonrpc !== "2.0") return;
  if (data.method) return "id" in data ? asked(data) : heard[data.method]?.(data.params ?? {});
  const waiting = open.get(data.id);
  open.delete(data.id);
  if (data.error) waiting?.reject(new Error(data.error.message));
  else waiting?.resolve(data.result);
});

const heard = {
  "ui/notifications/tool-result": result => show(read(result)),
  "ui/notifications/tool-cancelled": () => show({ error: "This was cancelled." }),
  "ui/notifications/host-context-changed": adopt,
};

function asked({ id, method }) {
  if (method === "ui/resource-teardown") size.disconnect();
  else if (method !== "ping") return send({ id, error: { code: -32601, message: "Unknown" } });
  send({ id, result: {} });
}

function adopt(changed) {
  Object.assign(host.context, changed);
  const { style } = root;
  if (changed.theme) style.colorScheme = changed.theme;
  for (const [name, value] of Object.entries(changed.styles?.variables ?? {}))
    if (name.startsWith("--") && value) style.setProperty(name, value);
  if (host.shown && (changed.locale || changed.timeZone)) draw();
}

// What a result holds, wherever the host puts it, and what is for the card alone.
function read(result) {
  let content = result.structuredContent;
  if (!content) try { content = JSON.parse(result.content[0].text); } catch { content = {}; }
  const { message = "It failed.", fields = {}, hint } = content.error ?? {};
  if (result.isError) return { error: [message, ...Object.entries(fields).map(each => each.join(": ")), hint].filter(Boolean).join("\n") };
  return { content, facts: result._meta?.["io.bottlecrm/card"] ?? {}, text: result.content };
}

const call = (name, args) => ask("tools/call", { name, arguments: args }).then(read).catch(problem => ({ error: problem.message }));

// The model reads it with the person's next message.
function remember(content) {
  if (host.can.updateModelContext && content) ask("ui/update-model-context", { content }).catch(() => {});
}

const say = text => { find("#said").textContent = text; };

function show(result) {
  host.shown = result;
  draw();
}

function draw() {
  const { error, content, facts: others = {} } = host.shown;
  facts = others;
  const drawn = error ? [node("h1", {}, "This did not work"), warning(error)] : parts(content);
  find("#card").replaceWith(node("main", { id: "card" }, drawn));
}

const size = new ResizeObserver(() => {
  const { width, height } = root.getBoundingClientRect();
  tell("ui/notifications/size-changed", { width: Math.ceil(width), height: Math.ceil(height) });
});

addEventListener("load", async () => {
  const { hostContext, hostCapabilities } = await ask("ui/initialize", {
    appInfo: { name: "bottlecrm", version: "1" },
    appCapabilities: {},
    protocolVersion: "2026-01-26",
  });
  host.can = hostCapabilities ?? {};
  adopt(hostContext ?? {});
  tell("ui/notifications/initialized");
  size.observe(root);
});
