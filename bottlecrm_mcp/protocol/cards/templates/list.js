// Rows of a search or of the person's day: open one, tick a task off, go on.
const NAMED = ["name", "title", "first_name", "last_name", "invoice_number"];
const ASIDE = [...NAMED, "id", "entity", "currency"];

function parts(content) {
  const { entity, query, records = [], total, next_offset: next, filters = {} } = content;
  return [
    node("h1", {}, `${entity === "all" ? "Everywhere" : words(entity)} (${shown(total)})`),
    muted(query && `Words: ${query}`),
    muted(Object.entries(filters).map(([name, value]) => `${words(name)}: ${shown(value)}`).join(" · ")),
    node("ul", {}, records.map(row => node("li", {}, line(row, row.entity ?? entity)))),
    ...notes(content),
    next && node("div", { className: "buttons" }, button("Next page", () => page(entity, next))),
  ];
}

function line(row, entity) {
  const name = NAMED.map(each => row[each]).filter(Boolean).join(" ") || row.email || row.id;
  const rest = Object.keys(row).filter(each => !ASIDE.includes(each) && row[each] !== null);
  const told = rest.map(each => `${labelOf(each)}: ${valueOf(each, row[each], row)}`);
  const kind = row.entity && words(facts.singular?.[entity] ?? entity);
  return [
    node("div", { className: "row" }, tick(row, entity, name), node("strong", {}, name), opens(entity, row.id, name)),
    muted([kind, ...told].filter(Boolean).join(" · ")),
  ];
}

function tick(row, entity, name) {
  const done = facts.done?.[entity];
  if (!done) return "";
  const checked = row[done.field] === done.value;
  return node("input", { type: "checkbox", checked, disabled: checked, ariaLabel: `Done: ${name}`, async onchange() {
    this.disabled = true;
    const result = await call("crm_update", { entity, id: row.id, data: { [done.field]: done.value } });
    const refused = result.error ?? (result.content.preview && "This has to be confirmed: ask for it in the conversation.");
    this.checked = !refused;
    this.disabled = !refused;
    say(refused || `Done: ${name}`);
    if (refused) return;
    row[done.field] = done.value;
    remember(result.text);
  } });
}

async function page(entity, offset) {
  const result = await call("crm_search", { ...facts.arguments, entity, offset });
  if (result.error) return say(result.error);
  show(result);
  say(`Records from ${offset + 1} on.`);
  remember(result.text);
}
