// A record: what changed first, then the fields that matter.
const FIRST = 10;

function recordParts(content, first = FIRST) {
  const { entity, record, id } = content;
  const name = facts.names?.[id] ?? facts.name ?? record?.name;
  if (!record) return [title(content), muted(content.record_not_shown), ...notes(content)];
  return [
    title(content, name),
    node("dl", {}, fields(content).slice(0, first)),
    ...notes(content),
    opens(entity, id, name),
  ];
}

function fields({ record, changed = {} }) {
  const names = Object.keys({ ...changed, ...facts.fields, ...record })
    .filter(each => each in changed || (each in record && record[each]?.length !== 0 && each !== "id" && each !== "custom_fields"));
  return names.map(each => pair(labelOf(each), each in changed ? change(each, changed[each], record) : valueOf(each, record[each], record)));
}

const pair = (label, value) => [node("dt", {}, label), node("dd", {}, value)];

function title({ entity = "", action }, name) {
  const kind = words(facts.singular?.[entity] ?? entity);
  return [node("h1", {}, name ?? kind), muted([kind, action && words(action), facts.did].filter(Boolean).join(" · "))];
}

const change = (name, { before, after }, record) => [
  node("span", {}, "was "), node("del", {}, valueOf(name, before, record)), " → ",
  node("span", {}, "is now "), node("ins", {}, valueOf(name, after, record))];
