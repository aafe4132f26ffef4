// A change that was made, or what it would do with Yes and No under it.
const YES = "Yes, do this";

function parts(content) {
  if (content.preview) return confirmationParts(content);
  if ("declined" in content) return [node("h1", {}, "Nothing was changed"), muted(content.next)];
  if (content.deleted) return [title(content, content.name), muted(content.way_back), ...notes(content)];
  if (content.done) return doneParts(content);
  const same = content.possible_duplicates ?? [];
  return [...recordParts({ ...content, ...content.result }), same.length && warning(`Looks like ${shown(same)}.`)];
}

function confirmationParts({ entity, preview }) {
  const { this_will, effects = [], untrusted, records, not_named, ...told } = preview;
  const { id, name } = preview.record ?? {};
  return [
    node("h1", {}, `This will ${this_will}.`),
    effects.length && warning(`It ${effects.join(", ")}.`),
    ...Object.entries(told).map(([key, value]) => value?.constructor === Object
      ? node("section", {}, node("h2", {}, labelOf(key)), pairs(value, preview.record)) : pairs({ [key]: facts.said?.[key] ?? value })),
    records && choices(preview),
    opens(entity, id, name),
    facts.confirm ? node("div", { className: "buttons" }, button(YES, () => answer(true), "main"), button("No", () => answer(false))) : muted("Answer in the chat."),
  ];
}

const pairs = ({ id, ...values }, record) =>
  node("dl", {}, Object.keys(values).map(name => pair(labelOf(name), valueOf(name, values[name], record))));

async function answer(agreed) {
  const { name, arguments: args } = facts.confirm;
  const fewer = agreed && find("input:not(:checked)");
  const asked = fewer ? rest(args) : call(name, { ...args, agreed });
  for (const each of document.querySelectorAll("button, input")) each.disabled = true;
  say("One moment…");
  const result = await asked;
  say(result.content?.preview ? "Another preview: look again." : "");
  show(result);
  remember(result.text);
}
