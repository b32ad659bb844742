// The controls above the chart and above the table.

import { addButton, element, formatNumber } from "../drawing.js";

let made = 0;

/** Make the controls of the chart: which curve, along what, smoothing, logarithms, and the way back from a zoom. */
export function makeChartTools(host, app) {
  const measure = addSelect(host, (value) => app.choose({ measure: value }));
  const along = addSelect(host, (value) => app.choose({ along: value }));
  const smoothing = addRange(host, (value) => app.choose({ smoothing: value }));
  const logX = addCheck(host, (on) => app.choose({ isLogX: on }));
  const logY = addCheck(host, (on) => app.choose({ isLogY: on }));
  const reset = addButton(host, "reset", () => app.resetZoom());

  return {
    update({ words, language, view, measures }) {
      measure.update(words.curve, measures.map(({ key, title }) => [key, title]), view.measure);
      along.update(words.along, ["step", "tokens", "seconds"].map((key) => [key, words[`along_${key}`]]), view.along);
      smoothing.update(words.smoothing, words.smoothing_help, view.smoothing, language);
      logX.update(words.log_x, view.isLogX);
      logY.update(words.log_y, view.isLogY);
      reset.textContent = words.reset;
    },
  };
}

/** Make the controls of the table: the filter and what is said of it, hidden runs, and the settings that differ. */
export function makeTableTools(host, app) {
  const label = host.appendChild(element("label", "filter"));
  const name = label.appendChild(element("span"));
  const input = label.appendChild(element("input"));
  input.type = "search";
  input.spellcheck = false;
  input.addEventListener("input", () => app.choose({ filter: input.value }));
  const settings = addCheck(host, (on) => app.showSettings(on));
  const hidden = addCheck(host, (on) => app.showHidden(on));
  const said = host.appendChild(element("span", "said"));
  said.setAttribute("role", "status");

  return {
    update({ words, language, view, selection, nRows, nDiffering, showsSettings, showsHidden }) {
      name.textContent = words.filter;
      input.placeholder = words.filter_hint;
      input.title = words.filter_help;
      if (input.value !== view.filter && input.getRootNode().activeElement !== input) input.value = view.filter;
      settings.update(counted(words, "differing", nDiffering, language), showsSettings, nDiffering > 0);
      hidden.update(counted(words, "hidden", selection.nHidden, language), showsHidden, selection.nHidden > 0);
      const text = describe(words, language, selection, nRows);
      if (said.textContent !== text) said.textContent = text;
    },
  };
}

/** Fill in a text that counts something, in the singular where there is one. */
export function counted(words, key, n, language) {
  const text = (n === 1 && words[`${key}_one`]) || words[key];
  return text.replace("{n}", formatNumber(n, language));
}

function describe(words, language, { visible, drawn, parsed }, nRows) {
  const parts = [words.count.replace("{shown}", formatNumber(visible.length, language)).replace("{total}", formatNumber(nRows, language))];
  if (drawn.length < visible.length) parts.push(words.drawn.replace("{n}", formatNumber(drawn.length, language)));
  parts.push(...parsed.unknown.map((name) => words.no_such_column.replace("{name}", () => name)));
  parts.push(...parsed.incomplete.map((text) => words.incomplete.replace("{text}", () => text)));
  return parts.join(" · ");
}

function addSelect(host, choose) {
  const label = host.appendChild(element("label"));
  const name = label.appendChild(element("span"));
  const select = label.appendChild(element("select"));
  select.addEventListener("change", () => choose(select.value));
  let listed = "";
  return {
    update(title, options, value) {
      name.textContent = title;
      const next = JSON.stringify(options);
      if (next !== listed) {
        select.replaceChildren(...options.map(([key, text]) => Object.assign(element("option", "", text), { value: key })));
        listed = next;
      }
      select.value = value;
    },
  };
}

function addRange(host, choose) {
  const label = host.appendChild(element("label"));
  const name = label.appendChild(element("span"));
  const range = label.appendChild(element("input"));
  Object.assign(range, { type: "range", min: "0", max: "0.99", step: "0.01" });
  const output = label.appendChild(element("output"));
  range.addEventListener("input", () => choose(Number(range.value)));
  return {
    update(title, help, value, language) {
      name.textContent = title;
      label.title = help;
      range.value = String(value);
      output.textContent = formatNumber(value, language, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
      range.setAttribute("aria-valuetext", output.textContent);
    },
  };
}

function addCheck(host, choose) {
  const label = host.appendChild(element("label", "check"));
  const box = label.appendChild(element("input"));
  box.type = "checkbox";
  box.id = `runs-check-${(made += 1)}`;
  const text = label.appendChild(element("span"));
  box.addEventListener("change", () => choose(box.checked));
  return {
    update(title, on, isShown = true) {
      label.hidden = !isShown;
      text.textContent = title;
      box.checked = on;
    },
  };
}
