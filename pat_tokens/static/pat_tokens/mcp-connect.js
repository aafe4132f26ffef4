/*
 * <mcp-connect>: how to connect an AI client to this CRM, and whether it has arrived.
 *
 *   src          where the configurations are: GET /api/profile/tokens/connect/
 *   status-src   where the token tells of its first request and last refusal
 *   .token       the new token; it stands in for the placeholder, and is never put into a link
 *   .request     a function like fetch, for hosts whose API wants a header
 *   .data        the configurations themselves, instead of src
 *
 * A <script type="application/json"> inside it works as .data does; whatever else is inside is shown
 * where scripts don't run.
 *
 * <mcp-copy for="id">: a button that copies the value of that field.
 */
(() => {
  const CSS = `
    :host { display: block; font: inherit; accent-color: var(--pat-accent, auto); }
    .choose { display: flex; flex-wrap: wrap; gap: .75rem 1.5rem; align-items: end; }
    label, legend { font-size: .9rem; }
    fieldset { border: 0; padding: 0; margin: 0; display: flex; gap: 1rem; align-items: center; }
    fieldset[hidden] { display: none; }
    select, button { font: inherit; padding: .4rem .75rem; border-radius: .4rem; color: inherit; min-height: 36px;
      background: transparent; border: 1px solid var(--pat-field-line, currentColor); }
    option { color: CanvasText; background: Canvas; }
    button { cursor: pointer; white-space: nowrap; }
    select, input, button, a, pre { outline-offset: 2px; }
    select { display: block; margin-top: .25rem; }
    pre { overflow-x: auto; padding: 1rem; border-radius: .5rem; font-size: .85rem; margin: .5rem 0;
      border: 1px solid color-mix(in srgb, currentColor 30%, transparent);
      background: color-mix(in srgb, currentColor 6%, transparent); }
    a { color: inherit; }
    .actions { display: flex; flex-wrap: wrap; gap: .75rem 1.25rem; align-items: center; }
    .note { font-size: .875rem; opacity: .85; }
    .status { margin: 1.25rem 0; padding-left: .75rem; border-left: .25rem solid currentColor; }
    .status.connected { border-color: #2e9e5b; }
    .status.refused { border-color: #d2463b; }
  `;
  const EVERY = 3000;
  const AT_MOST = 200;

  function make(tag, properties = {}, ...children) {
    const node = Object.assign(document.createElement(tag), properties);
    node.append(...children);
    return node;
  }

  function styled(host) {
    const root = host.shadowRoot ?? host.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(CSS);
    root.adoptedStyleSheets = [sheet];
    return root;
  }

  async function copy(text, button) {
    // Read once: a second click would take "Copied" for the label.
    const label = (button.dataset.label ??= button.textContent);
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Select it and copy by hand";
    }
    clearTimeout(button.restoring);
    button.restoring = setTimeout(() => { button.textContent = label; }, 2000);
  }

  class McpCopy extends HTMLElement {
    connectedCallback() {
      const button = make("button", { type: "button", textContent: "Copy token" });
      button.addEventListener("click", () => {
        const field = document.getElementById(this.getAttribute("for"));
        field.select();
        copy(field.value, button);
      });
      styled(this).replaceChildren(button);
    }
  }

  class McpConnect extends HTMLElement {
    #data;
    #token = "";
    #placeholder = "";
    #client;
    #way = "hosted";
    #timer;
    #code;
    #ways;
    #request = (url) => fetch(url, { headers: { Accept: "application/json" } });

    get request() { return this.#request; }
    set request(value) { this.#request = value; }

    get data() { return this.#data; }
    set data(value) {
      this.#data = value.clients ?? value;
      this.#placeholder = value.placeholder ?? "bcrm_pat_YOUR_TOKEN";
      this.#render();
    }

    get token() { return this.#token; }
    set token(value) {
      this.#token = value ?? "";
      this.#render();
    }

    async connectedCallback() {
      this.#adoptEarlyProperties();
      const inline = this.querySelector('script[type="application/json"]');
      if (inline) this.data = JSON.parse(inline.textContent);
      if (!this.#data && this.getAttribute("src")) await this.#load();
      this.#render();
      this.#watch(AT_MOST);
    }

    disconnectedCallback() { clearTimeout(this.#timer); }

    // A property that was set before this script had run shadows its accessor.
    #adoptEarlyProperties() {
      for (const name of ["request", "data", "token"]) {
        if (!Object.hasOwn(this, name)) continue;
        const value = this[name];
        delete this[name];
        this[name] = value;
      }
    }

    async #load() {
      const answer = await this.#request(this.getAttribute("src"));
      if (answer.ok) this.data = await answer.json();
    }

    #render() {
      if (!this.isConnected || !this.#data?.length) return;
      const root = styled(this);
      this.#client ??= this.#data[0].client;
      this.#code = make("div");
      const status = root.querySelector(".status") ?? make("p", { className: "status" });
      status.setAttribute("role", "status");
      root.replaceChildren(this.#choices(), this.#code, status);
      this.#show();
    }

    #choices() {
      const names = new Map(this.#data.map((each) => [each.client, each.name]));
      const select = make("select", { id: "client" });
      for (const [value, name] of names) {
        select.append(make("option", { value, textContent: name, selected: value === this.#client }));
      }
      select.addEventListener("change", () => { this.#client = select.value; this.#show(); });
      const label = make("label", {}, "Your AI client", select);
      if (!this.#data.some((each) => each.way === "local")) {
        return make("div", { className: "choose" }, label);
      }
      const ways = this.#ways = make("fieldset", {}, make("legend", { textContent: "Connection" }));
      for (const [value, name] of [["hosted", "Hosted"], ["local", "Local"]]) {
        const radio = make("input", { type: "radio", name: "way", value, checked: value === this.#way });
        radio.addEventListener("change", () => { this.#way = value; this.#show(); });
        ways.append(make("label", {}, radio, ` ${name}`));
      }
      return make("div", { className: "choose" }, label, ways);
    }

    #show() {
      const offered = this.#data.filter((each) => each.client === this.#client);
      const found = offered.find((each) => each.way === this.#way) ?? offered[0];
      if (this.#ways) this.#ways.hidden = offered.length < 2;
      const text = this.#token ? found.text.replaceAll(this.#placeholder, this.#token) : found.text;
      const where = found.language === "shell" ? `Run this ${found.where}.` : `Put this into ${found.where}.`;
      const button = make("button", { type: "button", textContent: "Copy configuration" });
      button.addEventListener("click", () => copy(text, button));
      const actions = make("div", { className: "actions" }, button);
      if (found.install_url) {
        actions.append(make("a", { href: found.install_url, textContent: `Install in ${found.name}` }));
      }
      actions.append(make("a", {
        href: found.documentation, rel: "noreferrer", target: "_blank", textContent: "Documentation",
      }));
      const code = make("pre", { tabIndex: 0 }, make("code", { textContent: text }));
      const missing = found.way === this.#way ? [] : [`${found.name} connects to the hosted endpoint only. `];
      this.#code.replaceChildren(
        make("p", {}, ...missing, where), code, actions,
        make("p", { className: "note", textContent: found.note }),
      );
    }

    async #watch(left) {
      const source = this.getAttribute("status-src");
      if (!source || !this.#data || !this.isConnected || left === 0) return;
      let state = {};
      try {
        const answer = await this.#request(source);
        if (answer.ok) state = await answer.json();
      } catch {
        // The network went away; the next try may find it again.
      }
      this.#tell(state);
      if (!state.first_mcp_at) this.#timer = setTimeout(() => this.#watch(left - 1), EVERY);
    }

    #tell(state) {
      const status = this.shadowRoot.querySelector(".status");
      let [kind, text] = ["", "Waiting for the first request with this token…"];
      if (state.last_refusal) {
        [kind, text] = ["refused", `A request was refused: ${state.last_refusal}`];
      }
      if (state.first_mcp_at) {
        [kind, text] = ["connected", `Connected: the first request arrived on ${when(state.first_mcp_at)}.`];
      }
      if (status.textContent === text) return;
      status.className = `status ${kind}`;
      status.textContent = text;
    }
  }

  function when(moment) {
    return new Date(moment).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "long" });
  }

  if (!customElements.get("mcp-connect")) {
    customElements.define("mcp-connect", McpConnect);
    customElements.define("mcp-copy", McpCopy);
  }
})();
