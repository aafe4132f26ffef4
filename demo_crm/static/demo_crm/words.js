/* What an answer says, in words that a person reads: labels, dates, amounts and previews. */

const LABELS = {
  this_will: "This will",
  effects: "Which means",
  params: "With",
  mailed_to: "Mail goes to",
  document: "It is about",
  way_back: "To take it back",
  done_before: "Done before",
  also: "Also",
  makes: "Makes",
  it_is: "which is",
  not_carried_over: "Not carried over",
  changed: "Changed",
  days_late: "Days late",
};
const ID = /(^|_)id$/;
const UNSAID = new Set(["untrusted", "untrusted_fields", "created_at", "updated_at"]);
export const DATE = /^\d{4}-\d{2}-\d{2}$/;
const MOMENT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}/;
const NUMBER = /^-?\d+(\.\d+)?$/;
const CURRENCY = /^[A-Z]{3}$/;
const AMOUNT = /amount|total|price|subtotal|revenue|paid$/;
// A choice as the CRM stores it, such as CLOSED_WON or Partially_Paid.
const CHOICE = /^([A-Z]{4,}(_[A-Z]+)*|[A-Za-z]+(_[A-Za-z]+)+)$/;
// What is written by people, and is shown as they wrote it.
const WRITTEN = /name|title|number|email|description|comment|currency|slug|key/;
const TOOLS = [
  [/crm_update of the (\w+); within half an hour it /, "change the $1 again; within half an hour that "],
  [/crm_update of the (\w+)/, "change the $1 again"],
  [/crm_action (\w+)/, "use the action “$1”"],
  [/crm_delete/, "delete it"],
];

/** Whether it tells a person something of a single record or change. */
export function isSaid(key, value) {
  return !ID.test(key) && !UNSAID.has(key) && !isEmpty(value);
}

/** The columns of some records, without those that others say already. */
export function columnsOf(rows, most) {
  const keys = [...new Set(rows.flatMap(Object.keys))].filter((key) => key !== "entity");
  const said = keys.filter((key) => rows.some((row) => !ID.test(key) && !isEmpty(row[key])));
  const hasAmounts = said.some((key) => rows.some((row) => isAmount(key, row[key])));
  return said.filter((key) => !(hasAmounts && key === "currency")).slice(0, most);
}

export function label(key) {
  return LABELS[key] ?? capital(key.replaceAll("_", " ").replaceAll(":", " of "));
}

export function isAmount(key, value) {
  return AMOUNT.test(key) && NUMBER.test(String(value));
}

/** The value of `key` in a record, whose currency is that of its amounts. */
export function words(value, key = "", record = {}) {
  if (isEmpty(value)) return "";
  if (Array.isArray(value)) return value.map((each) => words(each, key, record)).join(", ");
  if (typeof value === "boolean") return value ? "Yes" : "No";
  if (typeof value === "object") return ofObject(value, key);
  if (isAmount(key, value)) return money(value, record.currency);
  if (typeof value === "number") return value.toLocaleString("en");
  if (DATE.test(value)) return dated(value, { dateStyle: "medium", timeZone: "UTC" });
  if (MOMENT.test(value)) return dated(value, { dateStyle: "medium", timeStyle: "short" });
  if (key === "way_back") return TOOLS.reduce((text, [name, said]) => text.replace(name, said), value);
  const isChoice = CHOICE.test(value) && !WRITTEN.test(key);
  return isChoice ? capital(value.replaceAll("_", " ").toLowerCase()) : value;
}

function ofObject(value, key) {
  if ("before" in value || "after" in value) {
    return `${words(value.before, key) || "empty"} → ${words(value.after, key) || "empty"}`;
  }
  const hasAmount = Object.entries(value).some(([name, each]) => isAmount(name, each));
  const said = Object.entries(value).filter(([name, each]) =>
    isSaid(name, each) && !["name", "email", "entity"].includes(name) && !(hasAmount && name === "currency"));
  const rest = said.map(([name, each]) => {
    const text = words(each, name, value);
    return key === "mailed_to" ? text : `${label(name)}: ${text}`;
  });
  const name = value.name && value.email ? `${value.name} (${value.email})` : value.name ?? value.email;
  return [...(name ? [name] : []), ...rest].join("; ");
}

function money(value, currency) {
  const number = Number(value);
  return CURRENCY.test(currency ?? "")
    ? number.toLocaleString("en", { style: "currency", currency })
    : number.toLocaleString("en", { minimumFractionDigits: 2 });
}

function dated(value, how) {
  const moment = new Date(value);
  return Number.isNaN(moment.getTime()) ? value : moment.toLocaleString("en-GB", how);
}

function isEmpty(value) {
  return value === null || value === undefined || value === "" || (Array.isArray(value) && !value.length);
}

function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
