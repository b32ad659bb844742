// Where a step stands between the first and the last: the same place on the slider and on every axis of steps.

/** Map steps to 0..1 and back; logarithmic (of step + 1, so that 0 has a place) or linear. */
export function timeline(steps, scale) {
  const first = steps[0];
  const last = steps[steps.length - 1];
  const bend = scale === "log" ? (s) => Math.log1p(s - first) : (s) => s - first;
  const unbend = scale === "log" ? (v) => Math.expm1(v) + first : (v) => v + first;
  const span = bend(last) || 1;
  return {
    place: (step) => Math.min(1, Math.max(0, bend(Math.max(first, step)) / span)),
    stepAt: (place) => unbend(Math.min(1, Math.max(0, place)) * span),
    /** Steps to label: powers of ten and their neighbours on a log scale, round numbers on a linear one; none closer than `gap`. */
    labels(gap) {
      const wanted = scale === "log" ? logarithmic(first, last) : linear(first, last, Math.max(2, Math.floor(1 / gap)));
      const kept = [];
      // The ends are always labelled; what stands between gives way.
      for (const step of [first, last, ...wanted]) {
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

function linear(first, last, most) {
  const rough = (last - first) / most;
  const power = 10 ** Math.floor(Math.log10(Math.max(rough, 1)));
  const step = [1, 2, 5, 10].map((n) => n * power).find((s) => s >= rough);
  const found = [];
  for (let at = Math.ceil(first / step) * step; at < last; at += step) found.push(at);
  return found;
}

/** Return the index of the last of `steps` that is at or before `step` (0 where none is). */
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

/** Return the index of the one of `steps` that is nearest to `step`. */
export function nearest(steps, step) {
  const before = indexAt(steps, step);
  const after = Math.min(before + 1, steps.length - 1);
  return step - steps[before] <= steps[after] - step ? before : after;
}
