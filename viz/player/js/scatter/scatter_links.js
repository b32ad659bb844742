// Links between the scatter plots of a player: they hover and select the same item, and share the neighbours that another panel knows.

const links = new WeakMap();

/** Return the links of a player: its scatter `plots`, and `neighbours(item, step)`, which is null or returns null where unknown. */
export function linksOf(player) {
  if (!links.has(player)) links.set(player, { plots: new Set(), neighbours: null });
  return links.get(player);
}

/** Select an item in all scatter plots of a player. */
export function selectItem(player, item) {
  for (const plot of linksOf(player).plots) plot.select(item);
}

/** Bring out a group by its name in all scatter plots of a player; null for none. */
export function emphasiseGroup(player, name) {
  for (const plot of linksOf(player).plots) plot.emphasise(name);
}

/** Share the neighbours of an item with all scatter plots of a player; null for both ends it. */
export function shareNeighbours(player, item, neighbours) {
  linksOf(player).neighbours = neighbours;
  for (const plot of linksOf(player).plots) plot.adopt(item);
}
