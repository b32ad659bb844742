// Discs with their label inside, as in the films: quiet ones, coloured ones, and faint ones where there is less reason to believe them.

import { textOn } from "./drawing.js";

// How much of its colour the least trusted disc keeps, and of its contrast the label on it: it has to be read still.
const FAINTEST = 0.25;
const GLYPHS_FAINTEST = 0.55;
const LEVELS = 30;
const LONGEST_INSIDE = 3;
const LEAST_GLYPHS_PX = 7.5;
const EDGED_FROM_PX = 2; // an edge in the ground's colour keeps discs apart
// Small dots have less ink, and need more of it to be seen.
const DOTS_FAINTEST = 0.45;

/** Return a radius at which so many discs fill a fitting part of the area: large for few items, small for many. */
export function radiusFor(n, width, height) {
  const unit = Math.min(1.4, Math.max(0.72, Math.min(width, height) / 800));
  const filling = 0.19 * Math.sqrt((width * Math.min(height, width)) / Math.max(1, n));
  return Math.min(21 * unit, Math.max(2.2 * unit, filling));
}

/** Return a colour laid over a ground with this opacity, both `#RRGGBB`. */
export function over(color, ground, strength) {
  const part = (i) => {
    const [a, b] = [parseInt(color.slice(i, i + 2), 16), parseInt(ground.slice(i, i + 2), 16)];
    return Math.round(strength * a + (1 - strength) * b).toString(16).padStart(2, "0");
  };
  return `#${part(1)}${part(3)}${part(5)}`;
}

function glyphSize(length, radius) {
  return radius * (length < 2 ? 1.3 : length === 2 ? 1.12 : 0.88);
}

/** Make the painter of discs in a theme; it keeps the colours and the pictures it has made. */
export function discsIn(theme) {
  const inks = new Map();
  const boxes = new Map();

  /** Return the colours of a disc and of the glyphs on it at a strength of 0..1. */
  function ink(color, strength, isLabelled) {
    const level = Math.round((Math.max(0, Math.min(1, strength) - FAINTEST) / (1 - FAINTEST)) * LEVELS);
    const key = `${color}${level}${isLabelled}`;
    let found = inks.get(key);
    if (!found) {
      const share = level / LEVELS;
      // Without a label, a quiet disc that fades would be lost on its ground.
      const base = !isLabelled && color === theme.disc ? over(theme.muted, theme.disc, 0.6) : color;
      const faintest = isLabelled ? FAINTEST : DOTS_FAINTEST;
      const disc = over(base, theme.panel, faintest + (1 - faintest) * share);
      const text = color === theme.disc ? theme.discText : textOn(disc);
      found = { disc, glyph: over(text, disc, GLYPHS_FAINTEST + (1 - GLYPHS_FAINTEST) * share) };
      inks.set(key, found);
    }
    return found;
  }

  /** Return where a label's ink lies, for a font of 100 pixels. */
  function box(context, label) {
    let found = boxes.get(label);
    if (!found) {
      context.font = `600 100px ${theme.font}`;
      const measured = context.measureText(label);
      found = {
        dx: (measured.actualBoundingBoxLeft - measured.actualBoundingBoxRight) / 200,
        dy: (measured.actualBoundingBoxAscent - measured.actualBoundingBoxDescent) / 200,
      };
      boxes.set(label, found);
    }
    return found;
  }

  return {
    forget() {
      boxes.clear();
    },
    ink,
    /** Say whether a label can be read inside a disc of this radius. */
    isInside(label, radius) {
      if (glyphSize(1, radius) < LEAST_GLYPHS_PX) return false;
      const length = label.length > 2 * LONGEST_INSIDE ? label.length : [...label].length;
      return length <= LONGEST_INSIDE && glyphSize(length, radius) >= LEAST_GLYPHS_PX;
    },
    /** Paint a disc with its label on it. */
    labelled(context, x, y, radius, color, strength, label) {
      const { disc, glyph } = ink(color, strength, true);
      context.beginPath();
      context.arc(x, y, radius, 0, 2 * Math.PI);
      context.fillStyle = disc;
      context.fill();
      context.strokeStyle = theme.panel;
      context.lineWidth = Math.max(0.6, radius * 0.12);
      context.stroke();
      const size = glyphSize([...label].length, radius);
      const { dx, dy } = box(context, label);
      context.font = `600 ${size.toFixed(2)}px ${theme.font}`;
      context.fillStyle = glyph;
      context.fillText(label, x + dx * size, y + dy * size);
    },
    /** Paint a disc without a label: thousands of circles that are filled one by one take less time than copies of a picture of one. */
    plain(context, x, y, radius, color, strength) {
      if (radius >= EDGED_FROM_PX) {
        context.fillStyle = theme.panel;
        context.beginPath();
        context.arc(x, y, radius + Math.max(0.4, radius * 0.12) / 2, 0, 2 * Math.PI);
        context.fill();
      }
      context.fillStyle = ink(color, strength, false).disc;
      context.beginPath();
      context.arc(x, y, radius - (radius >= EDGED_FROM_PX ? Math.max(0.4, radius * 0.12) / 2 : 0), 0, 2 * Math.PI);
      context.fill();
    },
  };
}
