// Of crm_get: a record with the lists that belong to it, or several records.
function parts(content, facts) {
  const { entity, records } = content;
  if (!records) return [...recordParts(content, facts), ...lists(content)];
  const each = records.flatMap(got => [...recordParts({ ...got, entity, id: got.record.id }, facts), ...lists(got)]);
  return [...each, ...(content.errors ?? []).map(problem => warning(problem.message)), ...notes(content)];
}

function lists(content) {
  const found = Object.entries(content).filter(([, part]) => Array.isArray(part?.records));
  return found.map(([name, part]) => node("section", {}, node("h2", {}, `${words(name)} (${shown(part.total)})`),
    node("ul", {}, part.records.map(({ id, ...row }) => node("li", {}, shown(row))))));
}
