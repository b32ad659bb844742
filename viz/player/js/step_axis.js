// The axis of steps: the same on the slider and in every panel.

/** Map steps to 0..1 and back, logarithmically (of step + 1, so that step 0 has a place) or linearly. */
export function stepAxis(steps, scale) {
  const first = steps[0];
  const last = steps[steps.length - 1];
  const transform = scale === "log" ? (s) => Math.log1p(s - first) : (s) => s - first;
  const invert = scale === "log" ? (v) => Math.expm1(v) + first : (v) => v + first;
  const span = transform(last) || 1;
  return {
    place: (step) => Math.min(1, Math.max(0, transform(Math.max(first, step)) / span)),
    stepAt: (place) => invert(Math.min(1, Math.max(0, place)) * span),
    /** Choose the steps to label: powers of ten, twice and five times these, or on a linear scale round numbers; none closer than `gap`. */
    labels(gap) {
      const candidates = scale === "log" ? logarithmic(first, last) : linear(first, last, Math.max(2, Math.floor(1 / gap)));
      const kept = [];
      // The ends come first, so that they are always labelled.
      for (const step of [first, last, ...candidates]) {
        const here = this.place(step);
        if (kept.every((other) => Math.abs(this.place(other) - here) >= gap)) kept.push(step);
      }
      return kept.sort((a, b) => a - b);
    },
  };
}

function logarithmic(first, last) {
  const found = [];
  for (let power = 1; power <= last; power *= 10) found.push(power);
  for (let power = 1; power <= last; power *= 10) found.push(2 * power, 5 * power);
  return found.filter((step) => step > first && step < last);
}

function linear(first, last, count) {
  const rough = (last - first) / count;
  const power = 10 ** Math.floor(Math.log10(Math.max(rough, 1)));
  const step = [1, 2, 5, 10].map((n) => n * power).find((s) => s >= rough);
  const found = [];
  for (let at = Math.ceil(first / step) * step; at < last; at += step) found.push(at);
  return found;
}

/** Find the index of the last of `steps` at or before `step`; 0 where there is none. */
export function indexAt(steps, step) {
  let low = 0;
  let high = steps.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (steps[middle] <= step) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Find the index of the nearest of `steps`. */
export function nearest(steps, step) {
  const before = indexAt(steps, step);
  const after = Math.min(before + 1, steps.length - 1);
  return step - steps[before] <= steps[after] - step ? before : after;
}

/** Find the index of the last of `steps` at or before `step`; -1 where there is none. */
export function lastIndex(steps, step) {
  return steps.length && steps[0] <= step ? indexAt(steps, step) : -1;
}
