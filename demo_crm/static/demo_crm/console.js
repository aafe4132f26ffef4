/*
 * <mcp-console>: calls the tools of /mcp as one person. Its <script type="application/json"> has
 * the `token` and the `questions`: {ask, tool, arguments}.
 */
import { DATE, columnsOf, isAmount, isSaid, label as labelOf, words } from "./words.js";

const HEADERS = { "Content-Type": "application/json", Accept: "application/json, text/event-stream" };
const MOST_COLUMNS = 6;

function make(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

class McpConsole extends HTMLElement {
  #token;
  #tools = [];
  #calls = 0;
  #fields = make("div", { className: "call" });
  #answer = make("div", { className: "answer" });
  #choice = make("select", { id: "tool" });
  #questions = make("ul", { className: "questions" });

  async connectedCallback() {
    const given = JSON.parse(this.querySelector("script").textContent);
    this.#token = given.token;
    this.#answer.setAttribute("aria-live", "polite");
    this.replaceChildren(make("p", { textContent: "Loading the tools…" }));
    try {
      this.#tools = (await this.#send("tools/list")).tools;
    } catch (problem) {
      this.replaceChildren(make("p", { className: "failed", textContent: problem.message }));
      return;
    }
    for (const each of given.questions) this.#questions.append(this.#question(each));
    for (const { name, title } of this.#tools) {
      this.#choice.append(make("option", { value: name, textContent: title ? `${name}: ${title}` : name }));
    }
    this.#choice.addEventListener("change", () => this.#begin());
    const form = make("form", { className: "call", noValidate: true },
      make("div", { className: "field" }, make("label", { htmlFor: "tool", textContent: "Tool" }), this.#choice),
      this.#fields, make("button", { type: "submit", className: "main", textContent: "Call the tool" }));
    form.addEventListener("submit", (event) => { event.preventDefault(); this.#submit(); });
    this.replaceChildren(this.#questions, make("div", { className: "console" }, form, this.#answer));
    this.#questions.querySelector("button").click();
  }

  #question({ ask, tool, arguments: filled }) {
    const button = make("button", { type: "button", textContent: ask });
    button.addEventListener("click", () => {
      this.#press(button);
      this.#choice.value = tool;
      this.#show(filled);
      this.#call(tool, filled);
    });
    return make("li", {}, button);
  }

  /** An empty form for the tool that was chosen; what another one answered is gone. */
  #begin() {
    this.#calls += 1;
    this.#press(null);
    this.#show({});
    this.#answer.replaceChildren(make("p", { className: "help", textContent: "Fill in the form, and call the tool." }));
    this.querySelector("button.main").disabled = false;
  }

  #press(button) {
    for (const each of this.#questions.querySelectorAll("button")) {
      each.setAttribute("aria-pressed", String(each === button));
    }
  }

  get #tool() { return this.#tools.find((each) => each.name === this.#choice.value); }

  #show(filled) {
    const { properties = {}, required = [] } = this.#tool.inputSchema;
    const names = Object.keys(properties);
    const isFirst = (name) => required.includes(name) || name in filled || name === "id";
    const fields = (chosen) => chosen.map((name) => this.#field(name, properties[name], required.includes(name), filled[name]));
    const rest = names.filter((name) => !isFirst(name));
    const more = make("details", { className: "more", open: names.length <= 4 },
      make("summary", { textContent: "Other arguments" }), ...fields(rest));
    this.#fields.replaceChildren(
      make("p", { className: "help", textContent: this.#tool.description ?? "" }),
      ...fields(names.filter(isFirst)), ...(rest.length ? [more] : []));
  }

  #field(name, schema, isRequired, value) {
    const id = `argument-${name}`;
    const input = control(schema, value);
    Object.assign(input, { id, name, required: isRequired });
    input.dataset.type = schema.type ?? "";
    const label = make("label", { htmlFor: id }, name, ...(isRequired ? [] : [make("small", { textContent: " (optional)" })]));
    const isCheck = input.type === "checkbox";
    const field = make("div", { className: isCheck ? "field check" : "field" }, ...(isCheck ? [input, label] : [label, input]));
    if (schema.description) {
      field.append(make("p", { className: "help", id: `${id}-help`, textContent: schema.description }));
      input.setAttribute("aria-describedby", `${id}-help`);
    }
    return field;
  }

  #submit() {
    this.#fields.querySelectorAll(".wrong").forEach((each) => each.remove());
    const filled = {};
    let first = null;
    for (const input of this.#fields.querySelectorAll("[name]")) {
      input.removeAttribute("aria-invalid");
      try {
        const value = valueOf(input);
        if (value !== undefined) filled[input.name] = value;
      } catch (problem) {
        input.setAttribute("aria-invalid", "true");
        input.after(make("p", { className: "wrong", textContent: problem.message }));
        first ??= input;
      }
    }
    if (first) { first.focus(); return; }
    this.#press(null);
    this.#call(this.#tool.name, filled);
  }

  async #call(name, filled) {
    const button = this.querySelector("button.main");
    button.disabled = true;
    // Of two calls on their way the later one is shown, whichever is answered first.
    const number = ++this.#calls;
    const began = performance.now();
    try {
      const result = await this.#send("tools/call", { name, arguments: filled });
      if (number !== this.#calls) return;
      const text = result.content.map((each) => each.text ?? "").join("\n");
      const took = Math.round(performance.now() - began);
      const measure = `${name} answered in ${took} ms with ${new Blob([text]).size.toLocaleString("en")} bytes.`;
      this.#answer.replaceChildren(
        make("p", { className: "measure", textContent: measure }),
        this.#shown(result, name, filled),
        raw("The call", { name, arguments: filled }),
        raw("The answer, as an assistant gets it", json(text) ?? text),
      );
    } catch (problem) {
      if (number !== this.#calls) return;
      this.#answer.replaceChildren(make("p", { className: "failed", textContent: problem.message }));
    } finally {
      button.disabled = false;
    }
  }

  #shown(result, name, filled) {
    const answer = result.structuredContent ?? json(result.content[0]?.text) ?? {};
    if (result.isError) {
      return refusal(answer.error ?? { message: result.content[0]?.text });
    }
    if (answer.confirmation_required) return this.#waiting(answer, name, filled);
    const rows = answer.records ?? answer.groups;
    if (rows) return rows.length ? table(rows) : make("p", { textContent: "Nothing was found." });
    return facts(answer.record ?? answer.result?.record ?? answer);
  }

  #waiting(answer, name, filled) {
    const button = make("button", { type: "button", className: "main", textContent: "Yes, do it" });
    button.addEventListener("click", () =>
      this.#call(name, { ...filled, confirm: true, confirmation: answer.confirmation }));
    return make("div", { className: "waits" },
      make("p", {}, make("strong", { textContent: "Nothing was changed: this waits for a person." })),
      facts(answer.preview), button);
  }

  /** The result of one request. Throws an Error with a sentence for people. */
  async #send(method, params = {}) {
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
    const headers = { ...HEADERS, Authorization: `Bearer ${this.#token}` };
    let answer;
    try {
      answer = await fetch("/mcp", { method: "POST", headers, body });
    } catch {
      throw new Error("The demo does not answer. Is it still running?");
    }
    if (answer.status === 401) {
      throw new Error("This token no longer works. Restart the demo, and it makes a new one.");
    }
    const message = json(await answer.text());
    if (message?.result) return message.result;
    // What is refused before it reaches the MCP server is said in a text.
    throw new Error(message?.error?.message ?? message?.error ?? `The demo answered with the status ${answer.status}.`);
  }
}

