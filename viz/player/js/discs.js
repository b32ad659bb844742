// Discs with a label inside, as in the films: grey, coloured, and faded where trust is low.

import { textOn } from "./drawing.js";

// The shares of colour and of label contrast that remain at the lowest trust; the label must stay legible.
const MIN_SHARE = 0.25;
const MIN_GLYPH_SHARE = 0.55;
const LEVELS = 30;
const MAX_INSIDE = 3;
const MIN_GLYPH_PX = 7.5;
const MIN_EDGED_PX = 2; // from this radius on, an edge in the background's colour separates discs
// Small dots need more of their colour to be visible.
const MIN_DOT_SHARE = 0.45;

/** Choose the radius of discs from their number and the area. */
export function radiusFor(n, width, height) {
  const unit = Math.min(1.4, Math.max(0.72, Math.min(width, height) / 800));
  const filling = 0.19 * Math.sqrt((width * Math.min(height, width)) / Math.max(1, n));
  return Math.min(21 * unit, Math.max(2.2 * unit, filling));
}

/** Blend a colour over a background with an opacity; all `#RRGGBB`. */
export function blend(color, background, opacity) {
  const part = (i) => {
    const [a, b] = [parseInt(color.slice(i, i + 2), 16), parseInt(background.slice(i, i + 2), 16)];
    return Math.round(opacity * a + (1 - opacity) * b).toString(16).padStart(2, "0");
  };
  return `#${part(1)}${part(3)}${part(5)}`;
}

function glyphSize(length, radius) {
  return radius * (length < 2 ? 1.3 : length === 2 ? 1.12 : 0.88);
}

/** Make a painter of discs in a theme, which caches colours and label offsets. */
export function makeDiscs(theme) {
  const colors = new Map();
  const offsets = new Map();

  /** Compute the colours of a disc and its label at a trust of 0..1. */
  function colorsAt(color, trust, isLabelled) {
    const level = Math.round((Math.max(0, Math.min(1, trust) - MIN_SHARE) / (1 - MIN_SHARE)) * LEVELS);
    const key = `${color}${level}${isLabelled}`;
    let found = colors.get(key);
    if (!found) {
      const share = level / LEVELS;
      // A grey disc without a label would vanish against the background when it fades.
      const base = !isLabelled && color === theme.disc ? blend(theme.muted, theme.disc, 0.6) : color;
      const faintest = isLabelled ? MIN_SHARE : MIN_DOT_SHARE;
      const disc = blend(base, theme.panel, faintest + (1 - faintest) * share);
      const text = color === theme.disc ? theme.disc_text : textOn(disc);
      found = { disc, glyph: blend(text, disc, MIN_GLYPH_SHARE + (1 - MIN_GLYPH_SHARE) * share) };
      colors.set(key, found);
    }
    return found;
  }

  /** Measure the offset that centres the glyphs of a label, in units of the font size. */
  function offset(context, label) {
    let found = offsets.get(label);
    if (!found) {
      context.font = `600 100px ${theme.font}`;
      const measured = context.measureText(label);
      found = {
        dx: (measured.actualBoundingBoxLeft - measured.actualBoundingBoxRight) / 200,
        dy: (measured.actualBoundingBoxAscent - measured.actualBoundingBoxDescent) / 200,
      };
      offsets.set(label, found);
    }
    return found;
  }

  return {
    reset() {
      offsets.clear();
    },
    /** Whether a label is legible inside a disc of this radius. */
    fitsInside(label, radius) {
      if (glyphSize(1, radius) < MIN_GLYPH_PX) return false;
      const length = label.length > 2 * MAX_INSIDE ? label.length : [...label].length;
      return length <= MAX_INSIDE && glyphSize(length, radius) >= MIN_GLYPH_PX;
    },
    /** Paint a disc with its label inside. */
    labelled(context, x, y, radius, color, trust, label) {
      const { disc, glyph } = colorsAt(color, trust, true);
      context.beginPath();
      context.arc(x, y, radius, 0, 2 * Math.PI);
      context.fillStyle = disc;
      context.fill();
      context.strokeStyle = theme.panel;
      context.lineWidth = Math.max(0.6, radius * 0.12);
      context.stroke();
      const size = glyphSize([...label].length, radius);
      const { dx, dy } = offset(context, label);
      context.font = `600 ${size.toFixed(2)}px ${theme.font}`;
      context.fillStyle = glyph;
      context.fillText(label, x + dx * size, y + dy * size);
    },
    /** Paint a disc without a label. Filling thousands of circles one by one is faster than copying an image of one. */
    plain(context, x, y, radius, color, trust) {
      if (radius >= MIN_EDGED_PX) {
        context.fillStyle = theme.panel;
        context.beginPath();
        context.arc(x, y, radius + Math.max(0.4, radius * 0.12) / 2, 0, 2 * Math.PI);
        context.fill();
      }
      context.fillStyle = colorsAt(color, trust, false).disc;
      context.beginPath();
      context.arc(x, y, radius - (radius >= MIN_EDGED_PX ? Math.max(0.4, radius * 0.12) / 2 : 0), 0, 2 * Math.PI);
      context.fill();
    },
  };
}
