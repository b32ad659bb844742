// What the reader has chosen: filter, order, pins, curve. It is sent to the page in the texts of its address, and read from them.

/** Read a view from the texts of the address's fields. */
export function readView(fields) {
  const names = (text) => (text ? text.split(",") : []);
  return {
    filter: fields.filter,
    sort: fields.sort,
    pins: names(fields.pin),
    hidden: names(fields.hide),
    measure: fields.curve,
    along: fields.along,
    smoothing: Number(fields.smoothing),
    isLogX: fields.logs.includes("x"),
    isLogY: fields.logs.includes("y"),
  };
}

/** Write a view as texts of the address's fields. */
export function writeView({ filter, sort, pins, hidden, measure, along, smoothing, isLogX, isLogY }) {
  const logs = `${isLogX ? "x" : ""}${isLogY ? "y" : ""}` || "none";
  return { filter, sort, pin: pins.join(","), hide: hidden.join(","), curve: measure, along, smoothing: String(smoothing), logs };
}

/** Put a name into a list, or take it out. */
export function toggled(names, name) {
  return names.includes(name) ? names.filter((other) => other !== name) : [...names, name];
}