function control(schema, value) {
  if (schema.enum) {
    const chosen = value ?? schema.default ?? schema.enum[0];
    const options = schema.enum.map((each) => make("option", { value: each, textContent: each, selected: each === chosen }));
    return make("select", {}, ...options);
  }
  if (schema.type === "boolean") return make("input", { type: "checkbox", checked: value ?? schema.default ?? false });
  if (schema.type === "integer" || schema.type === "number") {
    return make("input", { type: "number", value: value ?? "", placeholder: schema.default ?? "" });
  }
  if (schema.type === "string") return make("input", { type: "text", value: value ?? "", autocomplete: "off" });
  return make("textarea", {
    className: "code", spellcheck: false, value: value === undefined ? "" : JSON.stringify(value, null, 1),
    placeholder: schema.type === "array" ? "[…]" : "{…}",
  });
}

/** What was filled in; undefined where nothing was. Throws where it is not of the field's type. */
function valueOf(input) {
  if (input.type === "checkbox") return input.checked || undefined;
  const text = input.value.trim();
  if (!text) {
    if (input.required) throw new Error("Fill this in.");
    return undefined;
  }
  if (input.type === "number") return Number(text);
  if (input.tagName !== "TEXTAREA") return text;
  const value = json(text);
  if (value === undefined) throw new Error(`Write this as JSON: ${input.placeholder}`);
  return value;
}

function json(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function table(rows) {
  const columns = columnsOf(rows, MOST_COLUMNS);
  const head = make("tr", {}, ...columns.map((key) => make("th", { scope: "col", textContent: labelOf(key) })));
  const body = rows.map((row) => make("tr", {}, ...columns.map((key) => cell(row, key))));
  return scrolling(make("table", {}, make("thead", {}, head), make("tbody", {}, ...body)), "Records");
}

function cell(row, key) {
  const text = words(row[key], key, row);
  const isNumber = isAmount(key, row[key]) || typeof row[key] === "number" || DATE.test(row[key]);
  const node = make("td", { className: isNumber ? "number" : "", textContent: text });
  if (text) node.dataset.label = labelOf(key);
  return node;
}

function refusal(error) {
  const fields = Object.entries(error.fields ?? {}).map(([name, said]) => make("li", { textContent: `${labelOf(name)}: ${words(said)}` }));
  return make("div", { className: "failed" }, make("p", { textContent: error.message }),
    ...(fields.length ? [make("ul", {}, ...fields)] : []), ...(error.hint ? [make("p", { textContent: error.hint })] : []));
}

function facts(record) {
  const said = Object.entries(record).filter(([key, value]) => isSaid(key, value));
  const rows = said.map(([key, value]) =>
    make("tr", {}, make("th", { scope: "row", textContent: labelOf(key) }), make("td", { textContent: words(value, key, record) })));
  return scrolling(make("table", {}, make("tbody", {}, ...rows)), "Details");
}

function scrolling(node, label) {
  const box = make("div", { className: "table", tabIndex: 0 }, node);
  box.setAttribute("role", "region");
  box.setAttribute("aria-label", label);
  return box;
}

function raw(name, value) {
  const text = typeof value === "string" ? value : JSON.stringify(value, null, 2);
  return make("details", {}, make("summary", { textContent: name }), make("pre", { tabIndex: 0, textContent: text }));
}

customElements.define("mcp-console", McpConsole);
