// Groups as bars, with the same as a table under them; a group asks for its records.
const WIDTH = 340;
const LINE = 36;

function parts(content) {
  const { entity, groups = [], total = {}, filters = {} } = content;
  const measures = facts.measures ?? { count: {} };
  const names = Object.keys(measures);
  const by = facts.groups ?? [];
  const isMixed = !by.includes("currency") && new Set(groups.map(group => group.currency)).size > 1;
  const nameOf = group => [...by, ...(isMixed ? ["currency"] : [])].map(key => valueOf(key, group[key])).join(" · ");
  const value = (group, name) => shown(group[name], measures[name].money ? "money" : "number", group.currency);
  const cells = group => names.map(name => node("td", { className: "number" }, value(group, name)));
  return [
    node("h1", {}, [words(entity), ...by.map(key => words(key.replace(":", " by ")).toLowerCase())].join(" by ")),
    muted(Object.entries(filters).map(([name, each]) => `${words(name)}: ${shown(each)}`).join(" · ")),
    groups.length && bars(groups, names.find(name => measures[name].money) ?? names[0], nameOf, value),
    node("table", {},
      node("thead", {}, node("tr", {}, node("th", { scope: "col" }, "Group"), names.map(name => node("th", { scope: "col", className: "number" }, words(name.replace(":", " of ")))))),
      node("tbody", {}, groups.map(group => node("tr", {}, node("td", {}, choice(content, group, nameOf(group))), cells(group)))),
      node("tfoot", {}, (total.by_currency ?? [total]).map(each => node("tr", {}, node("th", { scope: "row" }, `Total ${each.currency ?? ""}`), cells(each))))),
    ...notes(content),
  ];
}

function drawn(tag, attributes, text = "") {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.textContent = text;
  return made;
}

// The table says the same to who does not see them.
function bars(groups, measure, nameOf, value) {
  const picture = drawn("svg", { viewBox: `0 0 ${WIDTH} ${groups.length * LINE}`, "aria-hidden": true });
  const size = group => Math.max(Number(group[measure]) || 0, 0);
  groups.forEach((group, at) => {
    const most = Math.max(...groups.filter(each => each.currency === group.currency).map(size), 1e-9);
    const name = nameOf(group);
    picture.append(
      drawn("text", { y: at * LINE + 12 }, `${name.length > 36 ? `${name.slice(0, 35)}…` : name}: ${value(group, measure)}`),
      drawn("rect", { y: at * LINE + 17, width: 1 + (WIDTH - 1) * size(group) / most, height: 11, rx: 2 }));
  });
  return picture;
}

function choice(content, group, name) {
  const isRest = facts.top && /^others \(\d+\)$/.test(name);
  return isRest || !facts.groups ? name : button(name, () => choose(content, group), "link");
}

// As filters, not as a sentence: the name of a group may be anybody's text.
function choose(content, group) {
  const filters = { ...facts.arguments.filters };
  for (const key of new Set([...facts.groups, ...("currency" in group ? ["currency"] : [])])) {
    const field = key.split(":")[0], value = group[key];
    if (value === "(none)") filters[`${field}__is_empty`] = true;
    else filters[field] = value?.id ?? value;
  }
  const text = `Show me the ${content.entity} of this group, by crm_search with these filters: ${JSON.stringify(filters)}`;
  if (!host.can.message) return say(text);
  ask("ui/message", { role: "user", content: [{ type: "text", text }] }).catch(problem => say(problem.message));
}
