import { element } from "./drawing.js";
import { PANELS } from "./theatre.js";

PANELS.bars = (host) => ({ update(panel) { host.replaceChildren(element("pre", "", panel.kind)); }, paint() {} });
