// Where a vector comes from: its norm as a sum along its direction, and one of its numbers as the sum of those of its addends.

import { formatFixed } from "../drawing.js";
import { decimalsFor, fill, formatDigits, roundedSum, sum } from "./model_numbers.js";

/** Write a sum as rows whose printed numbers add up. `terms`: `{ label, value, part?, factors? }`; `part` is what a click on the row shows. */
export function sumBlock(title, terms, total, language, { notes = [], decimals: wanted = 0 } = {}) {
  const values = terms.map((term) => term.value);
  // Factors are written with four digits, so that the last of three digits of their product is right.
  const decimals = wanted || decimalsFor([...values, total.value], terms.some((term) => term.factors) ? 3 : 4);
  const printed = roundedSum(values, total.value, decimals);
  const write = (value) => formatFixed(value, decimals, language);
  const rows = terms.map(({ label, factors, part }, i) => ({ label: factors ? `${label}: ${formatDigits(factors[0], language, 4)} × ${formatDigits(factors[1], language, 4)}` : label, value: write(printed.values[i]), part }));
  return { title, rows, total: { label: total.label, value: write(printed.total), part: total.part }, notes };
}

/** List the vectors whose sum a vector is; none where it is not a sum of others that are shown. */
export function addendsOf({ name, layer }, { facts }) {
  if (facts.foreign) return [];
  if (name === "input") return [{ name: "token" }, { name: "position" }];
  if (name !== "residual" || facts.post) return [];
  return [streamBefore(layer), { name: "attention", layer }, { name: "mlp", layer }];
}

export function streamBefore(layer) {
  return layer ? { name: "residual", layer: layer - 1 } : { name: "input" };
}

/** Identify a vector in the picture. */
export const vectorKey = ({ name, layer }) => (layer === undefined ? name : `${name}:${layer}`);

/** Name a vector in a sentence. */
export function nameVector({ name, layer }, { words, tokens, place }) {
  return fill(words[`name_${name}`], { layer, token: tokens[place].name, position: place });
}

/** Return the norm of a vector at a snapshot; null where it is not known. */
export function normOf({ name, layer }, { trace }, index) {
  if (!trace.has(`${name}_norm`)) return null;
  return layer === undefined ? trace.at(`${name}_norm`, index) : trace.at(`${name}_norm`, index, layer);
}

/** Explain a norm: `{ title, lead, blocks, marks }`. */
export function explainNorm(vector, model, index, language) {
  const { words, facts } = model;
  const norm = normOf(vector, model, index);
  const title = `${nameVector(vector, model)}: ${words.norm} ${formatDigits(norm, language, 4)}`;
  if (facts.foreign) return { title, lead: words.lead_unknown, blocks: [], marks: [] };
  const explain = { token: explainRow, position: explainRow, input: explainInput, attention: explainAttention, mlp: explainMLP, residual: explainStream }[vector.name];
  return { title, ...explain(vector, model, index, language) };
}

function explainRow(vector, model, index, language) {
  const { words, strips, facts } = model;
  const lead = fill(words.lead_row, { n: facts.n_dims });
  const values = strips.row(vector.name, index);
  if (values.length < facts.n_dims) return { lead, blocks: [], marks: [] };
  const squares = Array.from(values, (value, dim) => ({ label: `${fill(words.dim, { dim })}: ${formatDigits(value, language)}²`, value: value * value, part: { kind: "cell", vector, cell: dim } }));
  const leading = squares.sort((a, b) => b.value - a.value).slice(0, 4);
  const norm = normOf(vector, model, index);
  const rest = { label: fill(words.other_dims, { n: values.length - leading.length }), value: norm * norm - sum(leading.map((term) => term.value)) };
  const note = `√${formatDigits(norm * norm, language, 4)} = ${formatDigits(norm, language, 4)}`;
  return { lead, blocks: [sumBlock("", [...leading, rest], { label: words.sum_of_squares, value: norm * norm }, language, { notes: [note] })], marks: [vector.name] };
}

/** Write a vector as an addend: its name and norm, and how far it goes along the direction of the sum. */
function addend(name, vector, value, model, index, language) {
  const norm = formatDigits(normOf(vector, model, index), language);
  return { label: fill(model.words.addend, { name: model.words[`part_${name}`], norm }), value, part: { kind: "norm", vector } };
}

