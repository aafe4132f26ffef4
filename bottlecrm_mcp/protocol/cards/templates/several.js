// A change of several records: what is unchecked is left out of another preview.
function choices({ records = [] }) {
  const known = Object.fromEntries(records.map((each, at) => [each.id ?? at, each]));
  const line = ([id, name]) => node("li", {}, node("label", {}, node("input", { type: "checkbox", checked: true, value: id, onchange: chosen }), " ", name),
    Object.entries(known[id]?.changes ?? {}).map(([field, each]) => node("div", {}, `${labelOf(field)}: `, change(field, each, known[id]))));
  return node("ul", {}, Object.entries(facts.confirm?.records ?? {}).map(line));
}

const checked = () => [...document.querySelectorAll("input:checked")].map(each => each.value);

function chosen() {
  const left = checked().length, yes = find(".main");
  yes.disabled = !left;
  yes.textContent = find("input:not(:checked)") ? `Preview of ${left}` : YES;
}

function rest({ tool, arguments: { id, ids, filters, records, ...args } }) {
  const left = checked();
  return call(tool, { ...args, ...(records ? { records: left.map(at => records[at]) } : { ids: left }) });
}

const doneParts = ({ entity, count, done, refused = [], not_reached: other, ...content }) => [
  node("h1", {}, `${words(entity)}: ${shown(count)} ${facts.did}`),
  node("ul", {}, done.map(each => node("li", {}, each.name ?? each.id))),
  ...refused.concat(other ?? []).map(each => warning(`${shown(each.records)}: ${each.reason}`)),
  ...notes(content),
];
