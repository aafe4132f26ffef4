// A change that was made, or what it would do with Yes and No under it.
function parts(content, facts) {
  if (content.preview) return confirmationParts(content, facts);
  if ("declined" in content) return [node("h1", {}, "Nothing was changed"), muted(content.next)];
  if (content.deleted) return [title(content, facts, content.name), muted(content.way_back), ...notes(content)];
  const same = content.possible_duplicates ?? [];
  return [...recordParts({ ...content, ...content.result }, facts), same.length && warning(`Looks like ${shown(same)}.`)];
}

function confirmationParts({ entity, preview }, facts) {
  const { this_will, effects = [], untrusted, ...told } = preview;
  const isPart = name => told[name] && typeof told[name] === "object" && !Array.isArray(told[name]);
  const names = Object.keys(told);
  return [
    node("h1", {}, `This will ${this_will}.`),
    effects.length && warning(`It ${effects.join(", ")}.`),
    ...names.filter(isPart).map(name => node("section", {}, node("h2", {}, words(name)), pairs(told[name], preview.record, facts))),
    pairs(Object.fromEntries(names.filter(name => !isPart(name)).map(name => [name, told[name]])), preview.record, facts),
    opens(entity, preview.record?.id, facts, preview.record?.name),
    facts.confirm
      ? node("div", { className: "buttons" }, button("Yes, do this", () => answer(facts.confirm, true), "main"), button("No", () => answer(facts.confirm, false)))
      : muted("Answer in the conversation."),
  ];
}

const pairs = ({ id, ...values }, record, facts) => node("dl", {}, Object.keys(values).flatMap(name =>
  [node("dt", {}, labelOf(name, facts)), node("dd", {}, valueOf(name, values[name], record, facts))]));

async function answer({ name, arguments: args }, agreed) {
  for (const each of document.querySelectorAll("button")) each.disabled = true;
  say("One moment…");
  const result = await call(name, { ...args, agreed });
  say(result.content?.preview ? "Something has changed since: look again." : "");
  show(result);
  remember(result.text);
}
