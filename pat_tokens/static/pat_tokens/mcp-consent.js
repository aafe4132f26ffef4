/*
 * <mcp-consent>: what a client asks for, and a person's decision on it.
 *
 *   src          the request: GET and POST /api/profile/tokens/authorizations/<id>/
 *   switch-href  where another organisation is chosen
 *   .request     a function like fetch, for hosts whose API wants a header
 *   .data        what GET answers, instead of src
 *   .error       why the last decision was refused
 *
 * Inside a <form> it is a field of it: the decision is the value, as JSON, under the element's
 * `name`, and the form is submitted. Elsewhere it is posted to src, and the browser goes on to
 * where the answer says. In a frame nothing can be decided.
 */
(() => {
  const CSS = `
    :host { display: block; font: inherit; }
    h1 { font-size: 1.5em; margin: 0 0 1rem; overflow-wrap: anywhere; }
    dl { display: grid; grid-template-columns: max-content 1fr; gap: .35rem 1rem; margin: 0 0 1rem; }
    dd { margin: 0; overflow-wrap: anywhere; }
    fieldset { border: 0; padding: 0; margin: 0 0 1rem; }
    legend { font-weight: 600; padding: 0; }
    fieldset > label { display: block; padding: .25rem 0; }
    .entities { display: grid; grid-template-columns: repeat(auto-fill, minmax(11rem, 1fr));
      gap: .5rem 1rem; margin: .5rem 0 1rem; }
    .entities[hidden] { display: none; }
    .entities p { grid-column: 1 / -1; margin: 0; }
    select { display: block; width: 100%; margin-top: .25rem; }
    select, button { font: inherit; padding: .5rem .75rem; border-radius: .25rem; color: inherit;
      background: transparent; border: 1px solid currentColor; }
    option { color: CanvasText; background: Canvas; }
    button { cursor: pointer; min-width: 8rem; }
    button[value="allow"] { color: Canvas; background: CanvasText; border-color: CanvasText; }
    button:disabled { cursor: progress; opacity: .6; }
    a { color: inherit; }
    input, select, button, a { outline-offset: 2px; }
    .note { font-size: .875rem; }
    .error { padding-left: .75rem; border-left: .25rem solid #d2463b; }
    .actions { display: flex; flex-wrap: wrap; gap: .75rem; }
    @media (max-width: 36rem) {
      dl { grid-template-columns: 1fr; gap: 0; }
      dd { margin-bottom: .5rem; }
      .actions button { flex: 1; }
    }
  `;
  const FRAMED = "This page can't be used inside of another one. Open it in a window of its own.";
  const ENDS_EARLIER =
    "End the connection that it has already. Leave that out if it is on another computer.";
  const UNREACHED = "The CRM did not answer. Try again.";

  function make(tag, properties = {}, ...children) {
    const node = Object.assign(document.createElement(tag), properties);
    node.append(...children);
    return node;
  }

  function alertOf(text) {
    const node = make("p", { className: "error", textContent: text });
    node.setAttribute("role", "alert");
    return node;
  }

  class McpConsent extends HTMLElement {
    static formAssociated = true;
    #internals = this.attachInternals();
    #root = this.attachShadow({ mode: "open" });
    #data;
    #error = "";
    #request = (url, options = {}) => fetch(url, options);

    constructor() {
      super();
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(CSS);
      this.#root.adoptedStyleSheets = [sheet];
    }

    get request() { return this.#request; }
    set request(value) { this.#request = value; }

    get data() { return this.#data; }
    set data(value) {
      this.#data = value;
      this.#render();
    }

    get error() { return this.#error; }
    set error(value) {
      this.#error = value ?? "";
      this.#render();
    }

    async connectedCallback() {
      this.#adoptEarlyProperties();
      if (!this.#data && this.getAttribute("src")) await this.#load();
      this.#render();
    }

    // A property that was set before this script had run shadows its accessor.
    #adoptEarlyProperties() {
      for (const name of ["request", "data", "error"]) {
        if (!Object.hasOwn(this, name)) continue;
        const value = this[name];
        delete this[name];
        this[name] = value;
      }
    }

    async #load() {
      const { answer, body } = await this.#ask();
      if (answer?.ok) this.#data = body;
      else this.#error = body.detail ?? UNREACHED;
    }

    async #ask(options = {}) {
      const headers = { Accept: "application/json", "Content-Type": "application/json" };
      try {
        const answer = await this.#request(this.getAttribute("src"), { ...options, headers });
        return { answer, body: await answer.json() };
      } catch {
        // The network went away, or what answered is not the API.
        return { body: {} };
      }
    }

    #render() {
      if (!this.isConnected) return;
      if (window.top !== window) {
        this.#root.replaceChildren(alertOf(FRAMED));
        return;
      }
      const error = this.#error ? [alertOf(this.#error)] : [];
      if (!this.#data) {
        this.#root.replaceChildren(...error);
        return;
      }
      const denied = this.#data.denial;
      this.#root.replaceChildren(
        make("h1", { textContent: `Connect “${this.#data.client_name}”?` }),
        this.#facts(),
        ...error,
        ...(denied ? [alertOf(denied), this.#actions("deny")] : this.#choices()),
      );
    }

    #facts() {
      const asked = this.#data;
      const strong = (text) => make("strong", { textContent: text });
      const voucher = asked.client_host
        ? [strong(asked.client_host), " vouches for this name."]
        : [strong("unverified"), ". Anybody can use this name. Go on only if you started this yourself."];
      const loopback = asked.is_loopback
        ? ". Allow it only if you have just started it yourself, on this computer."
        : "";
      const where = [strong(asked.organisation)];
      if (this.getAttribute("switch-href")) {
        const href = this.getAttribute("switch-href");
        where.push(" ", make("a", { href, textContent: "Switch organisation" }));
      }
      const facts = [
        ["Who asks", `${asked.client_name}: `, ...voucher],
        ["You go back to", strong(asked.redirect_to), loopback],
        ["It works as", `${asked.person} (${asked.email}), and never does more than you can`],
        ["In", ...where],
        ["It asks for", asked.asks_for],
        ...(asked.may_already ? [["It may already", asked.may_already]] : []),
      ];
      const list = make("dl");
      for (const [term, ...said] of facts) {
        list.append(make("dt", { textContent: term }), make("dd", {}, ...said));
      }
      return list;
    }

    #choices() {
      const asked = this.#data;
      const entities = make("div", { className: "entities", hidden: true });
      for (const { value, label } of asked.entities) {
        const chosen = asked.default_entities?.[value] ?? "none";
        entities.append(select(label, `entity-${value}`, asked.entity_access, chosen));
      }
      entities.append(make("p", {
        className: "note",
        textContent: "Reading people, teams, tags and custom fields comes along, so that names work.",
      }));
      const access = make("fieldset", {}, make("legend", { textContent: "Access" }));
      for (const { value, label } of asked.access) {
        const checked = value === asked.default_access;
        const radio = make("input", { type: "radio", name: "access", value, checked });
        radio.addEventListener("change", () => { entities.hidden = value !== "entities"; });
        access.append(make("label", {}, radio, ` ${label}`));
      }
      entities.hidden = asked.default_access !== "entities";
      access.append(entities);
      const days = select("For how long", "days", asked.days, String(asked.default_days));
      const note = make("p", { className: "note", textContent: asked.stays_confirmed });
      const last = make("fieldset", {}, days, ...this.#replaces());
      return [access, last, note, this.#actions("allow", "deny")];
    }

    #replaces() {
      const checked = this.#data.default_replaces ?? null;
      if (checked === null) return [];
      const box = make("input", { type: "checkbox", name: "replaces", checked });
      return [make("label", {}, box, ` ${ENDS_EARLIER}`)];
    }

    #actions(...decisions) {
      const names = { allow: "Allow", deny: "Deny" };
      if (decisions.length === 1) names.deny = `Back to ${this.#data.client_name}`;
      const actions = make("div", { className: "actions" });
      for (const value of decisions) {
        const button = make("button", { type: "button", value, textContent: names[value] });
        button.addEventListener("click", () => this.#decide(value));
        actions.append(button);
      }
      return actions;
    }

    // For whom the page was made goes along: another tab may have switched the organisation.
    #decision(decision) {
      if (decision === "deny") return { decision };
      const value = (name) => this.#root.querySelector(`[name="${name}"]`).value;
      const access = this.#root.querySelector('[name="access"]:checked').value;
      const chosen = { decision, owner: this.#data.owner, access, days: Number(value("days")) };
      const replaces = this.#root.querySelector('[name="replaces"]');
      if (replaces) chosen.replaces = replaces.checked;
      if (access !== "entities") return chosen;
      const entities = this.#data.entities.map((each) => [each.value, value(`entity-${each.value}`)]);
      return { ...chosen, entities: Object.fromEntries(entities) };
    }

    async #decide(decision) {
      const body = JSON.stringify(this.#decision(decision));
      for (const button of this.#root.querySelectorAll("button")) button.disabled = true;
      if (this.#internals.form) {
        this.#internals.setFormValue(body);
        this.#internals.form.requestSubmit();
        return;
      }
      const { answer, body: said } = await this.#ask({ method: "POST", body });
      if (answer?.ok) {
        window.location.assign(said.redirect_to);
        return;
      }
      this.#error = said.detail ?? messages(said.errors) ?? UNREACHED;
      // Another tab has switched the organisation: what is true now is shown for another look.
      if (answer?.status === 409) await this.#load();
      this.#render();
    }
  }

  function select(label, name, choices, chosen) {
    const field = make("select", { name, id: name });
    for (const { value, label: text } of choices) {
      const selected = String(value) === chosen;
      field.append(make("option", { value, textContent: text, selected }));
    }
    return make("div", {}, make("label", { htmlFor: name, textContent: label }), field);
  }

  function messages(errors) {
    return errors && Object.values(errors).flat().join(" ");
  }

  if (!customElements.get("mcp-consent")) customElements.define("mcp-consent", McpConsent);
})();
