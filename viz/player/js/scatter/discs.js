// Discs with a label inside, as in the films: coloured, and with a hole where their neighbours are doubtful.

import { textOn } from "../drawing.js";

// The radius of a hole in radii of its disc, and how far its colour is that of the panel.
const HOLE = 0.76;
const OPEN = 0.8;
const LEVELS = 30;
const MAX_INSIDE = 3;
const MIN_GLYPH_PX = 7.5;
const SMALLEST_LETTERED_PX = 7;
const CLOUD = 10_000; // items, of which each may be smaller
const FULLEST = 0.28; // share of a panel that discs may fill
const MIN_EDGED_PX = 2; // from this radius on, an edge in the background's colour separates discs

/** Choose the radius of discs from their number and the area. */
export function radiusFor(n, width, height) {
  const unit = Math.min(1.4, Math.max(0.72, Math.min(width, height) / 800));
  const filling = 0.19 * Math.sqrt((width * Math.min(height, width)) / Math.max(1, n));
  // On a small panel discs fill more of it, if only their letters can then be read.
  const legible = n * Math.PI * SMALLEST_LETTERED_PX ** 2 < FULLEST * width * height ? SMALLEST_LETTERED_PX : 0;
  return Math.min(21 * unit, Math.max((n > CLOUD ? 1.5 : 2.2) * unit, filling, legible));
}

/** Blend a colour over a background with an opacity; all `#RRGGBB`. */
function blend(color, background, opacity) {
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

  /** Compute the colours of a disc's hole and of its label at a doubt of 0..1; the disc keeps its colour. */
  function colorsAt(color, doubt) {
    const level = Math.round(Math.max(0, Math.min(1, doubt)) * LEVELS);
    const key = `${color}${level}`;
    let found = colors.get(key);
    if (!found) {
      const hole = blend(theme.panel, color, (OPEN * level) / LEVELS);
      found = { hole, glyph: textOn(hole), isOpen: level > 0 };
      colors.set(key, found);
    }
    return found;
  }

  function fillHole(context, x, y, radius, { hole, isOpen }) {
    if (!isOpen) return;
    context.fillStyle = hole;
    context.beginPath();
    context.arc(x, y, HOLE * radius, 0, 2 * Math.PI);
    context.fill();
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
    /** Write a label inside a disc. */
    letter(context, x, y, radius, color, doubt, label) {
      const size = glyphSize([...label].length, radius);
      const { dx, dy } = offset(context, label);
      context.font = `600 ${size.toFixed(2)}px ${theme.font}`;
      context.fillStyle = colorsAt(color, doubt).glyph;
      context.fillText(label, x + dx * size, y + dy * size);
    },
    /** Paint a disc with its label inside. */
    labelled(context, x, y, radius, color, doubt, label) {
      const shade = colorsAt(color, doubt);
      context.beginPath();
      context.arc(x, y, radius, 0, 2 * Math.PI);
      context.fillStyle = color;
      context.fill();
      context.strokeStyle = theme.panel;
      context.lineWidth = Math.max(0.6, radius * 0.12);
      context.stroke();
      fillHole(context, x, y, radius, shade);
      this.letter(context, x, y, radius, color, doubt, label);
    },
    /** Paint a disc without a label. Filling thousands of circles one by one is faster than copying an image of one. */
    plain(context, x, y, radius, color, doubt) {
      if (radius >= MIN_EDGED_PX) {
        context.fillStyle = theme.panel;
        context.beginPath();
        context.arc(x, y, radius + Math.max(0.4, radius * 0.12) / 2, 0, 2 * Math.PI);
        context.fill();
      }
      context.fillStyle = color;
      context.beginPath();
      context.arc(x, y, radius - (radius >= MIN_EDGED_PX ? Math.max(0.4, radius * 0.12) / 2 : 0), 0, 2 * Math.PI);
      context.fill();
      fillHole(context, x, y, radius, colorsAt(color, doubt));
    },
  };
}
