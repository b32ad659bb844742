// Where a number comes from: the computation that leads to it, with the numbers of the snapshot that is shown.

import { formatFixed } from "../drawing.js";
import { rankOf } from "./model_leaders.js";
import { decimalsFor, fill, formatDigits, sum } from "./model_numbers.js";
import { explainCell, explainNorm, sumBlock, vectorKey } from "./model_sums.js";

const MOST_KEYS = 6;

/**
 * Explain what was clicked, `selected`: `{ kind: "leader", layer, id }`, `{ kind: "weight", layer, head, key }` with null for the mean,
 * `{ kind: "head", layer, head }`, `{ kind: "norm", vector }` or `{ kind: "cell", vector, cell }`.
 *
 * Returns `{ title, lead, blocks, marks, links }`: blocks are sums, marks the parts of the picture that the number comes from.
 */
export function explain(selected, model, index, language, step) {
  const makers = { leader: explainLeader, weight: explainWeight, head: explainHead, norm: ({ vector }, ...rest) => explainNorm(vector, ...rest), cell: explainCell };
  const found = makers[selected.kind](selected, model, index, language);
  return { ...found, links: linksOf(selected, model, step) };
}

function explainLeader({ layer, id }, model, index, language) {
  const { lens, words, facts, nLayer } = model;
  const rank = rankOf(lens, index, layer, id);
  const token = model.vocabulary[id].name;
  const where = layer === 0 ? words.lens_start : layer === nLayer ? words.lens_end : fill(words.lens_layer, { layer: layer - 1 });
  const stream = vectorKey(layer ? { name: "residual", layer: layer - 1 } : { name: "input" });
  if (rank < 0) return { title: `“${token}” ${where}`, lead: fill(words.not_leading, { n: lens.size("leader", 2) }), blocks: [], marks: [] };
  const lead = layer === nLayer ? fill(words.lead_end, { token }) : fill(words.lead_lens, { where });
  const share = lens.at("probability", index, layer, rank);
  const [logit, total] = [lens.at("logit", index, layer, rank), lens.at("log_total", index, layer)];
  const blocks = lens.has("term_dim") ? [logitBlock(layer, rank, token, logit, model, index, language)] : [];
  blocks.push(softmaxBlock(fill(words.softmax_tokens, { n: facts.n_vocabulary }), logit, total, share, words.logit, words.log_probability, model, language));
  return { title: `“${token}” ${where}: ${formatDigits(share, language, 4)}`, lead, blocks, marks: layer === nLayer ? [stream, "final"] : [stream] };
}

function logitBlock(layer, rank, token, logit, { lens, words, facts }, index, language) {
  const [dims, stream, row] = ["term_dim", "stream_value", "row_value"].map((name) => lens.row(name, index, layer, rank));
  const terms = Array.from(dims, (dim, i) => ({ label: fill(words.dim, { dim }), value: stream[i] * row[i], factors: [stream[i], row[i]] }));
  terms.push(restOf(terms, logit, fill(words.other_dims, { n: facts.n_dims - dims.length })));
  return sumBlock(fill(words.logit_sum, { token }), terms, { label: words.logit, value: logit }, language);
}

function restOf(terms, total, label) {
  return { label, value: total - sum(terms.map((term) => term.value)) };
}

/** Write the softmax of a number as a difference of logarithms, and its exponential. */
function softmaxBlock(title, score, total, share, scoreLabel, totalLabel, { words }, language) {
  const terms = [{ label: scoreLabel, value: score }, { label: words.log_total, value: -total }];
  const decimals = Math.max(4, decimalsFor([score, total])); // so that the exponential of what is printed is what is printed
  const note = `exp(${formatFixed(score - total, decimals, language)}) = ${formatDigits(share, language)}`;
  return sumBlock(title, terms, { label: totalLabel, value: score - total }, language, { notes: [note], decimals });
}

