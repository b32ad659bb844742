// The chosen attention head: one for all panels of a player, reported to the page.

const choices = new WeakMap();

/**
 * Return the choice of a player: `head()` is `[layer, head]`, or null for all heads; `choose(head)` is called for the reader's choice, and
 * `adopt(head)` with the page's.
 *
 * The page answers a choice later, when the reader may have chosen again. An answer to an earlier choice is ignored, unless the page itself
 * has decided (`player.decision`), as after Back.
 */
export function headChoiceOf(player) {
  if (!choices.has(player)) choices.set(player, makeChoice(player));
  return choices.get(player);
}

function makeChoice(player) {
  let chosen = null;
  let pageChoice = "null"; // the last choice of the page
  let expected = null; // the answer that the page owes
  let decision = null; // of the player, at the last choice of the page
  return {
    head: () => chosen,
    choose(head) {
      if (JSON.stringify(head) === JSON.stringify(chosen)) return;
      chosen = head;
      expected = JSON.stringify(head);
      player.send("head", { head: head ?? [], decision: player.decision });
      player.repaint();
    },
    adopt(head) {
      if (player.decision !== decision) pageChoice = expected = null;
      decision = player.decision;
      const next = JSON.stringify(head ?? null);
      if (next === pageChoice) return;
      pageChoice = next;
      if (expected !== null && next !== expected) return;
      expected = null;
      chosen = head ?? null;
    },
  };
}
