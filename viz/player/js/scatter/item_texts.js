// What there is of each item of a scatter plot, unpacked: labels, names, colours, and the members of groups.

import { unpack } from "../drawing.js";

const SEPARATOR = "\0";

/** Unpack the texts, colours and groups of a scatter panel. */
export function unpackItems(panel) {
  const labels = texts(panel.labels);
  const names = texts(panel.names).map((name, i) => name || labels[i]);
  const { kinds, index } = panel.colors;
  const group = ({ members, ...rest }) => ({ ...rest, members: Array.from(unpack(members)) });
  return { ...panel, labels, names, colors: Array.from(unpack(index), (kind) => kinds[kind]), groups: panel.groups.map(group), classes: panel.classes.map(group) };
}

function texts(packed) {
  return Array.isArray(packed) ? packed : packed.split(SEPARATOR);
}

/** List the members of groups, and the items in the order of painting: members last, above all others. */
export function paintingOrder({ labels, groups }) {
  const isMember = new Set(groups.flatMap((group) => group.members));
  const members = [...isMember];
  return { members, isMember, order: Uint32Array.from([...labels.keys()].filter((i) => !isMember.has(i)).concat(members)) };
}
