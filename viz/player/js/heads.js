// Which attention head the reader has chosen: one for all panels of a stage, and the page hears of it.

const choices = new WeakMap();

/**
 * Return a stage's choice: `head()` is `[layer, head]` or null for all; `choose(head)` is the reader's; `adopt(head)` is what the page says.
 *
 * The page answers a choice some time later, when the reader may have chosen again already: an answer that is not to the last
 * choice is passed over, unless the page has come to decide (`stage.asked`), as after Back.
 */
export function headsOf(stage) {
  if (!choices.has(stage)) choices.set(stage, choiceOf(stage));
  return choices.get(stage);
}

function choiceOf(stage) {
  let chosen = null;
  let said = "null"; // what the page said last
  let awaited = null; // what it is to answer
  let asked = null; // the stage's, when the page spoke last
  return {
    head: () => chosen,
    choose(head) {
      if (JSON.stringify(head) === JSON.stringify(chosen)) return;
      chosen = head;
      awaited = JSON.stringify(head);
      stage.send("head", { head: head ?? [], asked: stage.asked });
      stage.repaint();
    },
    adopt(head) {
      if (stage.asked !== asked) said = awaited = null;
      asked = stage.asked;
      const says = JSON.stringify(head ?? null);
      if (says === said) return;
      said = says;
      if (awaited !== null && says !== awaited) return;
      awaited = null;
      chosen = head ?? null;
    },
  };
}
