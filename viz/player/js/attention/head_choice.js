// What the reader chooses about attention: a head, how it is drawn, and a word. Each is one choice for all panels of a player, reported to the page.

const choices = new WeakMap();

/**
 * Return a choice of a player by its name: `value()` is null until something is chosen; `choose(value)` is called for the reader's choice, and
 * `adopt(value)` with the page's. The page is sent `none` for null.
 *
 * The page answers a choice later, when the reader may have chosen again. An answer to an earlier choice is ignored, unless the page itself
 * has decided (`player.decision`), as after Back.
 */
export function choiceOf(player, name, none) {
  if (!choices.has(player)) choices.set(player, {});
  return (choices.get(player)[name] ??= makeChoice(player, name, none));
}

/** Return the chosen head: `[layer, head]`, or null for all heads. */
export function headChoiceOf(player) {
  return choiceOf(player, "head", []);
}

function makeChoice(player, name, none) {
  let chosen = null;
  let pageChoice = "null"; // the last choice of the page
  let expected = null; // the answer that the page owes
  let decision = null; // of the player, at the last choice of the page
  return {
    value: () => chosen,
    choose(value) {
      if (JSON.stringify(value) === JSON.stringify(chosen)) return;
      chosen = value;
      expected = JSON.stringify(value);
      player.send(name, { [name]: value ?? none, decision: player.decision });
      player.repaint();
    },
    adopt(value) {
      if (player.decision !== decision) pageChoice = expected = null;
      decision = player.decision;
      const next = JSON.stringify(value ?? null);
      if (next === pageChoice) return;
      pageChoice = next;
      if (expected !== null && next !== expected) return;
      expected = null;
      chosen = value ?? null;
    },
  };
}
