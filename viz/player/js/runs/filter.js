// The filter of the table of runs: words that must occur, -words that must not, and conditions on columns and settings.

const OPERATOR = /\s*(>=|<=|!=|≥|≤|≠|=|<|>)\s*/g;
const CONDITION = /^(.*?)(>=|<=|!=|=|<|>)(.*)$/;
const SAME = { "≥": ">=", "≤": "<=", "≠": "!=" };

/**
 * Parse a filter into terms, which must all hold. `columns` have a `key` and `names` by which a condition may call them.
 *
 * A condition on a column that does not exist, or without a value yet, is left out and listed in `unknown` or `incomplete`.
 */
export function parseFilter(text, columns) {
  const byName = new Map(columns.flatMap((column) => [column.key, ...(column.names ?? [])].map((name) => [plain(name), column])));
  const joined = text.replace(OPERATOR, (_, operator) => SAME[operator] ?? operator);
  const parts = joined.match(/-?"[^"]*"?|\S+/g) ?? [];
  const parsed = { terms: [], unknown: [], incomplete: [] };
  for (const part of parts) {
    const condition = part.includes('"') ? null : part.match(CONDITION);
    if (!condition) {
      const isExcluded = part.startsWith("-") && part.length > 1;
      const words = plain(part.slice(isExcluded ? 1 : 0).replaceAll('"', ""));
      if (words) parsed.terms.push({ words, isExcluded });
      continue;
    }
    const [, name, operator, value] = condition;
    const column = byName.get(plain(name));
    if (!column) parsed.unknown.push(name || part);
    else if (!value) parsed.incomplete.push(part);
    else parsed.terms.push({ column, operator, value });
  }
  return parsed;
}

/** Whether a row meets all terms; `valueOf(row, column)` is null where a run has no such value. */
export function meets(row, terms, valueOf) {
  return terms.every(({ words, isExcluded, column, operator, value }) => {
    if (!column) return row.haystack.includes(words) !== isExcluded;
    return holds(valueOf(row, column), operator, value);
  });
}

/** Text as it is compared: without case and accents. */
export function plain(text) {
  return String(text).normalize("NFD").replace(/\p{Diacritic}/gu, "").toLowerCase();
}

function holds(found, operator, value) {
  if (found === null || found === undefined) return operator === "!=";
  const wanted = typeof found === "number" ? numberOf(value) : NaN;
  if (typeof found === "number" && Number.isNaN(wanted)) return operator === "!=";
  const order = typeof found === "number" ? found - wanted : compareTexts(plain(found), plain(value));
  return { ">=": order >= 0, "<=": order <= 0, ">": order > 0, "<": order < 0, "=": order === 0, "!=": order !== 0 }[operator];
}

/** Read a number as either language writes it: 0.5 or 0,5. */
function numberOf(text) {
  return /^[-+]?\d*,\d+$/.test(text) ? Number(text.replace(",", ".")) : Number(text);
}

function compareTexts(a, b) {
  return a < b ? -1 : Number(a > b);
}
