// A record: what changed first, then the fields that matter.
const FIRST = 10;
const DONE = { crm_create: "created", crm_update: "updated", crm_delete: "deleted", crm_action: "done" };

function recordParts(content, facts) {
  const { entity, record, changed = {} } = content;
  const name = facts.name ?? record?.name;
  if (!record) return [title(content, facts), muted(content.record_not_shown), ...notes(content)];
  const names = Object.keys({ ...changed, ...facts.fields, ...record })
    .filter(each => each in changed || (each in record && record[each]?.length !== 0 && each !== "id" && each !== "custom_fields"));
  const line = each => [node("dt", {}, labelOf(each, facts)),
    node("dd", {}, each in changed ? change(each, changed[each], record, facts) : valueOf(each, record[each], record, facts))];
  const custom = Object.entries(record.custom_fields ?? {}).flatMap(([each, value]) => [node("dt", {}, labelOf(each, facts)), node("dd", {}, shown(value))]);
  const more = [...names.slice(FIRST).flatMap(line), ...custom];
  return [
    title(content, facts, name),
    node("dl", {}, names.slice(0, FIRST).flatMap(line)),
    more.length && node("details", {}, node("summary", {}, "More fields"), node("dl", {}, more)),
    ...notes(content),
    opens(entity, content.id, facts, name),
  ];
}

function title({ entity = "", action, repeated }, facts, name) {
  const kind = words(facts.singular?.[entity] ?? entity);
  const done = repeated ? "was done before" : DONE[facts.tool];
  return node("header", {}, node("h1", {}, name ?? kind), muted([kind, action && words(action), done].filter(Boolean).join(" · ")));
}

const change = (name, { before, after }, record, facts) => [
  node("span", { className: "hidden" }, "was "), node("del", {}, valueOf(name, before, record, facts)), " → ",
  node("span", { className: "hidden" }, "is now "), node("ins", {}, valueOf(name, after, record, facts))];
