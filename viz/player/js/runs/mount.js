// All runs on a Streamlit page: their curves in one chart, and a table that is filtered and sorted in the browser, without the server.

import { element } from "../drawing.js";
import { fitToWindow } from "../window_fit.js";
import { makeChart } from "./chart.js";
import { makeLegend } from "./legend.js";
import { differences, prepareTable, select } from "./selection.js";
import { makeTable } from "./table.js";
import { counted, makeChartTools, makeTableTools } from "./toolbar.js";
import { readView, toggled, writeView } from "./view.js";

const SEND_AFTER_MS = 500; // a filter that is being typed, or a slider being dragged, is sent once
const MOST_KNOWN = 400; // runs whose curves are kept
const OF_CHART = ["measure", "along", "smoothing", "isLogX", "isLogY"]; // what the table does not depend on

const mounted = new WeakMap();

/** Called by Streamlit at first and whenever the page's script has run; the returned function is called at the end. */
export default function mount({ data: [data], parentElement, setStateValue, setTriggerValue }) {
  const root = parentElement.querySelector(".runs");
  if (!mounted.has(root)) mounted.set(root, makeApp(root));
  const app = mounted.get(root);
  app.send = setStateValue;
  app.trigger = setTriggerValue;
  app.show(data);
  return () => {
    app.destroy();
    mounted.delete(root);
  };
}

function makeApp(root) {
  const chartTools = root.appendChild(element("div", "tools"));
  const upper = root.appendChild(element("div", "upper"));
  const chartBox = upper.appendChild(element("div", "chart"));
  const legendBox = upper.appendChild(element("div", "legend"));
  legendBox.tabIndex = 0;
  const tableTools = root.appendChild(element("div", "tools"));
  const lower = root.appendChild(element("div", "lower"));
  const same = root.appendChild(element("details", "same"));
  const sameTitle = same.appendChild(element("summary"));
  const sameList = same.appendChild(element("p"));

  const known = new Map(); // curves by the name of the run: { version, values }
  let data = null;
  let table = null;
  let view = null;
  let selection = null;
  let columns = [];
  let columnKeys = "";
  let showsHidden = false;
  let showsSettings = true;
  let sending = 0;
  let asked = "";

  const app = {
    send: null,
    trigger: null,
    get words() { return data.words; },
    get language() { return data.language; },
    get theme() { return data.theme; },
    choose(change) {
      view = { ...view, ...change };
      if (Object.keys(change).every((name) => OF_CHART.includes(name))) refreshChart();
      else refresh();
      sendSoon();
    },
    sortBy(key) {
      const { sort } = view;
      app.choose({ sort: sort === key ? `-${key}` : sort === `-${key}` ? "" : key });
    },
    togglePin: (name) => app.choose({ pins: toggled(view.pins, name), hidden: view.hidden.filter((other) => other !== name) }),
    toggleHidden: (name) => app.choose({ hidden: toggled(view.hidden, name), pins: view.pins.filter((other) => other !== name) }),
    showSettings(on) { showsSettings = on; refresh(); },
    showHidden(on) { showsHidden = on; refresh(); },
    resetZoom: () => chart.reset(),
    point: (name) => chart.point(name),
    rename: (name) => list.rename(name),
    endRename: (name) => list.endRename(name),
    address: (name) => `${location.pathname}?run=${encodeURIComponent(name)}`,
    open(name) {
      sendNow();
      app.trigger("open", name);
    },
    label(row, change) {
      Object.assign(row, change);
      app.trigger("label", { run: row.name, name: row.label, color: change.color ?? "" });
      table = prepareTable(data);
      refresh();
    },
    show,
    destroy() {
      clearTimeout(sending);
      fitted.destroy();
      chart.destroy();
      list.destroy();
    },
  };
  const fitted = fitToWindow(root, () => root);
  const tools = makeChartTools(chartTools, app);
  const filters = makeTableTools(tableTools, app);
  const legend = makeLegend(legendBox, app.point);
  const chart = makeChart(chartBox, (readings) => legend.update(readings));
  const list = makeTable(lower, app);

  function show(next) {
    fitted.fit();
    for (const [name, curves] of Object.entries(next.curves)) {
      known.delete(name); // to the end of the order
      known.set(name, curves);
    }
    while (known.size > MOST_KNOWN) known.delete(known.keys().next().value);
    if (data?.version === next.version) return;
    const isDecided = data?.decision !== next.decision; // the page, not the reader, decides what is chosen
    data = next;
    table = prepareTable(data);
    columnKeys = "";
    if (isDecided) view = readView(data.view);
    for (const name of ["background", "panel", "text", "muted", "line", "accent", "font"]) root.style.setProperty(`--${name}`, data.theme[name]);
    root.style.colorScheme = data.theme.name;
    legendBox.setAttribute("aria-label", data.words.value);
    legendBox.setAttribute("role", "region");
    refresh();
  }

  function refresh() {
    selection = select(table, view, showsHidden);
    const { differing, same: equal } = differences(selection.visible, table.columns);
    setColumns(showsSettings ? differing : []);
    filters.update({ ...data, view, selection, nRows: table.rows.length, nDiffering: differing.length, showsSettings, showsHidden });
    list.update({ rows: selection.rows, columns, sort: view.sort, pins: view.pins, hidden: view.hidden, current: data.current }, table.rows);
    refreshChart();
    tellSame(equal);
    askForCurves();
    root.dataset.shown = selection.visible.length; // tests and benchmarks wait for it
  }

  function refreshChart() {
    tools.update({ ...data, view });
    const { measure, along, smoothing: weight, isLogX, isLogY } = view;
    const title = data.measures.find(({ key }) => key === measure)?.title ?? measure;
    chart.update({ ...data, rows: selection.drawn, known, title, measure, along, weight, isLogX, isLogY });
  }

  /** The columns are those of the table and, before the last few, the settings that differ; they are the same object until they change. */
  function setColumns(differing) {
    const key = differing.map((column) => column.key).join("\n");
    if (columns.length && key === columnKeys) return;
    columnKeys = key;
    const own = table.columns.filter((column) => column.kind !== "setting");
    const at = own.findIndex((column) => column.isAside);
    columns = at < 0 ? [...own, ...differing] : [...own.slice(0, at), ...differing, ...own.slice(at)];
  }

  function tellSame(equal) {
    const listed = selection.visible.length > 1 ? equal.map((column) => [column.key, selection.visible[0].values[column.index]]) : [];
    const settings = [...listed, ...(selection.visible.length > 1 ? data.same : [])].filter(([, value]) => value !== null);
    same.hidden = !settings.length;
    sameTitle.textContent = counted(data.words, "same", settings.length, data.language);
    sameList.textContent = settings.map(([key, value]) => `${key} ${value}`).join(" · ");
  }

  function askForCurves() {
    const missing = selection.drawn.map((row) => row.name).filter((name) => !known.has(name));
    if (missing.length && missing.join(",") !== asked) sendSoon(80);
  }

  function sendSoon(after = SEND_AFTER_MS) {
    clearTimeout(sending);
    sending = setTimeout(sendNow, after);
  }

  function sendNow() {
    clearTimeout(sending);
    const names = selection.drawn.map((row) => row.name);
    asked = names.filter((name) => !known.has(name)).join(",");
    app.send("view", { decision: data.decision, fields: writeView(view), names });
  }

  return app;
}
