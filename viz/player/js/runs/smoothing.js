// Smoothing of a curve.

/**
 * Smooth values by an exponential moving average with a weight from 0 to 1 for the past.
 *
 * The average starts at 0 and is divided by the weight that it has gathered, as in Adam (Kingma & Ba 2015, section 3), so that the first
 * values are not drawn towards 0. Values that are not finite are left out and stay so.
 */
export function smooth(values, weight) {
  let average = 0;
  let gathered = 0;
  return values.map((value) => {
    if (!Number.isFinite(value)) return NaN;
    average = weight * average + (1 - weight) * value;
    gathered = weight * gathered + (1 - weight);
    return average / gathered;
  });
}
