// Of crm_get: a record with the lists that belong to it, or several records.
const FEW = 5;

function parts(content) {
  const { entity, records } = content;
  if (!records) return whole(content);
  const each = records.map(got => node("article", {}, whole({ ...got, entity, id: got.record.id }, FEW)));
  return [...each, ...(content.errors ?? []).map(problem => warning(problem.message)), ...notes(content)];
}

function whole(content, first = FIRST) {
  const custom = Object.entries(content.record.custom_fields ?? {}).map(([name, value]) => pair(labelOf(name), shown(value)));
  const more = [...fields(content).slice(first), ...custom];
  const details = more.length && node("details", {}, node("summary", {}, "More fields"), node("dl", {}, more));
  return [...recordParts(content, first), details, ...lists(content)];
}

function lists(content) {
  const found = Object.entries(content).filter(([, part]) => Array.isArray(part?.records));
  return found.map(([name, part]) => node("section", {}, node("h2", {}, `${words(name)} (${shown(part.total)})`),
    node("ul", {}, part.records.map(({ id, ...row }) => node("li", {}, shown(row))))));
}