function explainInput(_, model, index, language) {
  const { words, trace } = model;
  const terms = ["token", "position"].map((name) => addend(name, { name }, trace.at(`${name}_share`, index), model, index, language));
  const total = { label: words.norm_of_sum, value: trace.at("input_norm", index) };
  return { lead: words.lead_sum, blocks: [sumBlock("", terms, total, language)], marks: ["token", "position"] };
}

function explainStream({ layer }, model, index, language) {
  const { words, trace, facts } = model;
  const share = (name) => trace.at(`${name}_share`, index, layer);
  const before = streamBefore(layer);
  const parts = [{ name: "attention", layer }, { name: "mlp", layer }];
  // In GPT-1 the first sum is normalised, too: what the MLP is added to has attention in it.
  const first = facts.post ? { label: words.part_between, value: share("before") } : addend("before", before, share("before"), model, index, language);
  const others = parts.slice(facts.post ? 1 : 0).map((part) => addend(part.name, part, share(part.name), model, index, language));
  const total = { label: words.norm_of_sum, value: trace.at("sum_norm", index, layer) };
  const notes = facts.post ? [fill(words.normalised, { norm: formatDigits(trace.at("residual_norm", index, layer), language, 4) })] : [];
  const lead = facts.post ? words.lead_sum_post : words.lead_sum;
  return { lead, blocks: [sumBlock("", [first, ...others], total, language, { notes })], marks: [before, ...parts].map(vectorKey) };
}

function explainAttention({ layer }, model, index, language) {
  const { words, trace, nHead } = model;
  const norm = trace.at("attention_norm", index, layer);
  const terms = Array.from({ length: nHead }, (_, head) => {
    const label = fill(words.addend, { name: fill(words.head, { head }), norm: formatDigits(trace.at("head_norm", index, layer, head), language) });
    return { label, value: trace.at("head_share", index, layer, head), part: { kind: "head", layer, head } };
  });
  const bias = norm - sum(terms.map((term) => term.value));
  if (Math.abs(bias) > 1e-3 * norm) terms.push({ label: words.bias, value: bias });
  return { lead: words.lead_attention, blocks: [sumBlock("", terms, { label: words.norm, value: norm }, language)], marks: [`heads:${layer}`] };
}

function explainMLP({ layer }, model, index, language) {
  const { words, trace } = model;
  const norm = trace.at("mlp_norm", index, layer);
  const [units, activations, shares] = ["unit", "activation", "unit_share"].map((name) => trace.row(name, index, layer));
  const terms = Array.from(units, (unit, i) => ({ label: fill(words.unit, { unit, value: formatDigits(activations[i], language) }), value: shares[i] }));
  terms.push({ label: words.other_units, value: norm - sum(shares) });
  return { lead: words.lead_mlp, blocks: [sumBlock("", terms, { label: words.norm, value: norm }, language)], marks: [] };
}

/** Name the dimensions of a cell of a strip. */
export function nameCell(cell, n, { words, facts }) {
  if (n === facts.n_dims) return fill(words.dim, { dim: cell });
  const size = Math.ceil(facts.n_dims / n);
  return fill(words.dims, { first: cell * size, last: Math.min(facts.n_dims, (cell + 1) * size) - 1 });
}

export function cellValue({ name, layer }, cell, { strips }, index) {
  return layer === undefined ? strips.at(name, index, cell) : strips.at(name, index, layer, cell);
}

/** Explain one number of a vector. */
export function explainCell({ vector, cell }, model, index, language) {
  const { words, strips, facts } = model;
  const n = strips.size(vector.name, vector.layer === undefined ? 1 : 2);
  const value = cellValue(vector, cell, model, index);
  const addends = addendsOf(vector, model);
  const title = `${nameVector(vector, model)}, ${nameCell(cell, n, model)}: ${formatDigits(value, language, 4)}`;
  const size = Math.ceil(facts.n_dims / n);
  const ofCell = size === 1 ? words.lead_cell : fill(words.lead_mean_cell, { n: size });
  const lead = vector.name === "final" ? words.lead_final : facts.post && vector.name === "residual" ? words.lead_sum_post : ofCell;
  const terms = addends.map((part) => ({ label: nameVector(part, model), value: cellValue(part, cell, model, index), part: { kind: "cell", vector: part, cell } }));
  const blocks = terms.length ? [sumBlock("", terms, { label: words.total, value }, language)] : [];
  return { title, lead, blocks, marks: addends.map(vectorKey) };
}
