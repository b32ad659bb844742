import { element } from "./drawing.js";
import { PANELS } from "./theatre.js";

PANELS.scores = (host) => ({ update(panel) { host.replaceChildren(element("pre", "", panel.kind)); }, paint() {} });
