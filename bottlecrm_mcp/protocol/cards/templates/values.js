// Nodes and values. Records are other people's text: it only ever becomes text nodes.
function node(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children.flat(3).filter(Boolean));
  return made;
}

const button = (text, onclick, className = "") => node("button", { type: "button", onclick, className }, text);
const words = text => (text = text.replaceAll("_", " "), text.slice(0, 1).toUpperCase() + text.slice(1));
const labelOf = name => facts.fields?.[name]?.label ?? facts.custom?.[name.replace("custom_fields.", "")] ?? words(name);
const valueOf = (name, value, record) => shown(value, facts.fields?.[name]?.kind, record?.currency);

function shown(value, kind, currency) {
  const { locale, timeZone } = host.context;
  if ((value ?? "") === "") return "—";
  if (typeof value === "boolean") return value ? "Yes" : "No";
  if (Array.isArray(value)) return value.map(each => shown(each)).join(", ") || "—";
  if (typeof value === "object") {
    const { id, name, ...rest } = value;
    const told = Object.keys(rest).map(key => `${words(key)}: ${shown(rest[key])}`);
    return [name, ...told].filter(Boolean).join(", ") || shown(id);
  }
  const dated = options => new Intl.DateTimeFormat(locale, { dateStyle: "medium", ...options }).format(new Date(value));
  const counted = options => new Intl.NumberFormat(locale, options).format(value);
  if (kind === "term" && /^[A-Z_]+$/.test(value)) return words(value.toLowerCase());
  try {
    if (kind === "date") return dated({ timeZone: "UTC" });
    if (kind === "datetime") return dated({ timeStyle: "short", timeZone });
    if (kind === "money" && /^[A-Z]{3}$/.test(currency)) return counted({ style: "currency", currency });
    if (kind || typeof value === "number") return counted();
  } catch { /* As it is. */ }
  return String(value);
}

// A button to the record's page, where the CRM has one and the host opens links.
function opens(entity, id, name) {
  const page = facts.pages?.[entity];
  if (!page || !id || !host.can.openLinks) return null;
  const url = page.replace("{id}", encodeURIComponent(id));
  return node("button", { type: "button", className: "link", ariaLabel: `Open ${name} in the CRM`,
    onclick: () => ask("ui/open-link", { url }).catch(() => say(url)) }, "Open in the CRM");
}

const muted = text => text && node("p", { className: "muted" }, text);
const warning = text => node("p", { className: "warning" }, text);
const notes = ({ warnings = [], notes = [] }) => [...warnings.map(warning), ...notes.map(muted)];