function explainWeight({ layer, head, key }, model, index, language) {
  const { trace, words, tokens, place, facts } = model;
  const names = { from: tokens[place].name, to: tokens[key].name, position: key };
  const marks = [`token:${key}`, `token:${place}`];
  if (head === null) return { ...explainMean(layer, key, names, model, index, language), marks };
  const weight = trace.at("attention", index, layer, head, key);
  const title = `${fill(words.layer_head, { layer, head })}: ${fill(words.attends, names)}, ${words.weight} ${formatDigits(weight, language, 4)}`;
  if (facts.foreign) return { title, lead: words.lead_unknown, blocks: [], marks };
  const scores = trace.row("score", index, layer, head);
  const [score, largest] = [scores[key], Math.max(...scores)];
  const total = largest + Math.log(sum(Array.from(scores, (one) => Math.exp(one - largest))));
  const [dims, query, keys] = ["score_dim", "query_value", "key_value"].map((name) => trace.row(name, index, layer, head, key));
  const product = score * Math.sqrt(facts.head_size);
  const terms = Array.from(dims, (dim, i) => ({ label: fill(words.dim, { dim }), value: query[i] * keys[i], factors: [query[i], keys[i]] }));
  if (facts.head_size > dims.length) terms.push(restOf(terms, product, fill(words.other_dims, { n: facts.head_size - dims.length })));
  const decimals = decimalsFor([...terms.map((term) => term.value), product]);
  const note = `${formatFixed(product, decimals, language)} / √${facts.head_size} = ${formatFixed(score, decimals, language)}`;
  const blocks = [
    sumBlock(fill(words.score_sum, names), terms, { label: words.product, value: product }, language, { notes: [note], decimals }),
    softmaxBlock(fill(words.softmax_keys, { n: scores.length }), score, total, weight, words.score, words.log_weight, model, language),
  ];
  return { title, lead: fill(words.lead_weight, names), blocks, marks };
}

function explainMean(layer, key, names, { trace, words, nHead }, index, language) {
  const terms = Array.from({ length: nHead }, (_, head) => ({ label: fill(words.head, { head }), value: trace.at("attention", index, layer, head, key), part: { kind: "weight", layer, head, key } }));
  const total = sum(terms.map((term) => term.value));
  const mean = total / nHead;
  const title = `${fill(words.mean_of, { layer, n: nHead })}: ${fill(words.attends, names)}, ${words.weight} ${formatDigits(mean, language, 4)}`;
  const note = `${formatDigits(total, language, 4)} / ${nHead} = ${formatDigits(mean, language, 4)}`;
  return { title, lead: words.lead_mean, blocks: [sumBlock("", terms, { label: words.sum_of_heads, value: total }, language, { notes: [note] })] };
}

function explainHead({ layer, head }, model, index, language) {
  const { trace, words, tokens, facts } = model;
  const marks = [`weights:${layer}`];
  const name = fill(words.layer_head, { layer, head });
  if (facts.foreign) return { title: name, lead: words.lead_unknown, blocks: [], marks };
  const norm = trace.at("head_norm", index, layer, head);
  const [weights, shares] = ["attention", "key_share"].map((one) => trace.row(one, index, layer, head));
  const order = Array.from(shares, (_, key) => key).sort((a, b) => Math.abs(shares[b]) - Math.abs(shares[a]));
  const terms = order.slice(0, MOST_KEYS).map((key) => ({
    label: fill(words.gathered, { token: tokens[key].name, position: key, weight: formatDigits(weights[key], language) }),
    value: shares[key],
    part: { kind: "weight", layer, head, key },
  }));
  if (order.length > terms.length) terms.push(restOf(terms, norm, fill(words.other_positions, { n: order.length - terms.length })));
  const title = `${name}: ${words.head_norm} ${formatDigits(norm, language, 4)}`;
  return { title, lead: words.lead_head, blocks: [sumBlock("", terms, { label: words.norm, value: norm }, language)], marks };
}

function linksOf({ kind, id, layer, head, vector }, { links, words, vocabulary, ids, place }, step) {
  const found = [];
  const token = kind === "leader" ? id : vector?.name === "token" ? ids[place] : null;
  if (token !== null && links.embeddings) {
    found.push({ text: fill(words.see_token, { token: vocabulary[token].name }), href: `${links.embeddings}&item=${encodeURIComponent(vocabulary[token].item)}&step=${step}` });
  }
  if ((kind === "weight" || kind === "head") && head !== null && links.attention) {
    found.push({ text: words.see_head, href: `${links.attention}&layer=${layer}&head=${head}&picture=words&query=${place}&step=${step}` });
  }
  return found;
}
